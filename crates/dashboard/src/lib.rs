//! The dashboard: ten visuals over curated tickets, as one HTML file and for Amazon QuickSight.
//!
//! * [`definition`]: visuals and filters, independent of the rendering.
//! * [`html`]: renders the definition as one HTML file that needs no network.
//! * [`quicksight`]: renders the definition as requests to Amazon QuickSight.
//! * [`queries`]: the SQL for the data of the page, run by the embedded engine of the crate `query`.
//! * [`serve`]: an HTTP server on the loopback interface; [`browser`] opens the page.
//!
//! ```no_run
//! use dashboard::{Config, run_dashboard};
//!
//! let config = Config { data: "data/curated".into(), as_of: None };
//! let written = run_dashboard(&config, "data/dashboard.html".as_ref())?;
//! println!("{}", written.summary());
//! # Ok::<(), anyhow::Error>(())
//! ```

pub mod browser;
pub mod definition;
pub mod html;
pub mod queries;
pub mod quicksight;
pub mod serve;

mod run;
mod version;

pub use run::{Config, Page, Written, build, run_dashboard};
