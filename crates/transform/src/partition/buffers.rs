//! Rows wait, market by market, until there are enough of them for a row group.
//!
//! Where a row group ends depends on the input alone: it is full, or all that wait together take too much memory.

use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::decode::Market;
use crate::parquet_file::MAX_ROW_GROUP_ROWS;
use crate::partition::columns::Rows;

/// How many bytes may wait for each market that has come, on average. The fullest has about twice as many, three quarters of a row
/// group. More would hardly make the files smaller, and it is memory that the kernel gives page by page.
const WAITING_BYTES_PER_MARKET: usize = 4 << 20;

/// How many bytes may wait in all markets together, however few or many they are. Beyond it the market with most of them gives a
/// row group as it is.
const WAITING_BYTES: RangeInclusive<usize> = 32 << 20..=160 << 20;

/// How many rows a block has that is put together from the rows of many batches. So few that half a block in each of many
/// markets is little memory, so many that its columns are copied at full speed.
const BLOCK_ROWS: usize = 1024;

/// From how many rows on a batch's rows of a market become a block as they are. Fewer cost less to copy than to keep apart.
const MIN_WHOLE_ROWS: usize = 256;

/// A block has room for at most so many times the rows it holds; memory that holds nothing is memory all the same.
const MAX_ROOM: usize = 2;

/// A block with so many bytes a row, one and a half times the usual, has long texts. It isn't used again: in the end every block
/// might have room for such texts.
const MAX_ROW_BYTES_KEPT: usize = 135;

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
pub struct PartitionBuffers {
    by_market: BTreeMap<Market, Partition>,
    waiting_bytes: usize,
}

#[derive(Debug, Default)]
struct Partition {
    /// None but the last has more room than it may.
    blocks: Vec<Rows>,
    n_rows: usize,
    n_bytes: usize,
    n_row_groups: u64,
}

/// Blocks without rows, by the power of two of the rows they have room for. Their memory goes round among all markets and threads,
/// so that the kernel needn't give new pages all the time, which takes longer than filling them.
#[derive(Debug, Default)]
pub struct BufferPool(Mutex<Blocks>);

#[derive(Debug, Default)]
struct Blocks {
    by_size: BTreeMap<u32, Vec<Rows>>,
    /// Set when none is needed any more.
    is_closed: bool,
}

impl PartitionBuffers {
    /// Takes those rows of a market's `rows` that lie in `kept`, and leaves any of them, or none, in `rows`. They stay together:
    /// the row group before them is added to `full` if they don't fit in it.
    pub fn take(
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
            self.waiting_bytes -= partition.n_bytes;
            full.push(partition.give(market));
        }
        let n_bytes_before = partition.n_bytes;
        if n_rows == rows.len() && n_rows >= MIN_WHOLE_ROWS && is_well_filled(rows) && partition.is_well_filled() {
            let next = pool.get(rows.capacity());
            partition.adopt(std::mem::replace(rows, next));
        } else {
            for range in kept {
                partition.append(rows, range.clone(), pool);
            }
        }
        self.waiting_bytes += partition.n_bytes - n_bytes_before;
    }

    /// Adds row groups to `full` until what waits is within the budget. Once a batch and not once a market: each thread knows
    /// the markets in another order.
    pub fn flush_over_budget(&mut self, full: &mut Vec<RowGroup>) {
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
    /// Takes a block of rows.
    fn adopt(&mut self, rows: Rows) {
        self.n_rows += rows.len();
        self.n_bytes += rows.n_bytes();
        self.blocks.push(rows);
    }

    /// Copies some of the rows.
    fn append(&mut self, rows: &Rows, mut range: Range<usize>, pool: &BufferPool) {
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

    /// Whether another block may follow the last one.
    fn is_well_filled(&self) -> bool {
        self.blocks.last().is_none_or(is_well_filled)
    }

    fn give(&mut self, market: Market) -> RowGroup {
        self.n_row_groups += 1;
        (self.n_rows, self.n_bytes) = (0, 0);
        RowGroup { market, number: self.n_row_groups - 1, blocks: std::mem::take(&mut self.blocks) }
    }
}

fn is_well_filled(block: &Rows) -> bool {
    block.capacity() <= MAX_ROOM * block.len()
}

impl BufferPool {
    /// Memory for a block of about `n_rows` rows.
    fn get(&self, n_rows: usize) -> Rows {
        let block = self.lock().by_size.get_mut(&size(n_rows)).and_then(Vec::pop);
        block.unwrap_or_else(|| Rows::with_capacity(n_rows))
    }

    /// Takes blocks whose rows are no longer needed.
    pub fn take_back(&self, mut blocks: Vec<Rows>) {
        blocks.retain(|block| block.n_bytes() <= block.len() * MAX_ROW_BYTES_KEPT);
        blocks.iter_mut().for_each(Rows::clear);
        let mut kept = self.lock();
        if kept.is_closed {
            // Not while others wait.
            drop(kept);
            drop(blocks);
            return;
        }
        for block in blocks {
            kept.by_size.entry(size(block.capacity())).or_default().push(block);
        }
    }

    /// Gives all memory back, and from now on whatever is taken back. That takes its time, so it is better done while others have
    /// something else to do than at the end.
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

/// Blocks of one size are used for each other.
const fn size(n_rows: usize) -> u32 {
    n_rows.next_power_of_two().ilog2()
}

#[cfg(test)]
mod tests {
    use std::ops::Range;
    use std::slice;

    use super::{BufferPool, PartitionBuffers};
    use crate::decode::{MAX_TEXT_BYTES, Market, Text};
    use crate::parquet_file::MAX_ROW_GROUP_ROWS;
    use crate::partition::columns::Rows;

    /// So many rows from a place on, with texts of a length each, and memory for so many more.
    fn rows(range: Range<usize>, n_text_bytes: usize, n_more: usize) -> Rows {
        let text = "x".repeat(n_text_bytes);
        let mut rows = Rows::with_capacity(range.len() + n_more);
        for row in range {
            rows.ticket_id.push((row as u128).to_be_bytes());
            for times in [&mut rows.created_at, &mut rows.updated_at, &mut rows.resolved_at] {
                times.push(row as i64);
            }
            for places in [&mut rows.severity, &mut rows.status, &mut rows.category, &mut rows.channel] {
                places.push(0);
            }
            for texts in [&mut rows.dealer_id, &mut rows.customer_id, &mut rows.vin_last6, &mut rows.model_series] {
                texts.push(Text::new(&text).unwrap());
            }
            rows.model_year.push(2026);
            rows.sla_breached.push(false);
        }
        rows
    }

    /// The row groups that a few batches give, as market, number and length, if each batch has its markets in some order. Rows of
    /// a dozen batches are more than may wait.
    fn row_groups(order: [usize; 3]) -> Vec<(&'static str, u64, usize)> {
        let (mut partitions, pool, mut given) = (PartitionBuffers::default(), BufferPool::default(), Vec::new());
        for n_batch in 0..60 {
            let batch = [("DE", 850 + n_batch % 7), ("FR", 849), ("US", 848 + n_batch % 3)];
            let mut full = Vec::new();
            for (market, n_rows) in order.map(|place| batch[place]) {
                let market = Market::from_text(market).unwrap();
                let mut rows = rows(0..n_rows, MAX_TEXT_BYTES, 0);
                partitions.take(market, &mut rows, slice::from_ref(&(0..n_rows)), &pool, &mut full);
            }
            partitions.flush_over_budget(&mut full);
            for group in full {
                let n_rows = group.blocks.iter().map(Rows::len).sum();
                let market = batch.iter().find(|(market, _)| *market == group.market.as_str()).unwrap().0;
                given.push((market, group.number, n_rows));
                pool.take_back(group.blocks);
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

    /// The rows of the row groups that batches give of which some rows are left out, and how many blocks they lie in.
    fn rows_of_groups(n_more: impl Fn(usize) -> usize) -> (Vec<Vec<[u8; 16]>>, usize) {
        let (market, mut start) = (Market::from_text("DE").unwrap(), 0);
        let (mut partitions, pool, mut full) = (PartitionBuffers::default(), BufferPool::default(), Vec::new());
        let (mut groups, mut n_blocks) = (Vec::new(), 0);
        for n_batch in 0..300_usize {
            let n_rows = 1 + n_batch * n_batch % 3001;
            let mut rows = rows(start..start + n_rows, 8, n_more(n_batch));
            start += n_rows;
            let kept = if n_batch % 4 == 0 { vec![0..n_rows / 3, n_rows / 2..n_rows] } else { vec![0..n_rows; 1] };
            partitions.take(market, &mut rows, &kept, &pool, &mut full);
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
    fn rows_that_are_copied_and_rows_that_are_kept_make_the_same_row_groups() {
        let (expected, n_blocks) = rows_of_groups(|_| 0);
        assert!(expected.len() > 2 && expected.iter().all(|rows| rows.len() <= MAX_ROW_GROUP_ROWS && rows.is_sorted()));
        let (copied, n_blocks_of_copies) = rows_of_groups(|_| 100_000);
        let (mixed, n_blocks_mixed) = rows_of_groups(|n_batch| n_batch % 3 * 2000);
        assert!(copied == expected && mixed == expected);
        assert!(n_blocks != n_blocks_of_copies && n_blocks != n_blocks_mixed, "all were kept, or none");
    }
}
