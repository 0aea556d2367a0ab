//! Dictionaries: the distinct values of a column in order, and each row as the place of its value among them.
//!
//! As they are in order, so are the codes, and a page's smallest and largest values are found from its codes alone.

use anyhow::Result;
use parquet::basic::Encoding;

use super::column_chunk::{ColumnChunk, EncodedColumn};
use super::statistics::{PageStatistics, Value, bounds_of};
use super::workspace::Workspace;
use super::{PAGE_ROWS, hybrid};
use parquet::schema::types::ColumnDescPtr;

/// A value as a dictionary page has it.
pub(super) trait DictionaryValue: Value {
    /// Appends it in plain encoding.
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

/// Encodes a column of the workspace's codes, which are places in `values`. These must be in order.
pub(super) fn encode<T: DictionaryValue>(
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
    let width = hybrid::code_width(u16::try_from(values.len() - 1)?);
    for codes in codes.chunks(PAGE_ROWS) {
        page.clear();
        page.push(width as u8);
        hybrid::encode(codes, width, page);
        let bounds =
            bounds_of(codes).map(|(min, max)| (values[usize::from(min)].clone(), values[usize::from(max)].clone()));
        chunk.data_page(page, codes.len(), PageStatistics { bounds, n_nulls: 0 })?;
    }
    chunk.finish(descriptor)
}
