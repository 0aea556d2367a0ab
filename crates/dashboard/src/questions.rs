//! The questions of `queries/dashboard.sql`, which this crate carries.

use anyhow::{Context, Result};
use kpi::sql_text::statements;

/// The SQL text that is also run by hand in Athena's console.
const DASHBOARD_QUERIES: &str = include_str!("../../../queries/dashboard.sql");

/// The counts that every visual is made of.
pub const CUBE: &str = "cube";
/// The tickets of the table.
pub const OPEN_P1_TICKETS: &str = "open_p1_tickets";

/// The SQL of the question with this name.
pub fn sql(name: &str) -> Result<String> {
    statements(DASHBOARD_QUERIES)
        .into_iter()
        .find(|statement| statement.comment.first().is_some_and(|heading| heading == name))
        .map(|statement| statement.text)
        .with_context(|| format!("queries/dashboard.sql has no statement `{name}`"))
}
