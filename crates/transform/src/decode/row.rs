//! A ticket as it will be written, and the rules that tie its fields together.

use std::fmt;

use ticket_schema::enums::{Category, Channel, Severity, Status};
use ticket_schema::iso3166::are_country_letters;

use crate::decode::timestamp::DateTime;

/// The longest identifier or series, in bytes.
pub const MAX_TEXT_BYTES: usize = 255;

/// A ticket as it will be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row<'a> {
    /// The 16 bytes of a UUID.
    pub ticket_id: [u8; 16],
    /// When it was opened.
    pub created_at: DateTime,
    /// When it last changed.
    pub updated_at: DateTime,
    /// When it was resolved; set exactly if the status says so.
    pub resolved_at: Option<DateTime>,
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
    /// The service centre.
    pub dealer_id: Text<'a>,
    /// The customer's pseudonym.
    pub customer_id: Text<'a>,
    /// The end of the vehicle identification number.
    pub vin_last6: Text<'a>,
    /// The car's series.
    pub model_series: Text<'a>,
    /// The car's model year.
    pub model_year: i32,
    /// Whether the SLA target was missed.
    pub sla_breached: bool,
}

/// A text of a ticket, of 1 to [`MAX_TEXT_BYTES`] bytes: a part of its line, or of what its decoder keeps.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Text<'a>(&'a [u8]);

impl<'a> Text<'a> {
    /// A text, unless it is empty or too long.
    pub fn new(text: &'a str) -> Option<Self> {
        Self::from_utf8(text.as_bytes(), true)
    }

    /// Bytes that are UTF-8, which may be known already, unless there are none or too many.
    #[inline(always)]
    pub(crate) fn from_utf8(bytes: &'a [u8], is_known: bool) -> Option<Self> {
        let has_length = (1..=MAX_TEXT_BYTES).contains(&bytes.len());
        (has_length && (is_known || std::str::from_utf8(bytes).is_ok())).then_some(Self(bytes))
    }

    /// Its bytes, which are UTF-8: what files are made of.
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// The text for people; it is looked through once more.
    pub fn as_str(self) -> &'a str {
        std::str::from_utf8(self.0).unwrap_or_default()
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

/// An ISO 3166-1 alpha-2 code. It names a directory, so nothing else may ever get here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Market([u8; 2]);

/// What can be wrong with a row whose fields are right each by itself.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ConstraintViolation {
    UpdatedBeforeCreated,
    ResolvedBeforeCreated,
    ResolvedAfterUpdated,
    ResolvedInSpiteOfStatus,
    UnresolvedInSpiteOfStatus,
}

impl Row<'_> {
    /// The first rule that is broken.
    #[inline(always)]
    pub(crate) fn constraint_violation(&self) -> Option<ConstraintViolation> {
        if self.updated_at < self.created_at {
            return Some(ConstraintViolation::UpdatedBeforeCreated);
        }
        match self.resolved_at {
            Some(_) if !self.status.is_resolved() => Some(ConstraintViolation::ResolvedInSpiteOfStatus),
            None if self.status.is_resolved() => Some(ConstraintViolation::UnresolvedInSpiteOfStatus),
            Some(resolved_at) if resolved_at < self.created_at => Some(ConstraintViolation::ResolvedBeforeCreated),
            Some(resolved_at) if resolved_at > self.updated_at => Some(ConstraintViolation::ResolvedAfterUpdated),
            _ => None,
        }
    }
}

impl Market {
    /// The code that two letters are.
    #[inline(always)]
    pub fn parse(letters: [u8; 2]) -> Option<Self> {
        are_country_letters(letters).then_some(Self(letters))
    }

    /// The code that a text is.
    pub fn from_text(text: &str) -> Option<Self> {
        text.as_bytes().try_into().ok().and_then(Self::parse)
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
