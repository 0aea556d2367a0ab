//! JSON-Lines, read without asking anything but that a line is a JSON object.

use std::fmt;

use anyhow::Result;
use cli_support::Messages;
use jsonl::chunks::{Chunk, ChunkReader, Content};
use jsonl::input::Source;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use ticket_schema::columns::COLUMNS;

use crate::intake::{Intake, Value, Values};
use crate::rows::Place;
use crate::scalar::Scalar;

/// Takes in every line of a file that isn't blank.
pub fn read(source: &Source, number: u32, intake: &mut Intake, progress: &Messages) -> Result<()> {
    let sources = std::slice::from_ref(source);
    let mut reader = ChunkReader::new(sources);
    let mut chunk = Chunk::default();
    let mut n_lines = 0;
    while reader.next(&mut chunk)? {
        let mut take = |lines: &[u8]| {
            for line in lines.split_inclusive(|byte| *byte == b'\n') {
                n_lines += 1;
                if line.trim_ascii().is_empty() {
                    continue;
                }
                let place = Place { source: number, line: n_lines };
                match values(line) {
                    Some(values) => intake.take(&values, place),
                    None => intake.take_nonsense(place),
                }
            }
        };
        match chunk.content {
            Content::Lines => chunk.for_each_piece(sources, |_, lines| take(lines))?,
            // A line that is too long to be looked at counts once.
            Content::LongLine => take(b"too long"),
            Content::MoreOfLongLine { .. } => {}
        }
        progress.advance(chunk.checksum.n_bytes());
    }
    Ok(())
}

/// The values of a line, or `None` if it is no JSON object in UTF-8.
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
        while let Some(place) = object.next_key_seed(ColumnPlace)? {
            let Some(place) = place else {
                object.next_value::<IgnoredAny>()?;
                continue;
            };
            let value = object.next_value::<Scalar>()?.into();
            values[place] = if values[place] == Value::Missing { value } else { Value::Repeated };
        }
        Ok(values)
    }
}

/// A key as the place of its column, or `None` if the contract has no such field.
struct ColumnPlace;

impl<'de> DeserializeSeed<'de> for ColumnPlace {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for ColumnPlace {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, name: &str) -> Result<Option<usize>, E> {
        Ok(COLUMNS.iter().position(|column| column.name == name))
    }
}

impl<'a> From<Scalar<'a>> for Value<'a> {
    fn from(scalar: Scalar<'a>) -> Self {
        match scalar {
            Scalar::Null => Self::Null,
            Scalar::Boolean(value) => Self::Boolean(value),
            Scalar::Integer(value) => Self::Integer(value),
            Scalar::Text(text) => Self::Text(text),
            Scalar::OtherNumber | Scalar::Array | Scalar::Object => Self::Other,
        }
    }
}
