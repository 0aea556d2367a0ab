//! Rows, column by column, partitioned by market.

pub mod buffers;
pub mod columns;
