//! The queries of `queries/dashboard.sql`, compiled into this crate.

use anyhow::{Context, Result};
use kpi::sql_text::statements;

/// The SQL text; the same file can be run in Athena's console.
const DASHBOARD_QUERIES: &str = include_str!("../../../queries/dashboard.sql");

/// Name of the query for the ticket counts.
pub const CUBE: &str = "cube";
/// Name of the query for the table of open P1 tickets.
pub const OPEN_P1_TICKETS: &str = "open_p1_tickets";

/// Returns the SQL of the query with this name.
///
/// # Errors
///
/// Fails if there is no such query.
pub fn sql(name: &str) -> Result<String> {
    statements(DASHBOARD_QUERIES)
        .into_iter()
        .find(|statement| statement.comment.first().is_some_and(|heading| heading == name))
        .map(|statement| statement.text)
        .with_context(|| format!("queries/dashboard.sql has no statement `{name}`"))
}
