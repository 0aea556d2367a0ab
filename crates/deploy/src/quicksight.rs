//! The dashboard on QuickSight: what is wanted, how it differs from what is there, and the refresh of its tickets.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use aws::Session;
use aws::asset::{Asset, AssetKind, FoundAsset};
use aws::athena::partition_of;
use cli_support::{Messages, human};
use publish::Checksum;
use serde_json::{Map, Value, json};

use crate::definitions::filled;
use crate::differences;
use crate::show::Action;

/// The requests that make them, each after what it needs.
const FILES: [(AssetKind, &str, &str); 3] = [
    (AssetKind::DataSource, "DataSourceId", include_str!("../../../infra/quicksight/data-source.json")),
    (AssetKind::DataSet, "DataSetId", include_str!("../../../infra/quicksight/data-set.json")),
    (AssetKind::Dashboard, "DashboardId", include_str!("../../../infra/quicksight/dashboard.json")),
];
/// The member of a dashboard's version that says which definition it was made of.
const MARK: &str = "VersionDescription";
/// What another hand may add to a data set, and what an update takes away again.
const ADDED_TO_DATA_SETS: [&str; 4] =
    ["ColumnGroups", "ColumnLevelPermissionRules", "FieldFolders", "RowLevelPermissionDataSet"];

/// One thing to do about one of them.
#[derive(Clone, Debug, PartialEq)]
pub enum AssetStep {
    /// Make it.
    Create {
        /// What it is to be.
        asset: Asset,
        /// The ARN of the user or group whom it will belong to.
        owner: String,
    },
    /// Bring it to what is wanted.
    Update {
        /// What it is to be.
        asset: Asset,
        /// What is not as wanted.
        differences: Vec<String>,
    },
    /// Make a user or group its owner.
    Grant {
        /// What it is.
        kind: AssetKind,
        /// Its name.
        id: String,
        /// The ARN of the user or group.
        owner: String,
    },
    /// Delete it.
    Delete {
        /// What it is.
        kind: AssetKind,
        /// Its name.
        id: String,
    },
}

/// The three, filled in for one account and region.
pub(crate) fn assets(account_id: &str, region: &str) -> Result<Vec<Asset>> {
    let asset = |(kind, id, text): &(AssetKind, &str, &str)| -> Result<Asset> {
        let mut settings: Map<String, Value> = serde_json::from_str(&filled(text, account_id, region))?;
        let id = settings.remove(*id).and_then(|id| id.as_str().map(str::to_owned)).context("it has no id")?;
        if *kind == AssetKind::Dashboard {
            settings.insert(MARK.to_owned(), json!(mark(&settings)?));
        }
        Ok(Asset { kind: *kind, id, settings })
    };
    FILES.iter().map(|file| asset(file).with_context(|| format!("infra/quicksight: {}", file.0.name()))).collect()
}

/// QuickSight renders a definition anew, so it can't be compared with ours: it is known by a checksum of what was submitted.
fn mark(settings: &Map<String, Value>) -> Result<String> {
    let mut checksum = Checksum::default();
    checksum.update(serde_json::to_string(settings)?.as_bytes());
    Ok(format!("aftersales-deploy {}", checksum.to_base64()))
}

/// The ARN of a user of QuickSight, by name; an ARN, which may be a group's, stays as it is.
pub fn owner_arn(user: &str, account_id: &str, region: &str) -> String {
    if user.starts_with("arn:") {
        return user.to_owned();
    }
    format!("arn:{}:quicksight:{region}:{account_id}:user/default/{user}", partition_of(region))
}

/// What has to be done so that all of them are as wanted and belong to `owner`.
pub(crate) fn steps(wanted: &[Asset], actual: &BTreeMap<AssetKind, FoundAsset>, owner: &str) -> Vec<AssetStep> {
    let mut steps = Vec::new();
    for asset in wanted {
        let Some(found) = actual.get(&asset.kind) else {
            steps.push(AssetStep::Create { asset: asset.clone(), owner: owner.to_owned() });
            continue;
        };
        let differences = differences_of(asset, found);
        if !differences.is_empty() {
            steps.push(AssetStep::Update { asset: asset.clone(), differences });
        }
        if !found.is_owned_by(asset.kind, owner) {
            steps.push(AssetStep::Grant { kind: asset.kind, id: asset.id.clone(), owner: owner.to_owned() });
        }
    }
    steps
}

/// What takes down those that are there: first what shows, then what is shown.
pub(crate) fn deletions(wanted: &[Asset], actual: &BTreeMap<AssetKind, FoundAsset>) -> Vec<AssetStep> {
    let there = wanted.iter().rev().filter(|asset| actual.contains_key(&asset.kind));
    there.map(|asset| AssetStep::Delete { kind: asset.kind, id: asset.id.clone() }).collect()
}

fn differences_of(wanted: &Asset, found: &FoundAsset) -> Vec<String> {
    let mut differences: Vec<String> =
        found.failure.iter().map(|failure| format!("the last change has failed: {failure}")).collect();
    let told = &found.settings;
    let compared: &[&str] = match wanted.kind {
        AssetKind::DataSource => &["DataSourceParameters", "Name", "SslProperties", "Type"],
        AssetKind::DataSet => &["ImportMode", "Name", "PhysicalTableMap"],
        AssetKind::Dashboard => &["Name"],
    };
    let only = |settings: &Map<String, Value>| -> Value {
        compared.iter().map(|name| ((*name).to_owned(), settings.get(*name).cloned().unwrap_or_default())).collect()
    };
    differences.extend(differences::of_wanted(&only(told), &only(&wanted.settings)));
    match wanted.kind {
        AssetKind::DataSource => {}
        AssetKind::DataSet => {
            let is_set = |name: &str| told.get(name).is_some_and(|value| !is_empty(value));
            let added = ADDED_TO_DATA_SETS.into_iter().filter(|name| is_set(name));
            differences.extend(added.map(|name| format!("{name} is set, wanted nothing")));
            if told.get("LogicalTableMap").is_some_and(transforms) {
                differences.push("LogicalTableMap transforms the tickets, wanted nothing".to_owned());
            }
        }
        AssetKind::Dashboard => {
            let version = told.get("Version").unwrap_or(&Value::Null);
            if version["Description"] != wanted.settings[MARK] {
                differences.push(format!("its published version, {}, is not the wanted one", version["VersionNumber"]));
            }
        }
    }
    differences
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(Map::is_empty)
}

/// QuickSight writes down a logical table for each physical one, which by itself does nothing.
fn transforms(tables: &Value) -> bool {
    let Some(tables) = tables.as_object() else { return false };
    tables.len() > 1 || tables.values().any(|table| !is_empty(&table["DataTransforms"]))
}

impl AssetStep {
    /// Whether something comes, changes or goes.
    pub(crate) const fn action(&self) -> Action {
        match self {
            Self::Create { .. } => Action::Create,
            Self::Update { .. } | Self::Grant { .. } => Action::Update,
            Self::Delete { .. } => Action::Delete,
        }
    }

    /// What it is about.
    pub(crate) fn resource(&self) -> String {
        match self {
            Self::Create { asset, .. } | Self::Update { asset, .. } => resource(asset.kind, &asset.id),
            Self::Grant { kind, id, .. } | Self::Delete { kind, id } => resource(*kind, id),
        }
    }

    /// What exactly is done, in words and for programs.
    pub(crate) fn told(&self) -> (String, Value) {
        match self {
            Self::Create { owner, .. } => (format!("create, for {owner}"), json!({ "owner": owner })),
            Self::Update { differences, .. } => (differences.join("; "), json!({ "differences": differences })),
            Self::Grant { owner, .. } => (format!("give it to {owner}"), json!({ "owner": owner })),
            Self::Delete { .. } => ("delete".to_owned(), json!({})),
        }
    }

    /// Takes the step. The name of the refresh that this has begun, if it has.
    pub(crate) fn take(&self, session: &Session) -> Result<Option<String>> {
        match self {
            Self::Create { asset, owner } => session.create_asset(asset, owner),
            Self::Update { asset, .. } => session.update_asset(asset),
            Self::Grant { kind, id, owner } => session.grant_asset(*kind, id, owner).map(|()| None),
            Self::Delete { kind, id } => session.delete_asset(*kind, id).map(|()| None),
        }
    }
}

/// How an asset is called everywhere.
pub(crate) fn resource(kind: AssetKind, id: &str) -> String {
    format!("{} {id}", kind.name())
}

/// Takes the steps, has SPICE read the tickets, and counts what it has read.
pub(crate) fn present(
    session: &Session,
    assets: &[Asset],
    steps: &[AssetStep],
    n_tickets: u64,
    messages: &Messages,
) -> Result<()> {
    let mut begun = None;
    for step in steps {
        begun = step.take(session)?.or(begun);
        messages.note(format!("deploy: {} {}", step.action().past(), step.resource()));
    }
    let data_set = assets.iter().find(|asset| asset.kind == AssetKind::DataSet).context("there is no data set")?;
    let started = Instant::now();
    let name = match begun {
        Some(name) => name,
        None => begin_refresh(session, &data_set.id)?,
    };
    messages.note("deploy: QuickSight is reading the tickets");
    let refreshed = session.await_refresh(&data_set.id, &name)?;
    if refreshed.rows != n_tickets || refreshed.dropped > 0 {
        bail!(
            "{} holds {} of {} now, and QuickSight couldn't read {}\n  next: look at the refresh in QuickSight's console, under \
             Datasets, {}",
            resource(data_set.kind, &data_set.id),
            human::count(refreshed.rows),
            human::counted(n_tickets, "ticket"),
            human::count(refreshed.dropped),
            data_set.settings["Name"]
        );
    }
    let (tickets, elapsed) = (human::counted(refreshed.rows, "ticket"), human::duration(started.elapsed()));
    messages.note(format!("deploy: refreshed {}, {tickets} in {elapsed}", resource(data_set.kind, &data_set.id)));
    Ok(())
}

fn begin_refresh(session: &Session, data_set: &str) -> Result<String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let name = format!("deploy-{}", now.as_nanos());
    session.begin_refresh(data_set, &name)?;
    Ok(name)
}

/// Where the dashboard is looked at, if that is known of the region.
pub(crate) fn address(assets: &[Asset], region: &str) -> Option<String> {
    let dashboard = assets.iter().find(|asset| asset.kind == AssetKind::Dashboard)?;
    let is_known = partition_of(region) == "aws";
    is_known.then(|| format!("https://{region}.quicksight.aws.amazon.com/sn/dashboards/{}", dashboard.id))
}
