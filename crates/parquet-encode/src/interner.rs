//! The distinct strings of a column.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use crate::rle;
use crate::string_column::StringColumn;

/// The number of rows after which a column is given up as a dictionary, if more than half of them are distinct.
const SAMPLE_ROWS: usize = 4096;

/// Returns the distinct strings in ascending order and sets `codes` to each row's index among them; returns `None` if the
/// strings themselves are smaller or more than 2^16 of them are distinct.
pub(crate) fn intern(column: &StringColumn, codes: &mut Vec<u16>) -> Option<Vec<Vec<u8>>> {
    codes.clear();
    codes.reserve(column.lengths.len());
    let mut distinct: HashMap<&[u8], usize, FixedState> = HashMap::default();
    for (row, string) in column.iter().enumerate() {
        if row == SAMPLE_ROWS && distinct.len() > SAMPLE_ROWS / 2 {
            return None;
        }
        let next = distinct.len();
        let code = *distinct.entry(string).or_insert(next);
        codes.push(u16::try_from(code).ok()?);
    }
    if !is_smaller(&distinct, column) {
        return None;
    }
    let mut sorted: Vec<(&[u8], usize)> = distinct.into_iter().collect();
    sorted.sort_unstable();
    let mut ranks = vec![0; sorted.len()];
    for (rank, (_, code)) in sorted.iter().enumerate() {
        ranks[*code] = rank as u16;
    }
    for code in codes {
        *code = ranks[usize::from(*code)];
    }
    Some(sorted.into_iter().map(|(string, _)| string.to_vec()).collect())
}

/// Returns true if the dictionary and the codes are smaller than the strings.
fn is_smaller(distinct: &HashMap<&[u8], usize, FixedState>, column: &StringColumn) -> bool {
    let width = rle::code_width(distinct.len().saturating_sub(1) as u16);
    let dictionary: usize = distinct.keys().map(|string| 4 + string.len()).sum();
    dictionary + column.lengths.len() * width as usize / 8 < column.bytes.len()
}
