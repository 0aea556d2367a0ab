//! The dashboard request: one sheet with all visuals, and its filters.

use serde_json::{Value, json};

use super::data::tags;
use super::fields::{column, computed_columns};
use super::visuals::render;
use super::{DATA_SET, DATA_SET_ID, ID, arn};
use crate::definition::{DASHBOARD, Filter, FilterKind, Form, Visual};

const SHEET: &str = "tickets";
/// Columns of QuickSight's grid per twelfth of the page.
const COLUMNS_PER_TWELFTH: u32 = 3;
/// Height of a visual in grid rows.
const ROWS: u32 = 12;
/// Default period: 2000-01-01 to 2100-01-01, in seconds since 1970.
const ALL_TIME: [u64; 2] = [946_684_800, 4_102_444_800];

/// Returns the request that creates the dashboard.
pub(super) fn dashboard() -> Value {
    json!({
        "DashboardId": ID,
        "Name": DASHBOARD.title,
        "Definition": {
            "DataSetIdentifierDeclarations": [{ "Identifier": DATA_SET, "DataSetArn": arn("dataset", DATA_SET_ID) }],
            "Options": { "WeekStart": "MONDAY" },
            "CalculatedFields": computed_columns(DASHBOARD.visuals.iter().flat_map(|visual| visual.measures).copied()),
            "FilterGroups": filter_groups(),
            "Sheets": [{
                "SheetId": SHEET,
                "Name": DASHBOARD.title,
                "ContentType": "INTERACTIVE",
                "FilterControls": DASHBOARD.filters.iter().map(control).collect::<Vec<_>>(),
                "Visuals": DASHBOARD.visuals.iter().map(render).collect::<Vec<_>>(),
                "Layouts": [{ "Configuration": { "GridLayout": {
                    "Elements": layout(DASHBOARD.visuals),
                    "CanvasSizeOptions": { "ScreenCanvasSizeOptions": { "ResizeOption": "RESPONSIVE" } },
                } } }],
            }],
        },
        "DashboardPublishOptions": {
            "AdHocFilteringOption": { "AvailabilityStatus": "ENABLED" },
            "ExportToCSVOption": { "AvailabilityStatus": "ENABLED" },
        },
        "ValidationStrategy": { "Mode": "STRICT" },
        "Tags": tags(),
    })
}

/// Returns the grid layout: visuals side by side in reading order, in a new row when the current one is full.
fn layout(visuals: &[Visual]) -> Vec<Value> {
    let (mut used, mut row) = (0, 0);
    let mut grid_element = |visual: &Visual| {
        if used + visual.width > 12 {
            (used, row) = (0, row + ROWS);
        }
        let element = json!({
            "ElementId": visual.id,
            "ElementType": "VISUAL",
            "ColumnIndex": used * COLUMNS_PER_TWELFTH,
            "ColumnSpan": visual.width * COLUMNS_PER_TWELFTH,
            "RowIndex": row,
            "RowSpan": ROWS,
        });
        used += visual.width;
        element
    };
    visuals.iter().map(&mut grid_element).collect()
}

fn filter_groups() -> Vec<Value> {
    let for_all = DASHBOARD.filters.iter().map(|filter| group(&filter_id(filter), &control_filter(filter), None));
    let of_forms = DASHBOARD
        .visuals
        .iter()
        .flat_map(|visual| kpi_filters(visual).into_iter().map(|(id, filter)| group(&id, &filter, Some(visual.id))));
    for_all.chain(of_forms).collect()
}

/// Returns a filter group for one visual, or for all if `visual` is `None`.
fn group(id: &str, filter: &Value, visual: Option<&str>) -> Value {
    let scope = match visual {
        None => json!({ "SheetId": SHEET, "Scope": "ALL_VISUALS" }),
        Some(visual) => json!({ "SheetId": SHEET, "Scope": "SELECTED_VISUALS", "VisualIds": [visual] }),
    };
    json!({
        "FilterGroupId": format!("{id}-group"),
        "Filters": [filter],
        "ScopeConfiguration": { "SelectedSheets": { "SheetVisualScopingConfigurations": [scope] } },
        "Status": "ENABLED",
        "CrossDataset": "SINGLE_DATASET",
    })
}

fn filter_id(filter: &Filter) -> String {
    format!("filter-{}", filter.title.to_lowercase())
}

/// Returns the filter of a control: a list of values, or a first and a last day; initially everything.
fn control_filter(filter: &Filter) -> Value {
    let (id, column) = (filter_id(filter), column(filter.field.column_name()));
    match filter.kind {
        FilterKind::Values => json!({ "CategoryFilter": {
            "FilterId": id,
            "Column": column,
            "Configuration": { "FilterListConfiguration": {
                "MatchOperator": "CONTAINS",
                "SelectAllOptions": "FILTER_ALL_VALUES",
            } },
        } }),
        FilterKind::Period => json!({ "TimeRangeFilter": {
            "FilterId": id,
            "Column": column,
            "IncludeMinimum": true,
            "IncludeMaximum": true,
            "RangeMinimumValue": { "StaticValue": ALL_TIME[0] },
            "RangeMaximumValue": { "StaticValue": ALL_TIME[1] },
            "NullOption": "NON_NULLS_ONLY",
            "TimeGranularity": "DAY",
        } }),
    }
}

fn control(filter: &Filter) -> Value {
    let source = filter_id(filter);
    let id = format!("{source}-control");
    match filter.kind {
        FilterKind::Values => json!({ "Dropdown": {
            "FilterControlId": id,
            "Title": filter.title,
            "SourceFilterId": source,
            "Type": "MULTI_SELECT",
        } }),
        FilterKind::Period => json!({ "DateTimePicker": {
            "FilterControlId": id,
            "Title": filter.title,
            "SourceFilterId": source,
            "Type": "DATE_RANGE",
        } }),
    }
}

/// Returns the filters that correspond to the WHERE clause of the visual's KPI.
fn kpi_filters(visual: &Visual) -> Vec<(String, Value)> {
    let id = |name: &str| format!("{}-{name}", visual.id);
    match visual.form {
        Form::Line => vec![(id("days"), last_complete_days(&id("days")))],
        Form::Table => vec![
            (
                id("severity"),
                json!({ "CategoryFilter": {
                "FilterId": id("severity"),
                "Column": column("severity"),
                "Configuration": { "CustomFilterConfiguration": {
                    "MatchOperator": "EQUALS",
                    "CategoryValue": "P1",
                    "NullOption": "NON_NULLS_ONLY",
                } },
            } }),
            ),
            (
                id("open"),
                json!({ "NumericEqualityFilter": {
                "FilterId": id("open"),
                "Column": column("is_open"),
                "Value": 1,
                "MatchOperator": "EQUALS",
                "NullOption": "NON_NULLS_ONLY",
            } }),
            ),
        ],
        _ => Vec::new(),
    }
}

/// Returns a filter for the 30 UTC days before today.
fn last_complete_days(id: &str) -> Value {
    let rolling =
        |expression: &str| json!({ "RollingDate": { "DataSetIdentifier": DATA_SET, "Expression": expression } });
    json!({ "TimeRangeFilter": {
        "FilterId": id,
        "Column": column("created_at"),
        "IncludeMinimum": true,
        "IncludeMaximum": false,
        "RangeMinimumValue": rolling("addDateTime(-30, 'DD', truncDate('DD', now()))"),
        "RangeMaximumValue": rolling("truncDate('DD', now())"),
        "NullOption": "NON_NULLS_ONLY",
        "TimeGranularity": "DAY",
    } })
}
