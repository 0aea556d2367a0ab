//! Runs the KPI queries over curated tickets, with one SQL text for two engines.
//!
//! * [`embedded`]: DataFusion in this process, over the Parquet files.
//! * [`athena`]: Amazon Athena, over the same files in S3.
//! * [`mod@format`]: answers as a text table, CSV, JSON or Markdown.
//!
//! The crate `kpi` holds the SQL, the verification of answers and the cost of a query.
//!
//! ```no_run
//! # #[cfg(feature = "embedded")]
//! # fn main() -> anyhow::Result<()> {
//! use query::Engine;
//!
//! let engine = Engine::open("data/curated".as_ref(), None)?;
//! let answer = engine.query("SELECT market, COUNT(*) AS tickets FROM tickets GROUP BY market")?;
//! assert_eq!(answer.columns, ["market", "tickets"]);
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "embedded"))]
//! # fn main() {}
//! ```

#[cfg(feature = "athena")]
pub mod athena;
#[cfg(feature = "embedded")]
pub mod embedded;
pub mod format;

mod engine;
mod run;

#[cfg(feature = "athena")]
pub use athena::Athena;
#[cfg(feature = "embedded")]
pub use embedded::Engine;
pub use engine::{QueryAnswer, QueryEngine, QueryResult};
#[cfg(feature = "embedded")]
pub use run::run_query;
#[cfg(feature = "athena")]
pub use run::run_query_on_athena;
pub use run::{Config, Report, Selection};
