//! Columns of texts that may be null, which is a text of no bytes.

use anyhow::Result;
use parquet::basic::Encoding;
use parquet::schema::types::ColumnDescPtr;

use super::column_chunk::{ColumnChunk, EncodedColumn};
use super::statistics::PageStatistics;
use super::workspace::Workspace;
use super::{PAGE_ROWS, delta, hybrid};
use crate::partition::columns::Texts;

/// Encodes a column: definition levels, then the texts as `DELTA_LENGTH_BYTE_ARRAY`.
pub(super) fn nullable_texts(
    texts: &Texts,
    workspace: &mut Workspace,
    descriptor: ColumnDescPtr,
) -> Result<EncodedColumn> {
    let Workspace { compressor, out, page, numbers, codes, .. } = workspace;
    let mut chunk = ColumnChunk::new(Encoding::DELTA_LENGTH_BYTE_ARRAY, compressor, out);
    let mut rest = texts.bytes.as_slice();
    for lengths in texts.lengths.chunks(PAGE_ROWS) {
        codes.clear();
        codes.extend(lengths.iter().map(|n_bytes| u16::from(*n_bytes > 0)));
        numbers.clear();
        numbers.extend(lengths.iter().filter(|n_bytes| **n_bytes > 0).map(|n_bytes| i64::from(*n_bytes)));
        page.clear();
        // The definition levels are preceded by their length.
        page.extend_from_slice(&[0; 4]);
        hybrid::encode(codes, 1, page);
        let n_level_bytes = u32::try_from(page.len() - 4)?;
        page[..4].copy_from_slice(&n_level_bytes.to_le_bytes());
        delta::encode(numbers, page);
        let (bytes, others) = rest.split_at(numbers.iter().sum::<i64>() as usize);
        rest = others;
        page.extend_from_slice(bytes);
        let n_nulls = (lengths.len() - numbers.len()) as u64;
        chunk.data_page(page, lengths.len(), PageStatistics { bounds: bounds(bytes, numbers), n_nulls })?;
    }
    chunk.finish(descriptor)
}

/// Returns the smallest and the largest of texts with these lengths.
fn bounds(mut bytes: &[u8], lengths: &[i64]) -> Option<(Vec<u8>, Vec<u8>)> {
    let texts = lengths.iter().map(|n_bytes| {
        let (text, others) = bytes.split_at(*n_bytes as usize);
        bytes = others;
        text
    });
    let texts: Vec<&[u8]> = texts.collect();
    texts.iter().min().zip(texts.iter().max()).map(|(min, max)| (min.to_vec(), max.to_vec()))
}
