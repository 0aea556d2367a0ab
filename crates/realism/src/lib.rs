//! Realism report for ticket data: violations of the contract's rules, and similarity to the world that the tickets claim
//! to be from.
//!
//! ```text
//! data ─> read ─> rows ─┬─> validate ─────────────────────────────┐
//!                       └─> sample ──┬─> comparison with targets ──┴─> report
//! reference worlds ─> rows ─> sample ─┘
//! ```
//!
//! * [`read`]: data sets of JSON Lines or Parquet, as [`rows`].
//! * [`validate`]: the contract's rules, of fields, of tickets and between tickets.
//! * [`score`]: distributions, similarity scores, reference worlds and plausibility metrics.
//! * [`report`]: the result, as tables, JSON or Markdown.
//!
//! # Example
//!
//! ```
//! use std::num::NonZeroUsize;
//!
//! use cli_support::Messages;
//! use generate::{Target, run_generate};
//! use manifest::WorldParameters;
//! use realism::{Config, run_realism};
//!
//! let dir = tempfile::tempdir()?;
//! let raw = dir.path().join("raw");
//! let world = WorldParameters::new(42, "2026-11-22".parse()?, 90, 200);
//! run_generate(&generate::Config::of(world), Target::Directory(raw.clone()), &Messages::silent())?;
//!
//! let config = Config { data: vec![raw], profile: None, reference: None, threads: NonZeroUsize::MIN };
//! let report = run_realism(&config, &Messages::silent())?;
//! assert_eq!(report.n_tickets, 200);
//! assert!(report.passed && report.rules.iter().all(|rule| rule.n_broken == 0));
//! # Ok::<(), anyhow::Error>(())
//! ```

pub mod read;
pub mod report;
pub mod rows;
pub mod score;
pub mod validate;

mod run;

pub use run::{Config, run_realism};
