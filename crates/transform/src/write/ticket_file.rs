//! Parquet files of tickets.

use std::io::Write;

use anyhow::Result;
use parquet::file::metadata::SortingColumn;
use parquet_encode::{FileOptions, FileWriter, MAX_STRING_BYTES};
use ticket_schema::columns::file_columns;

use crate::rows::row::MAX_TEXT_BYTES;
use crate::write::row_group::file_schema;

const _: () = assert!(MAX_TEXT_BYTES <= MAX_STRING_BYTES, "the strings of a ticket must fit in their column buffers");

/// Begins a file of tickets, whose row groups are sorted by `created_at`.
///
/// # Errors
///
/// Fails if the schema cannot be created or the sink cannot be written.
pub fn create<W: Write + Send>(sink: W) -> Result<FileWriter<W>> {
    let created_at = file_columns().position(|column| column.name == "created_at").unwrap_or_default();
    let by_creation = SortingColumn { column_idx: i32::try_from(created_at)?, descending: false, nulls_first: false };
    let options = FileOptions {
        created_by: Some(concat!("aftersales transform version ", env!("CARGO_PKG_VERSION")).to_owned()),
        sorting_columns: vec![by_creation],
    };
    FileWriter::new(sink, file_schema()?, options)
}
