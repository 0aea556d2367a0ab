//! String columns: dictionary-encoded if few values are distinct, else as strings without their common prefix.

use anyhow::Result;
use parquet::basic::Encoding;
use parquet::schema::types::ColumnDescPtr;

use crate::column_chunk::{ColumnChunk, EncodedColumn};
use crate::interner::intern;
use crate::statistics::PageStatistics;
use crate::string_column::StringColumn;
use crate::workspace::Workspace;
use crate::{PAGE_ROWS, delta, dictionary};

/// Encodes strings (`BYTE_ARRAY`): with a dictionary if that is smaller, else as delta-encoded lengths and bytes, without
/// the prefix that the strings of a page share if it saves space.
///
/// # Errors
///
/// See the [module](crate::encoders).
pub fn strings(column: &StringColumn, workspace: &mut Workspace, descriptor: ColumnDescPtr) -> Result<EncodedColumn> {
    if let Some(values) = intern(column, &mut workspace.codes) {
        return dictionary::encode(&values, workspace, descriptor);
    }
    let pages = pages(column);
    let n_saved: usize = pages.iter().map(|page| page.n_common * page.lengths.len()).sum();
    // Prefix lengths cost bytes in each block of 128 and time in the reader, so they must save more than a byte a row.
    let has_prefixes = n_saved > column.lengths.len();
    let encoding = if has_prefixes { Encoding::DELTA_BYTE_ARRAY } else { Encoding::DELTA_LENGTH_BYTE_ARRAY };
    let Workspace { compressor, out, page, numbers, .. } = workspace;
    let mut chunk = ColumnChunk::new(encoding, compressor, out);
    for string_page in &pages {
        page.clear();
        if has_prefixes {
            string_page.encode_with_prefixes(numbers, page);
        } else {
            string_page.encode(numbers, page);
        }
        let bounds = Some((string_page.min.to_vec(), string_page.max.to_vec()));
        chunk.data_page(page, string_page.lengths.len(), PageStatistics { bounds, n_nulls: 0 })?;
    }
    chunk.finish(descriptor)
}

/// The strings of a page.
struct StringPage<'a> {
    bytes: &'a [u8],
    lengths: &'a [u8],
    min: &'a [u8],
    max: &'a [u8],
    /// The length of the prefix that all strings of the page share, in bytes.
    n_common: usize,
}

fn pages(column: &StringColumn) -> Vec<StringPage<'_>> {
    let mut rest = column.bytes.as_slice();
    let page = |lengths| {
        let (min, max, n_bytes) = bounds(rest, lengths);
        let (bytes, others) = rest.split_at(n_bytes);
        rest = others;
        // All strings between the minimum and the maximum have the prefix that these two share.
        let n_common = min.iter().zip(max).take_while(|(a, b)| a == b).count();
        StringPage { bytes, lengths, min, max, n_common }
    };
    column.lengths.chunks(PAGE_ROWS).map(page).collect()
}

impl StringPage<'_> {
    /// Appends the page in `DELTA_LENGTH_BYTE_ARRAY`: all lengths, then all bytes.
    fn encode(&self, numbers: &mut Vec<i64>, page: &mut Vec<u8>) {
        self.lengths(0, numbers, page);
        page.extend_from_slice(self.bytes);
    }

    /// Appends the page in `DELTA_BYTE_ARRAY`: the length of the prefix that each string shares with the previous one, then
    /// the suffixes in `DELTA_LENGTH_BYTE_ARRAY`.
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

    /// Appends the lengths of the strings; all but the first are reduced by `n_prefix`.
    fn lengths(&self, n_prefix: usize, numbers: &mut Vec<i64>, page: &mut Vec<u8>) {
        numbers.clear();
        numbers.extend(self.lengths.iter().map(|n_bytes| i64::from(*n_bytes) - n_prefix as i64));
        numbers[0] += n_prefix as i64;
        delta::encode(numbers, page);
    }
}

/// Returns the minimum and the maximum of the strings of the given lengths, of which there is at least one, and their total
/// length in bytes.
fn bounds<'a>(bytes: &'a [u8], lengths: &[u8]) -> (&'a [u8], &'a [u8], usize) {
    let mut end = usize::from(lengths[0]);
    let (mut min, mut max) = (&bytes[..end], &bytes[..end]);
    for n_bytes in &lengths[1..] {
        let start = end;
        end += usize::from(*n_bytes);
        let string = &bytes[start..end];
        min = min.min(string);
        max = max.max(string);
    }
    (min, max, end)
}
