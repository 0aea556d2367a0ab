//! The contract that every tool of the pipeline shares.
//!
//! * [`ticket`]: one ticket, its 15 fields and the identifiers in them.
//! * [`vocabulary`]: the fixed texts (severity, status, category, channel, market) and the SLA targets.
//! * [`cars`]: which series was sold in which model year and market.
//! * [`columns`]: the one table from which the JSON order, the Parquet schema and the DDL are derived or checked.
//! * [`defects`]: what may be wrong with a line that was made to be dirty.
//! * [`time`]: the whole-second UTC timestamp of the contract.
//! * [`names`]: what buckets, tables and files are called.
//! * [`world`]: what determines every ticket that is generated.
//! * [`manifest`] and [`answer`]: what one stage tells the next about a data set, and the answers it must give.
//! * [`iso3166`]: the country codes that may name a partition.

pub mod answer;
pub mod cars;
pub mod columns;
pub mod defects;
pub mod iso3166;
pub mod manifest;
pub mod names;
pub mod ticket;
pub mod time;
pub mod vocabulary;
pub mod world;

pub use ticket::Ticket;
pub use time::Timestamp;
