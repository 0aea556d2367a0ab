//! Rows wait, market by market, until there are enough of them for a row group.
//!
//! Where a row group ends depends on the input alone: it is full, or all that wait together take too much memory.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::decode::Market;
use crate::parquet_file::MAX_ROW_GROUP_ROWS;
use crate::rows::Rows;

/// How many bytes may wait in all markets together. Beyond it the market with most of them gives a row group as it is.
const MAX_WAITING_BYTES: usize = 160 << 20;

/// A market's rows that belong together.
#[derive(Debug)]
pub struct RowGroup {
    /// The market.
    pub market: Market,
    /// Its number among those of the market, from 0.
    pub number: u64,
    /// The rows, as they were read.
    pub rows: Rows,
}

/// The rows that wait.
#[derive(Debug, Default)]
pub struct Partitions {
    by_market: BTreeMap<Market, Partition>,
    waiting_bytes: usize,
}

#[derive(Debug, Default)]
struct Partition {
    waiting: Rows,
    n_row_groups: u64,
}

impl Partitions {
    /// Takes some rows of a market, and adds the row groups that are full by then to `full`.
    pub fn take(&mut self, market: Market, rows: &Rows, mut range: Range<usize>, full: &mut Vec<RowGroup>) {
        let partition = self.by_market.entry(market).or_default();
        while !range.is_empty() {
            let room = MAX_ROW_GROUP_ROWS - partition.waiting.len();
            let fitting = range.start..range.end.min(range.start + room);
            range.start = fitting.end;
            let before = partition.waiting.n_bytes();
            partition.waiting.append(rows, fitting);
            self.waiting_bytes += partition.waiting.n_bytes() - before;
            if partition.waiting.len() == MAX_ROW_GROUP_ROWS {
                self.waiting_bytes -= partition.waiting.n_bytes();
                full.push(partition.give(market));
            }
        }
        if self.waiting_bytes > MAX_WAITING_BYTES {
            full.extend(self.pop_fullest());
        }
    }

    /// The market with most rows gives them as a row group.
    pub fn pop_fullest(&mut self) -> Option<RowGroup> {
        let (market, fullest) = self.by_market.iter_mut().max_by_key(|(_, partition)| partition.waiting.n_bytes())?;
        if fullest.waiting.is_empty() {
            return None;
        }
        self.waiting_bytes -= fullest.waiting.n_bytes();
        Some(fullest.give(*market))
    }
}

impl Partition {
    /// Gives all rows, with their memory: kept for the next ones, that of a full row group would lie idle in every market.
    fn give(&mut self, market: Market) -> RowGroup {
        self.n_row_groups += 1;
        RowGroup { market, number: self.n_row_groups - 1, rows: std::mem::take(&mut self.waiting) }
    }
}
