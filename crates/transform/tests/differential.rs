//! Differential tests: the decoder and the `serde_json` oracle agree on mutated tickets.
//!
//! `TRANSFORM_DIFFERENTIAL_CASES` sets the number of generated lines.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic")]

use proptest::prelude::*;
use proptest::sample::Index;
use ticket_schema::columns::COLUMNS;

#[path = "oracle/compare.rs"]
mod compare;
mod oracle;

const TICKETS: [&str; 3] = [
    r#"{"ticket_id":"c7bf1206-7598-40fa-8d06-4d3ab4def7b8","created_at":"2026-08-24T00:14:54Z","updated_at":"2026-08-31T16:43:36Z","resolved_at":"2026-08-24T20:37:32Z","severity":"P4","status":"Closed","category":"Bodywork","channel":"Dealer Portal","market":"IT","dealer_id":"DLR-IT-002","customer_id":"CUST-1F495C822E","vin_last6":"P96748","model_series":"2 Series Gran Coupé","model_year":2024,"sla_breached":false}"#,
    r#"{"ticket_id":"00000000-0000-4000-8000-00000000000F","created_at":"2024-02-29T23:59:59.999+14:00","updated_at":"2024-02-29T23:59:59.999+14:00","resolved_at":null,"severity":"P1","status":"In Progress","category":"Other","channel":"Walk-In","market":"DE","dealer_id":"D","customer_id":"🚗","vin_last6":" ","model_series":"X5","model_year":-2147483648,"sla_breached":true}"#,
    r#"{ "sla_breached" : true, "model_year" : 0, "model_series" : "i\u0034 \ud83d\ude97", "vin_last6" : "\"\\\/\b\f\n\r\t", "customer_id" : "c", "dealer_id" : "d", "market" : "F\u0052", "channel" : "Phone", "category" : "iDrive", "status" : "Resolved", "severity" : "P2", "resolved_at" : "2026-01-01T00:00:00z", "updated_at" : "2026-01-01t00:00:00.000000001Z", "created_at" : "2025-12-31T23:59:59Z", "ticket_id" : "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", "more" : { "severity" : [ -0.5e+7, { } , [ ] ] } }"#,
];

/// Valid and invalid JSON values.
const VALUES: &[&str] = &[
    "null",
    "true",
    "false",
    "nul",
    "True",
    "NaN",
    "Infinity",
    "",
    "\"\"",
    "[]",
    "{}",
    "[1,2,[3]]",
    "{\"a\":{\"b\":[]}}",
    "[1,]",
    "[,1]",
    "{\"a\"}",
    "{\"a\":1,}",
    "{,}",
    "{a:1}",
    "[1 2]",
    "[}",
    "{]",
    "[\"\\ud800\"]",
    "{\"\\ud800\":1}",
    "'x'",
    "0",
    "-0",
    "00",
    "01",
    "-",
    "-1",
    "+1",
    "1.",
    ".5",
    "1.0",
    "-0.0",
    "1e5",
    "1E+5",
    "1e-5",
    "1e",
    "1e+",
    "2147483647",
    "2147483648",
    "-2147483648",
    "-2147483649",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "123456789012345678901234567890",
    "2024 ",
    "\t2024",
    "2024x",
    "0x10",
    "1_000",
    "\"P1\"",
    "\"P\\u0031\"",
    "\"p1\"",
    "\"P1\\u0000\"",
    "\"Open\"",
    "\"Closed\"",
    "\"Waiting\"",
    "\"Resolved\"",
    "\"iDrive\"",
    "\"Phone\"",
    "\"DE\"",
    "\"de\"",
    "\"ZZ\"",
    "\"D\\u0045\"",
    "\"2024\"",
    "\"\\ud83d\"",
    "\"\\ude97\"",
    "\"\\ud83d\\ude97\"",
    "\"\\ud83d\\ud83d\"",
    "\"\\ude97\\ud83d\"",
    "\"\\ud83dx\"",
    "\"\\u00e9\"",
    "\"\\u00E9\"",
    "\"\\u00g9\"",
    "\"\\u12\"",
    "\"\\x41\"",
    "\"\\\"",
    "\"\\",
    "\"",
    "\"a\u{0}b\"",
    "\"\u{1f}\"",
    "\"\u{7f}\"",
    "\"\u{80}\"",
    "\"é\"",
    "\"\u{2028}\"",
    "\"🚗\"",
    "\"\u{feff}\"",
    "\"2026-08-24T00:14:54Z\"",
    "\"2026-08-24T00:14:54.5+05:30\"",
    "\"2026-02-30T00:00:00Z\"",
    "\"2026-08-24T24:00:00Z\"",
    "\"9999-12-31T23:59:59Z\"",
    "\"0000-01-01T00:00:00Z\"",
    "\"0001-01-01T00:00:00Z\"",
    "\"2026-08-24T00:14:5:Z\"",
    "\"2026-08-24T00:14:54Y\"",
    "\"2026\\u002d08-24T00:14:54Z\"",
    "\"c7bf1206-7598-40fa-8d06-4d3ab4def7b8\"",
    "\"C7BF1206-7598-40FA-8D06-4D3AB4DEF7B8\"",
    "\"c7bf1206759840fa8d064d3ab4def7b8\"",
    "\"c7bf1206-7598-40fa-8d06-4d3ab4def7bg\"",
    "\"c7bf12067-598-40fa-8d06-4d3ab4def7b8\"",
];

/// Fragments that are inserted at any position.
const FRAGMENTS: &[&str] = &[
    " ",
    "\t",
    "\r",
    "\n",
    "\u{c}",
    "\u{a0}",
    "\u{feff}",
    ",",
    ":",
    "{",
    "}",
    "[",
    "]",
    "\"",
    "\\",
    "\\\"",
    "\\u0041",
    "\\u",
    "\\ud800",
    "\u{0}",
    "\u{1f}",
    "\u{7f}",
    "é",
    "🚗",
    "0",
    "e",
    "-",
    ".",
    "//",
    "null",
    ",,",
    "{\"ticket_id\":",
    ",\"created_at\":",
    "\"severity\":\"P1\",",
    "\"more\":1,",
    "\"\":[[],{}],",
    "\"ticket_i\":1,",
    "\"ticket_idx\":1,",
    "\"\\u0073everity\":\"P1\",",
    "\"\\ud800\":1,",
    "\"sla_breached\"",
    "aaaaaaa",
    "aaaaaaaaaaaaaaa",
    "aaaaaaaaaaaaaaaaaaaa",
];

#[derive(Clone, Debug)]
enum Mutation {
    /// Replaces the value of a field.
    Value(usize, String),
    /// Replaces the value of a field by a string of a length in bytes.
    Length(usize, usize),
    /// Swaps two members.
    Swap(Index, Index),
    /// Removes a member.
    Remove(Index),
    /// Inserts a copy of a member.
    Repeat(Index, Index),
    /// Inserts a member.
    Add(Index, String, String),
    /// Changes the name of a member.
    Rename(Index, Index),
    /// Inserts whitespace around separators.
    Space(&'static str),
    /// Escapes consecutive letters.
    Escape(Index, usize),
    /// Replaces a byte.
    Byte(Index, u8),
    /// Deletes bytes.
    Delete(Index, usize),
    /// Inserts a fragment.
    Insert(Index, &'static str),
    /// Truncates the line.
    Truncate(Index),
    /// Replaces the end of the line by the end of another.
    Splice(Index, usize, Index),
}

fn any_mutation() -> impl Strategy<Value = Mutation> {
    let index = any::<Index>;
    let value = prop_oneof![
        6 => proptest::sample::select(VALUES).prop_map(str::to_owned),
        1 => "\"[ -~]{0,40}\"",
        1 => "\"\\PC{0,20}\"",
        1 => "-?[0-9]{1,20}(\\.[0-9]{0,3})?([eE][+-]?[0-9]{0,2})?",
    ]
    .boxed();
    prop_oneof![
        6 => (0..COLUMNS.len(), value.clone()).prop_map(|(column, value)| Mutation::Value(column, value)),
        1 => (0..COLUMNS.len(), prop_oneof![0_usize..50, 250_usize..260]).prop_map(|(column, n)| Mutation::Length(column, n)),
        2 => (index(), index()).prop_map(|(a, b)| Mutation::Swap(a, b)),
        1 => index().prop_map(Mutation::Remove),
        1 => (index(), index()).prop_map(|(a, b)| Mutation::Repeat(a, b)),
        2 => (index(), "[a-z_]{0,12}|\\\\u[0-9a-f]{4}|\\PC{0,6}", value)
            .prop_map(|(at, name, value)| Mutation::Add(at, name, value)),
        1 => (index(), index()).prop_map(|(member, letter)| Mutation::Rename(member, letter)),
        1 => proptest::sample::select(&[" ", "  ", "\t", "\r\n", "\u{b}"][..]).prop_map(Mutation::Space),
        2 => (index(), 1_usize..4).prop_map(|(at, n)| Mutation::Escape(at, n)),
        2 => (index(), any::<u8>()).prop_map(|(at, byte)| Mutation::Byte(at, byte)),
        1 => (index(), 1_usize..20).prop_map(|(at, n)| Mutation::Delete(at, n)),
        3 => (index(), proptest::sample::select(FRAGMENTS)).prop_map(|(at, fragment)| Mutation::Insert(at, fragment)),
        1 => index().prop_map(Mutation::Truncate),
        1 => (index(), 0..TICKETS.len(), index()).prop_map(|(at, other, from)| Mutation::Splice(at, other, from)),
    ]
}

/// The members of an object as names and JSON values.
#[derive(Clone)]
struct Members(Vec<(String, String)>);

impl Members {
    fn of(ticket: &str) -> Self {
        let members: serde_json::Map<String, serde_json::Value> = serde_json::from_str(ticket).unwrap();
        Self(members.into_iter().map(|(name, value)| (name, value.to_string())).collect())
    }

    fn in_order(mut self) -> Self {
        let position = |name: &str| COLUMNS.iter().position(|column| column.name == name);
        self.0.sort_by_key(|(name, _)| position(name).unwrap_or(COLUMNS.len()));
        self
    }

    fn mutate(&mut self, mutation: &Mutation) {
        let members = &mut self.0;
        let n = members.len();
        match mutation {
            Mutation::Value(column, value) => self.set(*column, value.clone()),
            Mutation::Length(column, n) => self.set(*column, format!("\"{}\"", "x".repeat(*n))),
            Mutation::Swap(a, b) if n > 0 => members.swap(a.index(n), b.index(n)),
            Mutation::Remove(at) if n > 0 => _ = members.remove(at.index(n)),
            Mutation::Repeat(from, to) if n > 0 => {
                let copy = members[from.index(n)].clone();
                members.insert(to.index(n + 1), copy);
            }
            Mutation::Add(at, name, value) => members.insert(at.index(n + 1), (name.clone(), value.clone())),
            Mutation::Rename(member, letter) if n > 0 => {
                let name = &mut members[member.index(n)].0;
                let mut letters: Vec<char> = name.chars().collect();
                let at = letter.index(letters.len() + 1);
                if at < letters.len() {
                    _ = letters.remove(at);
                } else {
                    letters.push('s');
                }
                *name = letters.into_iter().collect();
            }
            _ => {}
        }
    }

    fn set(&mut self, column: usize, value: String) {
        if let Some(member) = self.0.iter_mut().find(|(name, _)| name == COLUMNS[column].name) {
            member.1 = value;
        }
    }

    fn to_json(&self, space: &str) -> Vec<u8> {
        let members = self.0.iter().map(|(name, value)| format!("\"{name}\"{space}:{space}{value}"));
        format!("{space}{{{space}{}{space}}}{space}", members.collect::<Vec<_>>().join(&format!("{space},{space}")))
            .into()
    }
}

fn mutate_bytes(line: &mut Vec<u8>, mutation: &Mutation) {
    let n = line.len();
    match mutation {
        Mutation::Byte(at, byte) if n > 0 => line[at.index(n)] = *byte,
        Mutation::Delete(at, length) if n > 0 => {
            let start = at.index(n);
            line.drain(start..(start + length).min(n));
        }
        Mutation::Insert(at, fragment) => _ = line.splice(at.index(n + 1)..at.index(n + 1), fragment.bytes()),
        Mutation::Truncate(at) => line.truncate(at.index(n + 1)),
        Mutation::Splice(at, other, from) => {
            line.truncate(at.index(n + 1));
            line.extend_from_slice(&TICKETS[*other].as_bytes()[from.index(TICKETS[*other].len())..]);
        }
        Mutation::Escape(at, length) => {
            let letters: Vec<usize> = (0..n).filter(|index| line[*index].is_ascii_alphanumeric()).collect();
            if !letters.is_empty() {
                let first = at.index(letters.len());
                for index in letters[first..].iter().take(*length).rev() {
                    let escape = format!("\\u{:04x}", line[*index]);
                    line.splice(index..=index, escape.into_bytes());
                }
            }
        }
        _ => {}
    }
}

fn any_line() -> impl Strategy<Value = Vec<u8>> {
    let mutation = any_mutation();
    (proptest::sample::select(&TICKETS[..]), proptest::collection::vec(mutation, 0..4)).prop_map(
        |(ticket, mutations)| {
            let mut members = Members::of(ticket).in_order();
            for mutation in &mutations {
                members.mutate(mutation);
            }
            let space = mutations
                .iter()
                .find_map(|mutation| if let Mutation::Space(space) = mutation { Some(*space) } else { None });
            // Without mutations of members, the line keeps its original spelling.
            let is_whole = mutations.iter().all(|mutation| {
                matches!(
                    mutation,
                    Mutation::Byte(..) | Mutation::Delete(..) | Mutation::Insert(..) | Mutation::Truncate(_)
                ) || matches!(mutation, Mutation::Splice(..) | Mutation::Escape(..))
            });
            let mut line =
                if is_whole { ticket.as_bytes().to_vec() } else { members.to_json(space.unwrap_or_default()) };
            for mutation in &mutations {
                mutate_bytes(&mut line, mutation);
            }
            line
        },
    )
}

fn n_cases() -> u32 {
    std::env::var("TRANSFORM_DIFFERENTIAL_CASES").ok().map_or(10_000, |text| text.parse().unwrap())
}

#[test]
fn original_tickets_are_accepted() {
    for ticket in TICKETS {
        assert!(oracle::decode(ticket.as_bytes()).0.is_ok(), "{ticket}");
        compare::assert_agreement(ticket.as_bytes());
    }
}

#[test]
fn every_value_in_every_field_agrees() {
    for ticket in TICKETS {
        for column in COLUMNS {
            for value in VALUES {
                let mut members = Members::of(ticket).in_order();
                members.set(COLUMNS.iter().position(|other| other == &column).unwrap(), (*value).to_owned());
                compare::assert_agreement(&members.to_json(""));
            }
        }
    }
}

#[test]
fn every_fragment_at_every_offset_agrees() {
    for ticket in TICKETS {
        for at in 0..=ticket.len() {
            for fragment in FRAGMENTS {
                let mut line = ticket.as_bytes().to_vec();
                line.splice(at..at, fragment.bytes());
                compare::assert_agreement(&line);
            }
            compare::assert_agreement(&ticket.as_bytes()[..at]);
            compare::assert_agreement(&ticket.as_bytes()[at..]);
        }
    }
}

/// Strings are scanned in chunks, so each fragment is tested at each offset of strings of each length.
#[test]
fn every_fragment_at_every_offset_of_a_string_agrees() {
    for n_bytes in 0..34 {
        for at in 0..=n_bytes {
            for fragment in
                ["", "\"", "\\", "\\\"", "\\u0041", "\\ud83d\\ude97", "\\ud83d", "\u{1f}", "\u{7f}", "é", "🚗", "\n"]
            {
                let text = format!("\"{}{fragment}{}\"", "x".repeat(at), "y".repeat(n_bytes - at));
                let mut members = Members::of(TICKETS[0]).in_order();
                members.set(12, text);
                compare::assert_agreement(&members.to_json(""));
                // At the end of the line, with less than a chunk after it.
                members.0.rotate_left(13);
                compare::assert_agreement(&members.to_json(""));
                let mut damaged = members.to_json(" ");
                if let Some(byte) = damaged.iter_mut().rev().find(|byte| !byte.is_ascii()) {
                    *byte = b'z';
                }
                compare::assert_agreement(&damaged);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(n_cases()))]

    #[test]
    fn mutated_tickets_agree(line in any_line()) {
        compare::assert_agreement(&line);
    }
}
