//! Corruption of a ticket's line in ways that a strict reader rejects.

use std::ops::Range;

use manifest::defects::DefectKind;
use serde_json::Value;
use ticket_schema::columns::{COLUMNS, ColumnKind};
use ticket_schema::{Ticket, Timestamp};

use super::plan::DefectRng;

/// Values that other systems, other schema versions and manual entry produce in place of the enum values.
const UNKNOWN_TEXTS: [(&str, &[&str]); 5] = [
    ("severity", &["P0", "P5", "p2", "P1 ", "2", "Critical", "High", "Hoch", "Kritisch", "n/a", ""]),
    ("status", &["in progress", "In-Progress", "IN PROGRESS", "Done", "closed", "Offen", "Erledigt", "In Arbeit", ""]),
    (
        "category",
        &["engine", "Motor", "Brakes", "Bremse", "Elektrik", "Infotainment", "IDrive", "Fahrwerk", "Klima", "?"],
    ),
    ("channel", &["phone", "Telefon", "E-Mail", "e-mail", "Händlerportal", "Walk In", "Fax", "WhatsApp", "BMW app"]),
    ("market", &["de", "DEU", "UK", "EU", "USA", "Germany", "Deutschland", "Österreich", "D", "--", ""]),
];

/// Month and day of dates that do not exist.
const IMPOSSIBLE_DATES: [&str; 7] = ["02-30", "02-31", "04-31", "13-07", "22-11", "00-00", "06-00"];

/// Times that do not exist on any day.
const IMPOSSIBLE_CLOCKS: [&str; 5] = ["24:61:00", "24:00:00", "25:13:09", "12:60:00", "23:59:75"];

/// Byte sequences that are invalid UTF-8 in any position: Latin-1 letters, Windows-1252 quotes, lone continuation
/// bytes, an overlong slash and an overlong NUL, half a surrogate pair, truncated encodings of the euro sign and of an
/// emoji, a UTF-16 byte order mark.
const BAD_BYTES: [&[u8]; 12] = [
    b"\xE9",
    b"\xFC",
    b"\xDF",
    b"\x93\x94",
    b"\x80",
    b"\xBF\xBF",
    b"\xC0\xAF",
    b"\xC0\x80",
    b"\xED\xA0\xBD",
    b"\xE2\x82",
    b"\xF0\x9F\x9A",
    b"\xFF\xFE",
];

/// Largest offset between two timestamps that are out of order: 90 days.
const MAX_OFFSET_SECONDS: i64 = 90 * 86_400;

/// Returns a corrupted line, without its newline, and the name of the corrupted field unless the line was truncated.
pub fn corrupt_line(ticket: &Ticket, kind: DefectKind, rng: &mut DefectRng) -> (Vec<u8>, Option<&'static str>) {
    let mut line = Line::of(ticket);
    let column = match kind {
        DefectKind::WrongType => Some(line.set_wrong_type(rng)),
        DefectKind::UnknownText => Some(line.set_unknown_text(rng)),
        DefectKind::ImpossibleTime => Some(line.set_impossible_time(ticket, rng)),
        DefectKind::BadUtf8 => Some(line.insert_bad_bytes(rng)),
        DefectKind::CutLine | DefectKind::Duplicate | DefectKind::LateCopy => None,
    };
    let mut line = line.into_bytes();
    if kind == DefectKind::CutLine {
        let kept = remaining_range(&line, rng);
        line.truncate(kept.end);
        line.drain(..kept.start);
    }
    (line, column.map(|column| COLUMNS[column].name))
}

/// Returns the range of bytes that a truncated line keeps: in three of four cases the line loses its end, otherwise its
/// beginning. The result contains exactly one brace of the object.
fn remaining_range(line: &[u8], rng: &mut DefectRng) -> Range<usize> {
    let at = 1 + rng.below(line.len() - 1);
    if rng.below(4) == 0 { at..line.len() } else { 0..at }
}

/// The JSON text of each value, in column order.
struct Line([Vec<u8>; COLUMNS.len()]);

impl Line {
    fn of(ticket: &Ticket) -> Self {
        // Serialisation of a ticket cannot fail: its keys are strings and its values are scalars.
        let object = serde_json::to_value(ticket).unwrap_or_default();
        Self(COLUMNS.map(|column| object[column.name].to_string().into_bytes()))
    }

    fn into_bytes(self) -> Vec<u8> {
        let fields = COLUMNS.iter().zip(self.0).map(|(column, value)| {
            let key = format!("\"{}\":", column.name);
            [key.as_bytes(), &value].concat()
        });
        [b"{".to_vec(), fields.collect::<Vec<_>>().join(&b','), b"}".to_vec()].concat()
    }

    fn set(&mut self, column: usize, value: &Value) -> usize {
        self.0[column] = value.to_string().into_bytes();
        column
    }

    fn set_wrong_type(&mut self, rng: &mut DefectRng) -> usize {
        let column = rng.below(COLUMNS.len());
        let value = serde_json::from_slice(&self.0[column]).unwrap_or_default();
        let wrong = wrong_types(column, &value);
        self.set(column, rng.choose(&wrong))
    }

    fn set_unknown_text(&mut self, rng: &mut DefectRng) -> usize {
        let (field, texts) = rng.choose(&UNKNOWN_TEXTS);
        self.set(column_index(field), &Value::from(*rng.choose(texts)))
    }

    fn set_impossible_time(&mut self, ticket: &Ticket, rng: &mut DefectRng) -> usize {
        let times = [
            ("created_at", Some(ticket.created_at)),
            ("updated_at", Some(ticket.updated_at)),
            ("resolved_at", ticket.resolved_at),
        ];
        let times: Vec<(&str, Timestamp)> =
            times.into_iter().filter_map(|(field, time)| Some((field, time?))).collect();
        let (field, time) = *rng.choose(&times);
        let text = time.to_string();
        match rng.below(3) {
            0 => {
                let date = rng.choose(&IMPOSSIBLE_DATES);
                self.set(column_index(field), &Value::from(format!("{}{date}{}", &text[..5], &text[10..])))
            }
            1 => {
                let clock = rng.choose(&IMPOSSIBLE_CLOCKS);
                self.set(column_index(field), &Value::from(format!("{}{clock}Z", &text[..11])))
            }
            _ => {
                let wrong = out_of_order_times(ticket, 1 + rng.second_of(MAX_OFFSET_SECONDS));
                let (field, time) = *rng.choose(&wrong);
                self.set(column_index(field), &Value::from(time.to_string()))
            }
        }
    }

    /// Inserts invalid bytes within the quotes of a string. For the one non-ASCII letter of the enum values, Latin-1
    /// encoding is an alternative.
    fn insert_bad_bytes(&mut self, rng: &mut DefectRng) -> usize {
        let series = column_index("model_series");
        if let Some(letter) = self.0[series].windows(2).position(|bytes| bytes == "é".as_bytes())
            && rng.below(2) == 0
        {
            self.0[series].splice(letter..letter + 2, [0xE9]);
            return series;
        }
        let texts: Vec<usize> = (0..COLUMNS.len()).filter(|column| self.0[*column].starts_with(b"\"")).collect();
        let column = *rng.choose(&texts);
        let text = &mut self.0[column];
        let at = 1 + rng.below(text.len() - 1);
        text.splice(at..at, rng.choose(&BAD_BYTES).iter().copied());
        column
    }
}

/// Returns values of other JSON types, as other systems write `value`.
fn wrong_types(index: usize, value: &Value) -> Vec<Value> {
    let column = COLUMNS[index];
    let mut wrong = match column.kind {
        ColumnKind::Text => vec![Value::from(17), Value::from(2.5), Value::from(true)],
        ColumnKind::Time => {
            let seconds = value.as_str().and_then(|text| text.parse().ok()).map_or(0, Timestamp::seconds);
            vec![Value::from(seconds), Value::from(seconds * 1000), Value::from(false)]
        }
        ColumnKind::Integer => vec![Value::from(value.to_string()), Value::from(value.as_f64())],
        ColumnKind::Boolean => {
            let yes = value.as_bool() == Some(true);
            let text = if yes { "yes" } else { "no" };
            vec![Value::from(text), Value::from(value.to_string()), Value::from(i32::from(yes))]
        }
    };
    if !column.nullable {
        wrong.push(Value::Null);
    }
    wrong.extend([serde_json::json!([value]), serde_json::json!({ "value": value })]);
    wrong
}

/// Returns timestamps that violate `created_at <= resolved_at <= updated_at` by `seconds`.
fn out_of_order_times(ticket: &Ticket, seconds: i64) -> Vec<(&'static str, Timestamp)> {
    let too_early = ticket.created_at.plus_seconds(-seconds);
    let mut wrong = vec![("updated_at", too_early)];
    if ticket.resolved_at.is_some() {
        wrong.extend([("resolved_at", too_early), ("resolved_at", ticket.updated_at.plus_seconds(seconds))]);
    }
    wrong
}

fn column_index(field: &str) -> usize {
    COLUMNS.iter().position(|column| column.name == field).unwrap_or_default()
}
