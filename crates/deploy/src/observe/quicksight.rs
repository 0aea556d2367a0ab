//! Comparison of QuickSight resources with their definitions.

use aws::quicksight::resource::{ExistingResource, QuickSightResource, ResourceKind};
use serde_json::{Map, Value};

use super::differences;
use crate::definitions::quicksight::FINGERPRINT;

/// Members of a data set that `deploy` doesn't set; an update removes them.
const UNMANAGED_MEMBERS: [&str; 4] =
    ["ColumnGroups", "ColumnLevelPermissionRules", "FieldFolders", "RowLevelPermissionDataSet"];

/// Returns one phrase for each difference, and one for a failed operation.
pub(crate) fn resource_differences(desired: &QuickSightResource, actual: &ExistingResource) -> Vec<String> {
    let mut differences: Vec<String> =
        actual.failure.iter().map(|failure| format!("the last operation failed: {failure}")).collect();
    let settings = &actual.settings;
    let compared: &[&str] = match desired.kind {
        ResourceKind::DataSource => &["DataSourceParameters", "Name", "SslProperties", "Type"],
        ResourceKind::DataSet => &["ImportMode", "Name", "PhysicalTableMap"],
        ResourceKind::Dashboard => &["Name"],
    };
    let select = |settings: &Map<String, Value>| -> Value {
        compared.iter().map(|name| ((*name).to_owned(), settings.get(*name).cloned().unwrap_or_default())).collect()
    };
    differences.extend(differences::compare_desired(&select(settings), &select(&desired.settings)));
    match desired.kind {
        ResourceKind::DataSource => {}
        ResourceKind::DataSet => {
            let is_set = |name: &str| settings.get(name).is_some_and(|value| !is_empty(value));
            let unmanaged = UNMANAGED_MEMBERS.into_iter().filter(|name| is_set(name));
            differences.extend(unmanaged.map(|name| format!("{name} is set, desired not set")));
            if settings.get("LogicalTableMap").is_some_and(has_transforms) {
                differences.push("LogicalTableMap has transforms, desired none".to_owned());
            }
        }
        ResourceKind::Dashboard => {
            let version = settings.get("Version").unwrap_or(&Value::Null);
            if version["Description"] != desired.settings[FINGERPRINT] {
                differences.push(format!("its published version {} differs", version["VersionNumber"]));
            }
        }
    }
    differences
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(Map::is_empty)
}

/// Returns true if logical tables transform the data. QuickSight adds one without transforms for each physical table.
fn has_transforms(tables: &Value) -> bool {
    let Some(tables) = tables.as_object() else { return false };
    tables.len() > 1 || tables.values().any(|table| !is_empty(&table["DataTransforms"]))
}
