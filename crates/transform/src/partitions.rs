//! Rows wait, market by market, until there are enough of them for a row group.
//!
//! Where a row group ends depends on the input alone: it is full, or all that wait together take too much memory.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use crate::decode::Market;
use crate::parquet_file::MAX_ROW_GROUP_ROWS;
use crate::rows::Rows;

/// How many bytes may wait in all markets together. Beyond it the market with most of them gives a row group as it is.
const MAX_WAITING_BYTES: usize = 160 << 20;

/// How many rows a block has. So few that half a block in each of many markets is little memory, so many that its columns are
/// copied at full speed.
const BLOCK_ROWS: usize = 1024;

/// A block that takes more, four times the usual, has long texts. It isn't used again: in the end each market might have one.
const MAX_BYTES_KEPT: usize = 400 << 10;

/// A market's rows that belong together.
#[derive(Debug)]
pub struct RowGroup {
    /// The market.
    pub market: Market,
    /// Its number among those of the market, from 0.
    pub number: u64,
    /// The rows, as they were read.
    pub blocks: Vec<Rows>,
}

/// The rows that wait.
#[derive(Debug, Default)]
pub struct Partitions {
    by_market: BTreeMap<Market, Partition>,
    waiting_bytes: usize,
}

#[derive(Debug, Default)]
struct Partition {
    /// All but the last are full.
    blocks: Vec<Rows>,
    n_rows: usize,
    n_bytes: usize,
    n_row_groups: u64,
}

/// Blocks without rows. Their memory goes round among all markets and threads, so that the kernel needn't give new pages all the
/// time, which takes longer than filling them.
#[derive(Debug, Default)]
pub struct Emptied(Mutex<Vec<Rows>>);

impl Partitions {
    /// Takes some rows of a market, and adds the row groups that are full by then to `full`.
    pub fn take(
        &mut self,
        market: Market,
        rows: &Rows,
        mut range: Range<usize>,
        emptied: &Emptied,
        full: &mut Vec<RowGroup>,
    ) {
        let partition = self.by_market.entry(market).or_default();
        while !range.is_empty() {
            let n_bytes_before = partition.n_bytes;
            range.start = partition.append(rows, range.clone(), emptied);
            self.waiting_bytes += partition.n_bytes - n_bytes_before;
            if partition.n_rows == MAX_ROW_GROUP_ROWS {
                self.waiting_bytes -= partition.n_bytes;
                full.push(partition.give(market));
            }
        }
        if self.waiting_bytes > MAX_WAITING_BYTES {
            full.extend(self.pop_fullest());
        }
    }

    /// The market with most rows gives them as a row group.
    pub fn pop_fullest(&mut self) -> Option<RowGroup> {
        let (market, fullest) = self.by_market.iter_mut().max_by_key(|(_, partition)| partition.n_bytes)?;
        if fullest.n_rows == 0 {
            return None;
        }
        self.waiting_bytes -= fullest.n_bytes;
        Some(fullest.give(*market))
    }
}

impl Partition {
    /// Takes as many of the rows as fit in a block; returns where the others begin.
    fn append(&mut self, rows: &Rows, range: Range<usize>, emptied: &Emptied) -> usize {
        let n_in_last = self.n_rows % BLOCK_ROWS;
        if n_in_last == 0 {
            self.blocks.push(emptied.get());
        }
        let fitting = range.start..range.end.min(range.start + BLOCK_ROWS - n_in_last);
        let end = fitting.end;
        if let Some(block) = self.blocks.last_mut() {
            let n_bytes_before = block.n_bytes();
            self.n_rows += fitting.len();
            block.append(rows, fitting);
            self.n_bytes += block.n_bytes() - n_bytes_before;
        }
        end
    }

    fn give(&mut self, market: Market) -> RowGroup {
        self.n_row_groups += 1;
        (self.n_rows, self.n_bytes) = (0, 0);
        RowGroup { market, number: self.n_row_groups - 1, blocks: std::mem::take(&mut self.blocks) }
    }
}

impl Emptied {
    /// Memory for a block.
    fn get(&self) -> Rows {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_else(|| Rows::with_capacity(BLOCK_ROWS))
    }

    /// Takes blocks whose rows are no longer needed.
    pub fn take_back(&self, mut blocks: Vec<Rows>) {
        blocks.retain(|block| block.n_bytes() <= MAX_BYTES_KEPT);
        blocks.iter_mut().for_each(Rows::clear);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).append(&mut blocks);
    }
}
