//! Statements that an interrupted run has started. Athena keeps running them after the client is gone.

use anyhow::Result;
use aws_sdk_athena::types::QueryExecutionState::{Queued, Running};

use crate::athena::StatementFailed;
use crate::error::ErrorContext;
use crate::session::Session;

/// Number of statements of a workgroup that are examined; Athena lists the newest first.
const NEWEST: i32 = 50;

impl Session {
    /// Returns the ids of the queued or running statements whose text starts with `beginning`, among the newest 50 of the workgroup.
    ///
    /// # Errors
    ///
    /// Fails with an [`AwsError`](crate::AwsError) if a request fails.
    pub fn unfinished_statements(&self, workgroup: &str, beginning: &str) -> Result<Vec<String>> {
        let doing = "look for statements of an interrupted run";
        self.wait(async {
            let request = self.athena.list_query_executions().work_group(workgroup).max_results(NEWEST);
            let ids = request.send().await.error_context(doing)?.query_execution_ids.unwrap_or_default();
            let mut unfinished = Vec::new();
            for id in ids {
                let answer =
                    self.athena.get_query_execution().query_execution_id(&id).send().await.error_context(doing)?;
                let Some(execution) = answer.query_execution else { continue };
                let state = execution.status.and_then(|status| status.state);
                let is_ours = execution.query.is_some_and(|text| text.starts_with(beginning));
                if is_ours && matches!(state, Some(Queued | Running)) {
                    unfinished.push(id);
                }
            }
            Ok(unfinished)
        })
    }

    /// Waits until a statement has succeeded, failed or been cancelled.
    ///
    /// # Errors
    ///
    /// Fails if its state can't be read; a failed statement is no error.
    pub fn wait_for_statement(&self, id: &str) -> Result<()> {
        match self.wait(self.wait_for(id, "")) {
            Err(error) if !error.is::<StatementFailed>() => Err(error),
            _ => Ok(()),
        }
    }
}
