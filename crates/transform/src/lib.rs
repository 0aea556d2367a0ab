//! Turns ticket JSON-Lines into Snappy Parquet, one partition a market, and accounts for every line.
//!
//! ```text
//! input ─> lines ─> decode ─┬─> partitions ─> data/curated/tickets/market=DE/part-0.parquet
//!                           └─> quarantine ─> data/curated/_quarantine/
//! ```
//!
//! * [`input`]: which files are read, and what a manifest promises of them.
//! * [`unpacked`]: the bytes of an input, packed or not.
//! * [`lines`]: bytes to numbered lines, in bounded memory.
//! * [`decode`]: a line to a [`decode::Row`], or the reason why not; [`moment`] is a part of it, [`unknown_fields`] what it
//!   passes over.
//! * [`rows`]: the tickets of one market, column by column.
//! * [`partitions`]: rows to Parquet; [`parquet_layout`] says how the files are laid out.
//! * [`parquet_file`]: rows to the bytes of row groups, and these to files.
//! * [`quarantine`]: refused lines, as they came, and why.

pub mod account;
pub mod batch;
pub mod chunks;
pub mod conversion;
pub mod current;
pub mod decode;
pub mod duplicates;
pub mod input;
pub mod merge;
pub mod moment;
pub mod parquet_file;
pub mod partitions;
pub mod parts;
pub mod plan;
pub mod quarantine;
pub mod report;
pub mod rows;
pub mod stored;
pub mod supersede;
pub mod survey;
pub mod tolerance;
pub mod turns;
pub mod unknown_fields;
pub mod unpacked;
pub mod workers;

mod fields;
mod fixed_text;
mod json;
mod run;
mod uuid_text;

pub use run::{Config, Dedupe, run_transform};
