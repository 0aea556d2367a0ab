//! A decoded ticket, and the constraints between its columns.

use std::fmt;

use ticket_schema::iso3166::are_country_letters;
use ticket_schema::ticket_columns;

use crate::rows::kinds::value;

/// Longest text of a ticket, in bytes.
pub const MAX_TEXT_BYTES: usize = 255;

macro_rules! row {
    ($($name:ident: $kind:ident($type:ty), $constraint:literal, $meaning:literal;)*) => {
        /// A decoded ticket, with the columns of [`COLUMNS`](ticket_schema::columns::COLUMNS) in their order.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct Row<'a> {
            $(#[doc = $meaning] pub $name: value!($kind 'a $type),)*
        }
    };
}
ticket_columns!(row);

/// Text of a ticket, of 1 to [`MAX_TEXT_BYTES`] bytes, borrowed from its line or from the decoder.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Text<'a>(&'a [u8]);

impl<'a> Text<'a> {
    /// Returns the text, unless it is empty or too long.
    pub fn new(text: &'a str) -> Option<Self> {
        Self::from_utf8(text.as_bytes(), true)
    }

    /// Returns the text of these bytes if they are UTF-8 (which `is_utf8` may vouch for) and of a valid length.
    #[inline(always)]
    pub(crate) fn from_utf8(bytes: &'a [u8], is_utf8: bool) -> Option<Self> {
        let has_length = (1..=MAX_TEXT_BYTES).contains(&bytes.len());
        (has_length && (is_utf8 || std::str::from_utf8(bytes).is_ok())).then_some(Self(bytes))
    }

    /// Returns the bytes, which are UTF-8.
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// Returns the text. It is validated again, so use [`as_bytes`](Self::as_bytes) on hot paths.
    pub fn as_str(self) -> &'a str {
        std::str::from_utf8(self.0).unwrap_or_default()
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

/// ISO 3166-1 alpha-2 code. It names a directory, so no other text can become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Market([u8; 2]);

/// Violation of a constraint between columns.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ConstraintViolation {
    UpdatedBeforeCreated,
    ResolvedBeforeCreated,
    ResolvedAfterUpdated,
    ResolvedWithOpenStatus,
    UnresolvedWithFinalStatus,
}

impl Row<'_> {
    /// Returns the first violated constraint.
    #[inline(always)]
    pub(crate) fn constraint_violation(&self) -> Option<ConstraintViolation> {
        if self.updated_at < self.created_at {
            return Some(ConstraintViolation::UpdatedBeforeCreated);
        }
        match self.resolved_at {
            Some(_) if !self.status.is_resolved() => Some(ConstraintViolation::ResolvedWithOpenStatus),
            None if self.status.is_resolved() => Some(ConstraintViolation::UnresolvedWithFinalStatus),
            Some(resolved_at) if resolved_at < self.created_at => Some(ConstraintViolation::ResolvedBeforeCreated),
            Some(resolved_at) if resolved_at > self.updated_at => Some(ConstraintViolation::ResolvedAfterUpdated),
            _ => None,
        }
    }
}

impl Market {
    /// Returns the code of two letters, or `None` if it is not assigned.
    #[inline(always)]
    pub fn parse(letters: [u8; 2]) -> Option<Self> {
        are_country_letters(letters).then_some(Self(letters))
    }

    /// Returns the code of a text, or `None` if it is not assigned.
    pub fn from_text(text: &str) -> Option<Self> {
        text.as_bytes().try_into().ok().and_then(Self::parse)
    }

    /// Returns the two capital letters.
    pub const fn letters(self) -> [u8; 2] {
        self.0
    }

    /// Returns the code as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}
