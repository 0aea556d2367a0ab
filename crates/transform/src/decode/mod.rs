//! Decodes a line to a row, or returns the reason for its rejection.
//!
//! A line must be a JSON object (RFC 8259, UTF-8) with each column of the contract exactly once and of its type. Order,
//! spacing, escapes and additional fields may vary. Every line passes this decoder: `fast_path` reads the common form, and
//! lines that it declines go to the general parser in `json` and `fields`.

pub mod batch;
pub mod unknown_fields;

mod enum_table;
mod fast_path;
mod fields;
mod json;
mod kinds;
mod swar;
mod uuid_text;
mod values;

use std::borrow::Cow;
use std::fmt;

use crate::decode::fields::{Fields, NotFields, Workspace};
use crate::decode::unknown_fields::UnknownFields;
use crate::decode::values::Values;
use crate::rows::row::{Market, Row};

/// Reason for which a line is rejected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectReason {
    /// Field at fault, or `None` if it is the line as a whole.
    pub field: Option<&'static str>,
    /// Predicate of a sentence of which the field is the subject: `is missing`.
    pub reason: Cow<'static, str>,
    /// Market of the line, if the line is a JSON object that has exactly one, and a valid one.
    pub market: Option<Market>,
}

impl RejectReason {
    /// Returns a reason that concerns the line as a whole.
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

/// Decodes lines. Its buffers are reused, so that a line in the common form costs no allocation.
///
/// ```
/// use transform::decode::Decoder;
///
/// let mut decoder = Decoder::default();
/// let reason = decoder.decode(br#"{"ticket_id":"T-1"}"#).unwrap_err();
/// assert_eq!(reason.to_string(), "created_at is missing");
/// ```
#[derive(Debug, Default)]
pub struct Decoder {
    unknown_fields: UnknownFields,
    workspace: Workspace,
}

impl Decoder {
    /// Returns the unknown fields of all lines so far.
    pub const fn unknown_fields(&self) -> &UnknownFields {
        &self.unknown_fields
    }

    /// Returns the unknown fields of all lines.
    pub fn into_unknown_fields(self) -> UnknownFields {
        self.unknown_fields
    }

    /// Decodes a line, given without its newline.
    ///
    /// # Errors
    ///
    /// The reason for which the line is rejected.
    pub fn decode<'a>(&'a mut self, line: &'a [u8]) -> Result<Row<'a>, RejectReason> {
        if let Some(row) = fast_path::read(line) {
            return Ok(row);
        }
        self.decode_general(line)
    }

    #[inline(never)]
    fn decode_general<'a>(&'a mut self, line: &'a [u8]) -> Result<Row<'a>, RejectReason> {
        let line = std::str::from_utf8(line).map_err(|error| not_utf8(&error))?;
        let fields =
            Fields::read(line, &mut self.workspace, &mut self.unknown_fields).map_err(|error| not_an_object(&error))?;
        let unescaped = self.workspace.unescaped.as_str();
        let values = Values::new(fields, if unescaped.is_empty() { line } else { unescaped });
        values.to_row().map_err(|reason| RejectReason { market: values.market(), ..reason })
    }
}

#[cold]
fn not_utf8(error: &std::str::Utf8Error) -> RejectReason {
    RejectReason::of_line(format!("is not UTF-8 from its byte {} on", error.valid_up_to()))
}

#[cold]
fn not_an_object(error: &NotFields) -> RejectReason {
    match error {
        NotFields::Syntax(error) => {
            RejectReason::of_line(format!("is not valid JSON: {} at its byte {}", error.what, error.byte))
        }
        NotFields::OtherKind => RejectReason::of_line("is not a JSON object"),
    }
}

/// Formats a text of the input for messages: at most 60 characters, control characters escaped.
pub(crate) fn excerpt(text: &str) -> String {
    const MAX_CHARS: usize = 60;
    let ellipsis = if text.chars().nth(MAX_CHARS).is_some() { "…" } else { "" };
    text.chars().take(MAX_CHARS).flat_map(char::escape_debug).chain(ellipsis.chars()).collect()
}
