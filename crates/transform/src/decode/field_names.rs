//! The names of the fields as they precede their values in a line.

use ticket_schema::columns::COLUMNS;

/// The maximum length of a name with its quotes, colon and space, in bytes.
const MAX_QUOTED_BYTES: usize = 64;

/// Each field's name with its quotes and colon, without a space (`"status":`) and with one.
pub(crate) const NAMES: [[Name; COLUMNS.len()]; 2] = [names(0), names(1)];

const fn names(n_spaces: usize) -> [Name; COLUMNS.len()] {
    let mut names = [Name { quoted: [0; MAX_QUOTED_BYTES], n_bytes: 0 }; COLUMNS.len()];
    let mut place = 0;
    while place < names.len() {
        names[place] = Name::new(COLUMNS[place].name.as_bytes(), n_spaces);
        place += 1;
    }
    names
}

/// A name with its quotes, colon and spaces.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Name {
    quoted: [u8; MAX_QUOTED_BYTES],
    pub(crate) n_bytes: usize,
}

impl Name {
    const fn new(name: &[u8], n_spaces: usize) -> Self {
        assert!(name.len() + 3 + n_spaces <= MAX_QUOTED_BYTES, "a field's name is too long for MAX_QUOTED_BYTES");
        let mut quoted = [b' '; MAX_QUOTED_BYTES];
        quoted[0] = b'"';
        quoted.split_at_mut(1).1.split_at_mut(name.len()).0.copy_from_slice(name);
        quoted[name.len() + 1] = b'"';
        quoted[name.len() + 2] = b':';
        Self { quoted, n_bytes: name.len() + 3 + n_spaces }
    }

    /// Returns the length of the name, if it is at this offset.
    #[inline(always)]
    pub(crate) fn n_bytes_at(&self, bytes: &[u8], at: usize) -> Option<usize> {
        bytes.get(at..)?.starts_with(&self.quoted[..self.n_bytes]).then_some(self.n_bytes)
    }
}
