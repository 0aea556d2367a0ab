//! The names of the contract's fields, each compared at once.

use ticket_schema::columns::COLUMNS;

use crate::decode::swar::chunk_at;

/// Each field's name as it stands before its value, without a space (`"status":`) and with one.
pub(crate) const NAMES: [[Name; COLUMNS.len()]; 2] = [names(0), names(1)];

const fn names(n_spaces: usize) -> [Name; COLUMNS.len()] {
    let mut names = [Name { bytes: 0, mask: 0, n_bytes: 0 }; COLUMNS.len()];
    let mut place = 0;
    while place < names.len() {
        names[place] = Name::new(COLUMNS[place].name.as_bytes(), n_spaces);
        place += 1;
    }
    names
}

/// A name with its quotes, colon and spaces, 16 bytes at most: compared as one number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Name {
    bytes: u128,
    mask: u128,
    pub(crate) n_bytes: usize,
}

impl Name {
    const fn new(name: &[u8], n_spaces: usize) -> Self {
        let mut quoted = [b' '; 16];
        quoted[0] = b'"';
        let mut n_bytes = 1;
        while n_bytes <= name.len() {
            quoted[n_bytes] = name[n_bytes - 1];
            n_bytes += 1;
        }
        quoted[n_bytes] = b'"';
        quoted[n_bytes + 1] = b':';
        n_bytes += 2 + n_spaces;
        let mask = u128::MAX >> (8 * (quoted.len() - n_bytes));
        Self { bytes: u128::from_le_bytes(quoted) & mask, mask, n_bytes }
    }

    /// How many bytes it has, if it stands there.
    #[inline(always)]
    pub(crate) fn n_bytes_at(&self, bytes: &[u8], at: usize) -> Option<usize> {
        let chunk = u128::from_le_bytes(*chunk_at(bytes, at)?);
        (chunk & self.mask == self.bytes).then_some(self.n_bytes)
    }
}
