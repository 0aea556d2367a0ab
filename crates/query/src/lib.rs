//! Asks the KPI questions of a curated data set, on an embedded engine, with the SQL that Athena runs.
//!
//! * [`catalogue`]: the ten KPIs of `queries/sample_queries.sql`; [`sql_text`] splits SQL files into statements.
//! * [`engine`]: DataFusion over the Parquet files, with [`functions`] that Athena has and DataFusion lacks.
//! * [`convert`]: from Arrow's batches to the plain [`Answer`](ticket_schema::answer::Answer) that all stages share.
//! * [`mod@format`]: an answer as a table, CSV, JSON or Markdown.
//! * [`verify`]: an answer against the expected one.

pub mod catalogue;
pub mod convert;
pub mod engine;
pub mod format;
pub mod functions;
pub mod sql_text;
pub mod verify;

mod run;

pub use engine::Engine;
pub use run::{Config, Question, Report, run_query};
