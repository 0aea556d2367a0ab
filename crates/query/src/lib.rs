//! Asks the KPI questions of curated tickets, with one SQL text for two engines.
//!
//! * [`embedded`]: DataFusion in this process, over the Parquet files.
//! * [`athena`]: Athena, over the same files in S3; [`pinned`] fixes the present in a query's text, for its clock can't be set;
//!   [`bill`] says what a query costs, [`scan`] which columns it has to read.
//! * [`mod@format`]: an answer as a table, CSV, JSON or Markdown.
//! * [`verify`]: an answer against the expected one.

#[cfg(feature = "athena")]
pub mod athena;
#[cfg(feature = "embedded")]
pub mod embedded;
pub mod format;

mod run;

#[cfg(feature = "athena")]
pub use athena::Athena;
#[cfg(feature = "embedded")]
pub use embedded::Engine;
#[cfg(feature = "embedded")]
pub use run::run_query;
#[cfg(feature = "athena")]
pub use run::run_query_on_athena;
pub use run::{Answered, Config, QueryEngine, QueryResult, Question, Report};
