//! Columns of texts: a dictionary if few are distinct, else the texts themselves without the beginning that all share.

use anyhow::Result;
use parquet::basic::Encoding;
use parquet::schema::types::ColumnDescPtr;

use super::column_chunk::{ColumnChunk, EncodedColumn};
use super::statistics::PageStatistics;
use super::workspace::Workspace;
use super::{PAGE_ROWS, delta, dictionary};
use crate::rows::Texts;

/// Encodes a column.
pub(super) fn texts(texts: &Texts, workspace: &mut Workspace, descriptor: ColumnDescPtr) -> Result<EncodedColumn> {
    if let Some(values) = workspace.table.codes(texts, &mut workspace.codes) {
        return dictionary::encode(&values, workspace, descriptor);
    }
    let pages: Vec<TextPage> = (0..texts.ends.len())
        .step_by(PAGE_ROWS)
        .map(|start| TextPage::new(texts, start, texts.ends.len().min(start + PAGE_ROWS)))
        .collect();
    let n_saved: usize = pages.iter().map(|page| page.n_common * page.ends.len()).sum();
    // Two more bytes for each block of 128 prefixes, and more work for the reader: not for a little.
    let has_prefixes = n_saved > texts.ends.len();
    let encoding = if has_prefixes { Encoding::DELTA_BYTE_ARRAY } else { Encoding::DELTA_LENGTH_BYTE_ARRAY };
    let Workspace { compressor, out, page, numbers, .. } = workspace;
    let mut chunk = ColumnChunk::new(encoding, compressor, out.memory());
    for text_page in &pages {
        page.clear();
        if has_prefixes {
            text_page.encode_with_prefixes(numbers, page);
        } else {
            text_page.encode(numbers, page);
        }
        let bounds = Some((text_page.min.to_vec(), text_page.max.to_vec()));
        chunk.data_page(page, text_page.ends.len(), PageStatistics { bounds, n_nulls: 0 })?;
    }
    chunk.finish(descriptor)
}

/// The texts of a page.
struct TextPage<'a> {
    bytes: &'a [u8],
    start: u32,
    ends: &'a [u32],
    min: &'a [u8],
    max: &'a [u8],
    /// How many bytes at the beginning are the same in all texts.
    n_common: usize,
}

impl<'a> TextPage<'a> {
    fn new(texts: &'a Texts, first: usize, end: usize) -> Self {
        let start = first.checked_sub(1).map_or(0, |before| texts.ends[before]);
        let ends = &texts.ends[first..end];
        let (min, max) = bounds(&texts.bytes, start, ends);
        // What the smallest and the largest have in common, all between them have too.
        let n_common = min.iter().zip(max).take_while(|(a, b)| a == b).count();
        Self { bytes: &texts.bytes, start, ends, min, max, n_common }
    }

    fn n_bytes(&self) -> usize {
        self.ends.last().map_or(0, |end| (end - self.start) as usize)
    }

    /// `DELTA_LENGTH_BYTE_ARRAY`: all lengths, then all texts.
    fn encode(&self, numbers: &mut Vec<i64>, page: &mut Vec<u8>) {
        self.lengths(0, numbers, page);
        page.extend_from_slice(&self.bytes[self.start as usize..][..self.n_bytes()]);
    }

    /// `DELTA_BYTE_ARRAY`: how much each text takes over from the one before it, and the rest as above.
    fn encode_with_prefixes(&self, numbers: &mut Vec<i64>, page: &mut Vec<u8>) {
        numbers.clear();
        numbers.resize(self.ends.len(), self.n_common as i64);
        numbers[0] = 0;
        delta::encode(numbers, page);
        self.lengths(self.n_common, numbers, page);
        let mut start = self.start as usize;
        let mut skip = 0;
        for &end in self.ends {
            page.extend_from_slice(&self.bytes[start + skip..end as usize]);
            start = end as usize;
            skip = self.n_common;
        }
    }

    /// The lengths of the texts, but for the first without `n_less` bytes.
    fn lengths(&self, n_less: usize, numbers: &mut Vec<i64>, page: &mut Vec<u8>) {
        numbers.clear();
        let mut start = self.start;
        numbers.extend(self.ends.iter().map(|end| {
            let n_bytes = i64::from(end - start) - n_less as i64;
            start = *end;
            n_bytes
        }));
        numbers[0] += n_less as i64;
        delta::encode(numbers, page);
    }
}

/// The smallest and the largest of some texts, of which there is at least one.
fn bounds<'a>(bytes: &'a [u8], start: u32, ends: &[u32]) -> (&'a [u8], &'a [u8]) {
    let first = &bytes[start as usize..ends[0] as usize];
    let (mut min, mut max) = (first, first);
    let (mut min_head, mut max_head) =
        (head(bytes, start as usize, ends[0] as usize), head(bytes, start as usize, ends[0] as usize));
    let mut start = ends[0] as usize;
    for end in &ends[1..] {
        let end = *end as usize;
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
        start = end;
    }
    (min, max)
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
