//! Athena: workgroups, and execution of statements.

use std::time::Duration;

use anyhow::Result;
use aws_sdk_athena::operation::get_query_results::GetQueryResultsOutput;
use aws_sdk_athena::types as sdk;
use manifest::answer::{Answer, Cell};
use serde::{Deserialize, Serialize};
use ticket_schema::names::DATABASE;

use crate::error::{ErrorContext, Kind};
use crate::polling::Polling;
use crate::region::partition_of;
use crate::s3::bucket_settings::Tag;
use crate::session::Session;

pub mod running_queries;

/// Longest delay between two polls of a statement.
const MAX_POLL_DELAY: Duration = Duration::from_secs(3);
/// Maximum length of a statement in bytes, a limit of Athena.
pub const MAX_STATEMENT_BYTES: usize = 262_144;

/// Workgroup, with the structure of the create request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Workgroup {
    /// Name.
    pub name: String,
    /// Description.
    pub description: String,
    /// Settings of its statements.
    pub configuration: Configuration,
    /// Tags.
    pub tags: Vec<Tag>,
}

/// Settings of the statements of a workgroup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Configuration {
    /// Engine version.
    pub engine_version: EngineVersion,
    /// True if clients can't override these settings.
    pub enforce_work_group_configuration: bool,
    /// True if metrics are published to `CloudWatch`.
    pub publish_cloud_watch_metrics_enabled: bool,
    /// Scan limit of a query in bytes; Athena cancels a query at this limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_scanned_cutoff_per_query: Option<i64>,
    /// Destination of results.
    pub result_configuration: ResultConfiguration,
}

/// Engine version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct EngineVersion {
    /// Name, such as `Athena engine version 3`.
    pub selected_engine_version: String,
}

/// Destination of results.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ResultConfiguration {
    /// S3 URI of a prefix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_location: Option<String>,
    /// Encryption.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption_configuration: Option<ResultEncryption>,
    /// Account that must own the bucket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_bucket_owner: Option<String>,
}

/// Encryption of results.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ResultEncryption {
    /// Option, such as `SSE_S3`.
    pub encryption_option: String,
}

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
    /// Reads a workgroup; `None` if it doesn't exist.
    ///
    /// # Errors
    ///
    /// Fails if a request fails.
    pub fn workgroup(&self, name: &str) -> Result<Option<Workgroup>> {
        let response = self.block_on(self.athena.get_work_group().work_group(name).send());
        let workgroup = match response.error_context(&format!("read the workgroup {name}")) {
            // Athena has no error code for a missing workgroup.
            Err(error) if error.message_contains("not found") => return Ok(None),
            response => response?.work_group,
        };
        let Some(workgroup) = workgroup else { return Ok(None) };
        let region = self.region();
        let arn = format!("arn:{}:athena:{region}:{}:workgroup/{name}", partition_of(region), self.account_id());
        let tags = self.block_on(self.athena.list_tags_for_resource().resource_arn(arn).send());
        let tags = tags.error_context(&format!("read the tags of the workgroup {name}"))?;
        let tag = |tag: sdk::Tag| Tag { key: tag.key.unwrap_or_default(), value: tag.value.unwrap_or_default() };
        let mut tags: Vec<Tag> = tags.tags.into_iter().flatten().map(tag).collect();
        tags.sort();
        Ok(Some(workgroup_from_sdk(workgroup, tags)))
    }

    /// Creates a workgroup.
    ///
    /// # Errors
    ///
    /// Fails if the request fails.
    pub fn create_workgroup(&self, desired: &Workgroup) -> Result<()> {
        let tag = |tag: &Tag| sdk::Tag::builder().key(&tag.key).value(&tag.value).build();
        let configuration = &desired.configuration;
        let configuration = sdk::WorkGroupConfiguration::builder()
            .engine_version(engine_version(configuration))
            .enforce_work_group_configuration(configuration.enforce_work_group_configuration)
            .publish_cloud_watch_metrics_enabled(configuration.publish_cloud_watch_metrics_enabled)
            .set_bytes_scanned_cutoff_per_query(configuration.bytes_scanned_cutoff_per_query)
            .result_configuration(
                sdk::ResultConfiguration::builder()
                    .set_output_location(configuration.result_configuration.output_location.clone())
                    .set_encryption_configuration(encryption(&configuration.result_configuration)?)
                    .set_expected_bucket_owner(configuration.result_configuration.expected_bucket_owner.clone())
                    .build(),
            )
            .build();
        let request = self.athena.create_work_group().name(&desired.name).description(&desired.description);
        let request = request.configuration(configuration).set_tags(Some(desired.tags.iter().map(tag).collect()));
        self.block_on(request.send()).error_context(&format!("create the workgroup {}", desired.name))?;
        Ok(())
    }

    /// Updates settings and tags of a workgroup.
    ///
    /// # Errors
    ///
    /// Fails if a request fails.
    pub fn update_workgroup(&self, desired: &Workgroup) -> Result<()> {
        let operation = format!("update the workgroup {}", desired.name);
        let configuration = &desired.configuration;
        let updates = sdk::WorkGroupConfigurationUpdates::builder()
            .engine_version(engine_version(configuration))
            .enforce_work_group_configuration(configuration.enforce_work_group_configuration)
            .publish_cloud_watch_metrics_enabled(configuration.publish_cloud_watch_metrics_enabled)
            .set_bytes_scanned_cutoff_per_query(configuration.bytes_scanned_cutoff_per_query)
            .result_configuration_updates(
                sdk::ResultConfigurationUpdates::builder()
                    .set_output_location(configuration.result_configuration.output_location.clone())
                    .set_encryption_configuration(encryption(&configuration.result_configuration)?)
                    .set_expected_bucket_owner(configuration.result_configuration.expected_bucket_owner.clone())
                    .build(),
            )
            .build();
        let request = self.athena.update_work_group().work_group(&desired.name).description(&desired.description);
        self.block_on(request.configuration_updates(updates).send()).error_context(&operation)?;
        let region = self.region();
        let arn =
            format!("arn:{}:athena:{region}:{}:workgroup/{}", partition_of(region), self.account_id(), desired.name);
        let tag = |tag: &Tag| sdk::Tag::builder().key(&tag.key).value(&tag.value).build();
        let request = self.athena.tag_resource().resource_arn(arn);
        self.block_on(request.set_tags(Some(desired.tags.iter().map(tag).collect())).send())
            .error_context(&operation)?;
        Ok(())
    }

    /// Deletes a workgroup with its query history. A missing one is not an error.
    ///
    /// # Errors
    ///
    /// Fails if the request fails.
    pub fn delete_workgroup(&self, name: &str) -> Result<()> {
        let request = self.athena.delete_work_group().work_group(name).recursive_delete_option(true);
        match self.block_on(request.send()).error_context(&format!("delete the workgroup {name}")) {
            Err(error) if error.message_contains("not found") => Ok(()),
            result => Ok(result.map(drop)?),
        }
    }

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

fn engine_version(configuration: &Configuration) -> sdk::EngineVersion {
    sdk::EngineVersion::builder().selected_engine_version(&configuration.engine_version.selected_engine_version).build()
}

fn encryption(results: &ResultConfiguration) -> Result<Option<sdk::EncryptionConfiguration>> {
    let Some(encryption) = &results.encryption_configuration else { return Ok(None) };
    let option = sdk::EncryptionOption::from(encryption.encryption_option.as_str());
    Ok(Some(sdk::EncryptionConfiguration::builder().encryption_option(option).build()?))
}

fn workgroup_from_sdk(workgroup: sdk::WorkGroup, tags: Vec<Tag>) -> Workgroup {
    let configuration = workgroup.configuration;
    let results = configuration.as_ref().and_then(|configuration| configuration.result_configuration.as_ref());
    let result_encryption = results.and_then(|results| results.encryption_configuration.as_ref());
    let engine = configuration.as_ref().and_then(|configuration| configuration.engine_version.as_ref());
    Workgroup {
        name: workgroup.name,
        description: workgroup.description.unwrap_or_default(),
        configuration: Configuration {
            engine_version: EngineVersion {
                selected_engine_version: engine
                    .and_then(|engine| engine.selected_engine_version.clone())
                    .unwrap_or_default(),
            },
            enforce_work_group_configuration: configuration
                .as_ref()
                .and_then(|configuration| configuration.enforce_work_group_configuration)
                .unwrap_or_default(),
            publish_cloud_watch_metrics_enabled: configuration
                .as_ref()
                .and_then(|configuration| configuration.publish_cloud_watch_metrics_enabled)
                .unwrap_or_default(),
            bytes_scanned_cutoff_per_query: configuration
                .as_ref()
                .and_then(|configuration| configuration.bytes_scanned_cutoff_per_query),
            result_configuration: ResultConfiguration {
                output_location: results.and_then(|results| results.output_location.clone()),
                encryption_configuration: result_encryption.map(|encryption| ResultEncryption {
                    encryption_option: encryption.encryption_option.as_str().to_owned(),
                }),
                expected_bucket_owner: results.and_then(|results| results.expected_bucket_owner.clone()),
            },
        },
        tags,
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
