//! Superseded rows: a bitmap of the rows that a later state of the same ticket replaces.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::rows::row::Market;

/// The origin of a row. Origins are ordered by the time at which their rows are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// An existing file, by its index.
    Stored(u32),
    /// The rows of a market in the input.
    Input(Market),
}

/// A bitmap of superseded rows for each origin.
#[derive(Clone, Debug, Default)]
pub struct SupersededRows {
    by_origin: BTreeMap<Origin, Bitmap>,
    /// The number of input rows of each market that [`for_each_kept_input`](Self::for_each_kept_input) has visited.
    n_visited: BTreeMap<Market, u64>,
}

/// A bitmap that grows to the highest bit set.
#[derive(Clone, Debug, Default)]
struct Bitmap(Vec<u64>);

impl SupersededRows {
    /// Marks a row of an origin, counted from 0, as superseded.
    pub fn mark(&mut self, origin: Origin, row: u64) {
        self.by_origin.entry(origin).or_default().set(row);
    }

    /// Returns true if no row of an origin is superseded.
    pub fn is_empty_in(&self, origin: Origin) -> bool {
        !self.by_origin.contains_key(&origin)
    }

    /// Calls `keep` with each run of rows in a range of an origin that are not superseded, relative to the range's start.
    /// Returns the number of superseded rows in the range.
    pub fn for_each_kept(&self, origin: Origin, rows: Range<u64>, mut keep: impl FnMut(Range<usize>)) -> u64 {
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

    /// Calls `keep` as [`for_each_kept`](Self::for_each_kept) does, for the next `n_rows` input rows of a market.
    pub fn for_each_kept_input(&mut self, market: Market, n_rows: usize, keep: impl FnMut(Range<usize>)) -> u64 {
        let n_visited = self.n_visited.entry(market).or_default();
        let rows = *n_visited..*n_visited + n_rows as u64;
        *n_visited = rows.end;
        self.for_each_kept(Origin::Input(market), rows, keep)
    }
}

impl Bitmap {
    fn set(&mut self, index: u64) {
        let word = (index / 64) as usize;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (index % 64);
    }

    fn get(&self, index: u64) -> bool {
        self.0.get((index / 64) as usize).is_some_and(|word| word >> (index % 64) & 1 == 1)
    }
}
