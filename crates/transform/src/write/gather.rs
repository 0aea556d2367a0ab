//! Blocks of rows as the columns of one row group, in the order of creation.

use crate::partition::columns::{Rows, Texts};

/// Blocks, and the order that their rows are to have.
#[derive(Clone, Copy)]
pub(super) struct Gather<'a> {
    blocks: &'a [Rows],
    /// Which row comes first, second …; nothing if that is the order they have.
    order: &'a [u32],
}

/// Memory for one column at a time, of values of one length: so little that it stays in the processor's cache until the column
/// is encoded.
#[derive(Default)]
pub(super) struct Column<T> {
    joined: Vec<T>,
    sorted: Vec<T>,
}

/// Memory for one column of texts at a time.
#[derive(Default)]
pub(super) struct TextColumn {
    joined: Texts,
    sorted: Texts,
    /// Where in `joined` each text starts.
    starts: Vec<u32>,
}

impl<'a> Gather<'a> {
    /// By `created_at`; rows of the same time stay in the order in which they come. Uses the memory of `order` and `times`.
    pub(super) fn by_creation(blocks: &'a [Rows], order: &'a mut Vec<u32>, times: &mut Column<i64>) -> Self {
        order.clear();
        let created_at = Self { blocks, order: &[] }.column(|rows| &rows.created_at, times);
        if !created_at.is_sorted() {
            order.extend(0..created_at.len() as u32);
            order.sort_by_key(|row| created_at[*row as usize]);
        }
        Self { blocks, order }
    }

    /// A column of all rows.
    pub(super) fn column<'m, T: Copy>(self, of: impl Fn(&Rows) -> &[T], memory: &'m mut Column<T>) -> &'m [T]
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

    /// A column of texts of all rows.
    pub(super) fn texts<'m>(self, of: impl Fn(&Rows) -> &Texts, memory: &'m mut TextColumn) -> &'m Texts
    where
        'a: 'm,
    {
        let TextColumn { joined, sorted, starts } = memory;
        let joined = if let [only] = self.blocks {
            of(only)
        } else {
            joined.clear();
            self.blocks.iter().for_each(|rows| joined.append(of(rows), 0..rows.len()));
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
