//! UUIDs as text.

/// The length of a UUID's text: 32 digits and 4 hyphens.
pub(crate) const UUID_TEXT_BYTES: usize = 36;

/// Formats a UUID in lower case with hyphens (RFC 9562).
pub(crate) fn uuid_text(uuid: &[u8; 16]) -> [u8; UUID_TEXT_BYTES] {
    let mut digits = [0; 32];
    for (digits, bytes) in digits.as_chunks_mut::<8>().0.iter_mut().zip(uuid.as_chunks::<4>().0) {
        *digits = eight_digits(u32::from_le_bytes(*bytes)).to_le_bytes();
    }
    let mut text = [b'-'; UUID_TEXT_BYTES];
    text[..8].copy_from_slice(&digits[..8]);
    text[9..13].copy_from_slice(&digits[8..12]);
    text[14..18].copy_from_slice(&digits[12..16]);
    text[19..23].copy_from_slice(&digits[16..20]);
    text[24..].copy_from_slice(&digits[20..]);
    text
}

/// Formats four bytes as eight hexadecimal digits at once: one digit in each byte of the result, the first in the lowest.
const fn eight_digits(bytes: u32) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const LOW_HALVES: u64 = 0x000F_000F_000F_000F;
    /// The distance from the character after `9` to `a`.
    const TO_LETTERS: u64 = (b'a' - b'9' - 1) as u64;
    let pairs = (bytes as u64 | (bytes as u64) << 16) & 0x0000_FFFF_0000_FFFF;
    let bytes = (pairs | pairs << 8) & 0x00FF_00FF_00FF_00FF;
    let values = (bytes >> 4) & LOW_HALVES | (bytes & LOW_HALVES) << 8;
    // A value of 10 or more plus 6 has bit 4 set.
    let is_letter = ((values + 6 * EACH) >> 4) & EACH;
    values + b'0' as u64 * EACH + is_letter * TO_LETTERS
}
