//! Reader of JSON Lines that requires nothing but that each line is a JSON object.

use std::borrow::Cow;
use std::fmt;

use anyhow::Result;
use cli_support::Messages;
use jsonl::chunks::{Chunk, ChunkReader, Content};
use jsonl::input::Source;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use ticket_schema::columns::COLUMNS;

use crate::rows::Location;
use crate::validate::field_validation::{FieldValidator, Value, Values};

/// Adds every line of a file that is not blank.
///
/// # Errors
///
/// Fails if the file cannot be read or decompressed.
pub fn read(source: &Source, number: u32, validator: &mut FieldValidator, progress: &Messages) -> Result<()> {
    let sources = std::slice::from_ref(source);
    let mut reader = ChunkReader::new(sources);
    let mut chunk = Chunk::default();
    let mut n_lines = 0;
    while reader.next(&mut chunk)? {
        let mut read_lines = |lines: &[u8]| {
            for line in lines.split_inclusive(|byte| *byte == b'\n') {
                n_lines += 1;
                if line.trim_ascii().is_empty() {
                    continue;
                }
                let location = Location { source: number, line: n_lines };
                match values(line) {
                    Some(values) => validator.add_line(&values, location),
                    None => validator.add_unparsable_line(location),
                }
            }
        };
        match chunk.content {
            Content::Lines => chunk.for_each_piece(sources, |_, lines| read_lines(lines))?,
            // A line above the size limit counts as one unparsable line.
            Content::LongLine => read_lines(b"too long"),
            Content::MoreOfLongLine { .. } => {}
        }
        progress.advance(chunk.checksum.n_bytes());
    }
    Ok(())
}

/// Parses a line; returns `None` if it is not a JSON object in UTF-8.
fn values(line: &[u8]) -> Option<Values<'_>> {
    let mut reader = serde_json::Deserializer::from_str(std::str::from_utf8(line).ok()?);
    let values = reader.deserialize_map(ValuesVisitor).ok()?;
    reader.end().ok().map(|()| values)
}

struct ValuesVisitor;

impl<'de> Visitor<'de> for ValuesVisitor {
    type Value = Values<'de>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Values<'de>, A::Error> {
        let mut values = Values::default();
        while let Some(column) = object.next_key_seed(ColumnIndex)? {
            let Some(column) = column else {
                object.next_value::<IgnoredAny>()?;
                continue;
            };
            let value = object.next_value()?;
            values[column] = if values[column] == Value::Missing { value } else { Value::Repeated };
        }
        Ok(values)
    }
}

/// Deserialises a key as the index of its column, or `None` for an unknown field.
struct ColumnIndex;

impl<'de> DeserializeSeed<'de> for ColumnIndex {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for ColumnIndex {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, name: &str) -> Result<Option<usize>, E> {
        Ok(COLUMNS.iter().position(|column| column.name == name))
    }
}

impl<'de> Deserialize<'de> for Value<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

/// Deserialises a JSON value, borrowing strings where possible. Numbers with a fraction, an exponent or more than 63
/// bits, arrays and objects become [`Value::Other`]; the contents of arrays and objects are skipped.
struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value<'de>, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value<'de>, E> {
        Ok(Value::Boolean(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value<'de>, E> {
        Ok(Value::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value<'de>, E> {
        Ok(i64::try_from(value).map_or(Value::Other, Value::Integer))
    }

    fn visit_f64<E>(self, _value: f64) -> Result<Value<'de>, E> {
        Ok(Value::Other)
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Value<'de>, A::Error> {
        while array.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value<'de>, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Value::Other)
    }
}
