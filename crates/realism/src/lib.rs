//! A report card for ticket data: whether the tickets keep the contract's rules, and how much they are like tickets of the
//! world that they claim to be from.
//!
//! ```text
//! data ─> raw or curated ─> intake ─> rows ─> rules, histories        each rule: kept by what share of the rows
//!                                       │
//!                                       └──> sample ─┬─> compare ─> card ─> format
//!         reference (worlds, other seeds) ─> sample ─┘
//! ```
//!
//! * [`sources`]: what there is to read; [`raw`] (with [`scalar`]) and [`curated`] read it.
//! * [`intake`]: the values of one line to a [`rows::Row`], and the rules of single fields.
//! * [`rules`]: the rules, how often each was broken and where first; [`histories`] holds those between tickets.
//! * [`traits`]: what of a ticket is compared; [`sample`] counts it.
//! * [`scores`]: distances between two samples, as SDMetrics defines them; chi-square and Cramér's V.
//! * [`mod@reference`]: what the claimed profile promises, and tickets of the claimed world, drawn with other seeds.
//! * [`compare`]: scores against targets; [`signs`] are figures that a believable world has whatever its profile.
//! * [`card`]: the result; [`mod@format`]: how it is shown.

pub mod card;
pub mod compare;
pub mod curated;
pub mod format;
pub mod histories;
pub mod intake;
pub mod raw;
pub mod reference;
pub mod rows;
pub mod rules;
pub mod sample;
pub mod scalar;
pub mod scores;
pub mod signs;
pub mod sources;
pub mod traits;

mod run;

pub use run::{Config, run_realism};
