//! Comparison of the resources on QuickSight with their definitions.

use aws::quicksight::resource::{ExistingResource, QuickSightResource, ResourceKind};
use serde_json::{Map, Value};

use super::differences;
use crate::definitions::quicksight::FINGERPRINT;

/// Members of a data set that may have been added outside `deploy`; an update removes them.
const ADDED_TO_DATA_SETS: [&str; 4] =
    ["ColumnGroups", "ColumnLevelPermissionRules", "FieldFolders", "RowLevelPermissionDataSet"];

pub(crate) fn differences_of(wanted: &QuickSightResource, found: &ExistingResource) -> Vec<String> {
    let mut differences: Vec<String> =
        found.failure.iter().map(|failure| format!("the last change has failed: {failure}")).collect();
    let told = &found.settings;
    let compared: &[&str] = match wanted.kind {
        ResourceKind::DataSource => &["DataSourceParameters", "Name", "SslProperties", "Type"],
        ResourceKind::DataSet => &["ImportMode", "Name", "PhysicalTableMap"],
        ResourceKind::Dashboard => &["Name"],
    };
    let only = |settings: &Map<String, Value>| -> Value {
        compared.iter().map(|name| ((*name).to_owned(), settings.get(*name).cloned().unwrap_or_default())).collect()
    };
    differences.extend(differences::of_wanted(&only(told), &only(&wanted.settings)));
    match wanted.kind {
        ResourceKind::DataSource => {}
        ResourceKind::DataSet => {
            let is_set = |name: &str| told.get(name).is_some_and(|value| !is_empty(value));
            let added = ADDED_TO_DATA_SETS.into_iter().filter(|name| is_set(name));
            differences.extend(added.map(|name| format!("{name} is set, wanted nothing")));
            if told.get("LogicalTableMap").is_some_and(transforms) {
                differences.push("LogicalTableMap transforms the tickets, wanted nothing".to_owned());
            }
        }
        ResourceKind::Dashboard => {
            let version = told.get("Version").unwrap_or(&Value::Null);
            if version["Description"] != wanted.settings[FINGERPRINT] {
                differences.push(format!("its published version, {}, is not the wanted one", version["VersionNumber"]));
            }
        }
    }
    differences
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(Map::is_empty)
}

/// Returns true if the logical tables transform the data. QuickSight adds a logical table without transforms to each physical one.
fn transforms(tables: &Value) -> bool {
    let Some(tables) = tables.as_object() else { return false };
    tables.len() > 1 || tables.values().any(|table| !is_empty(&table["DataTransforms"]))
}
