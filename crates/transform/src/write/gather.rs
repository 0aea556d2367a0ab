//! Gathers the columns of one row group from blocks of rows, sorted by creation time.

use parquet_encode::StringColumn;

use crate::rows::columns::Rows;

/// Blocks of rows and the order in which their rows are gathered.
#[derive(Clone, Copy)]
pub(super) struct Gather<'a> {
    blocks: &'a [Rows],
    /// The row indices in their new order; empty if the rows are in order already.
    order: &'a [u32],
}

/// The buffer of one gathered column at a time. It is small enough to stay in the processor's cache until the column is
/// encoded.
#[derive(Default)]
pub(super) struct Column<T> {
    joined: Vec<T>,
    sorted: Vec<T>,
}

/// The buffer of one gathered string column at a time.
#[derive(Default)]
pub(super) struct GatheredStrings {
    joined: StringColumn,
    sorted: StringColumn,
    /// The offset of each string in `joined`.
    starts: Vec<u32>,
}

impl<'a> Gather<'a> {
    /// Determines the order by `created_at` with a stable sort. `order` and `times` are buffers.
    pub(super) fn by_creation(blocks: &'a [Rows], order: &'a mut Vec<u32>, times: &mut Column<i64>) -> Self {
        order.clear();
        let created_at = Self { blocks, order: &[] }.column(|rows| &rows.created_at, times);
        if !created_at.is_sorted() {
            order.extend(0..created_at.len() as u32);
            order.sort_by_key(|row| created_at[*row as usize]);
        }
        Self { blocks, order }
    }

    /// Gathers a column of all rows.
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

    /// Gathers a string column of all rows.
    pub(super) fn strings<'m>(
        self,
        of: impl Fn(&Rows) -> &StringColumn,
        memory: &'m mut GatheredStrings,
    ) -> &'m StringColumn
    where
        'a: 'm,
    {
        let GatheredStrings { joined, sorted, starts } = memory;
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
