//! Finds the contract's fixed texts without a branch on what they say.
//!
//! Comparing a text with one after the other would have the processor guess each time, and it guesses wrong as often as the
//! texts vary. Here the first bytes pick the one text that it can be, and the whole is compared with that.

use ticket_schema::enums::StringEnum;

/// How many bytes pick a text: as many as the shortest has with its closing quote.
const N_PICKING: usize = 3;

const N_SLOTS: usize = 16;

/// The texts of a field, each in a slot of its own.
#[derive(Debug)]
pub(crate) struct EnumTable<T> {
    slots: [Option<Slot<T>>; N_SLOTS],
    /// With it no two texts share a slot.
    multiplier: u32,
}

#[derive(Clone, Copy, Debug)]
struct Slot<T> {
    /// A text with its closing quote, and zeros.
    bytes: u128,
    mask: u128,
    /// Without the quote.
    n_bytes: usize,
    value: T,
}

impl<T: StringEnum> EnumTable<T> {
    pub(crate) fn new() -> Self {
        // About one in thirty multipliers keeps ten texts apart.
        (1..u32::MAX).find_map(|n| Self::with(n.wrapping_mul(0x9E37_79B9))).unwrap_or_else(Self::empty)
    }

    const fn empty() -> Self {
        Self { slots: [None; N_SLOTS], multiplier: 0 }
    }

    fn with(multiplier: u32) -> Option<Self> {
        let mut table = Self { multiplier, ..Self::empty() };
        for value in T::VALUES {
            let chunk = quoted(value.text())?;
            let slot = &mut table.slots[table.slot(chunk)];
            if slot.is_some() {
                return None;
            }
            let n_bytes = value.text().len();
            let mask = u128::MAX >> (8 * (15 - n_bytes));
            *slot = Some(Slot { bytes: u128::from_le_bytes(chunk), mask, n_bytes, value: *value });
        }
        Some(table)
    }

    /// The value for a text.
    pub(crate) fn find(&self, text: &str) -> Option<T> {
        let (value, n_bytes) = self.find_at_start(&quoted(text)?)?;
        (n_bytes == text.len()).then_some(value)
    }

    /// The value for the text with which a chunk begins and which a quote ends, and how many bytes it has without the quote.
    #[inline(always)]
    pub(crate) fn find_at_start(&self, chunk: &[u8; 16]) -> Option<(T, usize)> {
        let slot = self.slots[self.slot(*chunk)].as_ref()?;
        let is_equal = u128::from_le_bytes(*chunk) & slot.mask == slot.bytes;
        is_equal.then_some((slot.value, slot.n_bytes))
    }

    #[inline(always)]
    fn slot(&self, chunk: [u8; 16]) -> usize {
        let picking = u128::from_le_bytes(chunk) as u32 & (u32::MAX >> (8 * (4 - N_PICKING)));
        (picking.wrapping_mul(self.multiplier) >> (u32::BITS - N_SLOTS.ilog2())) as usize
    }
}

/// A short text with its closing quote, and zeros.
fn quoted(text: &str) -> Option<[u8; 16]> {
    let mut chunk = [0; 16];
    *chunk.get_mut(text.len())? = b'"';
    chunk[..text.len()].copy_from_slice(text.as_bytes());
    Some(chunk)
}

#[cfg(test)]
mod tests {
    use ticket_schema::enums::{Category, Channel, Severity, Status, StringEnum};

    use super::{EnumTable, quoted};

    fn finds_its_own_texts_alone<T: StringEnum + PartialEq>() {
        let table = EnumTable::<T>::new();
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
            for place in 0..=text.len() {
                chunk[place] ^= 1;
                assert_eq!(table.find_at_start(&chunk).filter(|(other, _)| other == value), None);
                chunk[place] ^= 1;
            }
        }
        assert_eq!(table.find(""), None);
    }

    #[test]
    fn each_text_is_found_and_nothing_else() {
        finds_its_own_texts_alone::<Severity>();
        finds_its_own_texts_alone::<Status>();
        finds_its_own_texts_alone::<Category>();
        finds_its_own_texts_alone::<Channel>();
    }
}
