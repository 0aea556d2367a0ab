//! The test oracle: an implementation of the contract with `serde_json`.
//!
//! It shares no code with the decoder except the types of the contract and [`DateTime`], which has its own tests.
#![allow(dead_code, reason = "each test binary uses a part of this module")]

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use ticket_schema::columns::COLUMNS;
use ticket_schema::enums::{Category, Channel, Severity, Status};
use ticket_schema::iso3166::is_country_code;
use transform::rows::row::{MAX_TEXT_BYTES, Row};
use transform::rows::timestamp::DateTime;

use scalar::Scalar;

mod scalar;

/// A valid ticket.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OracleTicket<'a> {
    pub(crate) ticket_id: [u8; 16],
    pub(crate) created_at: DateTime,
    pub(crate) updated_at: DateTime,
    pub(crate) resolved_at: Option<DateTime>,
    pub(crate) severity: Severity,
    pub(crate) status: Status,
    pub(crate) category: Category,
    pub(crate) channel: Channel,
    pub(crate) market: Cow<'a, str>,
    pub(crate) dealer_id: Cow<'a, str>,
    pub(crate) customer_id: Cow<'a, str>,
    pub(crate) vin_last6: Cow<'a, str>,
    pub(crate) model_series: Cow<'a, str>,
    pub(crate) model_year: i32,
    pub(crate) sla_breached: bool,
}

impl PartialEq<Row<'_>> for OracleTicket<'_> {
    fn eq(&self, row: &Row) -> bool {
        self.ticket_id == row.ticket_id
            && [self.created_at, self.updated_at] == [row.created_at, row.updated_at]
            && self.resolved_at == row.resolved_at
            && (self.severity, self.status) == (row.severity, row.status)
            && (self.category, self.channel) == (row.category, row.channel)
            && self.market == row.market.as_str()
            && [&self.dealer_id, &self.customer_id] == [row.dealer_id.as_str(), row.customer_id.as_str()]
            && [&self.vin_last6, &self.model_series] == [row.vin_last6.as_str(), row.model_series.as_str()]
            && (self.model_year, self.sla_breached) == (row.model_year, row.sla_breached)
    }
}

/// The reason for which a line is rejected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RejectReason {
    /// The field at fault; `None` for the line as a whole.
    pub(crate) field: Option<&'static str>,
    /// The expected reason of the decoder, if a field is at fault.
    pub(crate) reason: String,
    /// The market for which the line is counted.
    pub(crate) market: Option<String>,
}

impl RejectReason {
    fn of_line() -> Self {
        Self { field: None, reason: String::new(), market: None }
    }

    fn of_field(field: &'static str, reason: impl Into<String>) -> Self {
        Self { field: Some(field), reason: reason.into(), market: None }
    }
}

/// Decodes a line. Also returns the names of unknown fields, with repetitions.
pub(crate) fn decode(line: &[u8]) -> (Result<OracleTicket<'_>, RejectReason>, Vec<String>) {
    let mut unknown_fields = Vec::new();
    let Ok(text) = std::str::from_utf8(line) else { return (Err(RejectReason::of_line()), unknown_fields) };
    let mut reader = serde_json::Deserializer::from_str(text);
    let fields = FieldsSeed(&mut unknown_fields).deserialize(&mut reader);
    let result = match fields.and_then(|fields| reader.end().map(|()| fields)) {
        Err(_) => Err(RejectReason::of_line()),
        Ok(fields) => {
            let market = fields.only_market();
            fields.into_ticket().map_err(|reason| RejectReason { market, ..reason })
        }
    };
    (result, unknown_fields)
}

/// The fields of a line in the contract's order, before validation.
#[derive(Default)]
struct Fields<'a> {
    values: [Option<Scalar<'a>>; COLUMNS.len()],
    /// The repeated fields, once for each repetition.
    repeated: Vec<&'static str>,
}

struct FieldsSeed<'u>(&'u mut Vec<String>);

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
            if let Some(column) = COLUMNS.iter().position(|column| column.name == name) {
                if fields.values[column].replace(object.next_value()?).is_some() {
                    fields.repeated.push(COLUMNS[column].name);
                }
            } else {
                object.next_value::<IgnoredAny>()?;
                self.0.push(name.into_owned());
            }
        }
        Ok(fields)
    }
}

/// A field name, borrowed if it has no escapes.
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
    /// Validates the fields in the contract's order.
    fn into_ticket(mut self) -> Result<OracleTicket<'a>, RejectReason> {
        if let Some(field) = self.repeated.first() {
            return Err(RejectReason::of_field(field, "appears more than once"));
        }
        if let Some(column) = self.values.iter().position(Option::is_none) {
            return Err(RejectReason::of_field(COLUMNS[column].name, "is missing"));
        }
        let ticket = OracleTicket {
            ticket_id: self.uuid(0)?,
            created_at: self.date_time(1)?,
            updated_at: self.date_time(2)?,
            resolved_at: if self.values[3] == Some(Scalar::Null) { None } else { Some(self.date_time(3)?) },
            severity: self.enum_value(4, Severity::from_text, "P1, P2, P3 or P4")?,
            status: self.enum_value(5, Status::from_text, "Open, In Progress, Waiting, Resolved or Closed")?,
            category: self.enum_value(
                6,
                Category::from_text,
                "Engine, Electrical, iDrive, Brake, Recall, Suspension, Climate, Bodywork, Warranty or Other",
            )?,
            channel: self.enum_value(7, Channel::from_text, "Phone, Email, Dealer Portal, BMW App or Walk-In")?,
            market: self.market(8)?,
            dealer_id: self.name(9)?,
            customer_id: self.name(10)?,
            vin_last6: self.name(11)?,
            model_series: self.name(12)?,
            model_year: self.integer(13)?,
            sla_breached: self.boolean(14)?,
        };
        check_constraints(&ticket)?;
        Ok(ticket)
    }

    fn only_market(&self) -> Option<String> {
        match &self.values[8] {
            Some(Scalar::Text(text)) if !self.repeated.contains(&"market") && is_country_code(text) => {
                Some(text.to_string())
            }
            _ => None,
        }
    }

    fn take(&mut self, column: usize) -> Scalar<'a> {
        self.values[column].take().unwrap_or(Scalar::Null)
    }

    fn text(&mut self, column: usize) -> Result<Cow<'a, str>, RejectReason> {
        match self.take(column) {
            Scalar::Text(text) => Ok(text),
            other => Err(wrong_kind(column, &other, "a text")),
        }
    }

    fn uuid(&mut self, column: usize) -> Result<[u8; 16], RejectReason> {
        let text = self.text(column)?;
        parse_uuid(&text).ok_or_else(|| of_value(column, &text, "is not a hyphenated UUID"))
    }

    fn date_time(&mut self, column: usize) -> Result<DateTime, RejectReason> {
        let text = self.text(column)?;
        DateTime::parse(&text).map_err(|reason| of_value(column, &text, reason))
    }

    fn enum_value<T>(
        &mut self,
        column: usize,
        parse: fn(&str) -> Option<T>,
        expected: &str,
    ) -> Result<T, RejectReason> {
        let text = self.text(column)?;
        parse(&text).ok_or_else(|| of_value(column, &text, &format!("is not one of {expected}")))
    }

    fn market(&mut self, column: usize) -> Result<Cow<'a, str>, RejectReason> {
        let text = self.text(column)?;
        if is_country_code(&text) {
            Ok(text)
        } else {
            Err(of_value(column, &text, "is not an ISO 3166-1 alpha-2 code such as DE"))
        }
    }

    fn name(&mut self, column: usize) -> Result<Cow<'a, str>, RejectReason> {
        let text = self.text(column)?;
        if text.is_empty() {
            return Err(RejectReason::of_field(COLUMNS[column].name, "is empty"));
        }
        if text.len() > MAX_TEXT_BYTES {
            let reason = format!("has {} bytes; at most {MAX_TEXT_BYTES} are allowed", text.len());
            return Err(RejectReason::of_field(COLUMNS[column].name, reason));
        }
        Ok(text)
    }

    fn integer(&mut self, column: usize) -> Result<i32, RejectReason> {
        const EXPECTED: &str = "a 32-bit integer";
        match self.take(column) {
            Scalar::Integer(value) => i32::try_from(value)
                .map_err(|_| RejectReason::of_field(COLUMNS[column].name, format!("{value} is not {EXPECTED}"))),
            Scalar::OtherNumber => {
                Err(RejectReason::of_field(COLUMNS[column].name, format!("is a number, but not {EXPECTED}")))
            }
            other => Err(wrong_kind(column, &other, EXPECTED)),
        }
    }

    fn boolean(&mut self, column: usize) -> Result<bool, RejectReason> {
        match self.take(column) {
            Scalar::Boolean(value) => Ok(value),
            other => Err(wrong_kind(column, &other, "true or false")),
        }
    }
}

/// Checks the constraints between fields.
fn check_constraints(row: &OracleTicket) -> Result<(), RejectReason> {
    if row.updated_at < row.created_at {
        return Err(RejectReason::of_field("updated_at", "is before created_at"));
    }
    match row.resolved_at {
        Some(_) if !row.status.is_resolved() => {
            Err(RejectReason::of_field("resolved_at", format!("is set although the status is {}", row.status)))
        }
        None if row.status.is_resolved() => {
            Err(RejectReason::of_field("resolved_at", format!("is null although the status is {}", row.status)))
        }
        Some(resolved_at) if resolved_at < row.created_at => {
            Err(RejectReason::of_field("resolved_at", "is before created_at"))
        }
        Some(resolved_at) if resolved_at > row.updated_at => {
            Err(RejectReason::of_field("resolved_at", "is after updated_at"))
        }
        _ => Ok(()),
    }
}

fn wrong_kind(column: usize, found: &Scalar, expected: &str) -> RejectReason {
    RejectReason::of_field(COLUMNS[column].name, format!("is {}; expected {expected}", found.kind()))
}

/// Returns a reason that quotes the value.
fn of_value(column: usize, text: &str, reason: &str) -> RejectReason {
    RejectReason::of_field(COLUMNS[column].name, format!("`{}` {reason}", shown(text)))
}

/// Escapes control characters and shortens a text from the input for a message.
fn shown(text: &str) -> String {
    const MAX_CHARS: usize = 60;
    let ellipsis = if text.chars().nth(MAX_CHARS).is_some() { "…" } else { "" };
    text.chars().take(MAX_CHARS).flat_map(char::escape_debug).chain(ellipsis.chars()).collect()
}

/// Parses a hyphenated UUID.
fn parse_uuid(text: &str) -> Option<[u8; 16]> {
    let is_hyphenated = text.len() == 36 && [8, 13, 18, 23].iter().all(|column| text.as_bytes()[*column] == b'-');
    uuid::Uuid::try_parse(text).ok().filter(|_| is_hyphenated).map(uuid::Uuid::into_bytes)
}
