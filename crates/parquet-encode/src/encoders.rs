//! One encoder for each column type.
//!
//! Each function appends the pages of one column chunk to the row group in the [`Workspace`] and returns the chunk's
//! metadata. `descriptor` is the column's type in the schema; its physical type must be the one that the function names. All
//! functions fail if a page cannot be compressed, the system has no memory for its bytes, or a size exceeds what the format
//! can express.

use anyhow::Result;
use parquet::basic::Encoding;
use parquet::schema::types::ColumnDescPtr;

use crate::column_chunk::{ColumnChunk, EncodedColumn};
use crate::statistics::{PageStatistics, bounds_of};
use crate::uuid_text::{UUID_TEXT_BYTES, uuid_text};
use crate::workspace::Workspace;
use crate::{NULL_TIMESTAMP, PAGE_ROWS, delta, dictionary, rle};

pub use crate::nullable_strings::nullable_strings;
pub use crate::strings::strings;

/// Encodes UUIDs as hyphenated lower-case strings (`BYTE_ARRAY`). They are taken for random, so neither a dictionary nor
/// common prefixes are tried.
///
/// # Errors
///
/// See the [module](self).
pub fn uuids(uuids: &[[u8; 16]], workspace: &mut Workspace, descriptor: ColumnDescPtr) -> Result<EncodedColumn> {
    let Workspace { compressor, out, page, .. } = workspace;
    let mut chunk = ColumnChunk::new(Encoding::DELTA_LENGTH_BYTE_ARRAY, compressor, out);
    for uuids in uuids.chunks(PAGE_ROWS) {
        page.clear();
        delta::encode_constant(UUID_TEXT_BYTES as i64, uuids.len(), page);
        let start = page.len();
        page.resize(start + UUID_TEXT_BYTES * uuids.len(), 0);
        let texts = page[start..].as_chunks_mut::<UUID_TEXT_BYTES>().0;
        let (mut min, mut max) = (u128::MAX, u128::MIN);
        for (text, uuid) in texts.iter_mut().zip(uuids) {
            *text = uuid_text(uuid);
            let number = u128::from_be_bytes(*uuid);
            min = min.min(number);
            max = max.max(number);
        }
        let text = |number: u128| uuid_text(&number.to_be_bytes()).to_vec();
        chunk.data_page(page, uuids.len(), PageStatistics { bounds: Some((text(min), text(max))), n_nulls: 0 })?;
    }
    chunk.finish(descriptor)
}

/// Encodes timestamps without nulls (`INT64`).
///
/// # Errors
///
/// See the [module](self).
pub fn timestamps(times: &[i64], workspace: &mut Workspace, descriptor: ColumnDescPtr) -> Result<EncodedColumn> {
    let Workspace { compressor, out, page, .. } = workspace;
    let mut chunk = ColumnChunk::new(Encoding::DELTA_BINARY_PACKED, compressor, out);
    for times in times.chunks(PAGE_ROWS) {
        page.clear();
        delta::encode(times, page);
        chunk.data_page(page, times.len(), PageStatistics { bounds: bounds_of(times), n_nulls: 0 })?;
    }
    chunk.finish(descriptor)
}

/// Encodes timestamps (`INT64`) of which [`NULL_TIMESTAMP`] stands for null.
///
/// # Errors
///
/// See the [module](self).
pub fn optional_timestamps(
    times: &[i64],
    workspace: &mut Workspace,
    descriptor: ColumnDescPtr,
) -> Result<EncodedColumn> {
    let Workspace { compressor, out, page, numbers, codes, .. } = workspace;
    let mut chunk = ColumnChunk::new(Encoding::DELTA_BINARY_PACKED, compressor, out);
    for times in times.chunks(PAGE_ROWS) {
        codes.clear();
        codes.extend(times.iter().map(|time| u16::from(*time != NULL_TIMESTAMP)));
        numbers.clear();
        numbers.extend(times.iter().filter(|time| **time != NULL_TIMESTAMP));
        page.clear();
        rle::definition_levels(codes, page);
        delta::encode(numbers, page);
        let n_nulls = (times.len() - numbers.len()) as u64;
        chunk.data_page(page, times.len(), PageStatistics { bounds: bounds_of(numbers), n_nulls })?;
    }
    chunk.finish(descriptor)
}

/// Encodes strings (`BYTE_ARRAY`) that are given as `indices` into a list of distinct values, of which there are at most
/// 256.
///
/// # Errors
///
/// See the [module](self).
pub fn enums(
    indices: &[u8],
    values: &[&str],
    workspace: &mut Workspace,
    descriptor: ColumnDescPtr,
) -> Result<EncodedColumn> {
    let mut is_used = [false; 256];
    for index in indices {
        is_used[usize::from(*index)] = true;
    }
    let used = values.iter().zip(0..).filter(|(_, index)| is_used[*index]);
    let mut used: Vec<(&str, usize)> = used.map(|(value, index)| (*value, index)).collect();
    used.sort_unstable();
    let mut codes = [0; 256];
    for (code, (_, index)) in used.iter().enumerate() {
        codes[*index] = code as u16;
    }
    workspace.codes.clear();
    workspace.codes.extend(indices.iter().map(|index| codes[usize::from(*index)]));
    let used: Vec<Vec<u8>> = used.into_iter().map(|(value, _)| value.into()).collect();
    dictionary::encode(&used, workspace, descriptor)
}

/// Encodes integers (`INT32`), with a dictionary if their range is below 256.
///
/// # Errors
///
/// See the [module](self).
pub fn integers(numbers: &[i32], workspace: &mut Workspace, descriptor: ColumnDescPtr) -> Result<EncodedColumn> {
    const MAX_RANGE: i64 = 256;
    let Some((min, max)) = bounds_of(numbers) else { return plain_integers(numbers, workspace, descriptor) };
    if i64::from(max) - i64::from(min) >= MAX_RANGE {
        return plain_integers(numbers, workspace, descriptor);
    }
    let mut is_used = [false; MAX_RANGE as usize];
    for number in numbers {
        is_used[(number - min) as usize] = true;
    }
    let mut codes = [0; MAX_RANGE as usize];
    let mut values = Vec::new();
    for offset in (0..MAX_RANGE as usize).filter(|offset| is_used[*offset]) {
        codes[offset] = values.len() as u16;
        values.push(min + offset as i32);
    }
    workspace.codes.clear();
    workspace.codes.extend(numbers.iter().map(|number| codes[(number - min) as usize]));
    dictionary::encode(&values, workspace, descriptor)
}

fn plain_integers(numbers: &[i32], workspace: &mut Workspace, descriptor: ColumnDescPtr) -> Result<EncodedColumn> {
    let Workspace { compressor, out, page, .. } = workspace;
    let mut chunk = ColumnChunk::new(Encoding::PLAIN, compressor, out);
    for numbers in numbers.chunks(PAGE_ROWS) {
        page.clear();
        page.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        chunk.data_page(page, numbers.len(), PageStatistics { bounds: bounds_of(numbers), n_nulls: 0 })?;
    }
    chunk.finish(descriptor)
}

/// Encodes booleans (`BOOLEAN`), eight in a byte.
///
/// # Errors
///
/// See the [module](self).
pub fn booleans(values: &[bool], workspace: &mut Workspace, descriptor: ColumnDescPtr) -> Result<EncodedColumn> {
    let Workspace { compressor, out, page, .. } = workspace;
    let mut chunk = ColumnChunk::new(Encoding::PLAIN, compressor, out);
    for values in values.chunks(PAGE_ROWS) {
        page.clear();
        page.extend(
            values
                .chunks(8)
                .map(|group| group.iter().enumerate().fold(0, |byte, (bit, value)| byte | u8::from(*value) << bit)),
        );
        chunk.data_page(page, values.len(), PageStatistics { bounds: bounds_of(values), n_nulls: 0 })?;
    }
    chunk.finish(descriptor)
}
