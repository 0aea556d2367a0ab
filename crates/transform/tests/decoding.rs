//! Valid and invalid tickets, and agreement of the decoder with an independent implementation of the contract.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic, and makes the files it needs")]

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use ticket_schema::columns::COLUMNS;
use transform::decode::unknown_fields::UnknownFields;
use transform::decode::{Decoder, RejectReason};

const TICKET: &str = r#"{"ticket_id":"c7bf1206-7598-40fa-8d06-4d3ab4def7b8","created_at":"2026-08-24T00:14:54Z","updated_at":"2026-08-31T16:43:36Z","resolved_at":"2026-08-24T20:37:32Z","severity":"P4","status":"Closed","category":"Bodywork","channel":"Dealer Portal","market":"IT","dealer_id":"DLR-IT-002","customer_id":"CUST-1F495C822E","vin_last6":"P96748","model_series":"2 Series Gran Coupé","model_year":2024,"sla_breached":false}"#;

/// Returns the reason for which a line is rejected, if it is.
fn rejection(line: &[u8]) -> Option<RejectReason> {
    Decoder::default().decode(line).err()
}

fn message(line: &[u8]) -> String {
    rejection(line).unwrap().to_string()
}

/// Returns the ticket with some values replaced by other JSON texts.
fn with(changes: &[(&str, &str)]) -> String {
    let ticket: Map<String, Value> = serde_json::from_str(TICKET).unwrap();
    let fields = COLUMNS.map(|column| {
        let change = changes.iter().find(|(name, _)| *name == column.name);
        let value = change.map_or_else(|| ticket[column.name].to_string(), |(_, value)| (*value).to_owned());
        format!("\"{}\":{value}", column.name)
    });
    format!("{{{}}}", fields.join(","))
}

#[test]
fn equivalent_json_decodes_to_the_same_row() {
    let mut decoder = Decoder::default();
    let plain = decoder.decode(TICKET.as_bytes()).unwrap();
    assert_eq!(plain.model_series.as_str(), "2 Series Gran Coupé");
    let mut reversed: Vec<String> = COLUMNS
        .map(|column| format!("\"{}\":{}", column.name, serde_json::from_str::<Value>(TICKET).unwrap()[column.name]))
        .to_vec();
    reversed.reverse();
    for (name, line) in [
        ("other order", format!("{{{}}}", reversed.join(","))),
        (
            "spacing",
            format!(
                " {} \t\r",
                TICKET
                    .replace(',', " ,\t")
                    .replace(':', " : ")
                    .replace("00 : 14 : 54", "00:14:54")
                    .replace("16 : 43 : 36", "16:43:36")
                    .replace("20 : 37 : 32", "20:37:32")
            ),
        ),
        (
            "escapes",
            TICKET
                .replace("é", "\\u00e9")
                .replace("Dealer Portal", "Dealer\\u0020Portal")
                .replace("\"severity\"", "\"sev\\u0065rity\"")
                .replace("IT\"", "\\u0049T\""),
        ),
        ("an offset", with(&[("created_at", "\"2026-08-24T02:14:54+02:00\"")])),
        ("zero offset", with(&[("created_at", "\"2026-08-24T00:14:54+00:00\"")])),
        ("a zero fraction", with(&[("created_at", "\"2026-08-24T00:14:54.000Z\"")])),
        ("capitals in the UUID", with(&[("ticket_id", "\"C7BF1206-7598-40FA-8D06-4D3AB4DEF7B8\"")])),
        (
            "more fields",
            TICKET.replace("\"model_year\"", "\"extra\":{\"severity\":[\"P9\",{}]},\"\":null,\"model_year\""),
        ),
    ] {
        assert_eq!(Decoder::default().decode(line.as_bytes()), Ok(plain), "{name}: {line}");
    }
}

#[test]
fn valid_values_are_accepted() {
    let long = format!("\"{}\"", "x".repeat(255));
    for changes in [
        &[("market", "\"NO\"")][..],
        &[("ticket_id", "\"00000000-0000-0000-0000-000000000000\"")],
        &[("model_year", "-2147483648")],
        &[("model_year", "2147483647")],
        &[("dealer_id", &long)],
        &[("model_series", "\"\\ud83d\\ude97\"")],
        &[("vin_last6", "\" \"")],
        &[("status", "\"Waiting\""), ("resolved_at", "null")],
        &[("status", "\"Resolved\"")],
        &[("resolved_at", "\"2026-08-24T00:14:54Z\"")],
        &[("resolved_at", "\"2026-08-31T16:43:36Z\"")],
        &[("updated_at", "\"2026-08-24T20:37:32Z\"")],
        &[("sla_breached", "true")],
    ] {
        assert_eq!(rejection(with(changes).as_bytes()), None, "{changes:?}");
    }
}

#[test]
fn invalid_values_are_rejected_with_their_field() {
    let too_long = format!("\"{}\"", "x".repeat(256));
    // 128 characters of two bytes each.
    let too_long_in_bytes = format!("\"{}\"", "é".repeat(128));
    for (field, value) in [
        ("ticket_id", "\"c7bf1206759840fa8d064d3ab4def7b8\""),
        ("ticket_id", "\"{c7bf1206-7598-40fa-8d06-4d3ab4def7b}\""),
        ("ticket_id", "\"c7bf1206-7598-40fa-8d06-4d3ab4def7bg\""),
        ("ticket_id", "\"c7bf12067-598-40fa-8d06-4d3ab4def7b8\""),
        ("ticket_id", "\"c7bf1206-7598-40fa-8d06-4d3ab4def7b8 \""),
        ("ticket_id", "\"\""),
        ("ticket_id", "null"),
        ("created_at", "\"2026-02-30T00:00:00Z\""),
        ("created_at", "\"2026-08-24T00:14:54\""),
        ("created_at", "1787530494"),
        ("created_at", "null"),
        ("updated_at", "\"2026-08-24T00:14:53.999Z\""),
        ("resolved_at", "null"),
        ("resolved_at", "\"\""),
        ("resolved_at", "\"2026-08-24T00:14:53Z\""),
        ("resolved_at", "\"2026-08-31T16:43:36.001Z\""),
        ("severity", "\"p4\""),
        ("severity", "\"P5\""),
        ("severity", "4"),
        ("status", "\"closed\""),
        ("status", "\"Closed \""),
        ("category", "\"IDrive\""),
        ("category", "\"\""),
        ("channel", "\"Walk In\""),
        ("market", "\"it\""),
        ("market", "\"ZZ\""),
        ("market", "\"ITA\""),
        ("market", "\"../\""),
        ("market", "\"..\""),
        ("market", "\"\\u0000T\""),
        ("dealer_id", "\"\""),
        ("dealer_id", &too_long),
        ("customer_id", "7"),
        ("vin_last6", "null"),
        ("vin_last6", &too_long_in_bytes),
        ("model_series", "[\"X5\"]"),
        ("model_series", "{}"),
        ("model_year", "\"2024\""),
        ("model_year", "2024.0"),
        ("model_year", "2.024e3"),
        ("model_year", "2147483648"),
        ("model_year", "-2147483649"),
        ("model_year", "99999999999999999999999999"),
        ("model_year", "null"),
        ("sla_breached", "\"false\""),
        ("sla_breached", "0"),
        ("sla_breached", "null"),
    ] {
        let line = with(&[(field, value)]);
        let rejection = rejection(line.as_bytes()).expect(&line);
        assert_eq!(rejection.field, Some(field), "{line}: {rejection}");
    }
    let open = with(&[("status", "\"Open\"")]);
    assert_eq!(message(open.as_bytes()), "resolved_at is set although the status is Open");
}

#[test]
fn missing_and_repeated_fields_are_rejected() {
    for column in COLUMNS {
        let mut ticket: Map<String, Value> = serde_json::from_str(TICKET).unwrap();
        let value = ticket.remove(column.name).unwrap();
        let missing = Value::Object(ticket).to_string();
        assert_eq!(message(missing.as_bytes()), format!("{} is missing", column.name));
        let twice = TICKET.replacen('{', &format!("{{\"{}\":{value},", column.name), 1);
        assert_eq!(message(twice.as_bytes()), format!("{} appears more than once", column.name));
    }
}

#[test]
fn invalid_json_is_rejected_as_a_line() {
    let cut = &TICKET[..100];
    let in_array = format!("[{TICKET}]");
    let twice = format!("{TICKET}{TICKET}");
    let with_comma = format!("{TICKET},");
    let trailing = TICKET.replace("false}", "false,}");
    let raw_tab = TICKET.replace("Dealer Portal", "Dealer\tPortal");
    let nan = with(&[("model_year", "NaN")]);
    let leading_zero = with(&[("model_year", "02024")]);
    let lone_surrogate = with(&[("model_series", "\"\\ud83d\"")]);
    let single_quotes = TICKET.replace('"', "'");
    let comment = format!("{TICKET} // fine");
    for line in [
        cut,
        &in_array,
        &twice,
        &with_comma,
        &trailing,
        &raw_tab,
        &nan,
        &leading_zero,
        &lone_surrogate,
        &single_quotes,
        &comment,
        "null",
        "\"text\"",
        "1",
        "{",
        "}",
        "\u{feff}{}",
    ] {
        let rejection = rejection(line.as_bytes()).expect(line);
        assert_eq!(rejection.field, None, "{line}: {rejection}");
    }
    let mut not_utf8 = TICKET.as_bytes().to_vec();
    not_utf8[20] = 0xFF;
    assert_eq!(message(&not_utf8), "the line is not UTF-8 from its byte 20 on");
    assert_eq!(message(b"{\"a\":}"), "the line is not valid JSON: expected value at its byte 6");
}

#[test]
fn rejected_line_has_a_market_if_it_is_unambiguous() {
    let market = |line: &str| rejection(line.as_bytes()).unwrap().market.map(|market| market.as_str().to_owned());
    let it = Some("IT".to_owned());
    assert_eq!(market(&with(&[("severity", "4")])), it);
    assert_eq!(market(&TICKET.replace("severity", "sever")), it);
    assert_eq!(market(&TICKET.replacen('{', "{\"severity\":1,", 1)), it);
    assert_eq!(market("{\"market\":\"\\u0049T\"}"), it);
    assert_eq!(market(&with(&[("market", "\"it\"")])), None);
    assert_eq!(market(&with(&[("market", "null")])), None);
    assert_eq!(market(&TICKET.replace("market", "marke")), None);
    assert_eq!(market(&TICKET.replacen('{', "{\"market\":\"IT\",", 1)), None);
    assert_eq!(market(&TICKET.replacen('{', "{\"severity\":1,\"market\":\"IT\",", 1)), None);
    assert_eq!(market(&TICKET.replace("false}", "false")), None);
    assert_eq!(market(&format!("[{TICKET}]")), None);
}

#[test]
fn deeply_nested_unknown_field_is_skipped() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let line = TICKET.replacen('{', &format!("{{\"extra\":{deep},"), 1);
    assert_eq!(rejection(line.as_bytes()), None);
}

#[test]
fn number_of_kept_unknown_names_is_bounded() {
    let mut decoder = Decoder::default();
    for i in 0..1000 {
        let line = TICKET.replacen('{', &format!("{{\"extra{i}\":0,"), 1);
        decoder.decode(line.as_bytes()).unwrap();
    }
    let unknown = decoder.unknown_fields();
    assert_eq!(unknown.by_name.len(), UnknownFields::MAX_NAMES);
    assert_eq!(unknown.others, 980);
    let long = TICKET.replacen('{', &format!("{{\"{}\":0,", "a".repeat(1000)), 1);
    decoder.decode(long.as_bytes()).unwrap();
    assert_eq!(decoder.unknown_fields().others, 981);
}

/// An independent implementation of the contract on `serde_json` values and chrono timestamps.
fn is_ticket(line: &str) -> bool {
    let Ok(Value::Object(ticket)) = serde_json::from_str(line) else { return false };
    let text = |name: &str| ticket.get(name).and_then(Value::as_str);
    // chrono also accepts a space between date and time, which RFC 3339 permits applications; the contract requires `T`.
    let time = |name: &str| {
        let text = text(name).filter(|text| matches!(text.as_bytes().get(10), Some(b'T' | b't')))?;
        chrono::DateTime::parse_from_rfc3339(text).ok()
    };
    let one_of = |name: &str, allowed: &[&str]| text(name).is_some_and(|text| allowed.contains(&text));
    let named = |name: &str| text(name).is_some_and(|text| (1..=255).contains(&text.len()));
    let categories = "Engine Electrical iDrive Brake Recall Suspension Climate Bodywork Warranty Other";
    let (Some(created), Some(updated)) = (time("created_at"), time("updated_at")) else { return false };
    let resolved_well = match ticket.get("resolved_at") {
        Some(Value::Null) => one_of("status", &["Open", "In Progress", "Waiting"]),
        Some(_) => {
            one_of("status", &["Resolved", "Closed"])
                && time("resolved_at").is_some_and(|resolved| created <= resolved && resolved <= updated)
        }
        None => false,
    };
    created <= updated
        && resolved_well
        && text("ticket_id").is_some_and(|text| text.len() == 36 && uuid::Uuid::try_parse(text).is_ok())
        && one_of("severity", &["P1", "P2", "P3", "P4"])
        && one_of("category", &categories.split(' ').collect::<Vec<_>>())
        && one_of("channel", &["Phone", "Email", "Dealer Portal", "BMW App", "Walk-In"])
        && text("market").is_some_and(ticket_schema::iso3166::is_country_code)
        && ["dealer_id", "customer_id", "vin_last6", "model_series"].into_iter().all(named)
        && ticket.get("model_year").and_then(Value::as_i64).is_some_and(|year| i32::try_from(year).is_ok())
        && ticket.get("sla_breached").is_some_and(Value::is_boolean)
}

fn any_value() -> impl Strategy<Value = Value> {
    const TEXTS: [&str; 11] = [
        "",
        "P1",
        "Open",
        "Closed",
        "DE",
        "de",
        "Other",
        "X5",
        "2026-08-24T00:14:54Z",
        "2026-08-24T00:14:54.5+05:30",
        "2026-02-30T00:00:00Z",
    ];
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (2000_i64..2050).prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        proptest::sample::select(&TEXTS[..]).prop_map(Value::from),
        "\\PC{0,20}".prop_map(Value::from),
        Just(json!([])),
        Just(json!({"a": [1]})),
    ]
}

/// Sets every byte of a line to every other value, about 100,000 lines.
#[test]
fn changed_bytes_agree_with_the_independent_implementation() {
    let mut decoder = Decoder::default();
    let mut line = TICKET.as_bytes().to_vec();
    for index in 0..line.len() {
        let original = line[index];
        for byte in 0..=u8::MAX {
            line[index] = byte;
            let expected = std::str::from_utf8(&line).is_ok_and(is_ticket);
            assert_eq!(decoder.decode(&line).is_ok(), expected, "{}", String::from_utf8_lossy(&line));
        }
        line[index] = original;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn changed_values_agree_with_the_independent_implementation(column in 0..COLUMNS.len(), value in any_value(), resolved: bool) {
        let mut ticket: Map<String, Value> = serde_json::from_str(TICKET).unwrap();
        if !resolved {
            ticket.insert("resolved_at".into(), Value::Null);
            ticket.insert("status".into(), "Waiting".into());
        }
        ticket.insert(COLUMNS[column].name.into(), value);
        let line = Value::Object(ticket).to_string();
        prop_assert_eq!(rejection(line.as_bytes()).is_none(), is_ticket(&line), "{}", line);
    }

    #[test]
    fn arbitrary_bytes_are_rejected_without_panicking(line in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(rejection(&line).is_some());
    }

    #[test]
    fn unknown_fields_are_independent_of_the_division_of_lines(
        names in proptest::collection::vec("[a-e]{1,3}", 1..200),
        assigned in proptest::collection::vec(0_usize..3, 200),
    ) {
        let mut one = Decoder::default();
        let mut some = [Decoder::default(), Decoder::default(), Decoder::default()];
        for (name, to) in names.iter().zip(assigned) {
            let line = format!("{{\"{name}\":0}}");
            prop_assert!(one.decode(line.as_bytes()).is_err());
            prop_assert!(some[to].decode(line.as_bytes()).is_err());
        }
        let mut merged = UnknownFields::default();
        for decoder in &some {
            merged.merge(decoder.unknown_fields());
        }
        prop_assert_eq!(&merged, one.unknown_fields());
        let distinct: BTreeSet<&String> = names.iter().collect();
        let kept: Vec<&String> = distinct.into_iter().take(UnknownFields::MAX_NAMES).collect();
        prop_assert_eq!(merged.by_name.keys().collect::<Vec<_>>(), kept);
        prop_assert_eq!(merged.by_name.values().sum::<u64>() + merged.others, names.len() as u64);
    }
}
