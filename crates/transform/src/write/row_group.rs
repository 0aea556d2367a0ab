//! Rows of one market to the bytes of a row group.

use std::sync::Arc;

use anyhow::{Result, ensure};
use parquet::arrow::ArrowSchemaConverter;
use parquet::schema::types::{ColumnDescPtr, SchemaDescPtr};
use publish::PagedBytes;
use ticket_schema::columns::arrow_types;
use ticket_schema::enums::{Category, Channel, Severity, Status};

use super::arrangement::{Column, Gather, TextColumn};
use super::column_chunk::EncodedColumn;
use super::columns::{booleans, fixed_texts, integers, optional_times, times, uuids};
use super::compressor::{Compression, Compressor};
use super::texts::texts;
use super::workspace::Workspace;
use crate::partition::columns::Rows;

/// Encodes rows, with memory that it uses again for the next. Each thread has its own.
pub struct Encoder {
    schema: SchemaDescPtr,
    workspace: Workspace,
    columns: Columns,
}

/// Memory for the columns, by their types.
#[derive(Default)]
struct Columns {
    order: Vec<u32>,
    uuids: Column<[u8; 16]>,
    times: Column<i64>,
    places: Column<u8>,
    texts: TextColumn,
    integers: Column<i32>,
    booleans: Column<bool>,
}

/// The bytes of a row group, and what the file's metadata say of it.
#[derive(Debug)]
pub struct EncodedRowGroup {
    pub(super) bytes: PagedBytes,
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
        Ok(Self { schema: file_schema()?, workspace, columns: Columns::default() })
    }

    /// Encodes rows, which lie in one or more blocks, as one row group, by `created_at`; rows of the same time stay in the order
    /// they have.
    pub fn encode(&mut self, blocks: &[Rows]) -> Result<EncodedRowGroup> {
        ensure!(blocks.iter().all(is_rectangular), "the columns differ in length; this is a bug");
        let n_rows = blocks.iter().map(Rows::len).sum();
        if n_rows == 0 {
            return Ok(EncodedRowGroup { bytes: PagedBytes::default(), columns: Vec::new(), n_rows, created_at: None });
        }
        let Self { schema, workspace, columns: memory } = self;
        let rows = Gather::by_creation(blocks, &mut memory.order, &mut memory.times);
        let mut descriptors = schema.columns().iter().cloned();
        let mut columns = Vec::with_capacity(schema.num_columns());
        let mut column =
            |encode: &mut dyn FnMut(&mut Workspace, ColumnDescPtr) -> Result<EncodedColumn>| -> Result<()> {
                if let Some(descriptor) = descriptors.next() {
                    columns.push(encode(workspace, descriptor)?);
                }
                Ok(())
            };
        column(&mut |w, d| uuids(rows.column(|rows| &rows.ticket_id, &mut memory.uuids), w, d))?;
        let mut created_at = None;
        column(&mut |w, d| {
            let column = rows.column(|rows| &rows.created_at, &mut memory.times);
            created_at = column.first().copied().zip(column.last().copied());
            times(column, w, d)
        })?;
        column(&mut |w, d| times(rows.column(|rows| &rows.updated_at, &mut memory.times), w, d))?;
        column(&mut |w, d| optional_times(rows.column(|rows| &rows.resolved_at, &mut memory.times), w, d))?;
        column(&mut |w, d| fixed_texts::<Severity>(rows.column(|rows| &rows.severity, &mut memory.places), w, d))?;
        column(&mut |w, d| fixed_texts::<Status>(rows.column(|rows| &rows.status, &mut memory.places), w, d))?;
        column(&mut |w, d| fixed_texts::<Category>(rows.column(|rows| &rows.category, &mut memory.places), w, d))?;
        column(&mut |w, d| fixed_texts::<Channel>(rows.column(|rows| &rows.channel, &mut memory.places), w, d))?;
        column(&mut |w, d| texts(rows.texts(|rows| &rows.dealer_id, &mut memory.texts), w, d))?;
        column(&mut |w, d| texts(rows.texts(|rows| &rows.customer_id, &mut memory.texts), w, d))?;
        column(&mut |w, d| texts(rows.texts(|rows| &rows.vin_last6, &mut memory.texts), w, d))?;
        column(&mut |w, d| texts(rows.texts(|rows| &rows.model_series, &mut memory.texts), w, d))?;
        column(&mut |w, d| integers(rows.column(|rows| &rows.model_year, &mut memory.integers), w, d))?;
        column(&mut |w, d| booleans(rows.column(|rows| &rows.sla_breached, &mut memory.booleans), w, d))?;
        ensure!(columns.len() == self.schema.num_columns(), "the schema has other columns; this is a bug");
        Ok(EncodedRowGroup { bytes: std::mem::take(&mut self.workspace.out), columns, n_rows, created_at })
    }

    /// Takes the memory of a row group's bytes back, for the next one.
    pub fn use_again(&mut self, mut memory: PagedBytes) {
        memory.clear();
        self.workspace.out = memory;
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
        && texts.iter().all(|column| column.lengths.len() == n_rows)
        && rows.model_year.len() == n_rows
        && rows.sla_breached.len() == n_rows
}
