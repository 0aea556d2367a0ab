//! Encodes the rows of one market as a row group.

use std::sync::Arc;

use anyhow::{Result, bail, ensure};
use parquet::arrow::ArrowSchemaConverter;
use parquet::schema::types::{ColumnDescPtr, SchemaDescPtr};
use publish::PagedBytes;
use ticket_schema::columns::{N_COLUMNS, arrow_types};
use ticket_schema::{enums, ticket_columns};

use super::arrangement::{Column, Gather, TextColumn};
use super::column_chunk::EncodedColumn;
use super::columns::{booleans, fixed_texts, integers, optional_times, times, uuids};
use super::compressor::{Compression, Compressor};
use super::nullable_texts::nullable_texts;
use super::texts::texts;
use super::workspace::Workspace;
use crate::kinds::{
    Boolean, Integer, Kind, NullableText, NullableTimestamp, PartitionKey, StringEnum, Text, Timestamp, Uuid, kind,
};
use crate::partition::columns::{NotInFile, Rows};

/// Encodes the rows of a market as row groups. Its buffers are reused; each thread has its own encoder.
pub struct Encoder {
    schema: SchemaDescPtr,
    workspace: Workspace,
    gathered: GatherBuffers,
}

/// Buffers for one gathered column at a time, by type.
#[derive(Default)]
struct GatherBuffers {
    order: Vec<u32>,
    uuids: Column<[u8; 16]>,
    times: Column<i64>,
    codes: Column<u8>,
    texts: TextColumn,
    integers: Column<i32>,
    booleans: Column<bool>,
}

/// Encoding of a kind.
trait Encode: Kind {
    /// Encodes a column of the rows, which `column` selects.
    fn encode(
        rows: Gather,
        column: fn(&Rows) -> &Self::Column,
        buffers: &mut GatherBuffers,
        workspace: &mut Workspace,
        descriptor: ColumnDescPtr,
    ) -> Result<EncodedColumn>;
}

/// Implements [`Encode`] for a kind: the buffer in which its columns are gathered, and the function that encodes them.
macro_rules! encode {
    ($kind:ty, $gather:ident, $buffer:ident, $encode:expr $(, $parameter:ident: $bound:path)?) => {
        impl $(<$parameter: $bound + Eq>)? Encode for $kind {
            fn encode(
                rows: Gather,
                column: fn(&Rows) -> &Self::Column,
                buffers: &mut GatherBuffers,
                workspace: &mut Workspace,
                descriptor: ColumnDescPtr,
            ) -> Result<EncodedColumn> {
                $encode(rows.$gather(column, &mut buffers.$buffer), workspace, descriptor)
            }
        }
    };
}
encode!(Uuid, column, uuids, uuids);
encode!(Timestamp, column, times, times);
encode!(NullableTimestamp, column, times, optional_times);
encode!(StringEnum<T>, column, codes, fixed_texts::<T>, T: enums::StringEnum);
encode!(Text, texts, texts, texts);
encode!(NullableText, texts, texts, nullable_texts);
encode!(Integer, column, integers, integers);
encode!(Boolean, column, booleans, booleans);

impl Encode for PartitionKey {
    fn encode(
        _rows: Gather,
        _column: fn(&Rows) -> &NotInFile,
        _buffers: &mut GatherBuffers,
        _workspace: &mut Workspace,
        _descriptor: ColumnDescPtr,
    ) -> Result<EncodedColumn> {
        bail!("the partition key is not in the files; this is a bug")
    }
}

type EncodeColumn = fn(Gather, &mut GatherBuffers, &mut Workspace, ColumnDescPtr) -> Result<EncodedColumn>;

macro_rules! file_columns {
    ($($name:ident: $kind:ident($type:ty), $constraint:literal, $meaning:literal;)*) => {
        /// Encoder of each column, in the contract's order; `None` for the one that is not in the files.
        const FILE_COLUMNS: [Option<EncodeColumn>; N_COLUMNS] = [$(
            if <kind!($kind $type)>::IN_FILE {
                Some(|rows, buffers, workspace, descriptor| {
                    <kind!($kind $type)>::encode(rows, |rows| &rows.$name, buffers, workspace, descriptor)
                })
            } else {
                None
            }
        ),*];
    };
}
ticket_columns!(file_columns);

/// The bytes of a row group, and its part of the file's metadata.
#[derive(Debug)]
pub struct EncodedRowGroup {
    pub(super) bytes: PagedBytes,
    pub(super) columns: Vec<EncodedColumn>,
    pub(super) n_rows: usize,
    created_at: Option<(i64, i64)>,
}

impl EncodedRowGroup {
    /// Returns the bytes of the row group in the file.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the number of rows.
    pub const fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Returns the first and the last `created_at`, in milliseconds since 1970; `None` without rows.
    pub const fn created_at(&self) -> Option<(i64, i64)> {
        self.created_at
    }
}

impl Encoder {
    /// Creates an encoder that compresses pages with `compression`.
    ///
    /// # Errors
    ///
    /// If the compression library cannot be initialised.
    pub fn new(compression: Compression) -> Result<Self> {
        let workspace = Workspace::new(Compressor::new(compression)?);
        Ok(Self { schema: file_schema()?, workspace, gathered: GatherBuffers::default() })
    }

    /// Encodes one or more blocks of rows as one row group, sorted by `created_at`; rows of the same time keep their order.
    ///
    /// # Errors
    ///
    /// If a page cannot be compressed.
    pub fn encode(&mut self, blocks: &[Rows]) -> Result<EncodedRowGroup> {
        ensure!(blocks.iter().all(Rows::is_rectangular), "the columns differ in length; this is a bug");
        let n_rows = blocks.iter().map(Rows::len).sum();
        if n_rows == 0 {
            return Ok(EncodedRowGroup { bytes: PagedBytes::default(), columns: Vec::new(), n_rows, created_at: None });
        }
        let GatherBuffers { order, times, .. } = &mut self.gathered;
        let mut order = std::mem::take(order);
        let (rows, created_at) = Gather::by_creation(blocks, &mut order, times);
        let columns = self.encode_columns(rows)?;
        self.gathered.order = order;
        ensure!(columns.len() == self.schema.num_columns(), "the schema has other columns; this is a bug");
        Ok(EncodedRowGroup { bytes: std::mem::take(&mut self.workspace.out), columns, n_rows, created_at })
    }

    fn encode_columns(&mut self, rows: Gather) -> Result<Vec<EncodedColumn>> {
        let Self { schema, workspace, gathered } = self;
        let mut columns = Vec::with_capacity(schema.num_columns());
        for (encode, descriptor) in FILE_COLUMNS.iter().flatten().zip(schema.columns()) {
            columns.push(encode(rows, gathered, workspace, descriptor.clone())?);
        }
        Ok(columns)
    }

    /// Takes the memory of a written row group for the next one.
    pub fn use_again(&mut self, mut memory: PagedBytes) {
        memory.clear();
        self.workspace.out = memory;
    }
}

/// Returns the schema of the files. Files hold no copy of the Arrow schema: only Arrow would read it.
pub(super) fn file_schema() -> Result<SchemaDescPtr> {
    Ok(Arc::new(ArrowSchemaConverter::new().convert(&arrow_types::file_schema())?))
}
