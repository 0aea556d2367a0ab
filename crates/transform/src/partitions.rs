//! Rows wait, market by market, until there are enough of them for a row group.
//!
//! Where a row group ends depends on the input alone: it is full, or all that wait together take too much memory.

use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};
use std::sync::{Mutex, PoisonError};

use crate::decode::Market;
use crate::parquet_file::MAX_ROW_GROUP_ROWS;
use crate::rows::Rows;

/// How many bytes may wait for each market that has come, on average. With half a row group for each, nearly all get full.
const WAITING_BYTES_PER_MARKET: usize = 6 << 20;

/// How many bytes may wait in all markets together, however few or many they are. Beyond it the market with most of them gives a
/// row group as it is.
const WAITING_BYTES: RangeInclusive<usize> = 32 << 20..=160 << 20;

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
    }

    /// Adds row groups to `full` until what waits is within the budget. Once a batch and not once a market: each thread knows
    /// the markets in another order.
    pub fn relieve(&mut self, full: &mut Vec<RowGroup>) {
        while self.waiting_bytes > self.budget() {
            full.extend(self.pop_fullest());
        }
    }

    /// How many bytes may wait.
    fn budget(&self) -> usize {
        (self.by_market.len() * WAITING_BYTES_PER_MARKET).clamp(*WAITING_BYTES.start(), *WAITING_BYTES.end())
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

#[cfg(test)]
mod tests {
    use super::{Emptied, Partitions, WAITING_BYTES};
    use crate::decode::Market;
    use crate::rows::Rows;

    /// Rows whose texts are so long that a thousand of them are more than may wait.
    fn rows(n_rows: usize) -> Rows {
        let mut rows = Rows::default();
        for row in 0..n_rows {
            rows.ticket_id.push([0; 16]);
            for times in [&mut rows.created_at, &mut rows.updated_at, &mut rows.resolved_at] {
                times.push(row as i64);
            }
            for places in [&mut rows.severity, &mut rows.status, &mut rows.category, &mut rows.channel] {
                places.push(0);
            }
            rows.dealer_id.push(&vec![b'x'; WAITING_BYTES.start() / 1000]);
            for texts in [&mut rows.customer_id, &mut rows.vin_last6, &mut rows.model_series] {
                texts.push("x");
            }
            rows.model_year.push(2026);
            rows.sla_breached.push(false);
        }
        rows
    }

    /// The row groups that a few batches give, as market, number and length, if each batch has its markets in some order.
    fn row_groups(order: [usize; 3]) -> Vec<(&'static str, u64, usize)> {
        let (mut partitions, emptied, mut given) = (Partitions::default(), Emptied::default(), Vec::new());
        for n_batch in 0..40 {
            let batch = [("DE", 30 + n_batch % 7), ("FR", 29), ("US", 28 + n_batch % 3)];
            let mut full = Vec::new();
            for (market, n_rows) in order.map(|place| batch[place]) {
                let rows = rows(n_rows);
                partitions.take(Market::from_text(market).unwrap(), &rows, 0..n_rows, &emptied, &mut full);
            }
            partitions.relieve(&mut full);
            for group in full {
                let n_rows = group.blocks.iter().map(Rows::len).sum();
                let market = batch.iter().find(|(market, _)| *market == group.market.as_str()).unwrap().0;
                given.push((market, group.number, n_rows));
                emptied.take_back(group.blocks);
            }
        }
        given
    }

    #[test]
    fn where_row_groups_end_does_not_depend_on_the_order_of_markets_in_a_batch() {
        let expected = row_groups([0, 1, 2]);
        assert!(expected.len() > 5, "{expected:?}");
        for order in [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            assert_eq!(row_groups(order), expected);
        }
    }
}
