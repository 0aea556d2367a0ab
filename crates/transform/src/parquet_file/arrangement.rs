//! Gathers blocks of rows into the columns of one row group, in the order of creation.

use crate::partition::columns::{ColumnBuffer, Rows, Texts};

/// Blocks of rows and the order of their rows in the row group.
#[derive(Clone, Copy)]
pub(super) struct Gather<'a> {
    blocks: &'a [Rows],
    /// Row numbers in order; empty if the rows are in order already.
    order: &'a [u32],
}

/// Buffers for one column of fixed-width values, small enough to stay in the processor's cache until it is encoded.
#[derive(Default)]
pub(super) struct Column<T> {
    joined: Vec<T>,
    sorted: Vec<T>,
}

/// Buffers for one column of texts.
#[derive(Default)]
pub(super) struct TextColumn {
    joined: Texts,
    sorted: Texts,
    /// Start of each text in `joined`.
    starts: Vec<u32>,
}

impl<'a> Gather<'a> {
    /// Orders rows by `created_at`, and rows of the same time as they come. Returns the first and the last time, too.
    pub(super) fn by_creation(
        blocks: &'a [Rows],
        order: &'a mut Vec<u32>,
        times: &mut Column<i64>,
    ) -> (Self, Option<(i64, i64)>) {
        order.clear();
        let created_at = Self { blocks, order: &[] }.column(|rows| &rows.created_at, times);
        if !created_at.is_sorted() {
            order.extend(0..created_at.len() as u32);
            order.sort_by_key(|row| created_at[*row as usize]);
        }
        let first = order.first().map_or(0, |row| *row as usize);
        let last = order.last().map_or(created_at.len().wrapping_sub(1), |row| *row as usize);
        let bounds = created_at.get(first).copied().zip(created_at.get(last).copied());
        (Self { blocks, order }, bounds)
    }

    /// Gathers a column of fixed-width values.
    pub(super) fn column<'m, T: Copy>(self, of: impl Fn(&Rows) -> &Vec<T>, memory: &'m mut Column<T>) -> &'m [T]
    where
        'a: 'm,
    {
        let Column { joined, sorted } = memory;
        let joined = if let [only] = self.blocks {
            of(only)
        } else {
            joined.clear();
            self.blocks.iter().for_each(|rows| joined.extend_from_slice(of(rows)));
            joined
        };
        if self.order.is_empty() {
            return joined;
        }
        sorted.clear();
        sorted.extend(self.order.iter().map(|row| joined[*row as usize]));
        sorted
    }

    /// Gathers a column of texts.
    pub(super) fn texts<'m>(self, of: impl Fn(&Rows) -> &Texts, memory: &'m mut TextColumn) -> &'m Texts
    where
        'a: 'm,
    {
        let TextColumn { joined, sorted, starts } = memory;
        let joined = if let [only] = self.blocks {
            of(only)
        } else {
            joined.clear();
            self.blocks.iter().for_each(|rows| joined.append_rows(of(rows), 0..rows.len()));
            joined
        };
        if self.order.is_empty() {
            return joined;
        }
        starts.clear();
        let mut start = 0;
        starts.extend(joined.lengths.iter().map(|n_bytes| {
            start += u32::from(*n_bytes);
            start - u32::from(*n_bytes)
        }));
        sorted.clear();
        for row in self.order {
            let (start, n_bytes) = (starts[*row as usize] as usize, joined.lengths[*row as usize]);
            sorted.bytes.extend_from_slice(&joined.bytes[start..start + usize::from(n_bytes)]);
            sorted.lengths.push(n_bytes);
        }
        sorted
    }
}
