//! Column buffers of rows, partitioned by market.

pub mod buffers;
