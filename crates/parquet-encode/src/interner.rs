//! The distinct strings of a column.

use crate::rle;
use crate::string_column::StringColumn;

/// The maximum number of strings in a dictionary; with more, codes are hardly shorter than the strings.
const MAX_DISTINCT: usize = 1 << 16;

/// The number of rows after which a column is given up as a dictionary, if more than half of them are distinct.
const SAMPLE_ROWS: usize = 4096;

/// The multiplier of Fibonacci hashing: 2^64 divided by the golden ratio (Knuth, TAOCP 3, 6.4).
const MIX: u64 = 0x9E37_79B9_7F4A_7C15;

/// A hash table of strings with open addressing.
#[derive(Default)]
pub(crate) struct Interner {
    /// One more than an index into `entries`, or 0 for an empty slot. The length is a power of two.
    slots: Vec<u32>,
    entries: Vec<Entry>,
}

/// A distinct string: its key and its first occurrence in the column's bytes.
struct Entry {
    key: Key,
    start: u32,
    end: u32,
}

/// The first and the last eight bytes of a string, and its length. Up to 16 bytes they determine the string; the bytes of a longer
/// one are hashed into `tail`, so that strings that differ only in the middle do not collide.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Key {
    head: u64,
    tail: u64,
    n_bytes: u32,
}

impl Interner {
    /// Returns the distinct strings in ascending order and sets `codes` to each row's index among them; returns `None` if the
    /// strings themselves are smaller.
    pub(crate) fn codes(&mut self, column: &StringColumn, codes: &mut Vec<u16>) -> Option<Vec<Vec<u8>>> {
        codes.clear();
        codes.reserve(column.lengths.len());
        self.entries.clear();
        self.slots.clear();
        self.slots.resize(1024, 0);
        let mut start = 0;
        for (row, n_bytes) in column.lengths.iter().enumerate() {
            if row == SAMPLE_ROWS && self.entries.len() > SAMPLE_ROWS / 2 {
                return None;
            }
            let end = start + u32::from(*n_bytes);
            codes.push(self.code(&column.bytes, start, end)?);
            start = end;
        }
        self.is_smaller(column).then(|| self.sort(column, codes))
    }

    /// Returns the code of a string, or `None` if there are too many.
    fn code(&mut self, bytes: &[u8], start: u32, end: u32) -> Option<u16> {
        let key = Key::of(bytes, start as usize, end as usize);
        let mask = self.slots.len() - 1;
        let mut slot = key.hash() as usize & mask;
        while self.slots[slot] != 0 {
            let code = self.slots[slot] - 1;
            let entry = &self.entries[code as usize];
            let is_same = entry.key == key
                && (key.n_bytes <= 16
                    || bytes[entry.start as usize..entry.end as usize] == bytes[start as usize..end as usize]);
            if is_same {
                return Some(code as u16);
            }
            slot = (slot + 1) & mask;
        }
        if self.entries.len() == MAX_DISTINCT {
            return None;
        }
        let code = self.entries.len();
        self.entries.push(Entry { key, start, end });
        self.slots[slot] = code as u32 + 1;
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
            let mut slot = entry.key.hash() as usize & (n_slots - 1);
            while self.slots[slot] != 0 {
                slot = (slot + 1) & (n_slots - 1);
            }
            self.slots[slot] = code as u32 + 1;
        }
    }

    /// Returns true if the dictionary and the codes are smaller than the strings.
    fn is_smaller(&self, column: &StringColumn) -> bool {
        let width = rle::code_width(self.entries.len().saturating_sub(1) as u16);
        let dictionary: usize = self.entries.iter().map(|entry| 4 + (entry.end - entry.start) as usize).sum();
        dictionary + column.lengths.len() * width as usize / 8 < column.bytes.len()
    }

    /// Renumbers the codes in the order of the strings, which are returned.
    fn sort(&self, column: &StringColumn, codes: &mut [u16]) -> Vec<Vec<u8>> {
        let string = |code: u16| {
            let entry = &self.entries[usize::from(code)];
            &column.bytes[entry.start as usize..entry.end as usize]
        };
        let mut sorted: Vec<u16> = (0..self.entries.len()).map(|code| code as u16).collect();
        sorted.sort_unstable_by_key(|code| string(*code));
        let mut ranks = vec![0; sorted.len()];
        for (rank, code) in sorted.iter().enumerate() {
            ranks[usize::from(*code)] = rank as u16;
        }
        for code in codes {
            *code = ranks[usize::from(*code)];
        }
        sorted.into_iter().map(|code| string(code).to_vec()).collect()
    }
}

impl Key {
    fn of(bytes: &[u8], start: usize, end: usize) -> Self {
        let n_bytes = end - start;
        // Both words are masked to the string's bytes by shifts, because a branch on the length would be mispredicted.
        let n_others = 64 - 8 * n_bytes.min(8) as u32;
        let head = bytes.get(start..start + 8).and_then(<[u8]>::first_chunk);
        let tail = bytes[..end].last_chunk();
        if n_bytes > 16 {
            return Self::of_long(&bytes[start..end]);
        }
        let (Some(head), Some(tail)) = (head, tail) else { return Self::near_end(&bytes[start..end]) };
        Self {
            head: u64::from_le_bytes(*head).checked_shl(n_others).unwrap_or(0),
            tail: u64::from_le_bytes(*tail).checked_shr(n_others).unwrap_or(0),
            n_bytes: n_bytes as u32,
        }
    }

    fn of_long(string: &[u8]) -> Self {
        let words = string.as_chunks::<8>().0.iter().chain(string.last_chunk());
        let tail =
            words.fold(0_u64, |mixed, word| (mixed ^ u64::from_le_bytes(*word)).wrapping_mul(MIX).rotate_left(29));
        let head = string.first_chunk().map_or(0, |head| u64::from_le_bytes(*head));
        Self { head, tail, n_bytes: string.len() as u32 }
    }

    /// Returns the key of a short string with fewer than eight bytes before its end or after its start in the buffer.
    fn near_end(string: &[u8]) -> Self {
        let n_bytes = string.len().min(8);
        let (mut head, mut tail) = ([0; 8], [0; 8]);
        head[8 - n_bytes..].copy_from_slice(&string[..n_bytes]);
        tail[..n_bytes].copy_from_slice(&string[string.len() - n_bytes..]);
        Self { head: u64::from_le_bytes(head), tail: u64::from_le_bytes(tail), n_bytes: string.len() as u32 }
    }

    const fn hash(self) -> u64 {
        let mixed = (self.head ^ self.tail.rotate_left(32) ^ self.n_bytes as u64).wrapping_mul(MIX);
        // The high bits of the product depend on all bits of the key, but the table uses the low bits.
        mixed >> 32 ^ mixed >> 15
    }
}
