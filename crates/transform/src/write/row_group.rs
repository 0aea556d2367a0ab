//! Encodes the rows of one market as a row group, in the column order of the contract.

use std::sync::Arc;

use anyhow::{Result, bail, ensure};
use parquet::arrow::ArrowSchemaConverter;
use parquet::schema::types::{ColumnDescPtr, SchemaDescPtr};
use parquet_encode::encoders::{
    booleans, enums, integers, nullable_strings, optional_timestamps, strings, timestamps, uuids,
};
use parquet_encode::{Compression, EncodedColumn, EncodedRowGroup, Workspace};
use publish::PageAlignedBuffer;
use ticket_schema::columns::{N_COLUMNS, arrow_types};
use ticket_schema::ticket_columns;

use crate::rows::columns::{NotInFile, Rows};
use crate::rows::kinds::{
    Boolean, Integer, Kind, NullableText, NullableTimestamp, PartitionKey, StringEnum, Text, Timestamp, Uuid, kind,
};
use crate::write::gather::{Column, Gather, GatheredStrings};

/// Encodes row groups and reuses its buffers from one to the next. Each thread has its own.
pub struct Encoder {
    schema: SchemaDescPtr,
    workspace: Workspace,
    buffers: GatherBuffers,
    order: Vec<u32>,
}

/// Buffers for one gathered column at a time, by type.
#[derive(Default)]
struct GatherBuffers {
    uuids: Column<[u8; 16]>,
    times: Column<i64>,
    indices: Column<u8>,
    strings: GatheredStrings,
    integers: Column<i32>,
    booleans: Column<bool>,
}

/// Encoding of a kind of column.
trait Encode: Kind {
    /// Encodes the column of the rows that `select` returns.
    fn encode(
        rows: Gather,
        select: fn(&Rows) -> &Self::Column,
        buffers: &mut GatherBuffers,
        workspace: &mut Workspace,
        column: ColumnDescPtr,
    ) -> Result<EncodedColumn>;
}

/// Implements [`Encode`] for a kind: `gather` and `buffer` collect its columns, and `encode` encodes them.
macro_rules! encode {
    ($kind:ty, $gather:ident, $buffer:ident, $encode:expr $(, $parameter:ident)?) => {
        impl $(<$parameter: ticket_schema::enums::StringEnum + Eq>)? Encode for $kind {
            fn encode(
                rows: Gather,
                select: fn(&Rows) -> &Self::Column,
                buffers: &mut GatherBuffers,
                workspace: &mut Workspace,
                column: ColumnDescPtr,
            ) -> Result<EncodedColumn> {
                $encode(rows.$gather(select, &mut buffers.$buffer), workspace, column)
            }
        }
    };
}
encode!(Uuid, column, uuids, uuids);
encode!(Timestamp, column, times, timestamps);
encode!(NullableTimestamp, column, times, optional_timestamps);
encode!(StringEnum<T>, column, indices, |indices, workspace, column| enums(indices, T::TEXTS, workspace, column), T);
encode!(Text, strings, strings, strings);
encode!(NullableText, strings, strings, nullable_strings);
encode!(Integer, column, integers, integers);
encode!(Boolean, column, booleans, booleans);

impl Encode for PartitionKey {
    fn encode(
        _rows: Gather,
        _select: fn(&Rows) -> &NotInFile,
        _buffers: &mut GatherBuffers,
        _workspace: &mut Workspace,
        _column: ColumnDescPtr,
    ) -> Result<EncodedColumn> {
        bail!("the partition key is not in the files; this is a bug")
    }
}

type EncodeColumn = fn(Gather, &mut GatherBuffers, &mut Workspace, ColumnDescPtr) -> Result<EncodedColumn>;

macro_rules! encoders {
    ($($name:ident: $kind:ident($type:ty), $constraint:literal, $meaning:literal;)*) => {
        /// Encoder of each column, in the contract's order; `None` for the column that is not in the files.
        const ENCODERS: [Option<EncodeColumn>; N_COLUMNS] = [$(
            if <kind!($kind $type)>::IN_FILE {
                Some(|rows, buffers, workspace, column| {
                    <kind!($kind $type)>::encode(rows, |rows| &rows.$name, buffers, workspace, column)
                })
            } else {
                None
            }
        ),*];
    };
}
ticket_columns!(encoders);

impl Encoder {
    /// Creates an encoder that compresses pages with `compression`.
    ///
    /// # Errors
    ///
    /// Fails if the schema or the compressor cannot be created.
    pub fn new(compression: Compression) -> Result<Self> {
        Ok(Self {
            schema: file_schema()?,
            workspace: Workspace::new(compression)?,
            buffers: GatherBuffers::default(),
            order: Vec::new(),
        })
    }

    /// Encodes the rows of one or more blocks as one row group. Rows are sorted by `created_at`; the sort is stable.
    ///
    /// # Errors
    ///
    /// Fails if the columns of a block differ in length, or if a column cannot be encoded.
    pub fn encode(&mut self, blocks: &[Rows]) -> Result<EncodedRowGroup> {
        ensure!(blocks.iter().all(Rows::is_rectangular), "the columns differ in length; this is a bug");
        let n_rows = blocks.iter().map(Rows::len).sum();
        if n_rows == 0 {
            return Ok(EncodedRowGroup::default());
        }
        let Self { schema, workspace, buffers, order } = self;
        let rows = Gather::by_creation(blocks, order, &mut buffers.times);
        let mut columns = Vec::with_capacity(schema.num_columns());
        for (encode, column) in ENCODERS.iter().flatten().zip(schema.columns()) {
            columns.push(encode(rows, buffers, workspace, column.clone())?);
        }
        ensure!(columns.len() == schema.num_columns(), "the schema has other columns; this is a bug");
        Ok(workspace.finish_row_group(columns, n_rows))
    }

    /// Reuses the memory of a row group that has been written for the next one.
    pub fn recycle(&mut self, memory: PageAlignedBuffer) {
        self.workspace.recycle(memory);
    }
}

/// Returns the schema of the files. They hold no serialised Arrow schema: the Parquet types are complete, and only Arrow
/// reads it.
pub(super) fn file_schema() -> Result<SchemaDescPtr> {
    Ok(Arc::new(ArrowSchemaConverter::new().convert(&arrow_types::file_schema())?))
}
