//! The interface of a query engine and its results.

use anyhow::Result;
use kpi::catalogue::Kpi;
use kpi::query_cost::QueryCost;
use manifest::CuratedManifest;
use manifest::answer::Answer;
use ticket_schema::Timestamp;

/// An engine that runs SQL queries over the curated tickets.
pub trait QueryEngine {
    /// Returns the value of `current_timestamp` in queries; `None` means the engine's own clock.
    fn as_of(&self) -> Option<Timestamp>;

    /// Returns the manifest of the data set, if it has one.
    fn manifest(&self) -> Option<&CuratedManifest>;

    /// Returns true if percentiles are computed exactly.
    fn is_exact(&self) -> bool;

    /// Runs one query.
    ///
    /// # Errors
    ///
    /// Fails if the statement is not a query, or if the engine rejects it or can't run it.
    fn answer(&self, sql: &str) -> Result<QueryResult>;
}

/// The result of a query.
#[derive(Clone, Debug, PartialEq)]
pub struct QueryResult {
    /// Columns and rows.
    pub answer: Answer,
    /// Cost of the query; `None` if the engine is free of charge.
    pub cost: Option<QueryCost>,
}

/// The answer to a KPI or to a query of the user.
#[derive(Clone, Debug, PartialEq)]
pub struct QueryAnswer {
    /// The KPI; `None` for a query of the user.
    pub kpi: Option<Kpi>,
    /// Columns and rows.
    pub answer: Answer,
    /// Cost of the query; `None` if the engine is free of charge.
    pub cost: Option<QueryCost>,
    /// Differences from the expected answer, one line each. Empty if verification is off.
    pub differences: Vec<String>,
}
