//! Buffers the rows of each market until they fill a row group.
//!
//! The ends of row groups depend on the input alone: a row group ends when it is full, or when the buffered rows of all
//! markets exceed the memory budget.

use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::rows::columns::Rows;
use crate::rows::row::Market;

/// The maximum number of rows in a row group. Larger row groups need more buffered rows in every market, and getting new
/// memory from the kernel takes longer than filling it.
pub const MAX_ROW_GROUP_ROWS: usize = 1 << 17;

/// The average number of buffered bytes per market in the memory budget. The fullest market has about twice as many, three
/// quarters of a row group. More would hardly make the files smaller.
const BUDGET_BYTES_PER_MARKET: usize = 4 << 20;

/// The bounds of the memory budget in bytes for any number of markets. Above the budget, the market with the most bytes is
/// flushed as a row group.
const BUDGET_BYTES: RangeInclusive<usize> = 32 << 20..=160 << 20;

/// The number of rows of a block that collects copied rows. Small enough that half-empty blocks of many markets use little
/// memory; large enough that columns are copied at full speed.
const BLOCK_ROWS: usize = 1024;

/// The number of rows from which a batch's rows of a market become a block without being copied. Fewer rows are cheaper to
/// copy than to keep in a block of their own.
const MIN_MOVED_ROWS: usize = 256;

/// The maximum ratio of a block's capacity to its rows, to avoid over-allocated buffers.
const MAX_CAPACITY_RATIO: usize = 2;

/// The maximum average row size in bytes of a block that is reused, one and a half times the usual. Blocks of longer strings
/// are freed; otherwise every block would in time have the capacity for such strings.
const MAX_REUSED_ROW_BYTES: usize = 135;

/// The rows of a row group before encoding.
#[derive(Debug)]
pub struct RowGroup {
    /// The market.
    pub market: Market,
    /// The number among the row groups of the market, from 0.
    pub number: u64,
    /// The rows in input order.
    pub blocks: Vec<Rows>,
}

/// The buffered rows of all markets.
#[derive(Debug, Default)]
pub struct PartitionBuffers {
    by_market: BTreeMap<Market, Partition>,
    n_bytes: usize,
}

#[derive(Debug, Default)]
struct Partition {
    /// Blocks of rows. Only the last one may exceed [`MAX_CAPACITY_RATIO`].
    blocks: Vec<Rows>,
    n_rows: usize,
    n_bytes: usize,
    n_row_groups: u64,
}

/// A pool of empty blocks that all markets and threads share. Reuse avoids page faults, which take longer than filling a
/// page.
#[derive(Debug, Default)]
pub struct BufferPool(Mutex<Blocks>);

#[derive(Debug, Default)]
struct Blocks {
    /// The blocks by the binary logarithm of their capacity in rows.
    by_size: BTreeMap<u32, Vec<Rows>>,
    /// Set when no more blocks will be requested.
    is_closed: bool,
}

impl PartitionBuffers {
    /// Appends the rows in the ranges `kept` of a market's `rows`, whose content is unspecified afterwards. They are not
    /// split: if they do not fit in the current row group, that is moved to `full` first.
    pub fn append(
        &mut self,
        market: Market,
        rows: &mut Rows,
        kept: &[Range<usize>],
        pool: &BufferPool,
        full: &mut Vec<RowGroup>,
    ) {
        let partition = self.by_market.entry(market).or_default();
        let n_rows: usize = kept.iter().map(Range::len).sum();
        if partition.n_rows + n_rows > MAX_ROW_GROUP_ROWS && partition.n_rows > 0 {
            self.n_bytes -= partition.n_bytes;
            full.push(partition.take(market));
        }
        let n_bytes_before = partition.n_bytes;
        if n_rows == rows.len() && n_rows >= MIN_MOVED_ROWS && is_well_filled(rows) && partition.is_well_filled() {
            let next = pool.get(rows.capacity());
            partition.push_block(std::mem::replace(rows, next));
        } else {
            for range in kept {
                partition.copy_rows(rows, range.clone(), pool);
            }
        }
        self.n_bytes += partition.n_bytes - n_bytes_before;
    }

    /// Moves row groups to `full` until the buffered rows are within the memory budget. Called once per batch, not per
    /// market: the order of the markets in a batch depends on its thread and must not affect the result.
    pub fn flush_over_budget(&mut self, full: &mut Vec<RowGroup>) {
        while self.n_bytes > self.budget() {
            full.extend(self.pop_fullest());
        }
    }

    /// Returns the memory budget in bytes.
    fn budget(&self) -> usize {
        (self.by_market.len() * BUDGET_BYTES_PER_MARKET).clamp(*BUDGET_BYTES.start(), *BUDGET_BYTES.end())
    }

    /// Removes the rows of the market with the most buffered bytes as a row group; returns `None` if no rows are buffered.
    pub fn pop_fullest(&mut self) -> Option<RowGroup> {
        let (market, fullest) = self.by_market.iter_mut().max_by_key(|(_, partition)| partition.n_bytes)?;
        if fullest.n_rows == 0 {
            return None;
        }
        self.n_bytes -= fullest.n_bytes;
        Some(fullest.take(*market))
    }
}

impl Partition {
    /// Appends a block of rows without copying them.
    fn push_block(&mut self, rows: Rows) {
        self.n_rows += rows.len();
        self.n_bytes += rows.n_bytes();
        self.blocks.push(rows);
    }

    /// Appends copies of a range of rows.
    fn copy_rows(&mut self, rows: &Rows, mut range: Range<usize>, pool: &BufferPool) {
        while !range.is_empty() {
            if self.blocks.last().is_none_or(|last| last.len() >= BLOCK_ROWS) {
                self.blocks.push(pool.get(BLOCK_ROWS));
            }
            let Some(block) = self.blocks.last_mut() else { return };
            let fitting = range.start..range.end.min(range.start + BLOCK_ROWS - block.len());
            range.start = fitting.end;
            let n_bytes_before = block.n_bytes();
            self.n_rows += fitting.len();
            block.append(rows, fitting);
            self.n_bytes += block.n_bytes() - n_bytes_before;
        }
    }

    /// Returns true if another block may follow the last one.
    fn is_well_filled(&self) -> bool {
        self.blocks.last().is_none_or(is_well_filled)
    }

    /// Removes all rows as a row group.
    fn take(&mut self, market: Market) -> RowGroup {
        self.n_row_groups += 1;
        (self.n_rows, self.n_bytes) = (0, 0);
        RowGroup { market, number: self.n_row_groups - 1, blocks: std::mem::take(&mut self.blocks) }
    }
}

fn is_well_filled(block: &Rows) -> bool {
    block.capacity() <= MAX_CAPACITY_RATIO * block.len()
}

impl BufferPool {
    /// Returns an empty block with capacity for about `n_rows` rows.
    fn get(&self, n_rows: usize) -> Rows {
        let block = self.lock().by_size.get_mut(&size_class(n_rows)).and_then(Vec::pop);
        block.unwrap_or_else(|| Rows::with_capacity(n_rows))
    }

    /// Returns blocks whose rows have been encoded to the pool.
    pub fn take_back(&self, mut blocks: Vec<Rows>) {
        blocks.retain(|block| block.n_bytes() <= block.len() * MAX_REUSED_ROW_BYTES);
        blocks.iter_mut().for_each(Rows::clear);
        let mut kept = self.lock();
        if kept.is_closed {
            // Freeing memory takes time, so the lock is released first.
            drop(kept);
            drop(blocks);
            return;
        }
        for block in blocks {
            kept.by_size.entry(size_class(block.capacity())).or_default().push(block);
        }
    }

    /// Frees all blocks, and from now on every returned block at once. Freeing takes time; it is done here, while other
    /// threads are still encoding, rather than at the end of the run.
    pub fn close(&self) {
        let mut kept = self.lock();
        kept.is_closed = true;
        let by_size = std::mem::take(&mut kept.by_size);
        drop(kept);
        drop(by_size);
    }

    fn lock(&self) -> MutexGuard<'_, Blocks> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the size class of blocks with capacity for `n_rows` rows.
const fn size_class(n_rows: usize) -> u32 {
    n_rows.next_power_of_two().ilog2()
}

#[cfg(test)]
mod tests {
    use std::ops::Range;
    use std::slice;

    use super::{BufferPool, MAX_ROW_GROUP_ROWS, PartitionBuffers};
    use crate::rows::columns::Rows;
    use crate::rows::row::{MAX_TEXT_BYTES, Market};

    /// Returns rows numbered by `range`, with strings of `n_text_bytes` each and a capacity of `n_spare` further rows.
    fn rows(range: Range<usize>, n_text_bytes: usize, n_spare: usize) -> Rows {
        let text = "x".repeat(n_text_bytes);
        let mut rows = Rows::with_capacity(range.len() + n_spare);
        for row in range {
            rows.ticket_id.push((row as u128).to_be_bytes());
            for times in [&mut rows.created_at, &mut rows.updated_at, &mut rows.resolved_at] {
                times.push(row as i64);
            }
            for codes in [&mut rows.severity, &mut rows.status, &mut rows.category, &mut rows.channel] {
                codes.push(0);
            }
            for strings in [&mut rows.dealer_id, &mut rows.customer_id, &mut rows.vin_last6, &mut rows.model_series] {
                strings.push(text.as_bytes());
            }
            rows.model_year.push(2026);
            rows.sla_breached.push(false);
        }
        rows
    }

    /// Returns the row groups of 60 batches as market, number and length, with the markets of each batch in the given order.
    /// A dozen batches exceed the memory budget.
    fn row_groups(order: [usize; 3]) -> Vec<(&'static str, u64, usize)> {
        let (mut partitions, pool, mut groups) = (PartitionBuffers::default(), BufferPool::default(), Vec::new());
        for n_batch in 0..60 {
            let batch = [("DE", 850 + n_batch % 7), ("FR", 849), ("US", 848 + n_batch % 3)];
            let mut full = Vec::new();
            for (market, n_rows) in order.map(|index| batch[index]) {
                let market = Market::from_text(market).unwrap();
                let mut rows = rows(0..n_rows, MAX_TEXT_BYTES, 0);
                partitions.append(market, &mut rows, slice::from_ref(&(0..n_rows)), &pool, &mut full);
            }
            partitions.flush_over_budget(&mut full);
            for group in full {
                let n_rows = group.blocks.iter().map(Rows::len).sum();
                let market = batch.iter().find(|(market, _)| *market == group.market.as_str()).unwrap().0;
                groups.push((market, group.number, n_rows));
                pool.take_back(group.blocks);
            }
        }
        groups
    }

    #[test]
    fn row_group_ends_are_independent_of_the_market_order_in_batches() {
        let expected = row_groups([0, 1, 2]);
        assert!(expected.len() > 5, "{expected:?}");
        for order in [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            assert_eq!(row_groups(order), expected);
        }
    }

    /// Returns the tickets of each row group of batches with dropped rows, and the number of blocks.
    fn rows_of_groups(n_spare: impl Fn(usize) -> usize) -> (Vec<Vec<[u8; 16]>>, usize) {
        let (market, mut start) = (Market::from_text("DE").unwrap(), 0);
        let (mut partitions, pool, mut full) = (PartitionBuffers::default(), BufferPool::default(), Vec::new());
        let (mut groups, mut n_blocks) = (Vec::new(), 0);
        for n_batch in 0..300_usize {
            let n_rows = 1 + n_batch * n_batch % 3001;
            let mut rows = rows(start..start + n_rows, 8, n_spare(n_batch));
            start += n_rows;
            let kept = if n_batch % 4 == 0 { vec![0..n_rows / 3, n_rows / 2..n_rows] } else { vec![0..n_rows; 1] };
            partitions.append(market, &mut rows, &kept, &pool, &mut full);
            partitions.flush_over_budget(&mut full);
            full.extend((n_batch == 299).then(|| partitions.pop_fullest()).flatten());
            for group in full.drain(..) {
                n_blocks += group.blocks.len();
                groups.push(group.blocks.iter().flat_map(|rows| rows.ticket_id.clone()).collect());
                pool.take_back(group.blocks);
            }
        }
        (groups, n_blocks)
    }

    #[test]
    fn copied_and_moved_rows_yield_the_same_row_groups() {
        let (expected, n_blocks) = rows_of_groups(|_| 0);
        assert!(expected.len() > 2 && expected.iter().all(|rows| rows.len() <= MAX_ROW_GROUP_ROWS && rows.is_sorted()));
        let (copied, n_blocks_of_copies) = rows_of_groups(|_| 100_000);
        let (mixed, n_blocks_mixed) = rows_of_groups(|n_batch| n_batch % 3 * 2000);
        assert!(copied == expected && mixed == expected);
        assert!(n_blocks != n_blocks_of_copies && n_blocks != n_blocks_mixed, "all blocks were moved, or none");
    }
}
