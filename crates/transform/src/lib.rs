//! Transforms ticket JSON-Lines to Parquet, partitioned by market, and counts every line.
//!
//! ```text
//! inputs ─> chunks ─> batches ─┬─> partition buffers ─> row groups ─> data/curated/tickets/market=DE/part-0.parquet
//!          (jsonl)   (decode)  └─> quarantine ──────────────────────> data/curated/_quarantine/
//! ```
//!
//! Many threads read and decode chunks at once. Batches are processed in input order, and the thread whose batch fills a row
//! group encodes it, so the output depends on the inputs alone.
//!
//! * [`decode`]: validates a line against the contract and returns a [`Row`](rows::row::Row) or a
//!   [`RejectReason`](decode::RejectReason).
//! * [`rows`]: a row, columns of rows, and the kinds of columns, for which the other modules implement their part.
//! * [`partition`]: column buffers of each market, and their division into row groups.
//! * [`dedup`]: the superseded rows of tickets with several states.
//! * [`mod@write`]: row groups, Parquet parts and the quarantine. The `parquet-encode` crate encodes the columns.
//! * [`run`]: the threads, the pipeline, the row counts, the manifest and the report.
//!
//! # Examples
//!
//! ```
//! use cli_support::Messages;
//! use jsonl::input::Inputs;
//! use transform::{Config, run_transform};
//!
//! # fn main() -> anyhow::Result<()> {
//! let dir = tempfile::tempdir()?;
//! let (raw, curated) = (dir.path().join("raw"), dir.path().join("curated"));
//!
//! // A thousand synthetic tickets.
//! let world = manifest::WorldParameters::new(42, "2026-11-22".parse().unwrap(), 90, 1000);
//! let target = generate::Target::Directory(raw.clone());
//! generate::run_generate(&generate::Config::of(world), target, &Messages::silent())?;
//!
//! let report = run_transform(&Config::new(&curated), Inputs::of_manifest(&raw)?, &Messages::silent())?;
//! assert_eq!((report.rows.read, report.rows.written, report.rows.quarantined), (1000, 1000, 0));
//! assert!(curated.join("tickets/market=DE/part-0.parquet").exists());
//! # Ok(())
//! # }
//! ```
#![allow(
    clippy::inline_always,
    reason = "a line in the common form is decoded in one function; without forced inlining decoding takes half as long again"
)]

pub mod decode;
pub mod dedup;
pub mod partition;
pub mod rows;
pub mod run;
pub mod write;

pub use run::{Config, Dedupe, run_transform};
