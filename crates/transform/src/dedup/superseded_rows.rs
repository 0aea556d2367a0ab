//! Rows that give way to another state of the same ticket: which they are, a bit for each.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::decode::Market;

/// Where a row was met. Later ones are greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// In a file of the data set that is there already: its number.
    Stored(u32),
    /// In the input, in this market.
    Input(Market),
}

/// Marked rows.
#[derive(Clone, Debug, Default)]
pub struct SupersededRows {
    by_origin: BTreeMap<Origin, Bits>,
    /// How many of the input's rows have been asked for, in each market.
    n_asked: BTreeMap<Market, u64>,
}

/// As long as the last marked row asks for.
#[derive(Clone, Debug, Default)]
struct Bits(Vec<u64>);

impl SupersededRows {
    /// Marks row `row` of an origin, from 0.
    pub fn mark(&mut self, origin: Origin, row: u64) {
        self.by_origin.entry(origin).or_default().set(row);
    }

    /// Whether no row of an origin is marked.
    pub fn none_in(&self, origin: Origin) -> bool {
        !self.by_origin.contains_key(&origin)
    }

    /// Calls `keep` with those of the first `n_rows` rows of an origin that aren't marked, in runs; returns how many are.
    pub fn kept_of(&self, origin: Origin, rows: Range<u64>, mut keep: impl FnMut(Range<usize>)) -> u64 {
        let n_rows = (rows.end - rows.start) as usize;
        let Some(marked) = self.by_origin.get(&origin) else {
            keep(0..n_rows);
            return 0;
        };
        let mut n_marked = 0;
        let mut start = 0;
        for row in 0..n_rows {
            if marked.get(rows.start + row as u64) {
                n_marked += 1;
                if start < row {
                    keep(start..row);
                }
                start = row + 1;
            }
        }
        if start < n_rows {
            keep(start..n_rows);
        }
        n_marked
    }

    /// The same for the next `n_rows` rows of a market of the input.
    pub fn kept(&mut self, market: Market, n_rows: usize, keep: impl FnMut(Range<usize>)) -> u64 {
        let n_asked = self.n_asked.entry(market).or_default();
        let rows = *n_asked..*n_asked + n_rows as u64;
        *n_asked = rows.end;
        self.kept_of(Origin::Input(market), rows, keep)
    }
}

impl Bits {
    fn set(&mut self, place: u64) {
        let word = (place / 64) as usize;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (place % 64);
    }

    fn get(&self, place: u64) -> bool {
        self.0.get((place / 64) as usize).is_some_and(|word| word >> (place % 64) & 1 == 1)
    }
}
