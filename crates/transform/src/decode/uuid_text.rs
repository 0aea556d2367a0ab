//! Parses hyphenated UUIDs.

/// Parses a UUID such as `c7bf1206-7598-40fa-8d06-4d3ab4def7b8`, in upper or lower case.
#[inline(always)]
pub(crate) fn parse(text: &[u8; 36]) -> Option<[u8; 16]> {
    if [text[8], text[13], text[18], text[23]] != *b"----" {
        return None;
    }
    let mut digits = [0; 32];
    digits[..8].copy_from_slice(&text[..8]);
    digits[8..12].copy_from_slice(&text[9..13]);
    digits[12..16].copy_from_slice(&text[14..18]);
    digits[16..20].copy_from_slice(&text[19..23]);
    digits[20..].copy_from_slice(&text[24..]);
    let mut are_digits = true;
    for digit in &mut digits {
        are_digits &= digit.is_ascii_hexdigit();
        *digit = (*digit & 0xF) + 9 * (*digit >> 6);
    }
    let mut bytes = [0; 16];
    for (byte, digits) in bytes.iter_mut().zip(digits.as_chunks::<2>().0) {
        *byte = digits[0] << 4 | digits[1];
    }
    are_digits.then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn agrees_with_uuid_crate() {
        let text = b"c7bf1206-7598-40fa-8d06-4D3AB4DEF7B8";
        let mut changed = *text;
        for index in 0..text.len() {
            for byte in 0..=u8::MAX {
                changed[index] = byte;
                let expected = uuid::Uuid::try_parse_ascii(&changed).ok().map(uuid::Uuid::into_bytes);
                assert_eq!(parse(&changed), expected, "{}", changed.escape_ascii());
            }
            changed[index] = text[index];
        }
    }
}
