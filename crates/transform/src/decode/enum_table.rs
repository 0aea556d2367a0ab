//! Perfect hash tables for the texts of enums.
//!
//! Comparing a text with each candidate in turn would mispredict a branch as often as the texts vary. Here the first bytes
//! select the only candidate, and the text is compared with it as one 16-byte number.
//!
//! The tables are built at compile time. An enum text that does not fit fails to compile, and the message says what to
//! change.

use ticket_schema::enums::StringEnum;

/// Number of leading bytes that select a slot: as many as the shortest text has with its closing quote.
const PREFIX_BYTES: usize = 3;

const N_SLOTS: usize = 16;

/// Longest text of an enum, in bytes: with its closing quote it must fit into a chunk of 16 bytes.
const MAX_ENUM_TEXT_BYTES: usize = 15;

/// Number of multipliers to try. One in thirty keeps ten texts apart.
const MAX_TRIES: u32 = 2_000;

/// The table of an enum's texts.
pub(crate) trait HasEnumTable: StringEnum {
    const TABLE: EnumTable<Self>;
}

impl<T: StringEnum> HasEnumTable for T {
    const TABLE: EnumTable<T> = EnumTable::new();
}

/// The texts of an enum, each in a slot of its own.
#[derive(Debug)]
pub(crate) struct EnumTable<T> {
    slots: [Option<Slot<T>>; N_SLOTS],
    /// Multiplier of the hash, under which no two texts share a slot.
    multiplier: u32,
}

#[derive(Clone, Copy, Debug)]
struct Slot<T> {
    /// The text with its closing quote, padded with zeros.
    bytes: u128,
    mask: u128,
    /// Length without the quote.
    n_bytes: usize,
    value: T,
}

impl<T: StringEnum> EnumTable<T> {
    const fn new() -> Self {
        assert!(
            T::TEXTS.len() <= N_SLOTS,
            "an enum has more texts than a table has slots: raise N_SLOTS in transform/src/decode/enum_table.rs"
        );
        let mut n = 1;
        while n < MAX_TRIES {
            if let Some(table) = Self::with_multiplier(n.wrapping_mul(0x9E37_79B9)) {
                return table;
            }
            n += 1;
        }
        panic!(
            "no multiplier keeps the texts of an enum apart: two may begin with the same 3 bytes; raise N_SLOTS or PREFIX_BYTES in \
             transform/src/decode/enum_table.rs"
        )
    }

    const fn with_multiplier(multiplier: u32) -> Option<Self> {
        let mut table = Self { slots: [None; N_SLOTS], multiplier };
        let mut i = 0;
        while i < T::TEXTS.len() {
            let Some(chunk) = quoted(T::TEXTS[i]) else {
                panic!(
                    "an enum text is longer than 15 bytes: compare wider chunks in transform/src/decode/enum_table.rs"
                )
            };
            let slot = table.slot(chunk);
            if table.slots[slot].is_some() {
                return None;
            }
            let n_bytes = T::TEXTS[i].len();
            let mask = u128::MAX >> (8 * (MAX_ENUM_TEXT_BYTES - n_bytes));
            table.slots[slot] = Some(Slot { bytes: u128::from_le_bytes(chunk), mask, n_bytes, value: T::VALUES[i] });
            i += 1;
        }
        Some(table)
    }

    /// Returns the value of a text.
    pub(crate) fn find(&self, text: &str) -> Option<T> {
        let (value, n_bytes) = self.find_at_start(&quoted(text)?)?;
        (n_bytes == text.len()).then_some(value)
    }

    /// Returns the value of the text at the start of a chunk, which a quote ends, and the text's length without the quote.
    #[inline(always)]
    pub(crate) fn find_at_start(&self, chunk: &[u8; 16]) -> Option<(T, usize)> {
        let slot = self.slots[self.slot(*chunk)].as_ref()?;
        let is_equal = u128::from_le_bytes(*chunk) & slot.mask == slot.bytes;
        is_equal.then_some((slot.value, slot.n_bytes))
    }

    #[inline(always)]
    const fn slot(&self, chunk: [u8; 16]) -> usize {
        let prefix = u128::from_le_bytes(chunk) as u32 & (u32::MAX >> (8 * (4 - PREFIX_BYTES)));
        (prefix.wrapping_mul(self.multiplier) >> (u32::BITS - N_SLOTS.ilog2())) as usize
    }
}

/// Returns a text with its closing quote, padded with zeros; `None` if it is too long.
const fn quoted(text: &str) -> Option<[u8; 16]> {
    let text = text.as_bytes();
    if text.len() > MAX_ENUM_TEXT_BYTES {
        return None;
    }
    let mut chunk = [0; 16];
    let mut i = 0;
    while i < text.len() {
        chunk[i] = text[i];
        i += 1;
    }
    chunk[i] = b'"';
    Some(chunk)
}

#[cfg(test)]
mod tests {
    use ticket_schema::enums::{Category, Channel, Severity, Status, StringEnum};

    use super::{HasEnumTable, quoted};

    fn assert_finds_only_its_texts<T: StringEnum + PartialEq>() {
        let table = &T::TABLE;
        for value in T::VALUES {
            let text = value.text();
            assert_eq!(table.find(text), Some(*value));
            assert_eq!(table.find(&text[1..]), None);
            assert_eq!(table.find(&text[..text.len() - 1]), None);
            for more in ["\0", " ", "\"", "\",\"", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "                "] {
                assert_eq!(table.find(&format!("{text}{more}")), None);
            }
            let mut chunk = quoted(text).unwrap();
            chunk[text.len() + 1..].fill(b'x');
            assert_eq!(table.find_at_start(&chunk), Some((*value, text.len())));
            for index in 0..=text.len() {
                chunk[index] ^= 1;
                assert_eq!(table.find_at_start(&chunk).filter(|(other, _)| other == value), None);
                chunk[index] ^= 1;
            }
        }
        assert_eq!(table.find(""), None);
    }

    #[test]
    fn finds_each_text_and_nothing_else() {
        assert_finds_only_its_texts::<Severity>();
        assert_finds_only_its_texts::<Status>();
        assert_finds_only_its_texts::<Category>();
        assert_finds_only_its_texts::<Channel>();
    }
}
