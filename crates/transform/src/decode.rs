//! A line to a row, or the reason why not. The one decoder for every line: there is no lenient way around it.
//!
//! A line must be a JSON object (RFC 8259, UTF-8) with each field of the contract exactly once and of its type. Order,
//! spacing, escapes and further fields are the writer's business.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use cli_support::human::counted;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use ticket_schema::columns::COLUMNS;
use ticket_schema::iso3166::is_country_code;
use ticket_schema::vocabulary::{Category, Channel, Severity, Status};

use crate::moment::Moment;
use crate::scalar::Scalar;

/// The longest identifier or series, in bytes.
pub const MAX_TEXT_BYTES: usize = 255;

/// A ticket as it will be written.
#[derive(Clone, Debug, PartialEq)]
pub struct Row<'a> {
    /// The 16 bytes of a UUID.
    pub ticket_id: [u8; 16],
    /// When it was opened.
    pub created_at: Moment,
    /// When it last changed.
    pub updated_at: Moment,
    /// When it was resolved; set exactly if the status says so.
    pub resolved_at: Option<Moment>,
    /// One of the contract's texts.
    pub severity: Severity,
    /// One of the contract's texts.
    pub status: Status,
    /// One of the contract's texts.
    pub category: Category,
    /// One of the contract's texts.
    pub channel: Channel,
    /// An ISO 3166-1 alpha-2 code.
    pub market: Market,
    /// 1 to [`MAX_TEXT_BYTES`] bytes, like the next three.
    pub dealer_id: Cow<'a, str>,
    /// The customer's pseudonym.
    pub customer_id: Cow<'a, str>,
    /// The end of the vehicle identification number.
    pub vin_last6: Cow<'a, str>,
    /// The car's series.
    pub model_series: Cow<'a, str>,
    /// The car's model year.
    pub model_year: i32,
    /// Whether the SLA target was missed.
    pub sla_breached: bool,
}

/// An ISO 3166-1 alpha-2 code. It names a directory, so nothing else may ever get here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Market([u8; 2]);

/// Why a line was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The field at fault, or `None` if it is the line as a whole.
    pub field: Option<&'static str>,
    /// What is wrong with it; together with the field it reads as a sentence.
    pub reason: Cow<'static, str>,
    /// The line's market, if that can be told.
    pub market: Option<Market>,
}

impl Refusal {
    /// The line as a whole is at fault.
    pub fn of_line(reason: impl Into<Cow<'static, str>>) -> Self {
        Self { field: None, reason: reason.into(), market: None }
    }

    fn of_field(field: &'static str, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { field: Some(field), reason: reason.into(), market: None }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.field.unwrap_or("the line"), self.reason)
    }
}

/// Names of fields that the contract doesn't know, each with the number of lines it stood in.
#[derive(Clone, Debug, Default)]
pub struct UnknownFields {
    /// The first [`UnknownFields::MAX_NAMES`] names.
    pub by_name: BTreeMap<String, u64>,
    /// How often any other name, or a very long one, occurred.
    pub others: u64,
}

impl UnknownFields {
    /// How many names are kept, and how long they may be in bytes. Input must not decide how much memory we use.
    pub const MAX_NAMES: usize = 20;
    const MAX_NAME_BYTES: usize = 200;

    fn count(&mut self, name: &str) {
        if let Some(n) = self.by_name.get_mut(name) {
            *n += 1;
        } else if self.by_name.len() < Self::MAX_NAMES && name.len() <= Self::MAX_NAME_BYTES {
            self.by_name.insert(name.to_owned(), 1);
        } else {
            self.others += 1;
        }
    }

    /// Counts also what another has counted.
    pub fn merge(&mut self, other: &Self) {
        for (name, n) in &other.by_name {
            *self.by_name.entry(name.clone()).or_default() += n;
        }
        self.others += other.others;
    }

    /// Each name with its count, or `None` if there was none.
    pub fn summary(&self) -> Option<String> {
        let named = self.by_name.iter().map(|(name, n)| format!("`{}` ({})", shown(name), counted(*n, "line")));
        let others = (self.others > 0).then(|| format!("others ({})", counted(self.others, "time")));
        let all: Vec<String> = named.chain(others).collect();
        (!all.is_empty()).then(|| all.join(", "))
    }
}

/// Decodes a line.
pub fn decode<'a>(line: &'a [u8], unknown_fields: &mut UnknownFields) -> Result<Row<'a>, Refusal> {
    let text = std::str::from_utf8(line)
        .map_err(|error| Refusal::of_line(format!("is not UTF-8 from its byte {} on", error.valid_up_to())))?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let fields = FieldsSeed(unknown_fields).deserialize(&mut reader).and_then(|fields| reader.end().map(|()| fields));
    fields.map_err(|error| not_an_object(text, &error))?.into_row()
}

fn not_an_object(text: &str, error: &serde_json::Error) -> Refusal {
    if error.is_data() {
        return Refusal::of_line("is not a JSON object");
    }
    // The parser's own words end in `at line 1 column 17`; the line is known better here.
    let message = error.to_string();
    let what = message.split(" at line ").next().unwrap_or(&message);
    let place = if error.is_eof() { text.len() } else { error.column() };
    Refusal::of_line(format!("is not valid JSON: {what} at its byte {place}"))
}

/// The fields of a line in the contract's order, before anything is asked of their values.
#[derive(Default)]
struct Fields<'a> {
    values: [Option<Scalar<'a>>; COLUMNS.len()],
    twice: Option<&'static str>,
}

struct FieldsSeed<'u>(&'u mut UnknownFields);

impl<'de> DeserializeSeed<'de> for FieldsSeed<'_> {
    type Value = Fields<'de>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Fields<'de>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for FieldsSeed<'_> {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Fields<'de>, A::Error> {
        let mut fields = Fields::default();
        while let Some(name) = object.next_key::<FieldName>()? {
            let name = name.0;
            if let Some(place) = COLUMNS.iter().position(|column| column.name == name) {
                if fields.values[place].replace(object.next_value()?).is_some() {
                    fields.twice.get_or_insert(COLUMNS[place].name);
                }
            } else {
                object.next_value::<IgnoredAny>()?;
                self.0.count(&name);
            }
        }
        Ok(fields)
    }
}

/// A key, borrowed if it has no escapes.
struct FieldName<'a>(Cow<'a, str>);

impl<'de> serde::Deserialize<'de> for FieldName<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl<'de> Visitor<'de> for NameVisitor {
            type Value = FieldName<'de>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<FieldName<'de>, E> {
                Ok(FieldName(Cow::Borrowed(name)))
            }

            fn visit_str<E>(self, name: &str) -> Result<FieldName<'de>, E> {
                Ok(FieldName(Cow::Owned(name.to_owned())))
            }
        }
        deserializer.deserialize_str(NameVisitor)
    }
}

impl<'a> Fields<'a> {
    /// Asks of every field, in order, what the contract asks.
    fn into_row(mut self) -> Result<Row<'a>, Refusal> {
        if let Some(field) = self.twice {
            return Err(Refusal::of_field(field, "appears more than once"));
        }
        if let Some(place) = self.values.iter().position(Option::is_none) {
            return Err(Refusal::of_field(COLUMNS[place].name, "is missing"));
        }
        let row = Row {
            ticket_id: self.uuid(0)?,
            created_at: self.moment(1)?,
            updated_at: self.moment(2)?,
            resolved_at: if self.values[3] == Some(Scalar::Null) { None } else { Some(self.moment(3)?) },
            severity: self.fixed_text(4, Severity::from_text, "P1, P2, P3 or P4")?,
            status: self.fixed_text(5, Status::from_text, "Open, In Progress, Waiting, Resolved or Closed")?,
            category: self.fixed_text(6, Category::from_text, "the contract's categories")?,
            channel: self.fixed_text(7, Channel::from_text, "Phone, Email, Dealer Portal, BMW App or Walk-In")?,
            market: self.market(8)?,
            dealer_id: self.name(9)?,
            customer_id: self.name(10)?,
            vin_last6: self.name(11)?,
            model_series: self.name(12)?,
            model_year: self.integer(13)?,
            sla_breached: self.boolean(14)?,
        };
        in_order(&row)?;
        Ok(row)
    }

    fn take(&mut self, place: usize) -> Scalar<'a> {
        self.values[place].take().unwrap_or(Scalar::Null)
    }

    fn text(&mut self, place: usize) -> Result<Cow<'a, str>, Refusal> {
        match self.take(place) {
            Scalar::Text(text) => Ok(text),
            other => Err(wrong_kind(place, &other, "a text")),
        }
    }

    fn uuid(&mut self, place: usize) -> Result<[u8; 16], Refusal> {
        let text = self.text(place)?;
        parse_uuid(&text).ok_or_else(|| of_value(place, &text, "is not a hyphenated UUID"))
    }

    fn moment(&mut self, place: usize) -> Result<Moment, Refusal> {
        let text = self.text(place)?;
        Moment::parse(&text).map_err(|reason| of_value(place, &text, reason))
    }

    fn fixed_text<T>(&mut self, place: usize, parse: fn(&str) -> Option<T>, expected: &str) -> Result<T, Refusal> {
        let text = self.text(place)?;
        parse(&text).ok_or_else(|| of_value(place, &text, &format!("is not one of {expected}")))
    }

    fn market(&mut self, place: usize) -> Result<Market, Refusal> {
        let text = self.text(place)?;
        Market::parse(&text).ok_or_else(|| of_value(place, &text, "is not an ISO 3166-1 alpha-2 code such as DE"))
    }

    fn name(&mut self, place: usize) -> Result<Cow<'a, str>, Refusal> {
        let text = self.text(place)?;
        if text.is_empty() {
            return Err(Refusal::of_field(COLUMNS[place].name, "is empty"));
        }
        if text.len() > MAX_TEXT_BYTES {
            let reason = format!("has {} bytes; at most {MAX_TEXT_BYTES} are allowed", text.len());
            return Err(Refusal::of_field(COLUMNS[place].name, reason));
        }
        Ok(text)
    }

    fn integer(&mut self, place: usize) -> Result<i32, Refusal> {
        const EXPECTED: &str = "a 32-bit integer";
        match self.take(place) {
            Scalar::Integer(value) => i32::try_from(value)
                .map_err(|_| Refusal::of_field(COLUMNS[place].name, format!("{value} is not {EXPECTED}"))),
            Scalar::OtherNumber => {
                Err(Refusal::of_field(COLUMNS[place].name, format!("is a number, but not {EXPECTED}")))
            }
            other => Err(wrong_kind(place, &other, EXPECTED)),
        }
    }

    fn boolean(&mut self, place: usize) -> Result<bool, Refusal> {
        match self.take(place) {
            Scalar::Boolean(value) => Ok(value),
            other => Err(wrong_kind(place, &other, "true or false")),
        }
    }
}

/// The rules that tie fields together.
fn in_order(row: &Row) -> Result<(), Refusal> {
    if row.updated_at < row.created_at {
        return Err(Refusal::of_field("updated_at", "is before created_at"));
    }
    match row.resolved_at {
        Some(_) if !row.status.is_resolved() => {
            Err(Refusal::of_field("resolved_at", format!("is set although the status is {}", row.status)))
        }
        None if row.status.is_resolved() => {
            Err(Refusal::of_field("resolved_at", format!("is null although the status is {}", row.status)))
        }
        Some(resolved_at) if resolved_at < row.created_at => {
            Err(Refusal::of_field("resolved_at", "is before created_at"))
        }
        Some(resolved_at) if resolved_at > row.updated_at => {
            Err(Refusal::of_field("resolved_at", "is after updated_at"))
        }
        _ => Ok(()),
    }
}

fn wrong_kind(place: usize, found: &Scalar, expected: &str) -> Refusal {
    Refusal::of_field(COLUMNS[place].name, format!("is {}; expected {expected}", found.kind()))
}

/// A refusal that shows the value.
fn of_value(place: usize, text: &str, reason: &str) -> Refusal {
    Refusal::of_field(COLUMNS[place].name, format!("`{}` {reason}", shown(text)))
}

/// A text from the input as a message may show it: no control characters, and not too long to be read.
fn shown(text: &str) -> String {
    const MAX_CHARS: usize = 60;
    let ellipsis = if text.chars().nth(MAX_CHARS).is_some() { "…" } else { "" };
    text.chars().take(MAX_CHARS).flat_map(char::escape_debug).chain(ellipsis.chars()).collect()
}

/// The 16 bytes of a hyphenated UUID.
fn parse_uuid(text: &str) -> Option<[u8; 16]> {
    let is_hyphenated = text.len() == 36 && [8, 13, 18, 23].iter().all(|place| text.as_bytes()[*place] == b'-');
    uuid::Uuid::try_parse(text).ok().filter(|_| is_hyphenated).map(uuid::Uuid::into_bytes)
}

impl Market {
    /// From two letters.
    pub fn from_letters(letters: [u8; 2]) -> Option<Self> {
        std::str::from_utf8(&letters).ok().and_then(Self::parse)
    }

    /// The code that a text is.
    pub fn parse(text: &str) -> Option<Self> {
        is_country_code(text).then(|| text.as_bytes().try_into().ok().map(Self))?
    }

    /// The two capital letters.
    pub const fn letters(self) -> [u8; 2] {
        self.0
    }

    /// The two letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// Decodes lines.
#[derive(Debug, Default)]
pub struct Decoder {
    /// What it saw.
    pub unknown_fields: UnknownFields,
}

impl Decoder {
    /// What it saw.
    pub fn into_unknown_fields(self) -> UnknownFields {
        self.unknown_fields
    }

    /// Decodes a line.
    pub fn decode<'a>(&mut self, line: &'a [u8]) -> Result<Row<'a>, Refusal> {
        decode(line, &mut self.unknown_fields)
    }
}
