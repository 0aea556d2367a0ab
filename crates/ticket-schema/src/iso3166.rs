//! The country codes that may name a partition.

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

/// Whether `code` is an officially assigned ISO 3166-1 alpha-2 code, in capitals.
pub fn is_country_code(code: &str) -> bool {
    match code.as_bytes() {
        [first @ b'A'..=b'Z', second] => SECOND_LETTERS[usize::from(first - b'A')].as_bytes().contains(second),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_country_code;
    use crate::vocabulary::Market;

    #[test]
    fn knows_the_249_codes_and_only_in_capitals() {
        let letters = || (b'A'..=b'Z').map(char::from);
        let codes = letters().flat_map(|a| letters().map(move |b| format!("{a}{b}")));
        assert_eq!(codes.filter(|code| is_country_code(code)).count(), 249);
        assert!(Market::ALL.iter().all(|market| is_country_code(market.as_str())));
        for code in ["", "D", "de", "De", "UK", "EU", "XK", "ZZ", "DEU", "..", "D/", "\u{e9}"] {
            assert!(!is_country_code(code), "{code}");
        }
    }
}
