//! Rows of one market to the bytes of a row group.

use std::sync::Arc;

use anyhow::{Result, ensure};
use parquet::arrow::ArrowSchemaConverter;
use parquet::schema::types::{ColumnDescPtr, SchemaDescPtr};
use ticket_schema::columns::arrow_types;
use ticket_schema::vocabulary::{Category, Channel, Severity, Status};

use super::column_chunk::EncodedColumn;
use super::columns::{booleans, fixed_texts, integers, optional_times, times, uuids};
use super::compressor::{Compression, Compressor};
use super::order::sort_by_creation;
use super::texts::texts;
use super::workspace::Workspace;
use crate::rows::Rows;

/// Encodes rows, with buffers that it uses again for the next. Each thread has its own.
pub struct Encoder {
    schema: SchemaDescPtr,
    workspace: Workspace,
    sorted: Rows,
}

/// The bytes of a row group, and what the file's metadata say of it.
#[derive(Debug)]
pub struct EncodedRowGroup {
    pub(super) bytes: Vec<u8>,
    pub(super) columns: Vec<EncodedColumn>,
    pub(super) n_rows: usize,
    created_at: Option<(i64, i64)>,
}

impl EncodedRowGroup {
    /// The bytes as they will be in the file.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many rows it has.
    pub const fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// The first and the last `created_at`, in milliseconds since 1970; `None` without a row.
    pub const fn created_at(&self) -> Option<(i64, i64)> {
        self.created_at
    }
}

impl Encoder {
    /// An encoder whose pages are compressed as the argument says.
    pub fn new(compression: Compression) -> Result<Self> {
        let workspace = Workspace::new(Compressor::new(compression)?);
        Ok(Self { schema: file_schema()?, workspace, sorted: Rows::default() })
    }

    /// Encodes the rows as one row group, by `created_at`; rows of the same time stay in the order they have.
    pub fn encode(&mut self, rows: &Rows) -> Result<EncodedRowGroup> {
        ensure!(is_rectangular(rows), "the columns differ in length; this is a bug");
        if rows.is_empty() {
            return Ok(EncodedRowGroup { bytes: Vec::new(), columns: Vec::new(), n_rows: 0, created_at: None });
        }
        let rows = if sort_by_creation(rows, &mut self.sorted) { &self.sorted } else { rows };
        let workspace = &mut self.workspace;
        let mut descriptors = self.schema.columns().iter().cloned();
        let mut columns = Vec::with_capacity(self.schema.num_columns());
        let mut column =
            |encode: &mut dyn FnMut(&mut Workspace, ColumnDescPtr) -> Result<EncodedColumn>| -> Result<()> {
                if let Some(descriptor) = descriptors.next() {
                    columns.push(encode(workspace, descriptor)?);
                }
                Ok(())
            };
        column(&mut |w, d| uuids(&rows.ticket_id, w, d))?;
        column(&mut |w, d| times(&rows.created_at, w, d))?;
        column(&mut |w, d| times(&rows.updated_at, w, d))?;
        column(&mut |w, d| optional_times(&rows.resolved_at, w, d))?;
        column(&mut |w, d| fixed_texts::<Severity>(&rows.severity, w, d))?;
        column(&mut |w, d| fixed_texts::<Status>(&rows.status, w, d))?;
        column(&mut |w, d| fixed_texts::<Category>(&rows.category, w, d))?;
        column(&mut |w, d| fixed_texts::<Channel>(&rows.channel, w, d))?;
        column(&mut |w, d| texts(&rows.dealer_id, w, d))?;
        column(&mut |w, d| texts(&rows.customer_id, w, d))?;
        column(&mut |w, d| texts(&rows.vin_last6, w, d))?;
        column(&mut |w, d| texts(&rows.model_series, w, d))?;
        column(&mut |w, d| integers(&rows.model_year, w, d))?;
        column(&mut |w, d| booleans(&rows.sla_breached, w, d))?;
        ensure!(columns.len() == self.schema.num_columns(), "the schema has other columns; this is a bug");
        let created_at = rows.created_at.first().copied().zip(rows.created_at.last().copied());
        Ok(EncodedRowGroup { bytes: std::mem::take(&mut self.workspace.out), columns, n_rows: rows.len(), created_at })
    }
}

/// The schema of the files. The Parquet types say everything; a copy of the Arrow schema in each file would only tie it to one
/// reader.
pub(super) fn file_schema() -> Result<SchemaDescPtr> {
    Ok(Arc::new(ArrowSchemaConverter::new().convert(&arrow_types::file_schema())?))
}

fn is_rectangular(rows: &Rows) -> bool {
    let texts = [&rows.dealer_id, &rows.customer_id, &rows.vin_last6, &rows.model_series];
    let times = [&rows.updated_at, &rows.resolved_at];
    let codes = [&rows.severity, &rows.status, &rows.category, &rows.channel];
    let n_rows = rows.len();
    rows.ticket_id.len() == n_rows
        && times.iter().all(|column| column.len() == n_rows)
        && codes.iter().all(|column| column.len() == n_rows)
        && texts.iter().all(|column| column.ends.len() == n_rows)
        && rows.model_year.len() == n_rows
        && rows.sla_breached.len() == n_rows
}
