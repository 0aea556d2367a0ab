//! Column buffer for short strings.

use std::ops::Range;

/// The maximum length of a string in bytes. A length fits in one byte.
pub const MAX_STRING_BYTES: usize = u8::MAX as usize;

/// Strings of a column, concatenated, each of at most [`MAX_STRING_BYTES`] bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StringColumn {
    /// All strings, UTF-8.
    pub bytes: Vec<u8>,
    /// The length of each string in bytes.
    pub lengths: Vec<u8>,
}

impl StringColumn {
    /// Creates an empty column with capacity for the lengths of `n_rows` strings.
    pub fn with_capacity(n_rows: usize) -> Self {
        Self { bytes: Vec::new(), lengths: Vec::with_capacity(n_rows) }
    }

    /// Appends a string, which must be UTF-8.
    ///
    /// # Panics
    ///
    /// Panics if the string is longer than [`MAX_STRING_BYTES`].
    pub fn push(&mut self, string: &[u8]) {
        assert!(string.len() <= MAX_STRING_BYTES, "a string of {} bytes", string.len());
        self.bytes.extend_from_slice(string);
        self.lengths.push(string.len() as u8);
    }

    /// Appends the strings of `other` in a range of rows.
    ///
    /// # Panics
    ///
    /// Panics if the range exceeds the rows of `other`.
    pub fn append(&mut self, other: &Self, rows: Range<usize>) {
        let lengths = &other.lengths[rows.clone()];
        // Mostly the range covers all rows, and then no offset needs to be summed up.
        let bytes = if lengths.len() == other.lengths.len() {
            &other.bytes[..]
        } else {
            let start = n_bytes(&other.lengths[..rows.start]);
            &other.bytes[start..start + n_bytes(lengths)]
        };
        self.bytes.extend_from_slice(bytes);
        self.lengths.extend_from_slice(lengths);
    }

    /// Removes all strings and keeps the capacity.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.lengths.clear();
    }

    /// Iterates over the bytes of each string.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.bytes.as_slice();
        self.lengths.iter().map(move |n_bytes| {
            let (string, others) = rest.split_at(usize::from(*n_bytes));
            rest = others;
            string
        })
    }
}

/// Returns the total length of strings of the given lengths.
fn n_bytes(lengths: &[u8]) -> usize {
    lengths.iter().map(|n_bytes| usize::from(*n_bytes)).sum()
}
