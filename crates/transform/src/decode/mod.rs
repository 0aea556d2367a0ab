//! A line to a row, or the reason why not. The one decoder for every line: there is no lenient way around it.
//!
//! A line must be a JSON object (RFC 8259, UTF-8) with each field of the contract exactly once and of its type. Order,
//! spacing, escapes and further fields are the writer's business.

pub mod batch;
pub mod row;
pub mod timestamp;
pub mod unknown_fields;

mod enum_table;
mod fast_path;
mod field_names;
mod fields;
mod json;
mod swar;
mod uuid_text;

use std::borrow::Cow;
use std::fmt;

use ticket_schema::columns::COLUMNS;
use ticket_schema::enums::{Category, Channel, Severity, Status, StringEnum};

use crate::decode::enum_table::EnumTable;
use crate::decode::fields::{Fields, NotFields, Workspace};
use crate::decode::json::Value;
use crate::decode::row::ConstraintViolation;
use crate::decode::timestamp::DateTime;
use crate::decode::unknown_fields::UnknownFields;

pub use crate::decode::row::{MAX_TEXT_BYTES, Market, Row, Text};

/// The place of the market among the fields.
const MARKET: usize = 8;

/// Why a line was rejected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectReason {
    /// The field at fault, or `None` if it is the line as a whole.
    pub field: Option<&'static str>,
    /// What is wrong with it; together with the field it reads as a sentence.
    pub reason: Cow<'static, str>,
    /// The line's market, if the line is a JSON object that has exactly one, and a valid one.
    pub market: Option<Market>,
}

impl RejectReason {
    /// The line as a whole is at fault.
    pub fn of_line(reason: impl Into<Cow<'static, str>>) -> Self {
        Self { field: None, reason: reason.into(), market: None }
    }

    fn of_field(field: &'static str, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { field: Some(field), reason: reason.into(), market: None }
    }
}

impl fmt::Display for RejectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.field.unwrap_or("the line"), self.reason)
    }
}

/// Decodes lines. What it needs for one it uses again for the next, so that an ordinary line costs no allocation.
#[derive(Debug, Default)]
pub struct Decoder {
    unknown_fields: UnknownFields,
    workspace: Workspace,
    texts: EnumTables,
}

/// The tables of the contract's fixed texts.
#[derive(Debug)]
pub(crate) struct EnumTables {
    pub(crate) severity: EnumTable<Severity>,
    pub(crate) status: EnumTable<Status>,
    pub(crate) category: EnumTable<Category>,
    pub(crate) channel: EnumTable<Channel>,
}

impl Default for EnumTables {
    fn default() -> Self {
        Self {
            severity: EnumTable::new(),
            status: EnumTable::new(),
            category: EnumTable::new(),
            channel: EnumTable::new(),
        }
    }
}

impl Decoder {
    /// The fields that the contract doesn't know, of all lines so far.
    pub const fn unknown_fields(&self) -> &UnknownFields {
        &self.unknown_fields
    }

    /// The same, when there are no more lines.
    pub fn into_unknown_fields(self) -> UnknownFields {
        self.unknown_fields
    }

    /// Decodes a line, without its newline.
    pub fn decode<'a>(&'a mut self, line: &'a [u8]) -> Result<Row<'a>, RejectReason> {
        if let Some(row) = fast_path::read(line, &self.texts) {
            return Ok(row);
        }
        self.decode_unusual(line)
    }

    #[inline(never)]
    fn decode_unusual<'a>(&'a mut self, line: &'a [u8]) -> Result<Row<'a>, RejectReason> {
        let line = std::str::from_utf8(line).map_err(|error| not_utf8(&error))?;
        let fields =
            Fields::read(line, &mut self.workspace, &mut self.unknown_fields).map_err(|not| no_object(&not))?;
        let unescaped = self.workspace.unescaped.as_str();
        let values = Values { fields, text: if unescaped.is_empty() { line } else { unescaped }, texts: &self.texts };
        values.to_row().map_err(|refusal| RejectReason { market: values.only_market(), ..refusal })
    }
}

#[cold]
fn not_utf8(error: &std::str::Utf8Error) -> RejectReason {
    RejectReason::of_line(format!("is not UTF-8 from its byte {} on", error.valid_up_to()))
}

#[cold]
fn no_object(not: &NotFields) -> RejectReason {
    match not {
        NotFields::Syntax(error) => {
            RejectReason::of_line(format!("is not valid JSON: {} at its byte {}", error.what, error.byte))
        }
        NotFields::OtherKind => RejectReason::of_line("is not a JSON object"),
    }
}

/// The values of a line's fields, and what they are asked.
struct Values<'a> {
    fields: Fields,
    /// What the spans of texts belong to.
    text: &'a str,
    texts: &'a EnumTables,
}

impl<'a> Values<'a> {
    /// Asks of every field, in order, what the contract asks.
    fn to_row(&self) -> Result<Row<'a>, RejectReason> {
        self.each_once()?;
        let EnumTables { severity, status, category, channel } = self.texts;
        let row = Row {
            ticket_id: self.uuid(0)?,
            created_at: self.moment(1)?,
            updated_at: self.moment(2)?,
            resolved_at: if matches!(self.value(3), Value::Null) { None } else { Some(self.moment(3)?) },
            severity: self.fixed_text(4, severity, "P1, P2, P3 or P4")?,
            status: self.fixed_text(5, status, "Open, In Progress, Waiting, Resolved or Closed")?,
            category: self.fixed_text(6, category, "the contract's categories")?,
            channel: self.fixed_text(7, channel, "Phone, Email, Dealer Portal, BMW App or Walk-In")?,
            market: self.market(MARKET)?,
            dealer_id: self.name(9)?,
            customer_id: self.name(10)?,
            vin_last6: self.name(11)?,
            model_series: self.name(12)?,
            model_year: self.integer(13)?,
            sla_breached: self.boolean(14)?,
        };
        row.constraint_violation().map_or(Ok(row), |found| Err(constraint_violation(&row, found)))
    }

    fn each_once(&self) -> Result<(), RejectReason> {
        if let Some(place) = self.fields.twice {
            return Err(of_field(place, "appears more than once"));
        }
        if let Some(place) = self.fields.values.iter().position(Option::is_none) {
            return Err(of_field(place, "is missing"));
        }
        Ok(())
    }

    /// The market of a line that is rejected, if it is there once and valid.
    #[cold]
    fn only_market(&self) -> Option<Market> {
        let is_repeated = self.fields.repeated >> MARKET & 1 == 1;
        if is_repeated { None } else { self.market(MARKET).ok() }
    }

    /// A value, of which it is known that it is there.
    fn value(&self, place: usize) -> Value {
        self.fields.values[place].unwrap_or(Value::Null)
    }

    fn text(&self, place: usize) -> Result<&'a str, RejectReason> {
        match self.value(place) {
            Value::Text(span) => Ok(&self.text[span.start..span.end]),
            other => Err(wrong_kind(place, other, "a text")),
        }
    }

    fn uuid(&self, place: usize) -> Result<[u8; 16], RejectReason> {
        let text = self.text(place)?;
        let uuid = text.as_bytes().try_into().ok().and_then(uuid_text::parse);
        uuid.ok_or_else(|| of_value(place, text, "is not a hyphenated UUID"))
    }

    fn moment(&self, place: usize) -> Result<DateTime, RejectReason> {
        let text = self.text(place)?;
        DateTime::parse(text).map_err(|reason| of_value(place, text, reason))
    }

    fn fixed_text<T: StringEnum>(&self, place: usize, texts: &EnumTable<T>, known: &str) -> Result<T, RejectReason> {
        let text = self.text(place)?;
        texts.find(text).ok_or_else(|| of_value(place, text, &format!("is not one of {known}")))
    }

    fn market(&self, place: usize) -> Result<Market, RejectReason> {
        let text = self.text(place)?;
        let market = text.as_bytes().try_into().ok().and_then(Market::parse);
        market.ok_or_else(|| of_value(place, text, "is not an ISO 3166-1 alpha-2 code such as DE"))
    }

    fn name(&self, place: usize) -> Result<Text<'a>, RejectReason> {
        let text = self.text(place)?;
        Text::new(text).ok_or_else(|| wrong_length(place, text.len()))
    }

    fn integer(&self, place: usize) -> Result<i32, RejectReason> {
        const EXPECTED: &str = "a 32-bit integer";
        let Value::Number(span) = self.value(place) else {
            return Err(wrong_kind(place, self.value(place), EXPECTED));
        };
        let number = &self.text[span.start..span.end];
        // JSON's -0 is a fraction to most readers: no integer has that sign.
        match number.parse() {
            Ok(value) if number != "-0" => Ok(value),
            _ => Err(of_field(
                place,
                match number.parse::<i64>() {
                    Ok(value) if number != "-0" => format!("{value} is not {EXPECTED}"),
                    _ => format!("is a number, but not {EXPECTED}"),
                },
            )),
        }
    }

    fn boolean(&self, place: usize) -> Result<bool, RejectReason> {
        match self.value(place) {
            Value::Boolean(value) => Ok(value),
            other => Err(wrong_kind(place, other, "true or false")),
        }
    }
}

/// The refusal of a row whose fields don't go together.
#[cold]
fn constraint_violation(row: &Row, constraint_violation: ConstraintViolation) -> RejectReason {
    match constraint_violation {
        ConstraintViolation::UpdatedBeforeCreated => RejectReason::of_field("updated_at", "is before created_at"),
        ConstraintViolation::ResolvedBeforeCreated => RejectReason::of_field("resolved_at", "is before created_at"),
        ConstraintViolation::ResolvedAfterUpdated => RejectReason::of_field("resolved_at", "is after updated_at"),
        ConstraintViolation::ResolvedInSpiteOfStatus => {
            RejectReason::of_field("resolved_at", format!("is set although the status is {}", row.status))
        }
        ConstraintViolation::UnresolvedInSpiteOfStatus => {
            RejectReason::of_field("resolved_at", format!("is null although the status is {}", row.status))
        }
    }
}

#[cold]
fn of_field(place: usize, reason: impl Into<Cow<'static, str>>) -> RejectReason {
    RejectReason::of_field(COLUMNS[place].name, reason)
}

#[cold]
fn wrong_kind(place: usize, found: Value, expected: &str) -> RejectReason {
    let kind = match found {
        Value::Null => "null",
        Value::Boolean(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::Text(_) | Value::EscapedText(_) => "a text",
        Value::Array => "an array",
        Value::Object => "an object",
    };
    of_field(place, format!("is {kind}; expected {expected}"))
}

#[cold]
fn wrong_length(place: usize, n_bytes: usize) -> RejectReason {
    match n_bytes {
        0 => of_field(place, "is empty"),
        n => of_field(place, format!("has {n} bytes; at most {MAX_TEXT_BYTES} are allowed")),
    }
}

/// A refusal that shows the value.
#[cold]
fn of_value(place: usize, text: &str, reason: &str) -> RejectReason {
    of_field(place, format!("`{}` {reason}", shown(text)))
}

/// A text from the input as a message may show it: no control characters, and not too long to be read.
pub(crate) fn shown(text: &str) -> String {
    const MAX_CHARS: usize = 60;
    let ellipsis = if text.chars().nth(MAX_CHARS).is_some() { "…" } else { "" };
    text.chars().take(MAX_CHARS).flat_map(char::escape_debug).chain(ellipsis.chars()).collect()
}
