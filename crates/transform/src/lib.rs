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
//! * [`quarantine`]: refused lines, as they came, and why.
#![allow(
    clippy::inline_always,
    reason = "a usual line is decoded in one piece; left to itself the compiler takes half as long again"
)]

pub mod decode;
pub mod input;
pub mod lines;
pub mod moment;
pub mod parquet_layout;
pub mod partitions;
pub mod quarantine;
pub mod rows;
pub mod unknown_fields;
pub mod unpacked;

mod chunk;
mod fields;
mod fixed_text;
mod json;
mod name;
mod row;
mod run;
mod usual;
mod uuid_text;

pub use run::{Config, OnError, Report, run_transform};
