//! Validates the values of a line, one column after the other, and names the first that is wrong.

use std::borrow::Cow;

use ticket_schema::columns::{COLUMNS, position};
use ticket_schema::enums::StringEnum;
use ticket_schema::ticket_columns;

use crate::decode::enum_table::HasEnumTable;
use crate::decode::fields::Fields;
use crate::decode::json::Value;
use crate::decode::kinds::Decode;
use crate::decode::{RejectReason, excerpt, uuid_text};
use crate::rows::kinds::kind;
use crate::rows::row::{ConstraintViolation, MAX_TEXT_BYTES, Market, Row, Text};
use crate::rows::timestamp::DateTime;

const MARKET: usize = position("market");

/// Values of a line, by the position of their column.
pub(crate) struct Values<'a> {
    fields: Fields,
    /// Text to which the spans of the values refer.
    text: &'a str,
}

macro_rules! to_row {
    ($($name:ident: $kind:ident($type:ty), $constraint:literal, $meaning:literal;)*) => {
        impl<'a> Values<'a> {
            /// Validates every column, in order, and the constraints between columns.
            pub(crate) fn to_row(&self) -> Result<Row<'a>, RejectReason> {
                self.require_each_once()?;
                let row = Row {
                    $($name: <kind!($kind $type)>::decode(self, const { position(stringify!($name)) })?,)*
                };
                row.constraint_violation().map_or(Ok(row), |violation| Err(violation_reason(&row, violation)))
            }
        }
    };
}
ticket_columns!(to_row);

impl<'a> Values<'a> {
    pub(crate) const fn new(fields: Fields, text: &'a str) -> Self {
        Self { fields, text }
    }

    fn require_each_once(&self) -> Result<(), RejectReason> {
        if let Some(position) = self.fields.repeated {
            return Err(of_field(position, "appears more than once"));
        }
        if let Some(position) = self.fields.values.iter().position(Option::is_none) {
            return Err(of_field(position, "is missing"));
        }
        Ok(())
    }

    /// Returns the market of a line that is rejected, if it has exactly one, and a valid one.
    #[cold]
    pub(crate) fn market(&self) -> Option<Market> {
        let is_repeated = self.fields.repeated_set >> MARKET & 1 == 1;
        if is_repeated { None } else { self.partition_key(MARKET).ok() }
    }

    /// Returns whether a value is null.
    pub(crate) fn is_null(&self, position: usize) -> bool {
        matches!(self.value(position), Value::Null)
    }

    /// Returns a value; [`require_each_once`](Self::require_each_once) has made sure that there is one.
    fn value(&self, position: usize) -> Value {
        self.fields.values[position].unwrap_or(Value::Null)
    }

    fn string(&self, position: usize) -> Result<&'a str, RejectReason> {
        match self.value(position) {
            Value::Text(span) => Ok(&self.text[span.start..span.end]),
            other => Err(wrong_kind(position, other, "a text")),
        }
    }

    pub(crate) fn uuid(&self, position: usize) -> Result<[u8; 16], RejectReason> {
        let text = self.string(position)?;
        let uuid = text.as_bytes().try_into().ok().and_then(uuid_text::parse);
        uuid.ok_or_else(|| of_value(position, text, "is not a hyphenated UUID"))
    }

    pub(crate) fn timestamp(&self, position: usize) -> Result<DateTime, RejectReason> {
        let text = self.string(position)?;
        DateTime::parse(text).map_err(|reason| of_value(position, text, reason))
    }

    pub(crate) fn string_enum<T: StringEnum>(&self, position: usize) -> Result<T, RejectReason> {
        let text = self.string(position)?;
        T::TABLE
            .find(text)
            .ok_or_else(|| of_value(position, text, &format!("is not one of {}", alternatives(T::TEXTS))))
    }

    pub(crate) fn partition_key(&self, position: usize) -> Result<Market, RejectReason> {
        let text = self.string(position)?;
        let market = text.as_bytes().try_into().ok().and_then(Market::parse);
        market.ok_or_else(|| of_value(position, text, "is not an ISO 3166-1 alpha-2 code such as DE"))
    }

    pub(crate) fn text(&self, position: usize) -> Result<Text<'a>, RejectReason> {
        let text = self.string(position)?;
        Text::new(text).ok_or_else(|| wrong_length(position, text.len()))
    }

    pub(crate) fn integer(&self, position: usize) -> Result<i32, RejectReason> {
        const EXPECTED: &str = "a 32-bit integer";
        let Value::Number(span) = self.value(position) else {
            return Err(wrong_kind(position, self.value(position), EXPECTED));
        };
        let number = &self.text[span.start..span.end];
        // Most JSON readers take -0 for a fraction: no integer has that sign.
        match number.parse() {
            Ok(value) if number != "-0" => Ok(value),
            _ => Err(of_field(
                position,
                match number.parse::<i64>() {
                    Ok(value) if number != "-0" => format!("{value} is not {EXPECTED}"),
                    _ => format!("is a number, but not {EXPECTED}"),
                },
            )),
        }
    }

    pub(crate) fn boolean(&self, position: usize) -> Result<bool, RejectReason> {
        match self.value(position) {
            Value::Boolean(value) => Ok(value),
            other => Err(wrong_kind(position, other, "true or false")),
        }
    }
}

/// Returns the reason for a violated constraint between columns.
#[cold]
fn violation_reason(row: &Row, violation: ConstraintViolation) -> RejectReason {
    match violation {
        ConstraintViolation::UpdatedBeforeCreated => RejectReason::of_field("updated_at", "is before created_at"),
        ConstraintViolation::ResolvedBeforeCreated => RejectReason::of_field("resolved_at", "is before created_at"),
        ConstraintViolation::ResolvedAfterUpdated => RejectReason::of_field("resolved_at", "is after updated_at"),
        ConstraintViolation::ResolvedWithOpenStatus => {
            RejectReason::of_field("resolved_at", format!("is set although the status is {}", row.status))
        }
        ConstraintViolation::UnresolvedWithFinalStatus => {
            RejectReason::of_field("resolved_at", format!("is null although the status is {}", row.status))
        }
    }
}

#[cold]
fn of_field(position: usize, reason: impl Into<Cow<'static, str>>) -> RejectReason {
    RejectReason::of_field(COLUMNS[position].name, reason)
}

#[cold]
fn wrong_kind(position: usize, found: Value, expected: &str) -> RejectReason {
    let kind = match found {
        Value::Null => "null",
        Value::Boolean(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::Text(_) | Value::EscapedText(_) => "a text",
        Value::Array => "an array",
        Value::Object => "an object",
    };
    of_field(position, format!("is {kind}; expected {expected}"))
}

#[cold]
fn wrong_length(position: usize, n_bytes: usize) -> RejectReason {
    match n_bytes {
        0 => of_field(position, "is empty"),
        n => of_field(position, format!("has {n} bytes; at most {MAX_TEXT_BYTES} are allowed")),
    }
}

/// Returns a reason that shows the value.
#[cold]
fn of_value(position: usize, text: &str, reason: &str) -> RejectReason {
    of_field(position, format!("`{}` {reason}", excerpt(text)))
}

/// Returns texts as a list: `P1, P2, P3 or P4`.
fn alternatives(texts: &[&str]) -> String {
    match texts {
        [others @ .., last] if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        _ => texts.concat(),
    }
}
