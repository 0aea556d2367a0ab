//! Makes the dashboard: one HTML file that opens in any browser, without a network, with ten visuals over curated tickets.
//!
//! * [`definition`]: the visuals and filters, free of HTML.
//! * [`questions`]: the SQL for what the page carries, asked of the `query` crate's engine.
//! * [`cube`]: the counts from which every visual's numbers follow under any filter; [`payload`] packs them.
//! * [`page`]: the HTML, with the charting library, the style and the code of `page/` in it.
//! * [`quicksight`]: the same dashboard as requests to Amazon QuickSight.
//! * [`serve`]: the same page on this machine's loopback, which loads itself anew when the data changes.
//! * [`browser`]: opens it.

pub mod browser;
pub mod cube;
pub mod definition;
pub mod page;
pub mod payload;
pub mod questions;
pub mod quicksight;
pub mod serve;

mod run;
mod version;

pub use run::{Config, Page, Written, build, run_dashboard};
