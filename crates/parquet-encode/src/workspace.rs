//! Buffers that are reused between pages, columns and row groups.

use anyhow::Result;
use publish::PageAlignedBuffer;

use crate::column_chunk::EncodedColumn;
use crate::compressor::{Compression, Compressor};
use crate::row_group::EncodedRowGroup;

/// The buffers of one encoding thread, and the column chunks that it has encoded for the current row group.
pub struct Workspace {
    pub(crate) compressor: Compressor,
    /// The bytes of the current row group.
    pub(crate) out: PageAlignedBuffer,
    /// A page before compression.
    pub(crate) page: Vec<u8>,
    /// The integers of a page: timestamps without nulls, or string lengths.
    pub(crate) numbers: Vec<i64>,
    /// The dictionary indices of a column.
    pub(crate) codes: Vec<u16>,
}

impl Workspace {
    /// Creates empty buffers. All pages will be compressed with `compression`.
    ///
    /// # Errors
    ///
    /// Fails if the Zstandard compressor cannot be created.
    pub fn new(compression: Compression) -> Result<Self> {
        Ok(Self {
            compressor: Compressor::new(compression)?,
            out: PageAlignedBuffer::default(),
            page: Vec::new(),
            numbers: Vec::new(),
            codes: Vec::new(),
        })
    }

    /// Ends the current row group. `columns` are the column chunks that were encoded with this workspace since the last one
    /// ended, in the order of the schema, each of `n_rows` rows.
    pub fn finish_row_group(&mut self, columns: Vec<EncodedColumn>, n_rows: usize) -> EncodedRowGroup {
        EncodedRowGroup { bytes: std::mem::take(&mut self.out), columns, n_rows }
    }

    /// Reuses the memory of a row group that has been written for the next one.
    pub fn recycle(&mut self, mut memory: PageAlignedBuffer) {
        memory.clear();
        self.out = memory;
    }
}
