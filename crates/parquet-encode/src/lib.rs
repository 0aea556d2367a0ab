//! Encodes typed columns to Parquet column chunks and assembles row groups into files.
//!
//! ```text
//! columns ─> encoders ─> EncodedRowGroup ─> FileWriter
//! ```
//!
//! * [`encoders`]: one function for each column type, from a slice to a column chunk.
//! * [`Workspace`]: the buffers that the encoders of one thread reuse, and the bytes of the row group so far.
//! * [`EncodedRowGroup`]: the bytes of a row group and the metadata of its columns.
//! * [`FileWriter`]: row groups to a file; the `parquet` crate serialises the file metadata.
//!
//! The pages of all columns of a row group are cut at the same rows. Data pages have version 1 and use encodings that Athena
//! engine version 3, Spark, DuckDB and Arrow read. The format is specified at
//! <https://parquet.apache.org/docs/file-format/>.
//!
//! # Examples
//!
//! ```
//! use std::sync::Arc;
//!
//! use parquet::file::reader::{FileReader, SerializedFileReader};
//! use parquet::record::RowAccessor;
//! use parquet::schema::parser::parse_message_type;
//! use parquet::schema::types::SchemaDescriptor;
//! use parquet_encode::{Compression, FileOptions, FileWriter, Workspace, encoders};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let schema = parse_message_type("message cars { required int32 model_year; }")?;
//! let schema = Arc::new(SchemaDescriptor::new(Arc::new(schema)));
//!
//! let mut workspace = Workspace::new(Compression::Snappy)?;
//! let model_year = encoders::integers(&[2024, 2026, 2025], &mut workspace, schema.column(0))?;
//! let row_group = workspace.finish_row_group(vec![model_year], 3);
//!
//! let mut file = FileWriter::new(Vec::new(), schema, FileOptions::default())?;
//! file.append(row_group)?;
//! let (bytes, n_rows) = file.finish()?;
//! assert_eq!(n_rows, 3);
//!
//! let reader = SerializedFileReader::new(bytes::Bytes::from(bytes))?;
//! let years = reader.get_row_iter(None)?.map(|row| row?.get_int(0)).collect::<Result<Vec<_>, _>>()?;
//! assert_eq!(years, [2024, 2026, 2025]);
//! # Ok(())
//! # }
//! ```

pub mod encoders;

mod bit_packing;
mod column_chunk;
mod compressor;
mod delta;
mod dictionary;
mod file_writer;
mod interner;
mod nullable_strings;
mod page_header;
mod rle;
mod row_group;
mod statistics;
mod string_column;
mod strings;
mod uuid_text;
mod workspace;

pub use column_chunk::EncodedColumn;
pub use compressor::Compression;
pub use file_writer::{FileOptions, FileWriter};
pub use row_group::EncodedRowGroup;
pub use string_column::{MAX_STRING_BYTES, StringColumn};
pub use workspace::Workspace;

/// The maximum number of rows of a page. Small enough that one day of a market with half a million tickets is read with
/// little else; large enough that page headers and indexes are a small part of the file.
pub const PAGE_ROWS: usize = 8192;

/// The null of a timestamp column: a value of [`encoders::optional_timestamps`] that no valid timestamp has.
pub const NULL_TIMESTAMP: i64 = i64::MIN;
