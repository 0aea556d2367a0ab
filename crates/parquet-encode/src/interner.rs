//! Finds the distinct texts of a column.

use crate::partition::columns::Texts;

/// The most texts in a dictionary; with more of them, codes are hardly shorter than texts.
const MAX_DISTINCT: usize = 1 << 16;

/// If more than half of so many rows are distinct, the rest isn't looked at.
const SAMPLE_ROWS: usize = 4096;

/// An odd number without a pattern in its bits: 2^64 divided by the golden ratio (Knuth, TAOCP 3, 6.4).
const MIX: u64 = 0x9E37_79B9_7F4A_7C15;

/// A hash table of texts by open addressing.
#[derive(Default)]
pub(super) struct Interner {
    /// One more than a place in `entries`, or 0. The length is a power of two.
    slots: Vec<u32>,
    entries: Vec<Entry>,
}

/// A text where it was first seen.
struct Entry {
    key: Key,
    start: u32,
    end: u32,
}

/// The first and last bytes of a text, and its length: all of it, if it has no more than 16 bytes. Of a longer one, what lies
/// between is mixed into `tail`, so that texts that differ there alone don't crowd in one place.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Key {
    head: u64,
    tail: u64,
    n_bytes: u32,
}

impl Interner {
    /// The distinct texts in order, and for each row the place of its own among them; or `None` if the texts themselves
    /// take less room.
    pub(super) fn codes(&mut self, texts: &Texts, codes: &mut Vec<u16>) -> Option<Vec<Vec<u8>>> {
        codes.clear();
        codes.reserve(texts.lengths.len());
        self.entries.clear();
        self.slots.clear();
        self.slots.resize(1024, 0);
        let mut start = 0;
        for (row, n_bytes) in texts.lengths.iter().enumerate() {
            if row == SAMPLE_ROWS && self.entries.len() > SAMPLE_ROWS / 2 {
                return None;
            }
            let end = start + u32::from(*n_bytes);
            codes.push(self.code(&texts.bytes, start, end)?);
            start = end;
        }
        self.pays(texts).then(|| self.sort(texts, codes))
    }

    /// The code of a text, or `None` if there are too many.
    fn code(&mut self, bytes: &[u8], start: u32, end: u32) -> Option<u16> {
        let key = Key::of(bytes, start as usize, end as usize);
        let mask = self.slots.len() - 1;
        let mut place = key.hash() as usize & mask;
        while self.slots[place] != 0 {
            let code = self.slots[place] - 1;
            let entry = &self.entries[code as usize];
            let is_same = entry.key == key
                && (key.n_bytes <= 16
                    || bytes[entry.start as usize..entry.end as usize] == bytes[start as usize..end as usize]);
            if is_same {
                return Some(code as u16);
            }
            place = (place + 1) & mask;
        }
        if self.entries.len() == MAX_DISTINCT {
            return None;
        }
        let code = self.entries.len();
        self.entries.push(Entry { key, start, end });
        self.slots[place] = code as u32 + 1;
        if 2 * self.entries.len() > self.slots.len() {
            self.grow();
        }
        Some(code as u16)
    }

    fn grow(&mut self) {
        let n_slots = 2 * self.slots.len();
        self.slots.clear();
        self.slots.resize(n_slots, 0);
        for (code, entry) in self.entries.iter().enumerate() {
            let mut place = entry.key.hash() as usize & (n_slots - 1);
            while self.slots[place] != 0 {
                place = (place + 1) & (n_slots - 1);
            }
            self.slots[place] = code as u32 + 1;
        }
    }

    fn pays(&self, texts: &Texts) -> bool {
        let width = super::hybrid::code_width(self.entries.len().saturating_sub(1) as u16);
        let dictionary: usize = self.entries.iter().map(|entry| 4 + (entry.end - entry.start) as usize).sum();
        dictionary + texts.lengths.len() * width as usize / 8 < texts.bytes.len()
    }

    fn sort(&self, texts: &Texts, codes: &mut [u16]) -> Vec<Vec<u8>> {
        let text = |code: u16| {
            let entry = &self.entries[usize::from(code)];
            &texts.bytes[entry.start as usize..entry.end as usize]
        };
        let mut in_order: Vec<u16> = (0..self.entries.len()).map(|code| code as u16).collect();
        in_order.sort_unstable_by_key(|code| text(*code));
        let mut places = vec![0; in_order.len()];
        for (place, code) in in_order.iter().enumerate() {
            places[usize::from(*code)] = place as u16;
        }
        for code in codes {
            *code = places[usize::from(*code)];
        }
        in_order.into_iter().map(|code| text(code).to_vec()).collect()
    }
}

impl Key {
    fn of(bytes: &[u8], start: usize, end: usize) -> Self {
        let n_bytes = end - start;
        // Both words hold nothing but the text, whatever lies before and behind it; without a branch, as lengths vary.
        let n_others = 64 - 8 * n_bytes.min(8) as u32;
        let head = bytes.get(start..start + 8).and_then(<[u8]>::first_chunk);
        let tail = bytes[..end].last_chunk();
        if n_bytes > 16 {
            return Self::of_long(&bytes[start..end]);
        }
        let (Some(head), Some(tail)) = (head, tail) else { return Self::at_an_end(&bytes[start..end]) };
        Self {
            head: u64::from_le_bytes(*head).checked_shl(n_others).unwrap_or(0),
            tail: u64::from_le_bytes(*tail).checked_shr(n_others).unwrap_or(0),
            n_bytes: n_bytes as u32,
        }
    }

    fn of_long(text: &[u8]) -> Self {
        let words = text.as_chunks::<8>().0.iter().chain(text.last_chunk());
        let tail =
            words.fold(0_u64, |mixed, word| (mixed ^ u64::from_le_bytes(*word)).wrapping_mul(MIX).rotate_left(29));
        let head = text.first_chunk().map_or(0, |head| u64::from_le_bytes(*head));
        Self { head, tail, n_bytes: text.len() as u32 }
    }

    /// The same for a short text that has no eight bytes before its end, or none behind its start.
    fn at_an_end(text: &[u8]) -> Self {
        let n_bytes = text.len().min(8);
        let (mut head, mut tail) = ([0; 8], [0; 8]);
        head[8 - n_bytes..].copy_from_slice(&text[..n_bytes]);
        tail[..n_bytes].copy_from_slice(&text[text.len() - n_bytes..]);
        Self { head: u64::from_le_bytes(head), tail: u64::from_le_bytes(tail), n_bytes: text.len() as u32 }
    }

    const fn hash(self) -> u64 {
        let mixed = (self.head ^ self.tail.rotate_left(32) ^ self.n_bytes as u64).wrapping_mul(MIX);
        // The upper bits depend on all bits below them; the table takes the lower ones.
        mixed >> 32 ^ mixed >> 15
    }
}
