//! Turns ticket JSON-Lines into Snappy Parquet, one partition a market, and accounts for every line.
//!
//! ```text
//! input ─> chunks ─> batch ─┬─> partitions ─> parquet_file ─> data/curated/tickets/market=DE/part-0.parquet
//!          (read)  (decode) └─> quarantine ──────────────────> data/curated/_quarantine/
//! ```
//!
//! Many threads do this at once. Each reads a chunk and decodes it to a batch; batches are taken in order, and whoever takes
//! the row that fills a row group encodes it. So the output depends on the input alone.
//!
//! What is read:
//! * [`input`]: which files, and what a manifest promises of them; [`unpacked`]: their bytes, packed or not.
//! * [`chunks`]: bytes to chunks of whole lines, in bounded memory; `in_place` and `in_order` are the two ways to read them.
//!
//! From lines to rows:
//! * [`decode`]: a line to a [`row::Row`], or the reason why not; [`moment`] is a part of it, [`unknown_fields`] what it passes
//!   over.
//! * [`batch`]: a chunk, decoded; [`rows`]: the tickets of one market, column by column.
//!
//! From rows to files:
//! * [`partitions`]: rows wait for their row group to fill; [`parquet_file`]: row groups to bytes; [`parts`]: the files.
//! * [`quarantine`]: rejected lines, as they came, and why; [`error_limit`]: how many of them are borne.
//! * [`reconciliation`]: what became of every line.
//!
//! How it is done together:
//! * [`workers`], [`turnstile`] and [`turns`]: the threads and their order; [`conversion`]: what they do.
//! * [`current`]: the data set that is there already; [`stored`] reads its files.
//! * [`survey`] finds [`duplicates`]; [`supersede`] takes them out of files that are there.
//! * [`merge`]: the manifest; [`report`] and [`plan`]: what a person is told, after and before.
#![allow(
    clippy::inline_always,
    reason = "a usual line is decoded in one piece; left to itself the compiler takes half as long again"
)]

pub mod decode;
pub mod dedup;
pub mod parquet_file;
pub mod partition;
pub mod run;
pub mod write;

pub use run::{Config, Dedupe, run_transform};
