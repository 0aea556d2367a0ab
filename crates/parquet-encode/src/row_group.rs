//! Encoded row groups.

use parquet::file::statistics::Statistics;
use publish::PageAlignedBuffer;

use crate::column_chunk::EncodedColumn;

/// The bytes of a row group and the metadata of its column chunks. The default has no rows.
#[derive(Debug, Default)]
pub struct EncodedRowGroup {
    pub(crate) bytes: PageAlignedBuffer,
    pub(crate) columns: Vec<EncodedColumn>,
    pub(crate) n_rows: usize,
}

impl EncodedRowGroup {
    /// The bytes of all column chunks, as they appear in the file.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The number of rows.
    pub const fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// The statistics of a column chunk, by the column's index in the schema; `None` if there is no such column.
    pub fn statistics(&self, column: usize) -> Option<&Statistics> {
        self.columns.get(column)?.metadata.statistics()
    }
}
