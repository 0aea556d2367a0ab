//! QuickSight: data sources, data sets, dashboards and refreshes.
//!
//! `infra/quicksight` contains the bodies of the create requests, which are submitted unchanged. The module `rest` sends
//! them, because the QuickSight crate of the SDK can't parse its thousands of types from JSON and takes minutes to compile.

use std::time::Duration;

use anyhow::{Result, bail};
use serde_json::{Map, Value, json};

pub mod resource;

use self::resource::{
    ExistingResource, QuickSightResource, ResourceKind, failure_of, ownership, permissions_of, reason_of, status_of,
};
use crate::error::{AwsError, Kind};
use crate::polling::Polling;
use crate::rest::RestRequest;
use crate::session::Session;

/// Longest delay between two polls.
const MAX_POLL_DELAY: Duration = Duration::from_secs(5);
/// Timeout of an operation. Refreshes have none: their duration depends on the data.
const OPERATION_TIMEOUT: Duration = Duration::from_mins(5);

/// Row counts of a completed refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshResult {
    /// Rows in SPICE.
    pub rows: u64,
    /// Rows that QuickSight skipped because it couldn't read them.
    pub dropped: u64,
}

impl Session {
    /// Reads a resource once no operation on it is in progress; `None` if it doesn't exist.
    ///
    /// # Errors
    ///
    /// Fails if a request fails, or an operation takes more than 5 minutes.
    pub fn quicksight_resource(&self, kind: ResourceKind, id: &str) -> Result<Option<ExistingResource>> {
        self.block_on(async {
            let Some(settings) = self.describe_when_idle(kind, id, None).await? else { return Ok(None) };
            let operation = format!("read the permissions of the {} {id}", kind.name());
            let permissions = RestRequest::get(format!("{}/{id}/permissions", kind.path()));
            let permissions = self.send_quicksight(permissions, &operation).await?;
            let failure = failure_of(kind, &settings);
            Ok(Some(ExistingResource { settings, failure, permissions: permissions_of(&permissions) }))
        })
    }

    /// Creates a resource owned by `owner` (an ARN) and waits for completion. Returns the id of the refresh that this
    /// starts, if any.
    ///
    /// # Errors
    ///
    /// Fails if a request or the creation fails.
    pub fn create_quicksight_resource(&self, resource: &QuickSightResource, owner: &str) -> Result<Option<String>> {
        let QuickSightResource { kind, id, settings } = resource;
        let mut body = settings.clone();
        body.insert("Permissions".to_owned(), ownership(*kind, owner));
        let path = if *kind == ResourceKind::Dashboard {
            format!("{}/{id}", kind.path())
        } else {
            body.insert(format!("{}Id", kind.member()), json!(id));
            kind.path().to_owned()
        };
        let operation = format!("create the {} {id}", kind.name());
        self.block_on(async {
            let request = RestRequest { method: "POST", path, body: Some(Value::Object(body)) };
            let response = match self.send_retrying_conflicts(request, &operation).await {
                // Created by an earlier attempt whose response was lost.
                Err(error) if error.kind == Kind::AlreadyExists => Value::Null,
                response => response?,
            };
            self.ensure_succeeded(resource, None, &operation).await?;
            Ok(response["IngestionId"].as_str().map(str::to_owned))
        })
    }

    /// Updates a resource and waits for completion. Returns the id of the refresh that this starts, if any.
    ///
    /// # Errors
    ///
    /// Fails if a request or the update fails.
    pub fn update_quicksight_resource(&self, resource: &QuickSightResource) -> Result<Option<String>> {
        let QuickSightResource { kind, id, settings } = resource;
        let mut body = settings.clone();
        body.retain(|name, _| !kind.create_only_members().contains(&name.as_str()));
        let operation = format!("update the {} {id}", kind.name());
        self.block_on(async {
            let path = format!("{}/{id}", kind.path());
            let request = RestRequest { method: "PUT", path: path.clone(), body: Some(Value::Object(body)) };
            let response = self.send_retrying_conflicts(request, &operation).await?;
            // A new version of a dashboard is invisible until it is published.
            let version = response["VersionArn"].as_str().and_then(|arn| arn.rsplit('/').next());
            self.ensure_succeeded(resource, version, &operation).await?;
            if let Some(version) = version {
                let request = RestRequest { method: "PUT", path: format!("{path}/versions/{version}"), body: None };
                self.send_retrying_conflicts(request, &operation).await?;
            }
            Ok(response["IngestionId"].as_str().map(str::to_owned))
        })
    }

    /// Grants a user or group (by ARN) the permissions of an owner.
    ///
    /// # Errors
    ///
    /// Fails if the request fails.
    pub fn grant_quicksight_resource(&self, kind: ResourceKind, id: &str, owner: &str) -> Result<()> {
        let method = if kind == ResourceKind::Dashboard { "PUT" } else { "POST" };
        let body = Some(json!({ "GrantPermissions": ownership(kind, owner) }));
        let operation = format!("grant ownership of the {} {id} to {owner}", kind.name());
        let path = format!("{}/{id}/permissions", kind.path());
        self.block_on(self.send_retrying_conflicts(RestRequest { method, path, body }, &operation))?;
        Ok(())
    }

    /// Deletes a resource. A missing one is not an error.
    ///
    /// # Errors
    ///
    /// Fails if the request fails.
    pub fn delete_quicksight_resource(&self, kind: ResourceKind, id: &str) -> Result<()> {
        let operation = format!("delete the {} {id}", kind.name());
        let request = RestRequest { method: "DELETE", path: format!("{}/{id}", kind.path()), body: None };
        match self.block_on(self.send_retrying_conflicts(request, &operation)) {
            Err(error) if error.kind == Kind::NotFound => Ok(()),
            result => Ok(result.map(drop)?),
        }
    }

    /// Starts a full refresh of a data set with the id `name`.
    ///
    /// # Errors
    ///
    /// Fails if the request fails.
    pub fn start_refresh(&self, data_set: &str, name: &str) -> Result<()> {
        let path = format!("data-sets/{data_set}/ingestions/{name}");
        let request = RestRequest { method: "PUT", path, body: Some(json!({ "IngestionType": "FULL_REFRESH" })) };
        match self.block_on(self.send_retrying_conflicts(request, &refresh_operation(data_set))) {
            // Started by an earlier attempt whose response was lost; ids are unique to a run.
            Err(error) if error.kind == Kind::AlreadyExists => Ok(()),
            result => Ok(result.map(drop)?),
        }
    }

    /// Waits until a refresh has completed, without a time limit.
    ///
    /// # Errors
    ///
    /// Fails if a request fails, or the refresh failed or was cancelled.
    pub fn wait_for_refresh(&self, data_set: &str, name: &str) -> Result<RefreshResult> {
        let request = RestRequest::get(format!("data-sets/{data_set}/ingestions/{name}"));
        let operation = refresh_operation(data_set);
        self.block_on(async {
            let mut polling = Polling::with_max_delay(MAX_POLL_DELAY);
            loop {
                let response = self.send_quicksight(request.clone(), &operation).await?;
                let ingestion = &response["Ingestion"];
                match ingestion["IngestionStatus"].as_str().unwrap_or_default() {
                    "COMPLETED" => {
                        let count = |name: &str| ingestion["RowInfo"][name].as_u64().unwrap_or_default();
                        return Ok(RefreshResult { rows: count("RowsIngested"), dropped: count("RowsDropped") });
                    }
                    status @ ("FAILED" | "CANCELLED") => {
                        let reason = reason_of(&ingestion["ErrorInfo"]).unwrap_or_else(|| status.to_owned());
                        bail!(AwsError::new(Kind::Other, operation, reason).with_next_step(ALLOW_SERVICE_ROLE));
                    }
                    _ => polling.sleep().await,
                }
            }
        })
    }

    /// Sends a request with a path relative to the account.
    async fn send_quicksight(&self, request: RestRequest, operation: &str) -> Result<Value, AwsError> {
        let path = format!("/accounts/{}/{}", self.account_id(), request.path);
        self.quicksight.send(RestRequest { path, ..request }, operation).await.map_err(with_quicksight_next_step)
    }

    /// Sends a request, and retries it while another operation on the resource is in progress.
    async fn send_retrying_conflicts(&self, request: RestRequest, operation: &str) -> Result<Value, AwsError> {
        let mut polling = Polling::with_max_delay(MAX_POLL_DELAY);
        loop {
            match self.send_quicksight(request.clone(), operation).await {
                Err(error)
                    if error.code.as_deref() == Some("ConflictException") && polling.elapsed() < OPERATION_TIMEOUT =>
                {
                    polling.sleep().await;
                }
                response => return response,
            }
        }
    }

    /// Reads the settings of a resource once no operation is in progress; of a dashboard, those of `version` or of the
    /// published one.
    async fn describe_when_idle(
        &self,
        kind: ResourceKind,
        id: &str,
        version: Option<&str>,
    ) -> Result<Option<Map<String, Value>>> {
        let query = version.map_or_else(String::new, |version| format!("?version-number={version}"));
        let request = RestRequest::get(format!("{}/{id}{query}", kind.path()));
        let operation = format!("read the {} {id}", kind.name());
        let mut polling = Polling::with_max_delay(MAX_POLL_DELAY);
        loop {
            let mut response = match self.send_quicksight(request.clone(), &operation).await {
                Err(error) if error.kind == Kind::NotFound => return Ok(None),
                response => response?,
            };
            let Value::Object(settings) = response[kind.member()].take() else { return Ok(None) };
            let status = status_of(kind, &settings);
            if !status.ends_with("_IN_PROGRESS") {
                return Ok(Some(settings));
            }
            if polling.elapsed() > OPERATION_TIMEOUT {
                let minutes = OPERATION_TIMEOUT.as_secs() / 60;
                bail!(AwsError::new(Kind::Throttled, operation, format!("still {status} after {minutes} minutes")));
            }
            polling.sleep().await;
        }
    }

    /// Waits until the operation on a resource has completed. Fails if it has failed.
    async fn ensure_succeeded(
        &self,
        resource: &QuickSightResource,
        version: Option<&str>,
        operation: &str,
    ) -> Result<()> {
        let Some(settings) = self.describe_when_idle(resource.kind, &resource.id, version).await? else {
            bail!(AwsError::new(Kind::NotFound, operation, "it was deleted meanwhile"));
        };
        match failure_of(resource.kind, &settings) {
            None => Ok(()),
            Some(failure) => bail!(AwsError::new(Kind::Other, operation, failure).with_next_step(ALLOW_SERVICE_ROLE)),
        }
    }
}

/// Next step if QuickSight can't read the lake, for which it uses its service role.
const ALLOW_SERVICE_ROLE: &str = "in QuickSight's console, under Manage QuickSight, Security & permissions, allow Athena \
                                  and the three buckets; then run this again";
const NO_SUCH_USER: &str = "`aws quicksight list-users --aws-account-id NUMBER --namespace default` lists the users and \
                            their ARNs, in the region where the account signed up for QuickSight";
const NOT_SIGNED_UP: &str = "sign the account up for QuickSight, Enterprise edition, and set its region with --region";

/// Adds the next step to errors that are specific to QuickSight.
fn with_quicksight_next_step(error: AwsError) -> AwsError {
    let (code, message) = (error.code.clone().unwrap_or_default(), error.message().to_owned());
    if code == "InvalidParameterValueException" && message.contains("principal") {
        error.with_next_step(NO_SUCH_USER)
    } else if code == "UnsupportedUserEditionException" || message.contains("Directory information for account") {
        error.with_next_step(NOT_SIGNED_UP)
    } else {
        error
    }
}

fn refresh_operation(data_set: &str) -> String {
    format!("refresh the {} {data_set}", ResourceKind::DataSet.name())
}

#[cfg(test)]
mod tests {
    use super::RefreshResult;
    use crate::fake_http::{FakeServer, SECRET};
    use crate::quicksight::resource::{QuickSightResource, ResourceKind};
    use serde_json::json;

    const ACCOUNT: &str = "/accounts/123456789012";

    fn defined(kind: ResourceKind) -> QuickSightResource {
        let settings = json!({ "Name": "mine", "Tags": [], "Type": "ATHENA" });
        QuickSightResource { kind, id: "x".to_owned(), settings: settings.as_object().unwrap().clone() }
    }

    #[test]
    fn lost_response_to_a_create_request_is_not_an_error() {
        let server = FakeServer::new(&[
            ("POST /data-sets", 0, ""),
            ("POST /data-sets", 409, "ResourceExistsException"),
            ("GET /data-sets/x", 200, r#"{"DataSet": {"Name": "mine"}}"#),
            ("PUT /data-sets/x/ingestions/y", 0, ""),
            ("PUT /data-sets/x/ingestions/y", 409, "ResourceExistsException"),
        ]);
        let session = server.session();
        assert_eq!(session.create_quicksight_resource(&defined(ResourceKind::DataSet), "arn:ada").unwrap(), None);
        session.start_refresh("x", "y").unwrap();
        let requests = server.requests();
        assert_eq!(requests[0].body["DataSetId"], "x");
        assert_eq!(requests[0].body["Permissions"][0]["Principal"], "arn:ada");
        for request in requests {
            assert!(request.path.starts_with(ACCOUNT), "{}", request.path);
            assert!(request.head.contains("/eu-central-1/quicksight/aws4_request, signedheaders="), "{}", request.head);
            assert!(!request.head.contains(SECRET));
        }
    }

    #[test]
    fn throttled_and_conflicting_requests_are_retried() {
        let server = FakeServer::new(&[
            ("PUT /data-sources/x", 429, "ThrottlingException"),
            ("PUT /data-sources/x", 500, "InternalFailureException"),
            ("PUT /data-sources/x", 409, "ConflictException"),
            ("PUT /data-sources/x", 202, "{}"),
            ("GET /data-sources/x", 200, r#"{"DataSource": {"Status": "UPDATE_IN_PROGRESS"}}"#),
            ("GET /data-sources/x", 200, r#"{"DataSource": {"Status": "UPDATE_SUCCESSFUL"}}"#),
            ("GET /data-sets/x/ingestions/y", 200, r#"{"Ingestion": {"IngestionStatus": "RUNNING"}}"#),
            (
                "GET /data-sets/x/ingestions/y",
                200,
                r#"{"Ingestion": {"IngestionStatus": "COMPLETED", "RowInfo": {"RowsIngested": 7, "RowsDropped": 1}}}"#,
            ),
        ]);
        let session = server.session();
        session.update_quicksight_resource(&defined(ResourceKind::DataSource)).unwrap();
        assert_eq!(session.wait_for_refresh("x", "y").unwrap(), RefreshResult { rows: 7, dropped: 1 });
        assert_eq!(server.requests()[3].body, json!({ "Name": "mine" }), "create-only members are omitted");
    }

    #[test]
    fn failed_dashboard_version_is_not_published() {
        let failed = r#"{"Dashboard": {"Version": {"Status": "CREATION_FAILED", "Errors": [
            {"Type": "COLUMN_TYPE_MISMATCH", "Message": "no number"}, {"Message": "no sheet"}]}}}"#;
        let server = FakeServer::new(&[
            ("PUT /dashboards/x", 202, r#"{"VersionArn": "arn:aws:quicksight:::dashboard/x/version/4"}"#),
            ("GET /dashboards/x?version-number=4", 200, failed),
        ]);
        let error =
            server.session().update_quicksight_resource(&defined(ResourceKind::Dashboard)).unwrap_err().to_string();
        let expected = "cannot update the QuickSight dashboard x: no number (COLUMN_TYPE_MISMATCH); no sheet";
        assert!(error.starts_with(expected), "{error}");
    }

    #[test]
    fn rejected_requests_name_a_next_step() {
        for (status, response, expected) in [
            (401, "AccessDeniedException", "(AccessDeniedException)\n  next: attach a policy that allows this"),
            (403, "UnsupportedUserEditionException", "next: sign the account up for QuickSight"),
            (404, r#"{"Message": "Directory information for account 1 is not found."}"#, "next: sign the account up"),
            (400, r#"{"Message": "One or more principal ARNs are not valid"}"#, "are not valid"),
            (413, "<html>", "HTTP status 413"),
        ] {
            let server = FakeServer::new(&[("POST /dashboards/x", status, response)]);
            let error = server
                .session()
                .create_quicksight_resource(&defined(ResourceKind::Dashboard), "arn:ada")
                .unwrap_err()
                .to_string();
            assert!(error.starts_with("cannot create the QuickSight dashboard x: "), "{error}");
            assert!(error.contains(expected), "{expected} is not in {error}");
            assert!(!error.contains(SECRET), "{error}");
        }
    }

    #[test]
    fn deleting_a_missing_resource_succeeds() {
        let server = FakeServer::new(&[("DELETE /data-sets/x", 404, "ResourceNotFoundException")]);
        server.session().delete_quicksight_resource(ResourceKind::DataSet, "x").unwrap();
    }
}
