//! Compares the decoder with the oracle.

use std::cell::RefCell;
use std::collections::BTreeMap;

use transform::decode::Decoder;
use transform::decode::unknown_fields::UnknownFields;

use super::oracle;

thread_local! {
    /// One decoder for all lines, so that state left behind by a line is detected by the next.
    static DECODER: RefCell<Decoder> = RefCell::default();
}

/// Asserts that both accept a line with the same values, or reject it for the same field with the same reason and market.
///
/// Rejected lines may differ in two cases: where a known field has a number beyond the range of floats (`1e999`), or an
/// object with an unpaired surrogate in a name, `serde_json` reports a syntax error. The line is valid JSON, and the decoder
/// names the field.
pub(crate) fn assert_agreement(line: &[u8]) {
    let text = || String::from_utf8_lossy(line).into_owned();
    let (expected, unknown_fields) = oracle::decode(line);
    let is_object = !matches!(&expected, Err(reason) if reason.field.is_none());
    // Lines without unknown fields are covered by the counts of the shared decoder below.
    if is_object && !unknown_fields.is_empty() {
        let mut decoder = Decoder::default();
        let _ = decoder.decode(line);
        assert_eq!(decoder.unknown_fields(), &counted(&unknown_fields), "{}", text());
    }
    let n_counted = || DECODER.with_borrow(|decoder| n_unknown(decoder.unknown_fields()));
    let n_before = n_counted();
    DECODER.with_borrow_mut(|decoder| match (decoder.decode(line), expected) {
        (Ok(row), Ok(ticket)) => assert!(ticket == row, "{row:?} instead of {ticket:?}: {}", text()),
        (Err(reason), Err(expected)) => {
            if expected.field.is_none() && reason.field.is_some() && may_exceed_serde_json(line) {
                return;
            }
            assert_eq!(reason.field, expected.field, "{reason}: {}", text());
            assert_eq!(reason.market.map(|market| market.as_str().to_owned()), expected.market, "{reason}: {}", text());
            if reason.field.is_some() {
                assert_eq!(reason.reason, expected.reason, "{}", text());
            }
        }
        (Ok(row), Err(expected)) => panic!("{row:?} should be rejected: {expected:?}: {}", text()),
        (Err(reason), Ok(_)) => panic!("wrongly rejected: {reason}: {}", text()),
    });
    if is_object {
        assert_eq!(n_counted() - n_before, unknown_fields.len() as u64, "{}", text());
    }
}

fn n_unknown(fields: &UnknownFields) -> u64 {
    fields.by_name.values().sum::<u64>() + fields.others
}

/// Returns true if the line may contain an exponent of three digits, a number of over three hundred digits, or an escaped
/// surrogate.
fn may_exceed_serde_json(line: &[u8]) -> bool {
    let has_exponent = line.windows(4).any(|four| {
        four[0].eq_ignore_ascii_case(&b'e') && four[1..].iter().all(|byte| byte.is_ascii_digit() || *byte == b'+')
    });
    let has_long_number = line.split(|byte| !byte.is_ascii_digit()).any(|digits| digits.len() > 300);
    let has_surrogate = line.windows(3).any(|three| three[..2] == *b"\\u" && three[2].eq_ignore_ascii_case(&b'd'));
    has_exponent || has_long_number || has_surrogate
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
