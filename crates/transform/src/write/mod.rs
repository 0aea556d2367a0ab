//! Writes Parquet parts and the quarantine.

pub mod part_writer;
pub mod quarantine;
