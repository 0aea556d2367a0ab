//! Reads lines in the common form: each column in the contract's order, either no spaces or one after each comma and colon,
//! no escapes, times like `2026-11-22T08:30:00Z`.
//!
//! It accepts valid lines only and gives no reasons: lines that it declines go to the general parser. Since it knows the
//! form it checks syntax and meaning of a value together, many bytes at once and with few branches.

use ticket_schema::enums::StringEnum;
use ticket_schema::ticket_columns;

use crate::decode::enum_table::EnumTable;
use crate::decode::kinds::Decode;
use crate::decode::swar::{chunk_at, plain_bytes};
use crate::rows::kinds::kind;
use crate::rows::row::{Row, Text};
use crate::rows::timestamp::DateTime;

/// Returns the row of a line, or `None` if the line is not in the common form or violates the contract.
#[inline(always)]
pub(crate) fn read(line: &[u8]) -> Option<Row<'_>> {
    // The spacing is detected once for the line, so that no later position depends on a byte before it.
    if line.get(PREFIX.len()) == Some(&b' ') { read_row::<1>(line) } else { read_row::<0>(line) }
}

/// Start of a line without spaces, up to the first value.
const PREFIX: &[u8] = br#"{"ticket_id":"#;

macro_rules! read_row {
    ($($name:ident: $kind:ident($type:ty), $constraint:literal, $meaning:literal;)*) => {
        #[inline(always)]
        fn read_row<const N_SPACES: usize>(line: &[u8]) -> Option<Row<'_>> {
            let mut cursor = Cursor::<N_SPACES> { line, at: 0, separator: b'{' };
            $(
                cursor.member_name(concat!("\"", stringify!($name), "\":").as_bytes())?;
                let $name = <kind!($kind $type)>::decode_fast(&mut cursor)?;
            )*
            cursor.end()?;
            let row = Row { $($name),* };
            row.constraint_violation().is_none().then_some(row)
        }
    };
}
ticket_columns!(read_row);

/// A position in a line.
pub(crate) struct Cursor<'a, const N_SPACES: usize> {
    line: &'a [u8],
    at: usize,
    /// Byte before the next member: the brace before the first, a comma before all others.
    separator: u8,
}

impl<'a, const N_SPACES: usize> Cursor<'a, N_SPACES> {
    #[inline(always)]
    fn take(&mut self, byte: u8) -> Option<()> {
        let is_next = self.line.get(self.at) == Some(&byte);
        self.at += 1;
        is_next.then_some(())
    }

    /// Consumes the separator and the name before a value, with the spaces after them.
    #[inline(always)]
    fn member_name(&mut self, name: &[u8]) -> Option<()> {
        self.take(self.separator)?;
        if self.separator == b',' {
            self.take_spaces()?;
        }
        self.separator = b',';
        let is_next = self.line.get(self.at..)?.starts_with(name);
        self.at += name.len();
        is_next.then_some(())?;
        self.take_spaces()
    }

    #[inline(always)]
    fn take_spaces(&mut self) -> Option<()> {
        (0..N_SPACES).try_for_each(|_| self.take(b' '))
    }

    /// Reads a text of `N` bytes, without looking at them.
    #[inline(always)]
    pub(crate) fn quoted<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        self.take(b'"')?;
        let text = self.line.get(self.at..)?.first_chunk()?;
        self.at += N;
        self.take(b'"')?;
        Some(text)
    }

    #[inline(always)]
    pub(crate) fn timestamp(&mut self) -> Option<DateTime> {
        DateTime::parse_common(self.quoted()?)
    }

    #[inline(always)]
    pub(crate) fn string_enum<T: StringEnum>(&mut self, table: &EnumTable<T>) -> Option<T> {
        self.take(b'"')?;
        let (value, n_bytes) = table.find_at_start(chunk_at(self.line, self.at)?)?;
        self.at += n_bytes + 1;
        Some(value)
    }

    #[inline(always)]
    pub(crate) fn text(&mut self) -> Option<Text<'a>> {
        self.take(b'"')?;
        let start = self.at;
        let (n_bytes, are_ascii) = plain_bytes(self.line, start);
        self.at += n_bytes;
        let text = &self.line[start..self.at];
        self.take(b'"')?;
        Text::from_utf8(text, are_ascii)
    }

    /// Reads an integer of four digits.
    #[inline(always)]
    pub(crate) fn year(&mut self) -> Option<i32> {
        let digits: &[u8; 4] = self.line.get(self.at..)?.first_chunk()?;
        self.at += digits.len();
        let is_year = digits[0] != b'0' && digits.iter().all(u8::is_ascii_digit);
        is_year.then(|| digits.iter().fold(0, |year, digit| year * 10 + i32::from(digit - b'0')))
    }

    #[inline(always)]
    pub(crate) fn boolean(&mut self) -> Option<bool> {
        if self.word(b"true") { Some(true) } else { self.word(b"false").then_some(false) }
    }

    /// Consumes a word if it comes next.
    #[inline(always)]
    pub(crate) fn word<const N: usize>(&mut self, word: &[u8; N]) -> bool {
        let is_next = self.line.get(self.at..).and_then(<[u8]>::first_chunk) == Some(word);
        self.at += if is_next { N } else { 0 };
        is_next
    }

    /// Consumes the closing brace; only the carriage return of a CRLF may follow it.
    #[inline(always)]
    fn end(&mut self) -> Option<()> {
        self.take(b'}')?;
        matches!(self.line.get(self.at..)?, b"" | b"\r").then_some(())
    }
}
