//! QuickSight: a data source, a data set and a dashboard, and the refreshes of the data set.
//!
//! What they are stands in `infra/quicksight` as the requests that make them, and is handed on as it stands there. QuickSight's
//! part of the SDK has thousands of types for it, which can't be read from JSON and take minutes to compile; so these are
//! requests of the module `rest`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::{Map, Value, json};

use crate::error::{AwsError, Kind};
use crate::rest::Call;
use crate::session::Session;

/// The first wait for what QuickSight does in its own time; it grows by half each time.
const FIRST_POLL: Duration = Duration::from_millis(100);
/// The longest wait between two looks.
const LAST_POLL: Duration = Duration::from_secs(5);
/// How long something may be in progress, but for a refresh, which depends on the data.
const PATIENCE: Duration = Duration::from_mins(5);

/// The kinds of things that are kept there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AssetKind {
    /// Where tickets come from.
    DataSource,
    /// The tickets in SPICE.
    DataSet,
    /// The visuals.
    Dashboard,
}

impl AssetKind {
    /// For people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DataSource => "QuickSight data source",
            Self::DataSet => "QuickSight data set",
            Self::Dashboard => "QuickSight dashboard",
        }
    }

    /// As members of requests and answers begin with it.
    const fn member(self) -> &'static str {
        match self {
            Self::DataSource => "DataSource",
            Self::DataSet => "DataSet",
            Self::Dashboard => "Dashboard",
        }
    }

    /// In an address.
    const fn path(self) -> &'static str {
        match self {
            Self::DataSource => "data-sources",
            Self::DataSet => "data-sets",
            Self::Dashboard => "dashboards",
        }
    }

    /// The members that only the request that makes it has.
    const fn made_once(self) -> &'static [&'static str] {
        match self {
            Self::DataSource => &["Tags", "Type"],
            Self::DataSet | Self::Dashboard => &["Tags"],
        }
    }

    /// What its owner may do with it. QuickSight takes these sets and no others.
    pub fn owners_actions(self) -> BTreeSet<String> {
        let actions: &[&str] = match self {
            Self::DataSource => &[
                "DeleteDataSource",
                "DescribeDataSource",
                "DescribeDataSourcePermissions",
                "PassDataSource",
                "UpdateDataSource",
                "UpdateDataSourcePermissions",
            ],
            Self::DataSet => &[
                "CancelIngestion",
                "CreateIngestion",
                "DeleteDataSet",
                "DescribeDataSet",
                "DescribeDataSetPermissions",
                "DescribeIngestion",
                "ListIngestions",
                "PassDataSet",
                "UpdateDataSet",
                "UpdateDataSetPermissions",
            ],
            Self::Dashboard => &[
                "DeleteDashboard",
                "DescribeDashboard",
                "DescribeDashboardPermissions",
                "ListDashboardVersions",
                "QueryDashboard",
                "UpdateDashboard",
                "UpdateDashboardPermissions",
                "UpdateDashboardPublishedVersion",
            ],
        };
        actions.iter().map(|action| format!("quicksight:{action}")).collect()
    }
}

/// Something that is wanted there.
#[derive(Clone, Debug, PartialEq)]
pub struct Asset {
    /// What it is.
    pub kind: AssetKind,
    /// Its name in addresses.
    pub id: String,
    /// The request that makes it, but for its id.
    pub settings: Map<String, Value>,
}

/// Something that is there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FoundAsset {
    /// What QuickSight tells of it; of a dashboard's published version that is hardly more than its description.
    pub settings: Map<String, Value>,
    /// Why the last thing that was done to it has failed.
    pub failure: Option<String>,
    /// What users and groups, by ARN, may do with it.
    pub permissions: BTreeMap<String, BTreeSet<String>>,
}

impl FoundAsset {
    /// Whether it belongs to a user or group: no action that an owner has is missing.
    pub fn is_owned_by(&self, kind: AssetKind, principal: &str) -> bool {
        self.permissions.get(principal).is_some_and(|actions| actions.is_superset(&kind.owners_actions()))
    }
}

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
    pub fn asset(&self, kind: AssetKind, id: &str) -> Result<Option<FoundAsset>> {
        self.wait(async {
            let Some(settings) = self.settled(kind, id, None).await? else { return Ok(None) };
            let doing = format!("see who may use the {} {id}", kind.name());
            let permissions =
                self.ask_quicksight("GET", &format!("{}/{id}/permissions", kind.path()), None, &doing).await?;
            let failure = failure_of(kind, &settings);
            Ok(Some(FoundAsset { settings, failure, permissions: permissions_of(&permissions) }))
        })
    }

    /// Makes one that belongs to `owner`, and waits for it. The name of the refresh that this has begun, if it has.
    pub fn create_asset(&self, asset: &Asset, owner: &str) -> Result<Option<String>> {
        let Asset { kind, id, settings } = asset;
        let mut body = settings.clone();
        body.insert("Permissions".to_owned(), ownership(*kind, owner));
        let path = if *kind == AssetKind::Dashboard {
            format!("{}/{id}", kind.path())
        } else {
            body.insert(format!("{}Id", kind.member()), json!(id));
            kind.path().to_owned()
        };
        let doing = format!("create the {} {id}", kind.name());
        self.wait(async {
            let answer = self.patiently("POST", &path, Some(Value::Object(body)), &doing).await?;
            self.demand(asset, None, &doing).await?;
            Ok(answer["IngestionId"].as_str().map(str::to_owned))
        })
    }

    /// Brings one to what is wanted, and waits for it. The name of the refresh that this has begun, if it has.
    pub fn update_asset(&self, asset: &Asset) -> Result<Option<String>> {
        let Asset { kind, id, settings } = asset;
        let mut body = settings.clone();
        body.retain(|name, _| !kind.made_once().contains(&name.as_str()));
        let doing = format!("update the {} {id}", kind.name());
        self.wait(async {
            let path = format!("{}/{id}", kind.path());
            let answer = self.patiently("PUT", &path, Some(Value::Object(body)), &doing).await?;
            // A dashboard's new version is seen by nobody until it is published.
            let version = answer["VersionArn"].as_str().and_then(|arn| arn.rsplit('/').next());
            self.demand(asset, version, &doing).await?;
            if let Some(version) = version {
                self.patiently("PUT", &format!("{path}/versions/{version}"), None, &doing).await?;
            }
            Ok(answer["IngestionId"].as_str().map(str::to_owned))
        })
    }

    /// Makes a user or group its owner.
    pub fn grant_asset(&self, kind: AssetKind, id: &str, owner: &str) -> Result<()> {
        let method = if kind == AssetKind::Dashboard { "PUT" } else { "POST" };
        let body = json!({ "GrantPermissions": ownership(kind, owner) });
        let doing = format!("give the {} {id} to {owner}", kind.name());
        let path = format!("{}/{id}/permissions", kind.path());
        self.wait(self.patiently(method, &path, Some(body), &doing)).map(drop)
    }

    /// Deletes one.
    pub fn delete_asset(&self, kind: AssetKind, id: &str) -> Result<()> {
        let doing = format!("delete the {} {id}", kind.name());
        match self.wait(self.patiently("DELETE", &format!("{}/{id}", kind.path()), None, &doing)) {
            Err(error) if error.downcast_ref().is_some_and(|error: &AwsError| error.kind == Kind::NotFound) => Ok(()),
            result => result.map(drop),
        }
    }

    /// Begins to read a data set's rows anew, under a name of that refresh.
    pub fn begin_refresh(&self, data_set: &str, name: &str) -> Result<()> {
        let path = format!("data-sets/{data_set}/ingestions/{name}");
        let body = json!({ "IngestionType": "FULL_REFRESH" });
        self.wait(self.patiently("PUT", &path, Some(body), &refreshing(data_set))).map(drop)
    }

    /// Waits for the end of a refresh, however long that takes.
    pub fn await_refresh(&self, data_set: &str, name: &str) -> Result<Refreshed> {
        let path = format!("data-sets/{data_set}/ingestions/{name}");
        let doing = refreshing(data_set);
        self.wait(async {
            let mut pause = FIRST_POLL;
            loop {
                let answer = self.ask_quicksight("GET", &path, None, &doing).await?;
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
                    _ => tokio::time::sleep(pause).await,
                }
                pause = (pause * 3 / 2).min(LAST_POLL);
            }
        })
    }

    /// One request below this account.
    async fn ask_quicksight(
        &self,
        method: &'static str,
        path: &str,
        body: Option<Value>,
        doing: &str,
    ) -> Result<Value, AwsError> {
        let path = format!("/accounts/{}/{path}", self.account_id());
        self.quicksight.send(Call { method, path, body }, doing).await.map_err(explained)
    }

    /// The same, again and again as long as something else is being done to what it is about.
    async fn patiently(&self, method: &'static str, path: &str, body: Option<Value>, doing: &str) -> Result<Value> {
        let (begun, mut pause) = (Instant::now(), FIRST_POLL);
        loop {
            match self.ask_quicksight(method, path, body.clone(), doing).await {
                Err(error) if error.code.as_deref() == Some("ConflictException") && begun.elapsed() < PATIENCE => {
                    tokio::time::sleep(pause).await;
                }
                answer => return Ok(answer?),
            }
            pause = (pause * 3 / 2).min(LAST_POLL);
        }
    }

    /// What is told of it once nothing is in progress any more; of a dashboard, of the version, else of the published one.
    async fn settled(&self, kind: AssetKind, id: &str, version: Option<&str>) -> Result<Option<Map<String, Value>>> {
        let query = version.map_or_else(String::new, |version| format!("?version-number={version}"));
        let path = format!("{}/{id}{query}", kind.path());
        let doing = format!("look at the {} {id}", kind.name());
        let (begun, mut pause) = (Instant::now(), FIRST_POLL);
        loop {
            let mut answer = match self.ask_quicksight("GET", &path, None, &doing).await {
                Err(error) if error.kind == Kind::NotFound => return Ok(None),
                answer => answer?,
            };
            let Value::Object(settings) = answer[kind.member()].take() else { return Ok(None) };
            let status = status_of(kind, &settings);
            if !status.ends_with("_IN_PROGRESS") {
                return Ok(Some(settings));
            }
            if begun.elapsed() > PATIENCE {
                bail!(AwsError::new(Kind::Throttled, doing, format!("it has been {status} for too long")));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 3 / 2).min(LAST_POLL);
        }
    }

    /// Fails if what was done has failed.
    async fn demand(&self, asset: &Asset, version: Option<&str>, doing: &str) -> Result<()> {
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
    format!("refresh the {} {data_set}", AssetKind::DataSet.name())
}

fn ownership(kind: AssetKind, owner: &str) -> Value {
    json!([{ "Principal": owner, "Actions": kind.owners_actions() }])
}

fn permissions_of(answer: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let texts = |values: &Value| {
        let values = values.as_array().into_iter().flatten();
        values.filter_map(|value| value.as_str().map(str::to_owned)).collect()
    };
    let entries = answer["Permissions"].as_array().into_iter().flatten();
    entries
        .map(|entry| (entry["Principal"].as_str().unwrap_or_default().to_owned(), texts(&entry["Actions"])))
        .collect()
}

/// A data set has none: it is there at once.
fn status_of(kind: AssetKind, settings: &Map<String, Value>) -> &str {
    let status = match kind {
        AssetKind::Dashboard => settings.get("Version").map(|version| &version["Status"]),
        AssetKind::DataSource | AssetKind::DataSet => settings.get("Status"),
    };
    status.and_then(Value::as_str).unwrap_or_default()
}

fn failure_of(kind: AssetKind, settings: &Map<String, Value>) -> Option<String> {
    let status = status_of(kind, settings);
    if !status.ends_with("_FAILED") {
        return None;
    }
    let errors = settings.get("Version").and_then(|version| version["Errors"].as_array()).into_iter().flatten();
    let reasons: Vec<String> = errors.chain(settings.get("ErrorInfo")).filter_map(reason_of).collect();
    Some(if reasons.is_empty() { status.to_owned() } else { reasons.join("; ") })
}

/// A kind and a message.
fn reason_of(error: &Value) -> Option<String> {
    let message = error["Message"].as_str()?;
    Some(error["Type"].as_str().map_or_else(|| message.to_owned(), |kind| format!("{message} ({kind})")))
}
