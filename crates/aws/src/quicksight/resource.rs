//! QuickSight resources as values: data source, data set, dashboard.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

/// Kind of a QuickSight resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ResourceKind {
    /// Connection to Athena.
    DataSource,
    /// Tickets in SPICE.
    DataSet,
    /// Dashboard with its visuals.
    Dashboard,
}

impl ResourceKind {
    /// Returns the name of the kind for messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DataSource => "QuickSight data source",
            Self::DataSet => "QuickSight data set",
            Self::Dashboard => "QuickSight dashboard",
        }
    }

    /// Returns the prefix of the kind's members in requests and responses.
    pub(crate) const fn member(self) -> &'static str {
        match self {
            Self::DataSource => "DataSource",
            Self::DataSet => "DataSet",
            Self::Dashboard => "Dashboard",
        }
    }

    /// Returns the path segment of the kind.
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::DataSource => "data-sources",
            Self::DataSet => "data-sets",
            Self::Dashboard => "dashboards",
        }
    }

    /// Returns the members of the create request that the update request doesn't have.
    pub(crate) const fn create_only_members(self) -> &'static [&'static str] {
        match self {
            Self::DataSource => &["Tags", "Type"],
            Self::DataSet | Self::Dashboard => &["Tags"],
        }
    }

    /// Returns the IAM actions of an owner. QuickSight accepts no other sets.
    pub fn owner_actions(self) -> BTreeSet<String> {
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

/// Definition of a resource.
#[derive(Clone, Debug, PartialEq)]
pub struct QuickSightResource {
    /// Kind of the resource.
    pub kind: ResourceKind,
    /// Id of the resource, as in its URL.
    pub id: String,
    /// Body of the create request, without the id.
    pub settings: Map<String, Value>,
}

/// Actual state of a resource on QuickSight.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExistingResource {
    /// Settings in the describe response; of a dashboard, little more than the description of the published version.
    pub settings: Map<String, Value>,
    /// Reason of the failure of the latest operation, if it failed.
    pub failure: Option<String>,
    /// Permitted actions, by ARN of the user or group.
    pub permissions: BTreeMap<String, BTreeSet<String>>,
}

impl ExistingResource {
    /// Returns true if a user or group has all actions of an owner.
    pub fn is_owned_by(&self, kind: ResourceKind, principal: &str) -> bool {
        self.permissions.get(principal).is_some_and(|actions| actions.is_superset(&kind.owner_actions()))
    }
}

/// Returns the permissions of an owner as a member of a request.
pub(crate) fn ownership(kind: ResourceKind, owner: &str) -> Value {
    json!([{ "Principal": owner, "Actions": kind.owner_actions() }])
}

/// Parses the permitted actions by principal.
pub(crate) fn permissions_of(response: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let texts = |values: &Value| {
        let values = values.as_array().into_iter().flatten();
        values.filter_map(|value| value.as_str().map(str::to_owned)).collect()
    };
    let entries = response["Permissions"].as_array().into_iter().flatten();
    entries
        .map(|entry| (entry["Principal"].as_str().unwrap_or_default().to_owned(), texts(&entry["Actions"])))
        .collect()
}

/// Returns the status of the latest operation; empty for a data set, which is created synchronously.
pub(crate) fn status_of(kind: ResourceKind, settings: &Map<String, Value>) -> &str {
    let status = match kind {
        ResourceKind::Dashboard => settings.get("Version").map(|version| &version["Status"]),
        ResourceKind::DataSource | ResourceKind::DataSet => settings.get("Status"),
    };
    status.and_then(Value::as_str).unwrap_or_default()
}

/// Returns the reason of a failed latest operation; `None` if it didn't fail.
pub(crate) fn failure_of(kind: ResourceKind, settings: &Map<String, Value>) -> Option<String> {
    let status = status_of(kind, settings);
    if !status.ends_with("_FAILED") {
        return None;
    }
    let errors = settings.get("Version").and_then(|version| version["Errors"].as_array()).into_iter().flatten();
    let reasons: Vec<String> = errors.chain(settings.get("ErrorInfo")).filter_map(reason_of).collect();
    Some(if reasons.is_empty() { status.to_owned() } else { reasons.join("; ") })
}

/// Formats an error as its message followed by its type; `None` if it has no message.
pub(crate) fn reason_of(error: &Value) -> Option<String> {
    let message = error["Message"].as_str()?;
    Some(error["Type"].as_str().map_or_else(|| message.to_owned(), |kind| format!("{message} ({kind})")))
}
