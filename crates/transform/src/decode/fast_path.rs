//! Reads a line that is written as nearly all are: each field in the contract's order, either no spaces or one behind each
//! comma and colon, no escapes, times like `2026-11-22T08:30:00Z`.
//!
//! It takes good lines only, and says nothing about others: what it doesn't take is read again, with an open mind, by
//! [`fields`](crate::decode::fields). Because it knows what to expect it can look at many bytes at once, check a value's syntax
//! and meaning in one go, and leave next to nothing for the processor to guess.

use ticket_schema::enums::StringEnum;

use crate::decode::EnumTables;
use crate::decode::enum_table::EnumTable;
use crate::decode::field_names::NAMES;
use crate::decode::row::{Market, Row, Text};
use crate::decode::swar::{chunk_at, plain_bytes};
use crate::decode::timestamp::DateTime;
use crate::decode::uuid_text;

/// The row of a line that is written as usual, or `None` if it isn't or breaks the contract.
#[inline(always)]
pub(crate) fn read<'a>(line: &'a [u8], texts: &EnumTables) -> Option<Row<'a>> {
    // Where spaces would stand is decided once for the whole line, so that no place in it has to wait for a byte before it.
    if line.get(NAMES[0][0].n_bytes + 1) == Some(&b' ') {
        read_row::<1>(line, texts)
    } else {
        read_row::<0>(line, texts)
    }
}

#[inline(always)]
fn read_row<'a, const N_SPACES: usize>(line: &'a [u8], texts: &EnumTables) -> Option<Row<'a>> {
    let mut cursor = Cursor::<N_SPACES> { line, at: 0 };
    cursor.take(b'{')?;
    let ticket_id = uuid_text::parse(cursor.field(0)?.of_width()?)?;
    let created_at = cursor.field(1)?.moment()?;
    let updated_at = cursor.field(2)?.moment()?;
    let resolved_at = if cursor.field(3)?.word(b"null") { None } else { Some(cursor.moment()?) };
    let severity = cursor.field(4)?.fixed_text(&texts.severity)?;
    let status = cursor.field(5)?.fixed_text(&texts.status)?;
    let category = cursor.field(6)?.fixed_text(&texts.category)?;
    let channel = cursor.field(7)?.fixed_text(&texts.channel)?;
    let market = Market::parse(*cursor.field(8)?.of_width()?)?;
    let dealer_id = cursor.field(9)?.name()?;
    let customer_id = cursor.field(10)?.name()?;
    let vin_last6 = cursor.field(11)?.name()?;
    let model_series = cursor.field(12)?.name()?;
    let model_year = cursor.field(13)?.year()?;
    let sla_breached = cursor.field(14)?.boolean()?;
    cursor.end()?;
    let row = Row {
        ticket_id,
        created_at,
        updated_at,
        resolved_at,
        severity,
        status,
        category,
        channel,
        market,
        dealer_id,
        customer_id,
        vin_last6,
        model_series,
        model_year,
        sla_breached,
    };
    row.constraint_violation().is_none().then_some(row)
}

/// A place in a line.
struct Cursor<'a, const N_SPACES: usize> {
    line: &'a [u8],
    at: usize,
}

impl<'a, const N_SPACES: usize> Cursor<'a, N_SPACES> {
    #[inline(always)]
    fn take(&mut self, byte: u8) -> Option<()> {
        let is_next = self.line.get(self.at) == Some(&byte);
        self.at += 1;
        is_next.then_some(())
    }

    /// Steps over what precedes a field's value.
    #[inline(always)]
    fn field(&mut self, place: usize) -> Option<&mut Self> {
        if place > 0 {
            self.take(b',')?;
            for _ in 0..N_SPACES {
                self.take(b' ')?;
            }
        }
        self.at += NAMES[N_SPACES][place].n_bytes_at(self.line, self.at)?;
        Some(self)
    }

    /// A text of `N` bytes, whatever they are.
    #[inline(always)]
    fn of_width<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        self.take(b'"')?;
        let text = self.line.get(self.at..)?.first_chunk()?;
        self.at += N;
        self.take(b'"')?;
        Some(text)
    }

    #[inline(always)]
    fn moment(&mut self) -> Option<DateTime> {
        DateTime::parse_common(self.of_width()?)
    }

    #[inline(always)]
    fn fixed_text<T: StringEnum>(&mut self, texts: &EnumTable<T>) -> Option<T> {
        self.take(b'"')?;
        let (value, n_bytes) = texts.find_at_start(chunk_at(self.line, self.at)?)?;
        self.at += n_bytes + 1;
        Some(value)
    }

    #[inline(always)]
    fn name(&mut self) -> Option<Text<'a>> {
        self.take(b'"')?;
        let start = self.at;
        let (n_bytes, are_ascii) = plain_bytes(self.line, start);
        self.at += n_bytes;
        let text = &self.line[start..self.at];
        self.take(b'"')?;
        Text::from_utf8(text, are_ascii)
    }

    /// A year of four digits.
    #[inline(always)]
    fn year(&mut self) -> Option<i32> {
        let digits: &[u8; 4] = self.line.get(self.at..)?.first_chunk()?;
        self.at += digits.len();
        let is_year = digits[0] != b'0' && digits.iter().all(u8::is_ascii_digit);
        is_year.then(|| digits.iter().fold(0, |year, digit| year * 10 + i32::from(digit - b'0')))
    }

    #[inline(always)]
    fn boolean(&mut self) -> Option<bool> {
        if self.word(b"true") { Some(true) } else { self.word(b"false").then_some(false) }
    }

    /// Steps over a word, if it comes next.
    #[inline(always)]
    fn word<const N: usize>(&mut self, word: &[u8; N]) -> bool {
        let is_next = self.line.get(self.at..).and_then(<[u8]>::first_chunk) == Some(word);
        self.at += if is_next { N } else { 0 };
        is_next
    }

    /// The line's last bracket, and nothing behind it but the return of a line that ends as on Windows.
    #[inline(always)]
    fn end(&mut self) -> Option<()> {
        self.take(b'}')?;
        matches!(self.line.get(self.at..)?, b"" | b"\r").then_some(())
    }
}
