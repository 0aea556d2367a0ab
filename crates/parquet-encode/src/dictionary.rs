//! Dictionary encoding: the distinct values of a column in ascending order, and the index of each row's value.
//!
//! Sorted dictionaries make the order of the codes that of the values, so a page's bounds are found from its codes alone.

use anyhow::Result;
use parquet::basic::Encoding;
use parquet::schema::types::ColumnDescPtr;

use crate::column_chunk::{ColumnChunk, EncodedColumn};
use crate::statistics::{PageStatistics, Value, bounds_of};
use crate::workspace::Workspace;
use crate::{PAGE_ROWS, rle};

/// A value that dictionary pages can hold.
pub(crate) trait DictionaryValue: Value {
    /// Appends the value in `PLAIN` encoding.
    fn append_plain(&self, page: &mut Vec<u8>);
}

impl DictionaryValue for i32 {
    fn append_plain(&self, page: &mut Vec<u8>) {
        page.extend_from_slice(&self.to_le_bytes());
    }
}

impl DictionaryValue for Vec<u8> {
    fn append_plain(&self, page: &mut Vec<u8>) {
        page.extend_from_slice(&(self.len() as u32).to_le_bytes());
        page.extend_from_slice(self);
    }
}

/// Encodes the column of the workspace's codes, which are indices into `values`. The values must be sorted and not empty.
pub(crate) fn encode<T: DictionaryValue>(
    values: &[T],
    workspace: &mut Workspace,
    descriptor: ColumnDescPtr,
) -> Result<EncodedColumn> {
    let Workspace { compressor, out, page, codes, .. } = workspace;
    let mut chunk = ColumnChunk::new(Encoding::RLE_DICTIONARY, compressor, out);
    page.clear();
    for value in values {
        value.append_plain(page);
    }
    chunk.dictionary_page(page, values.len())?;
    let width = rle::code_width(u16::try_from(values.len() - 1)?);
    for codes in codes.chunks(PAGE_ROWS) {
        page.clear();
        page.push(width as u8);
        rle::encode(codes, width, page);
        let bounds =
            bounds_of(codes).map(|(min, max)| (values[usize::from(min)].clone(), values[usize::from(max)].clone()));
        chunk.data_page(page, codes.len(), PageStatistics { bounds, n_nulls: 0 })?;
    }
    chunk.finish(descriptor)
}
