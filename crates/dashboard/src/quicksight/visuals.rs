//! The visuals in the terms of QuickSight.

use serde_json::{Map, Value, json};
use ticket_schema::enums::Severity;

use super::fields::{column, target_value};
use crate::definition::{Field, Form, Measure, Visual};

/// Colours of the severities, P1 first; the same as in the page's light theme.
const SEVERITY_COLOURS: [&str; 4] = ["#B3261E", "#D9780F", "#4A90C4", "#1D4F86"];
/// Colours of the smallest and the largest value in the heat map.
const HEAT_COLOURS: [&str; 2] = ["#EAF1FB", "#0F3F8C"];
/// The columns of the table of open P1 tickets, with their headings.
const TABLE_COLUMNS: [(&str, &str); 9] = [
    ("created_at", "Opened"),
    ("hours_since_created", "Hours open"),
    ("market", "Market"),
    ("dealer_id", "Dealer"),
    ("category", "Category"),
    ("model_series", "Series"),
    ("model_year", "Year"),
    ("status", "Status"),
    ("ticket_id", "Ticket"),
];

/// Returns a visual with its headings and click action.
pub(super) fn render(visual: &Visual) -> Value {
    let (kind, configuration) = configuration(visual);
    let mut content = json!({
        "VisualId": visual.id,
        "Title": { "Visibility": "VISIBLE", "FormatText": { "PlainText": visual.title } },
        "Subtitle": { "Visibility": "VISIBLE", "FormatText": { "PlainText": visual.about } },
        "ChartConfiguration": configuration,
        "VisualContentAltText": visual.about,
    });
    if !matches!(visual.form, Form::Gauge | Form::Number | Form::Table) {
        content["Actions"] = json!([click_filter_action(visual)]);
    }
    Value::Object(Map::from_iter([(kind.to_owned(), content)]))
}

fn configuration(visual: &Visual) -> (&'static str, Value) {
    match visual.form {
        Form::Line => ("LineChartVisual", line(visual, "LINE", visual.measures)),
        Form::StackedArea => {
            // The total is the height of the stack, so it is not a series of its own.
            let parts: Vec<Measure> =
                visual.measures.iter().copied().filter(|measure| *measure != Measure::Tickets).collect();
            ("LineChartVisual", line(visual, "STACKED_AREA", &parts))
        }
        Form::Donut => ("PieChartVisual", donut(visual)),
        Form::Gauge => ("GaugeChartVisual", gauge(visual)),
        Form::Number => ("KPIVisual", number(visual)),
        Form::HorizontalBars => ("BarChartVisual", horizontal_bars(visual)),
        Form::Bars => ("BarChartVisual", bars(visual)),
        Form::TreeMap => ("TreeMapVisual", tree_map(visual)),
        Form::HeatMap => ("HeatMapVisual", heat_map(visual)),
        Form::Table => ("TableVisual", table(visual)),
    }
}

fn line(visual: &Visual, kind: &str, measures: &[Measure]) -> Value {
    json!({
        "Type": kind,
        "FieldWells": { "LineChartAggregatedFieldWells": {
            "Category": dimensions(visual.id, visual.group_by),
            "Values": values(visual.id, measures),
        } },
        "SortConfiguration": { "CategorySort": ascending(visual.id, visual.group_by) },
        "Legend": { "Visibility": if measures.len() > 1 { "VISIBLE" } else { "HIDDEN" }, "Position": "TOP" },
    })
}

fn donut(visual: &Visual) -> Value {
    let severity = Field::Severity.id(visual.id);
    let colours = Severity::ALL.iter().zip(SEVERITY_COLOURS).map(
        |(value, colour)| json!({ "Element": { "FieldId": severity, "FieldValue": value.as_str() }, "Color": colour }),
    );
    json!({
        "FieldWells": { "PieChartAggregatedFieldWells": {
            "Category": dimensions(visual.id, visual.group_by),
            "Values": values(visual.id, drawn(visual)),
        } },
        "SortConfiguration": { "CategorySort": ascending(visual.id, visual.group_by) },
        "DonutOptions": {
            "ArcOptions": { "ArcThickness": "MEDIUM" },
            "DonutCenterOptions": { "LabelVisibility": "VISIBLE" },
        },
        "DataLabels": { "Visibility": "VISIBLE", "LabelContent": "VALUE_AND_PERCENT", "Position": "OUTSIDE" },
        "Legend": { "Visibility": "VISIBLE", "Position": "RIGHT" },
        "VisualPalette": { "ColorMap": colours.collect::<Vec<_>>() },
    })
}

fn gauge(visual: &Visual) -> Value {
    json!({
        "FieldWells": { "Values": values(visual.id, drawn(visual)) },
        "GaugeChartOptions": {
            "PrimaryValueDisplayType": "ACTUAL",
            "ArcAxis": { "Range": { "Min": 0, "Max": 100 } },
            "Arc": { "ArcAngle": 180, "ArcThickness": "MEDIUM" },
        },
        "DataLabels": { "Visibility": "VISIBLE" },
    })
}

fn number(visual: &Visual) -> Value {
    json!({
        "FieldWells": { "Values": values(visual.id, drawn(visual)) },
        "KPIOptions": { "PrimaryValueDisplayType": "ACTUAL" },
    })
}

fn horizontal_bars(visual: &Visual) -> Value {
    json!({
        "Orientation": "HORIZONTAL",
        "BarsArrangement": "CLUSTERED",
        "FieldWells": { "BarChartAggregatedFieldWells": {
            "Category": dimensions(visual.id, visual.group_by),
            "Values": values(visual.id, drawn(visual)),
        } },
        "SortConfiguration": { "CategorySort": descending(visual) },
        "DataLabels": { "Visibility": "VISIBLE" },
        "Legend": { "Visibility": "HIDDEN" },
    })
}

/// Returns vertical bars of the mean hours beside the SLA target.
fn bars(visual: &Visual) -> Value {
    let mut values = values(visual.id, drawn(visual));
    values.push(target_value(visual.id));
    json!({
        "Orientation": "VERTICAL",
        "BarsArrangement": "CLUSTERED",
        "FieldWells": { "BarChartAggregatedFieldWells": {
            "Category": dimensions(visual.id, visual.group_by),
            "Values": values,
        } },
        "SortConfiguration": { "CategorySort": ascending(visual.id, visual.group_by) },
        "DataLabels": { "Visibility": "VISIBLE" },
        "Legend": { "Visibility": "VISIBLE", "Position": "TOP" },
    })
}

fn tree_map(visual: &Visual) -> Value {
    json!({
        "FieldWells": { "TreeMapAggregatedFieldWells": {
            "Groups": dimensions(visual.id, visual.group_by),
            "Sizes": values(visual.id, drawn(visual)),
        } },
        "SortConfiguration": {
            "TreeMapSort": descending(visual),
            "TreeMapGroupItemsLimitConfiguration": { "ItemsLimit": visual.limit, "OtherCategories": "EXCLUDE" },
        },
        "DataLabels": { "Visibility": "VISIBLE" },
        "Legend": { "Visibility": "HIDDEN" },
    })
}

fn heat_map(visual: &Visual) -> Value {
    let (rows, columns) = visual.group_by.split_at(1);
    json!({
        "FieldWells": { "HeatMapAggregatedFieldWells": {
            "Rows": dimensions(visual.id, rows),
            "Columns": dimensions(visual.id, columns),
            "Values": values(visual.id, drawn(visual)),
        } },
        "SortConfiguration": {
            "HeatMapRowSort": descending(visual),
            "HeatMapColumnSort": ascending(visual.id, columns),
        },
        "ColorScale": {
            "Colors": HEAT_COLOURS.map(|colour| json!({ "Color": colour })),
            "ColorFillType": "GRADIENT",
        },
        "DataLabels": { "Visibility": "VISIBLE" },
        "Legend": { "Visibility": "HIDDEN" },
    })
}

fn table(visual: &Visual) -> Value {
    let id = |name: &str| format!("{}-{name}", visual.id);
    let values = TABLE_COLUMNS.map(|(name, _)| json!({ "FieldId": id(name), "Column": column(name) }));
    let labels = TABLE_COLUMNS.map(|(name, label)| json!({ "FieldId": id(name), "CustomLabel": label }));
    json!({
        "FieldWells": { "TableUnaggregatedFieldWells": { "Values": values } },
        "FieldOptions": { "SelectedFieldOptions": labels },
        "SortConfiguration": {
            "RowSort": [sorted(&id("created_at"), "ASC"), sorted(&id("ticket_id"), "ASC")],
            "PaginationConfiguration": { "PageSize": visual.limit, "PageNumber": 1 },
        },
    })
}

/// Returns the measure that is drawn: the first one.
fn drawn(visual: &Visual) -> &[Measure] {
    &visual.measures[..1]
}

fn dimensions(visual: &str, fields: &[Field]) -> Vec<Value> {
    fields.iter().map(|field| field.dimension(visual)).collect()
}

fn values(visual: &str, measures: &[Measure]) -> Vec<Value> {
    measures.iter().map(|measure| measure.value(visual)).collect()
}

fn ascending(visual: &str, fields: &[Field]) -> Vec<Value> {
    fields.iter().map(|field| sorted(&field.id(visual), "ASC")).collect()
}

fn descending(visual: &Visual) -> Vec<Value> {
    drawn(visual).iter().map(|measure| sorted(&measure.id(visual.id), "DESC")).collect()
}

fn sorted(field_id: &str, direction: &str) -> Value {
    json!({ "FieldSort": { "FieldId": field_id, "Direction": direction } })
}

/// Returns the click action that filters all visuals by the clicked bar, slice or cell, as in the HTML page.
fn click_filter_action(visual: &Visual) -> Value {
    json!({
        "CustomActionId": format!("{}-choose", visual.id),
        "Name": "Show only this",
        "Status": "ENABLED",
        "Trigger": "DATA_POINT_CLICK",
        "ActionOperations": [{ "FilterOperation": {
            "SelectedFieldsConfiguration": { "SelectedFieldOptions": "ALL_FIELDS" },
            "TargetVisualsConfiguration": { "SameSheetTargetVisualConfiguration": { "TargetVisualOptions": "ALL_VISUALS" } },
        } }],
    })
}
