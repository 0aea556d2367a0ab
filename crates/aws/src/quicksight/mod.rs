//! QuickSight: a data source, a data set and a dashboard, and the refreshes of the data set.
//!
//! What they are stands in `infra/quicksight` as the requests that make them, and is handed on as it stands there. QuickSight's
//! part of the SDK has thousands of types for it, which can't be read from JSON and take minutes to compile; so these are
//! requests of the module `rest`.

use std::time::Duration;

use anyhow::{Result, bail};
use serde_json::{Map, Value, json};

pub mod resource;

use self::resource::{QuickSightResource, ResourceKind, ExistingResource, failure_of, ownership, permissions_of, reason_of, status_of};
use crate::error::{AwsError, Kind};
use crate::polling::Polling;
use crate::rest::Call;
use crate::session::Session;

/// The longest wait between two looks.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How long something may be in progress, but for a refresh, which depends on the data.
const PATIENCE: Duration = Duration::from_mins(5);

/// What a refresh has read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refreshed {
    /// Rows that are shown now.
    pub rows: u64,
    /// Rows that QuickSight couldn't read.
    pub dropped: u64,
}

impl Session {
    /// Reads one, once nothing is being done to it any more; `None` if there is none.
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

    /// Makes one that belongs to `owner`, and waits for it. The name of the refresh that this has begun, if it has.
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
                // It was made by an attempt whose answer was lost.
                Err(error) if error.kind == Kind::AlreadyThere => Value::Null,
                answer => answer?,
            };
            self.demand(asset, None, &doing).await?;
            Ok(answer["IngestionId"].as_str().map(str::to_owned))
        })
    }

    /// Brings one to what is wanted, and waits for it. The name of the refresh that this has begun, if it has.
    pub fn update_quicksight_resource(&self, asset: &QuickSightResource) -> Result<Option<String>> {
        let QuickSightResource { kind, id, settings } = asset;
        let mut body = settings.clone();
        body.retain(|name, _| !kind.made_once().contains(&name.as_str()));
        let doing = format!("update the {} {id}", kind.name());
        self.wait(async {
            let path = format!("{}/{id}", kind.path());
            let call = Call { method: "PUT", path: path.clone(), body: Some(Value::Object(body)) };
            let answer = self.patiently(call, &doing).await?;
            // A dashboard's new version is seen by nobody until it is published.
            let version = answer["VersionArn"].as_str().and_then(|arn| arn.rsplit('/').next());
            self.demand(asset, version, &doing).await?;
            if let Some(version) = version {
                let publish = Call { method: "PUT", path: format!("{path}/versions/{version}"), body: None };
                self.patiently(publish, &doing).await?;
            }
            Ok(answer["IngestionId"].as_str().map(str::to_owned))
        })
    }

    /// Makes a user or group its owner.
    pub fn grant_quicksight_resource(&self, kind: ResourceKind, id: &str, owner: &str) -> Result<()> {
        let method = if kind == ResourceKind::Dashboard { "PUT" } else { "POST" };
        let body = Some(json!({ "GrantPermissions": ownership(kind, owner) }));
        let doing = format!("give the {} {id} to {owner}", kind.name());
        let path = format!("{}/{id}/permissions", kind.path());
        self.wait(self.patiently(Call { method, path, body }, &doing))?;
        Ok(())
    }

    /// Deletes one.
    pub fn delete_quicksight_resource(&self, kind: ResourceKind, id: &str) -> Result<()> {
        let doing = format!("delete the {} {id}", kind.name());
        let call = Call { method: "DELETE", path: format!("{}/{id}", kind.path()), body: None };
        match self.wait(self.patiently(call, &doing)) {
            Err(error) if error.kind == Kind::NotFound => Ok(()),
            result => Ok(result.map(drop)?),
        }
    }

    /// Begins to read a data set's rows anew, under a name of that refresh.
    pub fn begin_refresh(&self, data_set: &str, name: &str) -> Result<()> {
        let path = format!("data-sets/{data_set}/ingestions/{name}");
        let call = Call { method: "PUT", path, body: Some(json!({ "IngestionType": "FULL_REFRESH" })) };
        match self.wait(self.patiently(call, &refreshing(data_set))) {
            // It was begun by an attempt whose answer was lost: nobody else knows the name.
            Err(error) if error.kind == Kind::AlreadyThere => Ok(()),
            result => Ok(result.map(drop)?),
        }
    }

    /// Waits for the end of a refresh, however long that takes.
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

    /// One request, whose path lies below this account.
    async fn ask_quicksight(&self, call: Call, doing: &str) -> Result<Value, AwsError> {
        let path = format!("/accounts/{}/{}", self.account_id(), call.path);
        self.quicksight.send(Call { path, ..call }, doing).await.map_err(explained)
    }

    /// The same, again and again as long as something else is being done to what it is about.
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

    /// What is told of it once nothing is in progress any more; of a dashboard, of the version, else of the published one.
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

    /// Fails if what was done has failed.
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

/// QuickSight reads the lake with a role of its own.
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
    use crate::quicksight::resource::{QuickSightResource, ResourceKind};
    use crate::fake_http::{FakeServer, SECRET};
    use serde_json::json;

    const ACCOUNT: &str = "/accounts/123456789012";

    fn asset(kind: ResourceKind) -> QuickSightResource {
        let settings = json!({ "Name": "mine", "Tags": [], "Type": "ATHENA" });
        QuickSightResource { kind, id: "x".to_owned(), settings: settings.as_object().unwrap().clone() }
    }

    #[test]
    fn what_an_attempt_has_made_whose_answer_was_lost_is_made() {
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
    fn what_is_busy_is_waited_for() {
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
    fn a_version_that_has_failed_is_not_published() {
        let failed = r#"{"Dashboard": {"Version": {"Status": "CREATION_FAILED", "Errors": [
            {"Type": "COLUMN_TYPE_MISMATCH", "Message": "no number"}, {"Message": "no sheet"}]}}}"#;
        let server = FakeServer::new(&[
            ("PUT /dashboards/x", 202, r#"{"VersionArn": "arn:aws:quicksight:::dashboard/x/version/4"}"#),
            ("GET /dashboards/x?version-number=4", 200, failed),
        ]);
        let error = server.session().update_quicksight_resource(&asset(ResourceKind::Dashboard)).unwrap_err().to_string();
        let expected = "cannot update the QuickSight dashboard x: no number (COLUMN_TYPE_MISMATCH); no sheet";
        assert!(error.starts_with(expected), "{error}");
    }

    #[test]
    fn each_refusal_says_what_to_do() {
        for (status, answer, expected) in [
            (401, "AccessDeniedException", "(AccessDeniedException)\n  next: give the user or role the policy"),
            (403, "UnsupportedUserEditionException", "next: sign the account up for QuickSight"),
            (404, r#"{"Message": "Directory information for account 1 is not found."}"#, "next: sign the account up"),
            (400, r#"{"Message": "One or more principal ARNs are not valid"}"#, "are not valid"),
            (413, "<html>", "the answer was HTTP 413"),
        ] {
            let server = FakeServer::new(&[("POST /dashboards/x", status, answer)]);
            let error = server.session().create_quicksight_resource(&asset(ResourceKind::Dashboard), "arn:ada").unwrap_err().to_string();
            assert!(error.starts_with("cannot create the QuickSight dashboard x: "), "{error}");
            assert!(error.contains(expected), "{expected} is not in {error}");
            assert!(!error.contains(SECRET), "{error}");
        }
    }

    #[test]
    fn what_is_gone_is_deleted() {
        let server = FakeServer::new(&[("DELETE /data-sets/x", 404, "ResourceNotFoundException")]);
        server.session().delete_quicksight_resource(ResourceKind::DataSet, "x").unwrap();
    }
}
