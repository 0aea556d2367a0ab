//! Fixed-size copies into a line template.

#[inline]
pub(crate) fn put<const N: usize>(line: &mut [u8], at: usize, text: &[u8; N]) {
    line[at..at + N].copy_from_slice(text);
}

/// Returns the offset after `key` in `template`; evaluated at compile time.
pub(crate) const fn after(template: &[u8], key: &[u8]) -> usize {
    let mut start = 0;
    loop {
        let mut n_same = 0;
        while n_same < key.len() && template[start + n_same] == key[n_same] {
            n_same += 1;
        }
        if n_same == key.len() {
            return start + key.len();
        }
        start += 1;
    }
}
