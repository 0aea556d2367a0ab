//! Statements that an interrupted run has begun: Athena doesn't know that nobody waits for them any more.

use anyhow::Result;
use aws_sdk_athena::types::QueryExecutionState::{Queued, Running};

use crate::athena::StatementFailed;
use crate::error::ErrorContext;
use crate::session::Session;

/// How many of a workgroup's statements are looked at; Athena lists the newest first.
const NEWEST: i32 = 50;

impl Session {
    /// The identifiers of those of the newest statements that begin so and have not ended.
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

    /// Waits for the end of a statement, whatever it is.
    pub fn wait_for_statement(&self, id: &str) -> Result<()> {
        match self.wait(self.wait_for(id, "")) {
            Err(error) if !error.is::<StatementFailed>() => Err(error),
            _ => Ok(()),
        }
    }
}
