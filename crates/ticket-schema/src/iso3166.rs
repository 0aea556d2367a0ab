//! Country codes (ISO 3166-1 alpha-2) that may name a partition.
//!
//! A bit table, since `transform` checks the two letters of every row with it; the crate `rust_iso3166` looks up a string in a
//! hash map.

/// For each first letter, `A` to `Z`, the second letters with which it is an officially assigned ISO 3166-1 alpha-2 code
/// (249 in all).
const SECOND_LETTERS: [&str; 26] = [
    "DEFGILMOQRSTUWXZ",
    "ABDEFGHIJLMNOQRSTVWYZ",
    "ACDFGHIKLMNORUVWXYZ",
    "EJKMOZ",
    "CEGHRST",
    "IJKMOR",
    "ABDEFGHILMNPQRSTUWY",
    "KMNRTU",
    "DELMNOQRST",
    "EMOP",
    "EGHIMNPRWYZ",
    "ABCIKRSTUVY",
    "ACDEFGHKLMNOPQRSTUVWXYZ",
    "ACEFGILOPRUZ",
    "M",
    "AEFGHKLMNRSTWY",
    "A",
    "EOSUW",
    "ABCDEGHIJKLMNORSTVXYZ",
    "CDFGHJKLMNORTVWZ",
    "AGMSYZ",
    "ACEGINU",
    "FS",
    "",
    "ET",
    "AMW",
];

/// [`SECOND_LETTERS`] as bit sets, with `A` in the lowest bit.
const SECOND_LETTER_SETS: [u32; 26] = {
    let mut sets = [0; 26];
    let mut first = 0;
    while first < sets.len() {
        let letters = SECOND_LETTERS[first].as_bytes();
        let mut n = 0;
        while n < letters.len() {
            sets[first] |= 1 << (letters[n] - b'A');
            n += 1;
        }
        first += 1;
    }
    sets
};

/// Returns whether `code` is an officially assigned ISO 3166-1 alpha-2 code, in upper case.
pub fn is_country_code(code: &str) -> bool {
    code.as_bytes().try_into().is_ok_and(are_country_letters)
}

/// Returns whether two letters are an officially assigned ISO 3166-1 alpha-2 code, in upper case.
#[inline]
pub const fn are_country_letters([first, second]: [u8; 2]) -> bool {
    first.is_ascii_uppercase()
        && second.is_ascii_uppercase()
        && SECOND_LETTER_SETS[(first - b'A') as usize] >> (second - b'A') & 1 == 1
}

#[cfg(test)]
mod tests {
    use super::is_country_code;
    use crate::enums::Market;

    #[test]
    fn the_249_codes_are_accepted_in_upper_case_only() {
        let letters = || (b'A'..=b'Z').map(char::from);
        let codes = letters().flat_map(|a| letters().map(move |b| format!("{a}{b}")));
        assert_eq!(codes.filter(|code| is_country_code(code)).count(), 249);
        assert!(Market::ALL.iter().all(|market| is_country_code(market.as_str())));
        for code in ["", "D", "de", "De", "UK", "EU", "XK", "ZZ", "DEU", "..", "D/", "\u{e9}"] {
            assert!(!is_country_code(code), "{code}");
        }
    }
}
