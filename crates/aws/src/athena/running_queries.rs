//! Statements of interrupted runs: Athena keeps running them after the client has exited.

use anyhow::Result;
use aws_sdk_athena::types::QueryExecutionState::{Queued, Running};

use crate::athena::StatementError;
use crate::error::ErrorContext;
use crate::session::Session;

/// Number of statements of a workgroup that are searched; Athena lists the newest first.
const SEARCHED_STATEMENTS: i32 = 50;

impl Session {
    /// Returns the ids of queued or running statements whose text starts with `prefix`, among the newest 50 of the
    /// workgroup.
    ///
    /// # Errors
    ///
    /// Fails with an [`AwsError`](crate::AwsError) if a request fails.
    pub fn running_statements(&self, workgroup: &str, prefix: &str) -> Result<Vec<String>> {
        let operation = "list running statements on Athena";
        self.block_on(async {
            let request = self.athena.list_query_executions().work_group(workgroup).max_results(SEARCHED_STATEMENTS);
            let ids = request.send().await.error_context(operation)?.query_execution_ids.unwrap_or_default();
            let mut running = Vec::new();
            for id in ids {
                let response =
                    self.athena.get_query_execution().query_execution_id(&id).send().await.error_context(operation)?;
                let Some(execution) = response.query_execution else { continue };
                let state = execution.status.and_then(|status| status.state);
                let has_prefix = execution.query.is_some_and(|text| text.starts_with(prefix));
                if has_prefix && matches!(state, Some(Queued | Running)) {
                    running.push(id);
                }
            }
            Ok(running)
        })
    }

    /// Waits until a statement has succeeded, failed or been cancelled.
    ///
    /// # Errors
    ///
    /// Fails if its state can't be read; a failed statement is not an error.
    pub fn wait_for_statement(&self, id: &str) -> Result<()> {
        match self.block_on(self.wait_for_success(id, "")) {
            Err(error) if !error.is::<StatementError>() => Err(error),
            _ => Ok(()),
        }
    }
}
