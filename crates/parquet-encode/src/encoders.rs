//! Each kind of column: which encoding it has, and how its pages are made.

use anyhow::Result;
use parquet::basic::Encoding;
use parquet::schema::types::ColumnDescPtr;
use ticket_schema::enums::StringEnum;

use super::column_chunk::{ColumnChunk, EncodedColumn};
use super::statistics::{PageStatistics, bounds_of};
use super::uuid_text::{UUID_TEXT_BYTES, uuid_text};
use super::workspace::Workspace;
use super::{PAGE_ROWS, delta, dictionary, hybrid};
use crate::partition::columns::NO_TIME;

/// UUIDs as texts. They are random: neither a dictionary nor a common beginning helps.
pub(super) fn uuids(uuids: &[[u8; 16]], workspace: &mut Workspace, descriptor: ColumnDescPtr) -> Result<EncodedColumn> {
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

/// Times that every row has.
pub(super) fn times(times: &[i64], workspace: &mut Workspace, descriptor: ColumnDescPtr) -> Result<EncodedColumn> {
    let Workspace { compressor, out, page, .. } = workspace;
    let mut chunk = ColumnChunk::new(Encoding::DELTA_BINARY_PACKED, compressor, out);
    for times in times.chunks(PAGE_ROWS) {
        page.clear();
        delta::encode(times, page);
        chunk.data_page(page, times.len(), PageStatistics { bounds: bounds_of(times), n_nulls: 0 })?;
    }
    chunk.finish(descriptor)
}

/// Times of which some are [`NO_TIME`], which becomes null.
pub(super) fn optional_times(
    times: &[i64],
    workspace: &mut Workspace,
    descriptor: ColumnDescPtr,
) -> Result<EncodedColumn> {
    let Workspace { compressor, out, page, numbers, codes, .. } = workspace;
    let mut chunk = ColumnChunk::new(Encoding::DELTA_BINARY_PACKED, compressor, out);
    for times in times.chunks(PAGE_ROWS) {
        codes.clear();
        codes.extend(times.iter().map(|time| u16::from(*time != NO_TIME)));
        numbers.clear();
        numbers.extend(times.iter().filter(|time| **time != NO_TIME));
        // The levels, 1 where there is a value, with their length in front of them.
        page.clear();
        page.extend_from_slice(&[0; 4]);
        hybrid::encode(codes, 1, page);
        let n_bytes = u32::try_from(page.len() - 4)?;
        page[..4].copy_from_slice(&n_bytes.to_le_bytes());
        delta::encode(numbers, page);
        let n_nulls = (times.len() - numbers.len()) as u64;
        chunk.data_page(page, times.len(), PageStatistics { bounds: bounds_of(numbers), n_nulls })?;
    }
    chunk.finish(descriptor)
}

/// Places in the contract's texts.
pub(super) fn fixed_texts<T: StringEnum>(
    places: &[u8],
    workspace: &mut Workspace,
    descriptor: ColumnDescPtr,
) -> Result<EncodedColumn> {
    let mut is_used = [false; 256];
    for place in places {
        is_used[usize::from(*place)] = true;
    }
    let used = T::VALUES.iter().filter(|value| is_used[value.index()]);
    let mut texts: Vec<(&str, usize)> = used.map(|value| (value.text(), value.index())).collect();
    texts.sort_unstable();
    let mut codes = [0; 256];
    for (code, (_, place)) in texts.iter().enumerate() {
        codes[*place] = code as u16;
    }
    workspace.codes.clear();
    workspace.codes.extend(places.iter().map(|place| codes[usize::from(*place)]));
    let texts: Vec<Vec<u8>> = texts.into_iter().map(|(text, _)| text.into()).collect();
    dictionary::encode(&texts, workspace, descriptor)
}

/// Integers; a dictionary if they lie close together.
pub(super) fn integers(numbers: &[i32], workspace: &mut Workspace, descriptor: ColumnDescPtr) -> Result<EncodedColumn> {
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
    for place in (0..MAX_RANGE as usize).filter(|place| is_used[*place]) {
        codes[place] = values.len() as u16;
        values.push(min + place as i32);
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

/// Booleans, eight in a byte.
pub(super) fn booleans(values: &[bool], workspace: &mut Workspace, descriptor: ColumnDescPtr) -> Result<EncodedColumn> {
    let Workspace { compressor, out, page, .. } = workspace;
    let mut chunk = ColumnChunk::new(Encoding::PLAIN, compressor, out);
    for values in values.chunks(PAGE_ROWS) {
        page.clear();
        page.extend(
            values
                .chunks(8)
                .map(|group| group.iter().enumerate().fold(0, |byte, (place, value)| byte | u8::from(*value) << place)),
        );
        chunk.data_page(page, values.len(), PageStatistics { bounds: bounds_of(values), n_nulls: 0 })?;
    }
    chunk.finish(descriptor)
}
