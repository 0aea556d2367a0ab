//! Reads hyphenated UUIDs.

/// The 16 bytes of a UUID such as `c7bf1206-7598-40fa-8d06-4d3ab4def7b8`, in any case.
#[inline]
pub(crate) fn parse(text: &[u8]) -> Option<[u8; 16]> {
    let text: &[u8; 36] = text.try_into().ok()?;
    if [text[8], text[13], text[18], text[23]] != *b"----" {
        return None;
    }
    let mut digits = [0; 32];
    digits[..8].copy_from_slice(&text[..8]);
    digits[8..12].copy_from_slice(&text[9..13]);
    digits[12..16].copy_from_slice(&text[14..18]);
    digits[16..20].copy_from_slice(&text[19..23]);
    digits[20..].copy_from_slice(&text[24..]);
    // Each of these looks at all digits at once.
    let all_are_digits = digits.iter().fold(true, |all, digit| all & digit.is_ascii_hexdigit());
    let values = digits.map(|digit| (digit & 0xF) + 9 * (digit >> 6));
    all_are_digits.then(|| std::array::from_fn(|n| values[2 * n] << 4 | values[2 * n + 1]))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn reads_what_the_uuid_crate_reads_if_it_is_hyphenated() {
        let text = b"c7bf1206-7598-40fa-8d06-4D3AB4DEF7B8";
        let mut changed = *text;
        for place in 0..text.len() {
            for byte in 0..=u8::MAX {
                changed[place] = byte;
                let expected = uuid::Uuid::try_parse_ascii(&changed).ok().map(uuid::Uuid::into_bytes);
                assert_eq!(parse(&changed), expected, "{}", changed.escape_ascii());
            }
            changed[place] = text[place];
        }
        assert_eq!(parse(b""), None);
        assert_eq!(parse(&text[..35]), None);
        assert_eq!(parse(b"c7bf1206759840fa8d064d3ab4def7b8"), None);
    }
}
