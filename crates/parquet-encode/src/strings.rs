//! Columns of texts: a dictionary if few are distinct, else the texts themselves without the beginning that all share.

use anyhow::Result;
use parquet::basic::Encoding;
use parquet::schema::types::ColumnDescPtr;

use super::column_chunk::{ColumnChunk, EncodedColumn};
use super::statistics::PageStatistics;
use super::workspace::Workspace;
use super::{PAGE_ROWS, delta, dictionary};
use crate::partition::columns::Texts;

/// Encodes a column.
pub(super) fn texts(texts: &Texts, workspace: &mut Workspace, descriptor: ColumnDescPtr) -> Result<EncodedColumn> {
    if let Some(values) = workspace.table.codes(texts, &mut workspace.codes) {
        return dictionary::encode(&values, workspace, descriptor);
    }
    let pages = pages(texts);
    let n_saved: usize = pages.iter().map(|page| page.n_common * page.lengths.len()).sum();
    // Two more bytes for each block of 128 prefixes, and more work for the reader: not for a little.
    let has_prefixes = n_saved > texts.lengths.len();
    let encoding = if has_prefixes { Encoding::DELTA_BYTE_ARRAY } else { Encoding::DELTA_LENGTH_BYTE_ARRAY };
    let Workspace { compressor, out, page, numbers, .. } = workspace;
    let mut chunk = ColumnChunk::new(encoding, compressor, out);
    for text_page in &pages {
        page.clear();
        if has_prefixes {
            text_page.encode_with_prefixes(numbers, page);
        } else {
            text_page.encode(numbers, page);
        }
        let bounds = Some((text_page.min.to_vec(), text_page.max.to_vec()));
        chunk.data_page(page, text_page.lengths.len(), PageStatistics { bounds, n_nulls: 0 })?;
    }
    chunk.finish(descriptor)
}

/// The texts of a page.
struct TextPage<'a> {
    bytes: &'a [u8],
    lengths: &'a [u8],
    min: &'a [u8],
    max: &'a [u8],
    /// How many bytes at the beginning are the same in all texts.
    n_common: usize,
}

fn pages(texts: &Texts) -> Vec<TextPage<'_>> {
    let mut rest = texts.bytes.as_slice();
    let page = |lengths| {
        let (min, max, n_bytes) = bounds(rest, lengths);
        let (bytes, others) = rest.split_at(n_bytes);
        rest = others;
        // What the smallest and the largest have in common, all between them have too.
        let n_common = min.iter().zip(max).take_while(|(a, b)| a == b).count();
        TextPage { bytes, lengths, min, max, n_common }
    };
    texts.lengths.chunks(PAGE_ROWS).map(page).collect()
}

impl TextPage<'_> {
    /// `DELTA_LENGTH_BYTE_ARRAY`: all lengths, then all texts.
    fn encode(&self, numbers: &mut Vec<i64>, page: &mut Vec<u8>) {
        self.lengths(0, numbers, page);
        page.extend_from_slice(self.bytes);
    }

    /// `DELTA_BYTE_ARRAY`: how much each text takes over from the one before it, and the rest as above.
    fn encode_with_prefixes(&self, numbers: &mut Vec<i64>, page: &mut Vec<u8>) {
        numbers.clear();
        numbers.resize(self.lengths.len(), self.n_common as i64);
        numbers[0] = 0;
        delta::encode(numbers, page);
        self.lengths(self.n_common, numbers, page);
        let mut start = 0;
        let mut skip = 0;
        for n_bytes in self.lengths {
            let end = start + usize::from(*n_bytes);
            page.extend_from_slice(&self.bytes[start + skip..end]);
            start = end;
            skip = self.n_common;
        }
    }

    /// The lengths of the texts, but for the first without `n_less` bytes.
    fn lengths(&self, n_less: usize, numbers: &mut Vec<i64>, page: &mut Vec<u8>) {
        numbers.clear();
        numbers.extend(self.lengths.iter().map(|n_bytes| i64::from(*n_bytes) - n_less as i64));
        numbers[0] += n_less as i64;
        delta::encode(numbers, page);
    }
}

/// The smallest and the largest of texts of these lengths, of which there is at least one, and how many bytes all of them have.
fn bounds<'a>(bytes: &'a [u8], lengths: &[u8]) -> (&'a [u8], &'a [u8], usize) {
    let mut end = usize::from(lengths[0]);
    let (mut min, mut max) = (&bytes[..end], &bytes[..end]);
    let (mut min_head, mut max_head) = (head(bytes, 0, end), head(bytes, 0, end));
    for n_bytes in &lengths[1..] {
        let start = end;
        end += usize::from(*n_bytes);
        let head = head(bytes, start, end);
        if head <= min_head {
            let text = &bytes[start..end];
            if text < min {
                (min, min_head) = (text, head);
            }
        }
        if head >= max_head {
            let text = &bytes[start..end];
            if text > max {
                (max, max_head) = (text, head);
            }
        }
    }
    (min, max, end)
}

/// The first eight bytes of a text as a number that has the same order; shorter texts end in zeros.
fn head(bytes: &[u8], start: usize, end: usize) -> u64 {
    let n_bytes = end - start;
    if let Some(head) = bytes.get(start..start + 8).and_then(<[u8]>::first_chunk) {
        let others = u64::MAX.checked_shr(8 * n_bytes as u32).unwrap_or(0);
        return u64::from_be_bytes(*head) & !others;
    }
    let mut head = [0; 8];
    let n_bytes = n_bytes.min(8);
    head[..n_bytes].copy_from_slice(&bytes[start..start + n_bytes]);
    u64::from_be_bytes(head)
}
