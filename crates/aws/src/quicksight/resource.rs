//! What is kept on QuickSight, as values: a data source, a data set and a dashboard.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

/// The kinds of things that are kept there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ResourceKind {
    /// Where tickets come from.
    DataSource,
    /// The tickets in SPICE.
    DataSet,
    /// The visuals.
    Dashboard,
}

impl ResourceKind {
    /// For people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DataSource => "QuickSight data source",
            Self::DataSet => "QuickSight data set",
            Self::Dashboard => "QuickSight dashboard",
        }
    }

    /// As members of requests and answers begin with it.
    pub(crate) const fn member(self) -> &'static str {
        match self {
            Self::DataSource => "DataSource",
            Self::DataSet => "DataSet",
            Self::Dashboard => "Dashboard",
        }
    }

    /// In an address.
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::DataSource => "data-sources",
            Self::DataSet => "data-sets",
            Self::Dashboard => "dashboards",
        }
    }

    /// The members that only the request that makes it has.
    pub(crate) const fn made_once(self) -> &'static [&'static str] {
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
pub struct QuickSightResource {
    /// What it is.
    pub kind: ResourceKind,
    /// Its name in addresses.
    pub id: String,
    /// The request that makes it, but for its id.
    pub settings: Map<String, Value>,
}

/// Something that is there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExistingResource {
    /// What QuickSight tells of it; of a dashboard's published version that is hardly more than its description.
    pub settings: Map<String, Value>,
    /// Why the last thing that was done to it has failed.
    pub failure: Option<String>,
    /// What users and groups, by ARN, may do with it.
    pub permissions: BTreeMap<String, BTreeSet<String>>,
}

impl ExistingResource {
    /// Whether it belongs to a user or group: no action that an owner has is missing.
    pub fn is_owned_by(&self, kind: ResourceKind, principal: &str) -> bool {
        self.permissions.get(principal).is_some_and(|actions| actions.is_superset(&kind.owners_actions()))
    }
}

pub(crate) fn ownership(kind: ResourceKind, owner: &str) -> Value {
    json!([{ "Principal": owner, "Actions": kind.owners_actions() }])
}

pub(crate) fn permissions_of(answer: &Value) -> BTreeMap<String, BTreeSet<String>> {
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
pub(crate) fn status_of(kind: ResourceKind, settings: &Map<String, Value>) -> &str {
    let status = match kind {
        ResourceKind::Dashboard => settings.get("Version").map(|version| &version["Status"]),
        ResourceKind::DataSource | ResourceKind::DataSet => settings.get("Status"),
    };
    status.and_then(Value::as_str).unwrap_or_default()
}

pub(crate) fn failure_of(kind: ResourceKind, settings: &Map<String, Value>) -> Option<String> {
    let status = status_of(kind, settings);
    if !status.ends_with("_FAILED") {
        return None;
    }
    let errors = settings.get("Version").and_then(|version| version["Errors"].as_array()).into_iter().flatten();
    let reasons: Vec<String> = errors.chain(settings.get("ErrorInfo")).filter_map(reason_of).collect();
    Some(if reasons.is_empty() { status.to_owned() } else { reasons.join("; ") })
}

/// A kind and a message.
pub(crate) fn reason_of(error: &Value) -> Option<String> {
    let message = error["Message"].as_str()?;
    Some(error["Type"].as_str().map_or_else(|| message.to_owned(), |kind| format!("{message} ({kind})")))
}
