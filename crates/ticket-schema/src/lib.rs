//! The contract that every tool of the pipeline shares.
//!
//! * [`ticket`]: one ticket, its 15 fields and the identifiers in them.
//! * [`enums`]: severity, status, category, channel, market, and the SLA targets.
//! * [`cars`]: which series was sold in which model year and market.
//! * [`columns`]: the one table from which the JSON order, the Parquet schema and the DDL are derived or checked.
//! * [`time`]: the whole-second UTC timestamp of the contract.
//! * [`names`]: what buckets, tables and files are called.
//! * [`iso3166`]: the country codes that may name a partition.

pub mod cars;
pub mod columns;
pub mod enums;
pub mod iso3166;
pub mod names;
pub mod ticket;
pub mod time;

pub use ticket::Ticket;
pub use time::Timestamp;
