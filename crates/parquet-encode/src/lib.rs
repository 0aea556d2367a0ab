//! Rows to Parquet files: each column's pages are encoded here, the file's metadata are written by the `parquet` crate.
//!
//! ```text
//! Rows ─> Encoder ─> EncodedRowGroup ─> ParquetFile
//! ```
//!
//! What is known of the columns makes it fast: the contract's texts come as small numbers, so that nothing is hashed; random
//! identifiers aren't offered to a dictionary, nor to Snappy's search for repetitions.
//!
//! Every column of a row group is cut into pages at the same rows. All pages are of version 1, in encodings that Athena engine
//! v3, Spark, DuckDB and Arrow read. The format: <https://parquet.apache.org/docs/file-format/>.

mod arrangement;
mod bit_packing;
mod column_chunk;
mod columns;
mod compressor;
mod delta;
mod dictionary;
mod file;
mod hybrid;
mod page_header;
mod row_group;
mod statistics;
mod text_table;
mod texts;
mod uuid_text;
mod workspace;

pub use compressor::Compression;
pub use file::ParquetFile;
pub use row_group::{EncodedRowGroup, Encoder};

/// The most rows in a page. Few enough that a day is found in a market of half a million tickets without reading much else; so
/// many that headers and indexes are a small part of the file.
pub const PAGE_ROWS: usize = 8192;

/// The most rows in a row group. So few that what waits for a row group in every market is small, because new memory takes longer
/// to get than to fill.
pub const MAX_ROW_GROUP_ROWS: usize = 1 << 17;
