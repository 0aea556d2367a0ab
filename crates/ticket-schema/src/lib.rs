//! The data contract of tickets, shared by all tools.
//!
//! * [`ticket`]: one ticket, its 15 fields and the identifiers in them.
//! * [`enums`]: severity, status, category, channel, market, and the SLA targets.
//! * [`cars`]: model series, and the model years and markets they were sold in.
//! * [`columns`]: the column table from which the JSON order, the Parquet schema and the DDL are derived or checked.
//! * [`time`]: the whole-second UTC timestamp of the contract.
//! * [`names`]: names of buckets, tables and files.
//! * [`iso3166`]: the country codes that may name a partition.
//!
//! ```
//! use ticket_schema::ticket::DealerId;
//! use ticket_schema::Timestamp;
//!
//! let dealer: DealerId = "DLR-DE-003".parse()?;
//! assert_eq!(dealer.number, 3);
//! let created_at: Timestamp = "2026-11-22".parse()?;
//! assert_eq!(created_at.to_string(), "2026-11-22T00:00:00Z");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod cars;
pub mod columns;
pub mod enums;
pub mod iso3166;
pub mod names;
pub mod ticket;
pub mod time;

pub use ticket::Ticket;
pub use time::Timestamp;
