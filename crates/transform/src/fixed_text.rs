//! Finds the contract's fixed texts without a branch on what they say.
//!
//! Comparing a text with one after the other would have the processor guess each time, and it guesses wrong as often as the
//! texts vary. Here the text picks the one text that it can be, and is compared with that.

use ticket_schema::vocabulary::FixedText;

use crate::json::{Span, chunk_at};

/// The longest fixed text in bytes; its length fits behind it in 16 bytes.
const MAX_BYTES: usize = 15;

const N_SLOTS: usize = 16;

/// The texts of a field, each in a slot of its own.
#[derive(Debug)]
pub(crate) struct FixedTextTable<T> {
    /// Each text's [`key`], and its value.
    slots: [(u128, Option<T>); N_SLOTS],
    /// With it no two texts share a slot.
    multiplier: u64,
}

impl<T: FixedText> FixedTextTable<T> {
    pub(crate) fn new() -> Self {
        // One in a few dozen multipliers will do for ten texts.
        (0_u64..).find_map(|n| Self::with((2 * n + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15))).unwrap_or_else(Self::empty)
    }

    const fn empty() -> Self {
        Self { slots: [(0, None); N_SLOTS], multiplier: 0 }
    }

    fn with(multiplier: u64) -> Option<Self> {
        let mut table = Self { multiplier, ..Self::empty() };
        for value in T::VALUES {
            let text = value.text().as_bytes();
            let key = key(text, Span { start: 0, end: text.len() })?;
            let slot = &mut table.slots[slot(key, multiplier)];
            if slot.1.is_some() {
                return None;
            }
            *slot = (key, Some(*value));
        }
        Some(table)
    }

    /// The value whose text is at `span` of `bytes`.
    #[inline(always)]
    pub(crate) fn find(&self, bytes: &[u8], span: Span) -> Option<T> {
        let key = key(bytes, span)?;
        let (candidate, value) = self.slots[slot(key, self.multiplier)];
        if candidate == key { value } else { None }
    }
}

/// A short text as a number: its bytes, and its length as the last of 16.
#[inline(always)]
fn key(bytes: &[u8], span: Span) -> Option<u128> {
    let n_bytes = span.end - span.start;
    if n_bytes > MAX_BYTES {
        return None;
    }
    let chunk = chunk_at(bytes, span.start).map_or_else(|| padded(&bytes[span.start..]), |chunk| *chunk);
    let text = u128::from_le_bytes(chunk) & ((1 << (8 * n_bytes)) - 1);
    Some(text | (n_bytes as u128) << (8 * MAX_BYTES))
}

/// The last bytes of a line, too few for a chunk.
#[cold]
fn padded(bytes: &[u8]) -> [u8; 16] {
    let mut chunk = [0; 16];
    chunk[..bytes.len()].copy_from_slice(bytes);
    chunk
}

#[inline(always)]
const fn slot(key: u128, multiplier: u64) -> usize {
    let folded = key as u64 ^ (key >> 64) as u64;
    (folded.wrapping_mul(multiplier) >> (u64::BITS - N_SLOTS.ilog2())) as usize
}

#[cfg(test)]
mod tests {
    use ticket_schema::vocabulary::{Category, Channel, FixedText, Market, Severity, Status};

    use super::FixedTextTable;
    use crate::json::Span;

    fn finds_its_own_texts_alone<T: FixedText + PartialEq>() {
        let table = FixedTextTable::<T>::new();
        let find = |before: &str, text: &str, after: &str| {
            let span = Span { start: before.len(), end: before.len() + text.len() };
            table.find(format!("{before}{text}{after}").as_bytes(), span)
        };
        for value in T::VALUES {
            let text = value.text();
            for (before, after) in [("", ""), ("\"", "\""), ("", "\",\"channel\":\"Phone\"")] {
                assert_eq!(find(before, text, after), Some(*value));
                assert_eq!(find(before, &text[1..], after), None);
                assert_eq!(find(before, &text[..text.len() - 1], after), None);
                for more in ["\0", " ", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "                "] {
                    assert_eq!(find(before, &format!("{text}{more}"), after), None);
                }
            }
        }
        assert_eq!(find("", "", ""), None);
    }

    #[test]
    fn each_text_is_found_and_nothing_else() {
        finds_its_own_texts_alone::<Severity>();
        finds_its_own_texts_alone::<Status>();
        finds_its_own_texts_alone::<Category>();
        finds_its_own_texts_alone::<Channel>();
        finds_its_own_texts_alone::<Market>();
    }
}
