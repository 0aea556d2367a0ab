//! Athena: execution of statements, and workgroups.

use std::time::Duration;

use anyhow::Result;
use aws_sdk_athena::operation::get_query_results::GetQueryResultsOutput;
use aws_sdk_athena::types as sdk;
use manifest::answer::{Answer, Cell};
use ticket_schema::names::DATABASE;

use crate::error::{ErrorContext, Kind};
use crate::polling::Polling;
use crate::session::Session;

pub mod running_queries;
pub mod workgroups;

/// Longest delay between two polls of a statement.
const MAX_POLL_DELAY: Duration = Duration::from_secs(3);
/// Maximum length of a statement in bytes, a limit of Athena.
pub const MAX_STATEMENT_BYTES: usize = 262_144;

/// Executed statement.
#[derive(Clone, Debug, PartialEq)]
pub struct ExecutedStatement {
    /// Query execution id.
    pub id: String,
    /// Result; empty for a statement that isn't a query.
    pub answer: Answer,
    /// Bytes scanned, before Athena rounds them up for billing.
    pub scanned_bytes: u64,
}

/// Error of a statement that Athena rejected or failed to complete.
#[derive(Debug, thiserror::Error)]
#[error(
    "Athena could not run a statement: {reason}{}\n  query execution: {id}\n  statement:\n{}",
    next_step(.reason),
    indented(.statement)
)]
pub struct StatementError {
    /// Text of the statement.
    pub statement: String,
    /// Reason given by Athena.
    pub reason: String,
    /// Query execution id.
    pub id: String,
}

impl StatementError {
    /// Returns true if the credentials don't allow the statement.
    pub fn is_denied(&self) -> bool {
        is_denied(&self.reason)
    }
}

fn is_denied(reason: &str) -> bool {
    reason.contains("not authorized") || reason.contains("Insufficient permissions")
}

fn next_step(reason: &str) -> &'static str {
    match reason {
        _ if is_denied(reason) => "\n  next: attach a policy that allows this to the user or role",
        _ if reason.contains("Bytes scanned limit") => {
            "\n  next: query fewer columns or partitions, or raise BytesScannedCutoffPerQuery in infra/workgroup.json"
        }
        _ => "",
    }
}

/// Indents a statement and shortens its lines, which can contain thousands of file paths.
fn indented(text: &str) -> String {
    const LINE_CHARS: usize = 400;
    let line = |line: &str| {
        let ellipsis = if line.chars().nth(LINE_CHARS).is_some() { "…" } else { "" };
        format!("    {}{ellipsis}", line.chars().take(LINE_CHARS).collect::<String>())
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

impl Session {
    /// Runs a query with [`DATABASE`] as its default database, and waits for the result.
    ///
    /// # Errors
    ///
    /// Fails with [`StatementError`] if Athena can't run the query, else if a request fails.
    pub fn query(&self, workgroup: &str, sql: &str) -> Result<ExecutedStatement> {
        let context = sdk::QueryExecutionContext::builder().database(DATABASE).build();
        self.submit(workgroup, sql, Some(context))
    }

    /// Runs a statement without a default database, and waits for its completion.
    ///
    /// # Errors
    ///
    /// Fails with [`StatementError`] if Athena can't run the statement, else if a request fails.
    pub fn execute(&self, workgroup: &str, statement: &str) -> Result<ExecutedStatement> {
        self.submit(workgroup, statement, None)
    }

    fn submit(
        &self,
        workgroup: &str,
        statement: &str,
        context: Option<sdk::QueryExecutionContext>,
    ) -> Result<ExecutedStatement> {
        self.block_on(async {
            let request = self.athena.start_query_execution().work_group(workgroup).query_string(statement);
            let request = request.set_query_execution_context(context);
            let id = match request.send().await.error_context("submit a statement to Athena") {
                Ok(started) => started.query_execution_id.unwrap_or_default(),
                Err(error) if error.kind == Kind::Other => {
                    let (statement, id) = (statement.to_owned(), "none".to_owned());
                    return Err(StatementError { statement, reason: error.message().to_owned(), id }.into());
                }
                Err(error) => return Err(error.into()),
            };
            let execution = self.wait_for_success(&id, statement).await?;
            let scanned_bytes = execution.statistics.as_ref().and_then(|statistics| statistics.data_scanned_in_bytes);
            let is_query = execution.statement_type == Some(sdk::StatementType::Dml);
            let answer = if is_query { self.results(&id).await? } else { Answer::default() };
            Ok(ExecutedStatement { id, answer, scanned_bytes: scanned_bytes.unwrap_or_default().unsigned_abs() })
        })
    }

    /// Polls a query execution until it succeeds; fails with [`StatementError`] if it fails or is cancelled.
    pub(crate) async fn wait_for_success(&self, id: &str, statement: &str) -> Result<sdk::QueryExecution> {
        use sdk::QueryExecutionState::{Cancelled, Failed, Succeeded};
        let mut polling = Polling::with_max_delay(MAX_POLL_DELAY);
        loop {
            let response = self.athena.get_query_execution().query_execution_id(id).send().await;
            let execution = response.error_context("poll a query execution on Athena")?.query_execution;
            if let Some(execution) = execution
                && let Some(status) = &execution.status
            {
                match &status.state {
                    Some(Succeeded) => return Ok(execution),
                    Some(state @ (Failed | Cancelled)) => {
                        let reason = status.state_change_reason.as_deref();
                        let reason = reason.unwrap_or_else(|| state.as_str()).to_owned();
                        let (statement, id) = (statement.to_owned(), id.to_owned());
                        return Err(StatementError { statement, reason, id }.into());
                    }
                    _ => {}
                }
            }
            polling.sleep().await;
        }
    }

    async fn results(&self, id: &str) -> Result<Answer> {
        let mut pages = self.athena.get_query_results().query_execution_id(id).into_paginator().send();
        let mut answer = Answer::default();
        let mut is_first = true;
        while let Some(page) = pages.next().await {
            append(&mut answer, page.error_context("fetch query results from Athena")?, is_first);
            is_first = false;
        }
        Ok(answer)
    }
}

/// Appends a page of results. The first row of the first page contains the column names.
fn append(answer: &mut Answer, page: GetQueryResultsOutput, is_first: bool) {
    let Some(results) = page.result_set else { return };
    let columns = results.result_set_metadata.and_then(|metadata| metadata.column_info).unwrap_or_default();
    if is_first {
        answer.columns = columns.iter().map(|column| column.name.clone()).collect();
    }
    for row in results.rows.into_iter().flatten().skip(usize::from(is_first)) {
        let cells = row.data.into_iter().flatten().zip(&columns);
        answer.rows.push(cells.map(|(datum, column)| cell(datum.var_char_value, &column.r#type)).collect());
    }
}

/// Parses a value, which Athena returns as text, by its type.
fn cell(text: Option<String>, kind: &str) -> Cell {
    let Some(text) = text else { return Cell::Null };
    match kind.split('(').next().unwrap_or_default() {
        "tinyint" | "smallint" | "integer" | "bigint" => text.parse().map_or(Cell::Text(text), Cell::Integer),
        "real" | "float" | "double" | "decimal" => {
            text.parse().ok().filter(|value: &f64| value.is_finite()).map_or(Cell::Text(text), Cell::Number)
        }
        "boolean" => text.parse().map_or(Cell::Text(text), Cell::Boolean),
        // Without trailing zeros of the fraction, as the embedded engine formats timestamps.
        "timestamp" if text.contains('.') => Cell::Text(text.trim_end_matches('0').trim_end_matches('.').to_owned()),
        _ => Cell::Text(text),
    }
}

#[cfg(test)]
mod tests {
    use super::cell;
    use manifest::answer::Cell;

    #[test]
    fn values_have_the_same_types_as_in_the_embedded_engine() {
        for (text, kind, expected) in [
            ("7", "bigint", Cell::Integer(7)),
            ("7.5", "double", Cell::Number(7.5)),
            ("7.50", "decimal(4,2)", Cell::Number(7.5)),
            ("NaN", "double", Cell::Text("NaN".into())),
            ("true", "boolean", Cell::Boolean(true)),
            ("2026-11-22", "date", Cell::Text("2026-11-22".into())),
            ("2026-11-22 08:30:00.000", "timestamp", Cell::Text("2026-11-22 08:30:00".into())),
            ("2026-11-22 08:30:00.120", "timestamp", Cell::Text("2026-11-22 08:30:00.12".into())),
            ("10", "varchar", Cell::Text("10".into())),
        ] {
            assert_eq!(cell(Some(text.into()), kind), expected);
        }
        assert_eq!(cell(None, "bigint"), Cell::Null);
    }
}
