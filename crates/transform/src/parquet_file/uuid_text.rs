//! The 36 characters of a UUID.

/// How many characters there are: 32 digits and 4 hyphens.
pub(super) const UUID_TEXT_BYTES: usize = 36;

/// Lower-case and hyphenated (RFC 9562).
pub(super) fn uuid_text(uuid: &[u8; 16]) -> [u8; UUID_TEXT_BYTES] {
    let high = uuid.map(|byte| digit(byte >> 4));
    let low = uuid.map(|byte| digit(byte & 0xF));
    let mut digits = [0; 32];
    for (pair, (high, low)) in digits.as_chunks_mut::<2>().0.iter_mut().zip(high.into_iter().zip(low)) {
        *pair = [high, low];
    }
    let mut text = [b'-'; UUID_TEXT_BYTES];
    text[..8].copy_from_slice(&digits[..8]);
    text[9..13].copy_from_slice(&digits[8..12]);
    text[14..18].copy_from_slice(&digits[12..16]);
    text[19..23].copy_from_slice(&digits[16..20]);
    text[24..].copy_from_slice(&digits[20..]);
    text
}

/// Without a branch and without a table, so that the compiler makes sixteen at once.
const fn digit(value: u8) -> u8 {
    const TO_LETTERS: u8 = b'a' - 10 - b'0';
    let is_letter = (value > 9) as u8;
    value + b'0' + is_letter * TO_LETTERS
}
