//! Rows between decoder and encoder: one row, columns of many, and the kinds of columns.

pub mod columns;
pub mod kinds;
pub mod row;
pub mod timestamp;
