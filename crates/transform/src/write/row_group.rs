//! Encodes the rows of one market as a row group, in the column order of the contract.

use std::sync::Arc;

use anyhow::{Result, ensure};
use parquet::arrow::ArrowSchemaConverter;
use parquet::schema::types::{ColumnDescPtr, SchemaDescPtr};
use parquet_encode::encoders::{booleans, enums, integers, optional_timestamps, strings, timestamps, uuids};
use parquet_encode::{Compression, EncodedColumn, EncodedRowGroup, Workspace};
use publish::PagedBytes;
use ticket_schema::columns::arrow_types;
use ticket_schema::enums::{Category, Channel, Severity, Status, StringEnum};

use crate::partition::columns::Rows;
use crate::write::gather::{Column, Gather, GatheredStrings};

/// Encodes row groups and reuses its buffers from one to the next. Each thread has its own.
pub struct Encoder {
    schema: SchemaDescPtr,
    workspace: Workspace,
    columns: Columns,
}

/// Buffers for the gathered columns, one for each column type.
#[derive(Default)]
struct Columns {
    order: Vec<u32>,
    uuids: Column<[u8; 16]>,
    times: Column<i64>,
    indices: Column<u8>,
    strings: GatheredStrings,
    integers: Column<i32>,
    booleans: Column<bool>,
}

impl Encoder {
    /// Creates an encoder that compresses pages with `compression`.
    ///
    /// # Errors
    ///
    /// Fails if the schema or the compressor cannot be created.
    pub fn new(compression: Compression) -> Result<Self> {
        Ok(Self { schema: file_schema()?, workspace: Workspace::new(compression)?, columns: Columns::default() })
    }

    /// Encodes the rows of one or more blocks as one row group. Rows are sorted by `created_at`; the sort is stable.
    ///
    /// # Errors
    ///
    /// Fails if the columns of a block differ in length, or if a column cannot be encoded.
    pub fn encode(&mut self, blocks: &[Rows]) -> Result<EncodedRowGroup> {
        ensure!(blocks.iter().all(is_rectangular), "the columns differ in length; this is a bug");
        let n_rows = blocks.iter().map(Rows::len).sum();
        if n_rows == 0 {
            return Ok(EncodedRowGroup::default());
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
        column(&mut |w, d| timestamps(rows.column(|rows| &rows.created_at, &mut memory.times), w, d))?;
        column(&mut |w, d| timestamps(rows.column(|rows| &rows.updated_at, &mut memory.times), w, d))?;
        column(&mut |w, d| optional_timestamps(rows.column(|rows| &rows.resolved_at, &mut memory.times), w, d))?;
        column(&mut |w, d| string_enums::<Severity>(rows.column(|rows| &rows.severity, &mut memory.indices), w, d))?;
        column(&mut |w, d| string_enums::<Status>(rows.column(|rows| &rows.status, &mut memory.indices), w, d))?;
        column(&mut |w, d| string_enums::<Category>(rows.column(|rows| &rows.category, &mut memory.indices), w, d))?;
        column(&mut |w, d| string_enums::<Channel>(rows.column(|rows| &rows.channel, &mut memory.indices), w, d))?;
        column(&mut |w, d| strings(rows.strings(|rows| &rows.dealer_id, &mut memory.strings), w, d))?;
        column(&mut |w, d| strings(rows.strings(|rows| &rows.customer_id, &mut memory.strings), w, d))?;
        column(&mut |w, d| strings(rows.strings(|rows| &rows.vin_last6, &mut memory.strings), w, d))?;
        column(&mut |w, d| strings(rows.strings(|rows| &rows.model_series, &mut memory.strings), w, d))?;
        column(&mut |w, d| integers(rows.column(|rows| &rows.model_year, &mut memory.integers), w, d))?;
        column(&mut |w, d| booleans(rows.column(|rows| &rows.sla_breached, &mut memory.booleans), w, d))?;
        ensure!(columns.len() == self.schema.num_columns(), "the schema has other columns; this is a bug");
        Ok(workspace.finish_row_group(columns, n_rows))
    }

    /// Reuses the memory of a row group that has been written for the next one.
    pub fn recycle(&mut self, memory: PagedBytes) {
        self.workspace.recycle(memory);
    }
}

/// Encodes indices into the values of an enum.
fn string_enums<T: StringEnum>(
    indices: &[u8],
    workspace: &mut Workspace,
    column: ColumnDescPtr,
) -> Result<EncodedColumn> {
    let values: Vec<&str> = T::VALUES.iter().map(|value| value.text()).collect();
    enums(indices, &values, workspace, column)
}

/// Returns the schema of the files. They hold no serialised Arrow schema: the Parquet types are complete, and only Arrow reads it.
pub(super) fn file_schema() -> Result<SchemaDescPtr> {
    Ok(Arc::new(ArrowSchemaConverter::new().convert(&arrow_types::file_schema())?))
}

/// Returns true if all columns have the same length.
fn is_rectangular(rows: &Rows) -> bool {
    let strings = [&rows.dealer_id, &rows.customer_id, &rows.vin_last6, &rows.model_series];
    let times = [&rows.updated_at, &rows.resolved_at];
    let codes = [&rows.severity, &rows.status, &rows.category, &rows.channel];
    let n_rows = rows.len();
    rows.ticket_id.len() == n_rows
        && times.iter().all(|column| column.len() == n_rows)
        && codes.iter().all(|column| column.len() == n_rows)
        && strings.iter().all(|column| column.lengths.len() == n_rows)
        && rows.model_year.len() == n_rows
        && rows.sla_breached.len() == n_rows
}
