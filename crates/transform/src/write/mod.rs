//! Writes Parquet parts and the quarantine.

pub mod part_writer;
pub mod quarantine;
pub mod row_group;
pub mod ticket_file;

mod gather;
