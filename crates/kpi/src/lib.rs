//! The KPI catalogue: SQL text, verification of results, and the cost of a query on Athena.
//!
//! * [`catalogue`]: the ten KPIs of `queries/sample_queries.sql`.
//! * [`sql_text`]: splits SQL into tokens and statements.
//! * [`verify`]: compares a result with the expected answer.
//! * [`as_of_rewrite`]: replaces the current time in a query with a fixed timestamp.
//! * [`scanned_columns`]: the columns that a query reads; [`query_cost`]: its price on Athena.
//!
//! Listing the catalogue with the columns that each KPI reads:
//!
//! ```
//! use kpi::catalogue::kpis;
//! use kpi::scanned_columns::columns_read;
//!
//! for kpi in kpis()? {
//!     println!("{}. {} reads {} columns", kpi.number, kpi.name, columns_read(&kpi.sql)?.len());
//! }
//! assert_eq!(kpis()?[1].name, "severity_distribution");
//! # Ok::<(), anyhow::Error>(())
//! ```

pub mod as_of_rewrite;
pub mod catalogue;
pub mod query_cost;
pub mod scanned_columns;
pub mod sql_text;
pub mod verify;
