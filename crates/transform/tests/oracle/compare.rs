//! Holds the decoder against the oracle.

use std::cell::RefCell;
use std::collections::BTreeMap;

use transform::decode::Decoder;
use transform::decode::unknown_fields::UnknownFields;

use super::oracle;

thread_local! {
    /// One for all lines, so that none leaves anything behind for the next.
    static DECODER: RefCell<Decoder> = RefCell::default();
}

/// Panics unless both take a line, with the same values, or refuse it for the same field with the same words and market.
///
/// Lines that both refuse may differ in two ways. Where a known field has a number beyond the range of floats (`1e999`), or an
/// object with half a surrogate pair in a name, `serde_json` says that the line is no JSON. It is, and the decoder names the
/// field.
pub(crate) fn judged_alike(line: &[u8]) {
    let shown = || String::from_utf8_lossy(line).into_owned();
    let (expected, unknown_fields) = oracle::decode(line);
    let is_object = !matches!(&expected, Err(refusal) if refusal.field.is_none());
    // Where there is none, the decoder of all lines would show what it has counted.
    if is_object && !unknown_fields.is_empty() {
        let mut decoder = Decoder::default();
        let _ = decoder.decode(line);
        assert_eq!(decoder.unknown_fields(), &counted(&unknown_fields), "{}", shown());
    }
    let n_counted = || DECODER.with_borrow(|decoder| n_unknown(decoder.unknown_fields()));
    let n_before = n_counted();
    DECODER.with_borrow_mut(|decoder| match (decoder.decode(line), expected) {
        (Ok(row), Ok(ticket)) => assert!(ticket == row, "{row:?} instead of {ticket:?}: {}", shown()),
        (Err(refusal), Err(expected)) => {
            if expected.field.is_none() && refusal.field.is_some() && is_too_much_for_serde_json(line) {
                return;
            }
            assert_eq!(refusal.field, expected.field, "{refusal}: {}", shown());
            assert_eq!(
                refusal.market.map(|market| market.as_str().to_owned()),
                expected.market,
                "{refusal}: {}",
                shown()
            );
            if refusal.field.is_some() {
                assert_eq!(refusal.reason, expected.reason, "{}", shown());
            }
        }
        (Ok(row), Err(expected)) => panic!("{row:?} should be rejected: {expected:?}: {}", shown()),
        (Err(refusal), Ok(_)) => panic!("wrongly rejected: {refusal}: {}", shown()),
    });
    if is_object {
        assert_eq!(n_counted() - n_before, unknown_fields.len() as u64, "{}", shown());
    }
}

fn n_unknown(fields: &UnknownFields) -> u64 {
    fields.by_name.values().sum::<u64>() + fields.others
}

/// Whether one of these things may stand in the line: an exponent of three digits, a number of three hundred, or an escape of
/// half a surrogate pair.
fn is_too_much_for_serde_json(line: &[u8]) -> bool {
    let has_exponent = line.windows(4).any(|four| {
        four[0].eq_ignore_ascii_case(&b'e') && four[1..].iter().all(|byte| byte.is_ascii_digit() || *byte == b'+')
    });
    let has_long_number = line.split(|byte| !byte.is_ascii_digit()).any(|digits| digits.len() > 300);
    let has_half_pair = line.windows(3).any(|three| three[..2] == *b"\\u" && three[2].eq_ignore_ascii_case(&b'd'));
    has_exponent || has_long_number || has_half_pair
}

fn counted(names: &[String]) -> UnknownFields {
    let mut by_name: BTreeMap<String, u64> = BTreeMap::new();
    let mut others = 0;
    for name in names {
        if name.len() > 200 {
            others += 1;
        } else {
            *by_name.entry(name.clone()).or_default() += 1;
        }
    }
    while by_name.len() > UnknownFields::MAX_NAMES {
        others += by_name.pop_last().map_or(0, |(_, n)| n);
    }
    UnknownFields { by_name, others }
}
