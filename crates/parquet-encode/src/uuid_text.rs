//! The 36 characters of a UUID.

/// How many characters there are: 32 digits and 4 hyphens.
pub(super) const UUID_TEXT_BYTES: usize = 36;

/// Lower-case and hyphenated (RFC 9562).
pub(super) fn uuid_text(uuid: &[u8; 16]) -> [u8; UUID_TEXT_BYTES] {
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

/// The digits of four bytes, all at once: each byte of the word is one digit, the first is the lowest.
const fn eight_digits(bytes: u32) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const LOW_HALVES: u64 = 0x000F_000F_000F_000F;
    /// How much further than `9 + 1` the letter `a` is.
    const TO_LETTERS: u64 = (b'a' - b'9' - 1) as u64;
    let pairs = (bytes as u64 | (bytes as u64) << 16) & 0x0000_FFFF_0000_FFFF;
    let apart = (pairs | pairs << 8) & 0x00FF_00FF_00FF_00FF;
    let values = (apart >> 4) & LOW_HALVES | (apart & LOW_HALVES) << 8;
    // 10 and more, with 6 added, have the next bit set.
    let is_letter = ((values + 6 * EACH) >> 4) & EACH;
    values + b'0' as u64 * EACH + is_letter * TO_LETTERS
}
