//! SIMD within a register: scans strings 16 bytes at a time.
#![allow(
    clippy::needless_bitwise_bool,
    reason = "the compiler vectorises the loop only without short-circuit evaluation"
)]

/// Returns the 16 bytes from `at` on, or `None` if fewer remain.
#[inline(always)]
pub(crate) fn chunk_at(bytes: &[u8], at: usize) -> Option<&[u8; 16]> {
    bytes.get(at..)?.first_chunk()
}

/// Returns the number of bytes from `at` on that stand for themselves in a JSON string (no quote, no backslash, no control
/// character), and true if all of them are ASCII.
#[inline(always)]
pub(crate) fn plain_bytes(bytes: &[u8], at: usize) -> (usize, bool) {
    let n_ascii = count_while(bytes, at, |byte| (byte != b'"') & (byte != b'\\') & (byte.cast_signed() >= 0x20));
    if bytes.get(at + n_ascii).is_none_or(u8::is_ascii) {
        (n_ascii, true)
    } else {
        (plain_bytes_from(bytes, at + n_ascii) + n_ascii, false)
    }
}

/// Returns the number of such bytes where some may be non-ASCII.
#[inline(never)]
fn plain_bytes_from(bytes: &[u8], at: usize) -> usize {
    count_while(bytes, at, |byte| (byte != b'"') & (byte != b'\\') & (byte >= b' '))
}

/// Returns the number of consecutive bytes from `at` on for which `is_kind` holds.
#[inline(always)]
fn count_while(bytes: &[u8], at: usize, is_kind: impl Fn(u8) -> bool) -> usize {
    let mut n = 0;
    while let Some(chunk) = chunk_at(bytes, at + n) {
        // Without a branch or call per byte, the compiler vectorises this loop.
        let mut others = [0; 16];
        for (other, byte) in others.iter_mut().zip(chunk) {
            *other = if is_kind(*byte) { 0 } else { 0xFF };
        }
        let others = u128::from_le_bytes(others);
        if others != 0 {
            return n + others.trailing_zeros() as usize / 8;
        }
        n += chunk.len();
    }
    n + bytes[at + n..].iter().take_while(|byte| is_kind(**byte)).count()
}
