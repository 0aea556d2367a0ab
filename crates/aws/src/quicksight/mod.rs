//! QuickSight: data sources, data sets and dashboards, and refreshes of data sets.
//!
//! `infra/quicksight` defines them as the bodies of the create requests, which are submitted unchanged. The SDK's crate for
//! QuickSight has thousands of types, can't read them from JSON and takes minutes to compile, so the module `rest` sends these
//! requests.

use std::time::Duration;

use anyhow::{Result, bail};
use serde_json::{Map, Value, json};

pub mod resource;

use self::resource::{
    ExistingResource, QuickSightResource, ResourceKind, failure_of, ownership, permissions_of, reason_of, status_of,
};
use crate::error::{AwsError, Kind};
use crate::polling::Polling;
use crate::rest::Call;
use crate::session::Session;

/// Longest delay between two polls.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Longest time that an operation may be in progress. Refreshes have no limit: their duration depends on the data.
const PATIENCE: Duration = Duration::from_mins(5);

/// Row counts of a completed refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refreshed {
    /// Rows in SPICE.
    pub rows: u64,
    /// Rows that QuickSight skipped because it couldn't read them.
    pub dropped: u64,
}

impl Session {
    /// Reads a resource after operations in progress on it have completed; `None` if it doesn't exist.
    ///
    /// # Errors
    ///
    /// Fails if a request fails, or an operation stays in progress for more than 5 minutes.
    pub fn quicksight_resource(&self, kind: ResourceKind, id: &str) -> Result<Option<ExistingResource>> {
        self.wait(async {
            let Some(settings) = self.settled(kind, id, None).await? else { return Ok(None) };
            let doing = format!("see who may use the {} {id}", kind.name());
            let permissions = Call::get(format!("{}/{id}/permissions", kind.path()));
            let permissions = self.ask_quicksight(permissions, &doing).await?;
            let failure = failure_of(kind, &settings);
            Ok(Some(ExistingResource { settings, failure, permissions: permissions_of(&permissions) }))
        })
    }

    /// Creates a resource owned by `owner` (an ARN) and waits for completion. Returns the id of the refresh that this has started, if
    /// any.
    ///
    /// # Errors
    ///
    /// Fails if a request or the creation fails.
    pub fn create_quicksight_resource(&self, asset: &QuickSightResource, owner: &str) -> Result<Option<String>> {
        let QuickSightResource { kind, id, settings } = asset;
        let mut body = settings.clone();
        body.insert("Permissions".to_owned(), ownership(*kind, owner));
        let path = if *kind == ResourceKind::Dashboard {
            format!("{}/{id}", kind.path())
        } else {
            body.insert(format!("{}Id", kind.member()), json!(id));
            kind.path().to_owned()
        };
        let doing = format!("create the {} {id}", kind.name());
        self.wait(async {
            let call = Call { method: "POST", path, body: Some(Value::Object(body)) };
            let answer = match self.patiently(call, &doing).await {
                // An earlier attempt, whose response was lost, has created it.
                Err(error) if error.kind == Kind::AlreadyThere => Value::Null,
                answer => answer?,
            };
            self.demand(asset, None, &doing).await?;
            Ok(answer["IngestionId"].as_str().map(str::to_owned))
        })
    }

    /// Updates a resource and waits for completion. Returns the id of the refresh that this has started, if any.
    ///
    /// # Errors
    ///
    /// Fails if a request or the update fails.
    pub fn update_quicksight_resource(&self, asset: &QuickSightResource) -> Result<Option<String>> {
        let QuickSightResource { kind, id, settings } = asset;
        let mut body = settings.clone();
        body.retain(|name, _| !kind.made_once().contains(&name.as_str()));
        let doing = format!("update the {} {id}", kind.name());
        self.wait(async {
            let path = format!("{}/{id}", kind.path());
            let call = Call { method: "PUT", path: path.clone(), body: Some(Value::Object(body)) };
            let answer = self.patiently(call, &doing).await?;
            // A new version of a dashboard is invisible until it is published.
            let version = answer["VersionArn"].as_str().and_then(|arn| arn.rsplit('/').next());
            self.demand(asset, version, &doing).await?;
            if let Some(version) = version {
                let publish = Call { method: "PUT", path: format!("{path}/versions/{version}"), body: None };
                self.patiently(publish, &doing).await?;
            }
            Ok(answer["IngestionId"].as_str().map(str::to_owned))
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
        let doing = format!("give the {} {id} to {owner}", kind.name());
        let path = format!("{}/{id}/permissions", kind.path());
        self.wait(self.patiently(Call { method, path, body }, &doing))?;
        Ok(())
    }

    /// Deletes a resource. A missing one is no error.
    ///
    /// # Errors
    ///
    /// Fails if the request fails.
    pub fn delete_quicksight_resource(&self, kind: ResourceKind, id: &str) -> Result<()> {
        let doing = format!("delete the {} {id}", kind.name());
        let call = Call { method: "DELETE", path: format!("{}/{id}", kind.path()), body: None };
        match self.wait(self.patiently(call, &doing)) {
            Err(error) if error.kind == Kind::NotFound => Ok(()),
            result => Ok(result.map(drop)?),
        }
    }

    /// Starts a full refresh of a data set with the id `name`.
    ///
    /// # Errors
    ///
    /// Fails if the request fails.
    pub fn begin_refresh(&self, data_set: &str, name: &str) -> Result<()> {
        let path = format!("data-sets/{data_set}/ingestions/{name}");
        let call = Call { method: "PUT", path, body: Some(json!({ "IngestionType": "FULL_REFRESH" })) };
        match self.wait(self.patiently(call, &refreshing(data_set))) {
            // An earlier attempt, whose response was lost, has started it: ids are unique to a run.
            Err(error) if error.kind == Kind::AlreadyThere => Ok(()),
            result => Ok(result.map(drop)?),
        }
    }

    /// Waits until a refresh has completed, without a time limit.
    ///
    /// # Errors
    ///
    /// Fails if a request fails, or the refresh failed or was cancelled.
    pub fn await_refresh(&self, data_set: &str, name: &str) -> Result<Refreshed> {
        let look = Call::get(format!("data-sets/{data_set}/ingestions/{name}"));
        let doing = refreshing(data_set);
        self.wait(async {
            let mut polling = Polling::up_to(LONGEST_PAUSE);
            loop {
                let answer = self.ask_quicksight(look.clone(), &doing).await?;
                let ingestion = &answer["Ingestion"];
                match ingestion["IngestionStatus"].as_str().unwrap_or_default() {
                    "COMPLETED" => {
                        let count = |name: &str| ingestion["RowInfo"][name].as_u64().unwrap_or_default();
                        return Ok(Refreshed { rows: count("RowsIngested"), dropped: count("RowsDropped") });
                    }
                    status @ ("FAILED" | "CANCELLED") => {
                        let reason = reason_of(&ingestion["ErrorInfo"]).unwrap_or_else(|| status.to_owned());
                        bail!(AwsError::new(Kind::Other, doing, reason).with_next_step(ASKS_FOR_ITSELF));
                    }
                    _ => polling.pause().await,
                }
            }
        })
    }

    /// Sends one request, with a path relative to the account.
    async fn ask_quicksight(&self, call: Call, doing: &str) -> Result<Value, AwsError> {
        let path = format!("/accounts/{}/{}", self.account_id(), call.path);
        self.quicksight.send(Call { path, ..call }, doing).await.map_err(explained)
    }

    /// Sends one request, and repeats it while another operation on the resource is in progress.
    async fn patiently(&self, call: Call, doing: &str) -> Result<Value, AwsError> {
        let mut polling = Polling::up_to(LONGEST_PAUSE);
        loop {
            match self.ask_quicksight(call.clone(), doing).await {
                Err(error) if error.code.as_deref() == Some("ConflictException") && polling.elapsed() < PATIENCE => {
                    polling.pause().await;
                }
                answer => return answer,
            }
        }
    }

    /// Reads the settings of a resource once no operation is in progress. Of a dashboard: of `version`, or of the published one.
    async fn settled(&self, kind: ResourceKind, id: &str, version: Option<&str>) -> Result<Option<Map<String, Value>>> {
        let query = version.map_or_else(String::new, |version| format!("?version-number={version}"));
        let look = Call::get(format!("{}/{id}{query}", kind.path()));
        let doing = format!("look at the {} {id}", kind.name());
        let mut polling = Polling::up_to(LONGEST_PAUSE);
        loop {
            let mut answer = match self.ask_quicksight(look.clone(), &doing).await {
                Err(error) if error.kind == Kind::NotFound => return Ok(None),
                answer => answer?,
            };
            let Value::Object(settings) = answer[kind.member()].take() else { return Ok(None) };
            let status = status_of(kind, &settings);
            if !status.ends_with("_IN_PROGRESS") {
                return Ok(Some(settings));
            }
            if polling.elapsed() > PATIENCE {
                bail!(AwsError::new(Kind::Throttled, doing, format!("it has been {status} for too long")));
            }
            polling.pause().await;
        }
    }

    /// Waits for the end of an operation, and fails if it has failed.
    async fn demand(&self, asset: &QuickSightResource, version: Option<&str>, doing: &str) -> Result<()> {
        let Some(settings) = self.settled(asset.kind, &asset.id, version).await? else {
            bail!(AwsError::new(Kind::NotFound, doing, "it is gone again"));
        };
        match failure_of(asset.kind, &settings) {
            None => Ok(()),
            Some(failure) => bail!(AwsError::new(Kind::Other, doing, failure).with_next_step(ASKS_FOR_ITSELF)),
        }
    }
}

/// Next step if QuickSight can't read the lake: it does so with its own service role.
const ASKS_FOR_ITSELF: &str = "in QuickSight's console, under Manage QuickSight, Security & permissions, allow it to use Athena and \
                               the three buckets; then run this again";
const NO_SUCH_USER: &str = "`aws quicksight list-users --aws-account-id NUMBER --namespace default` lists the users and their ARNs, \
                            in the region where the account signed up for QuickSight";
const NOT_SIGNED_UP: &str =
    "sign the account up for QuickSight, Enterprise edition, and choose its region with --region";

fn explained(error: AwsError) -> AwsError {
    let (code, message) = (error.code.clone().unwrap_or_default(), error.message().to_owned());
    if code == "InvalidParameterValueException" && message.contains("principal") {
        error.with_next_step(NO_SUCH_USER)
    } else if code == "UnsupportedUserEditionException" || message.contains("Directory information for account") {
        error.with_next_step(NOT_SIGNED_UP)
    } else {
        error
    }
}

fn refreshing(data_set: &str) -> String {
    format!("refresh the {} {data_set}", ResourceKind::DataSet.name())
}

#[cfg(test)]
mod tests {
    use super::Refreshed;
    use crate::fake_http::{FakeServer, SECRET};
    use crate::quicksight::resource::{QuickSightResource, ResourceKind};
    use serde_json::json;

    const ACCOUNT: &str = "/accounts/123456789012";

    fn asset(kind: ResourceKind) -> QuickSightResource {
        let settings = json!({ "Name": "mine", "Tags": [], "Type": "ATHENA" });
        QuickSightResource { kind, id: "x".to_owned(), settings: settings.as_object().unwrap().clone() }
    }

    #[test]
    fn lost_response_to_a_create_request_is_no_error() {
        let server = FakeServer::new(&[
            ("POST /data-sets", 0, ""),
            ("POST /data-sets", 409, "ResourceExistsException"),
            ("GET /data-sets/x", 200, r#"{"DataSet": {"Name": "mine"}}"#),
            ("PUT /data-sets/x/ingestions/y", 0, ""),
            ("PUT /data-sets/x/ingestions/y", 409, "ResourceExistsException"),
        ]);
        let session = server.session();
        assert_eq!(session.create_quicksight_resource(&asset(ResourceKind::DataSet), "arn:ada").unwrap(), None);
        session.begin_refresh("x", "y").unwrap();
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
        session.update_quicksight_resource(&asset(ResourceKind::DataSource)).unwrap();
        assert_eq!(session.await_refresh("x", "y").unwrap(), Refreshed { rows: 7, dropped: 1 });
        assert_eq!(server.requests()[3].body, json!({ "Name": "mine" }), "what is made once isn't sent again");
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
            server.session().update_quicksight_resource(&asset(ResourceKind::Dashboard)).unwrap_err().to_string();
        let expected = "cannot update the QuickSight dashboard x: no number (COLUMN_TYPE_MISMATCH); no sheet";
        assert!(error.starts_with(expected), "{error}");
    }

    #[test]
    fn rejected_requests_name_a_next_step() {
        for (status, answer, expected) in [
            (401, "AccessDeniedException", "(AccessDeniedException)\n  next: give the user or role a policy"),
            (403, "UnsupportedUserEditionException", "next: sign the account up for QuickSight"),
            (404, r#"{"Message": "Directory information for account 1 is not found."}"#, "next: sign the account up"),
            (400, r#"{"Message": "One or more principal ARNs are not valid"}"#, "are not valid"),
            (413, "<html>", "the answer was HTTP 413"),
        ] {
            let server = FakeServer::new(&[("POST /dashboards/x", status, answer)]);
            let error = server
                .session()
                .create_quicksight_resource(&asset(ResourceKind::Dashboard), "arn:ada")
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
