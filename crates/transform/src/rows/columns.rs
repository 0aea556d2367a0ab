//! Tickets of one market, column by column: the form between the decoder and the encoder.

use std::ops::Range;

use parquet_encode::StringColumn;
use ticket_schema::ticket_columns;

use crate::rows::kinds::{Kind, kind};
use crate::rows::row::Row;

macro_rules! rows {
    ($($name:ident: $kind:ident($type:ty), $constraint:literal, $meaning:literal;)*) => {
        /// Columns of equal length. Times are milliseconds since 1970-01-01T00:00:00Z.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct Rows {
            $(#[doc = $meaning] pub $name: <kind!($kind $type) as Kind>::Column,)*
        }

        impl Rows {
            /// Returns columns without rows that have room for `n_rows`.
            pub fn with_capacity(n_rows: usize) -> Self {
                Self { $($name: ColumnBuffer::with_capacity(n_rows),)* }
            }

            /// Appends a row.
            pub fn push(&mut self, row: &Row) {
                $(<kind!($kind $type) as Kind>::push(&mut self.$name, row.$name);)*
            }

            /// Appends some of the rows of `others`.
            pub fn append(&mut self, others: &Self, rows: Range<usize>) {
                $(self.$name.append_rows(&others.$name, rows.clone());)*
            }

            /// Removes all rows and keeps the memory.
            pub fn clear(&mut self) {
                $(self.$name.clear();)*
            }

            /// Returns the memory that the rows take, in bytes.
            pub fn n_bytes(&self) -> usize {
                0 $(+ self.$name.n_bytes())*
            }

            /// Returns whether all columns are of the same length.
            pub fn is_rectangular(&self) -> bool {
                true $(&& self.$name.has_length(self.len()))*
            }
        }
    };
}
ticket_columns!(rows);

impl Rows {
    /// Returns the number of rows.
    pub const fn len(&self) -> usize {
        self.created_at.len()
    }

    /// Returns the number of rows for which there is room.
    pub const fn capacity(&self) -> usize {
        self.ticket_id.capacity()
    }

    /// Returns whether there are no rows.
    pub const fn is_empty(&self) -> bool {
        self.created_at.is_empty()
    }
}

/// A buffer for the values of a column.
pub trait ColumnBuffer: Default {
    /// Returns an empty buffer with room for `n_rows` values.
    fn with_capacity(n_rows: usize) -> Self;

    /// Appends the values of some rows of `others`.
    fn append_rows(&mut self, others: &Self, rows: Range<usize>);

    /// Removes all values and keeps the memory.
    fn clear(&mut self);

    /// Returns the memory that the values take, in bytes.
    fn n_bytes(&self) -> usize;

    /// Returns whether there are `n_rows` values.
    fn has_length(&self, n_rows: usize) -> bool;
}

impl<T: Copy> ColumnBuffer for Vec<T> {
    fn with_capacity(n_rows: usize) -> Self {
        Self::with_capacity(n_rows)
    }

    fn append_rows(&mut self, others: &Self, rows: Range<usize>) {
        self.extend_from_slice(&others[rows]);
    }

    fn clear(&mut self) {
        Self::clear(self);
    }

    fn n_bytes(&self) -> usize {
        self.len() * size_of::<T>()
    }

    fn has_length(&self, n_rows: usize) -> bool {
        self.len() == n_rows
    }
}

/// The column that names the partition: it holds nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NotInFile;

impl ColumnBuffer for NotInFile {
    fn with_capacity(_n_rows: usize) -> Self {
        Self
    }

    fn append_rows(&mut self, _others: &Self, _rows: Range<usize>) {}

    fn clear(&mut self) {}

    fn n_bytes(&self) -> usize {
        0
    }

    fn has_length(&self, _n_rows: usize) -> bool {
        true
    }
}

impl ColumnBuffer for StringColumn {
    fn with_capacity(n_rows: usize) -> Self {
        Self::with_capacity(n_rows)
    }

    fn append_rows(&mut self, others: &Self, rows: Range<usize>) {
        self.append(others, rows);
    }

    fn clear(&mut self) {
        Self::clear(self);
    }

    fn n_bytes(&self) -> usize {
        self.bytes.len() + self.lengths.len()
    }

    fn has_length(&self, n_rows: usize) -> bool {
        self.lengths.len() == n_rows
    }
}
