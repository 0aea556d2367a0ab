//! String columns with nulls.

use anyhow::Result;
use parquet::basic::Encoding;
use parquet::schema::types::ColumnDescPtr;

use crate::column_chunk::{ColumnChunk, EncodedColumn};
use crate::statistics::PageStatistics;
use crate::string_column::StringColumn;
use crate::workspace::Workspace;
use crate::{PAGE_ROWS, delta, rle};

/// Encodes strings (`BYTE_ARRAY`) of which the empty one stands for null, as delta-encoded lengths and bytes.
///
/// # Errors
///
/// See the [module](crate::encoders).
pub fn nullable_strings(
    column: &StringColumn,
    workspace: &mut Workspace,
    descriptor: ColumnDescPtr,
) -> Result<EncodedColumn> {
    let Workspace { compressor, out, page, numbers, codes, .. } = workspace;
    let mut chunk = ColumnChunk::new(Encoding::DELTA_LENGTH_BYTE_ARRAY, compressor, out);
    let mut rest = column.bytes.as_slice();
    for lengths in column.lengths.chunks(PAGE_ROWS) {
        codes.clear();
        codes.extend(lengths.iter().map(|n_bytes| u16::from(*n_bytes > 0)));
        numbers.clear();
        numbers.extend(lengths.iter().filter(|n_bytes| **n_bytes > 0).map(|n_bytes| i64::from(*n_bytes)));
        page.clear();
        rle::definition_levels(codes, page);
        delta::encode(numbers, page);
        let (bytes, others) = rest.split_at(numbers.iter().sum::<i64>() as usize);
        rest = others;
        page.extend_from_slice(bytes);
        let n_nulls = (lengths.len() - numbers.len()) as u64;
        chunk.data_page(page, lengths.len(), PageStatistics { bounds: bounds(bytes, numbers), n_nulls })?;
    }
    chunk.finish(descriptor)
}

/// Returns the smallest and the largest of the strings with these lengths.
fn bounds(mut bytes: &[u8], lengths: &[i64]) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut bounds: Option<(&[u8], &[u8])> = None;
    for n_bytes in lengths {
        let (string, others) = bytes.split_at(*n_bytes as usize);
        bytes = others;
        let (min, max) = bounds.unwrap_or((string, string));
        bounds = Some((min.min(string), max.max(string)));
    }
    bounds.map(|(min, max)| (min.to_vec(), max.to_vec()))
}
