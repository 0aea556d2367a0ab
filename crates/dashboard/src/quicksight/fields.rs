//! Dimensions and measures in the terms of QuickSight.

use serde_json::{Value, json};
use ticket_schema::enums::Severity;

use super::DATA_SET;
use crate::definition::{Field, Measure};

/// Name of the calculated field for the SLA target.
const TARGET: &str = "SLA target (hours)";

/// Returns a reference to a column or calculated field of the data set.
pub(super) fn column(name: &str) -> Value {
    json!({ "DataSetIdentifier": DATA_SET, "ColumnName": name })
}

impl Field {
    /// Returns the source column in the data set.
    pub(super) const fn column_name(self) -> &'static str {
        match self {
            Self::Market => "market",
            Self::Severity => "severity",
            Self::Category => "category",
            Self::Day | Self::Week => "created_at",
        }
    }

    /// Returns the dimension field of a visual.
    pub(super) fn dimension(self, visual: &str) -> Value {
        let column = column(self.column_name());
        let id = self.id(visual);
        match self {
            Self::Market | Self::Severity | Self::Category => {
                json!({ "CategoricalDimensionField": { "FieldId": id, "Column": column } })
            }
            Self::Day => date_dimension(&id, &column, "DAY"),
            Self::Week => date_dimension(&id, &column, "WEEK"),
        }
    }

    /// Returns the field identifier within a visual.
    pub(super) fn id(self, visual: &str) -> String {
        let name = match self {
            Self::Market => "market",
            Self::Severity => "severity",
            Self::Category => "category",
            Self::Day => "day",
            Self::Week => "week",
        };
        format!("{visual}-{name}")
    }
}

fn date_dimension(id: &str, column: &Value, granularity: &str) -> Value {
    json!({ "DateDimensionField": {
        "FieldId": id,
        "Column": column,
        "DateGranularity": granularity,
        "FormatConfiguration": { "DateTimeFormat": "YYYY-MM-DD" },
    } })
}

impl Measure {
    /// Returns the display name.
    const fn name(self) -> &'static str {
        match self {
            Self::Tickets => "Tickets",
            Self::Percentage => "Percentage of tickets",
            Self::OpenTickets => "Open",
            Self::ClosedTickets => "Closed",
            Self::Breached => "Breached",
            Self::BreachPercentage => "Breach rate",
            Self::ResolvedTickets => "Resolved",
            Self::MeanHours => "Mean hours",
        }
    }

    /// Returns the QuickSight expression.
    const fn expression(self) -> &'static str {
        match self {
            Self::Tickets => "count({ticket_id})",
            Self::Percentage => "percentOfTotal(count({ticket_id}))",
            Self::OpenTickets => "sum({is_open})",
            Self::ClosedTickets => "count({ticket_id}) - sum({is_open})",
            Self::Breached => "sum({is_breached})",
            Self::BreachPercentage => "100 * sum({is_breached}) / count({ticket_id})",
            Self::ResolvedTickets => "count({resolution_hours})",
            Self::MeanHours => "avg({resolution_hours})",
        }
    }

    const fn format(self) -> Format {
        match self {
            Self::Percentage | Self::BreachPercentage => Format { decimals: 1, suffix: Some(" %") },
            Self::MeanHours => Format { decimals: 1, suffix: Some(" h") },
            _ => Format { decimals: 0, suffix: None },
        }
    }

    /// Returns the measure field of a visual.
    pub(super) fn value(self, visual: &str) -> Value {
        computed(&self.id(visual), self.name(), self.format())
    }

    /// Returns the field identifier within a visual.
    pub(super) fn id(self, visual: &str) -> String {
        let key = match self {
            Self::Tickets => "tickets",
            Self::Percentage => "percentage",
            Self::OpenTickets => "open",
            Self::ClosedTickets => "closed",
            Self::Breached => "breached",
            Self::BreachPercentage => "breach_percentage",
            Self::ResolvedTickets => "resolved",
            Self::MeanHours => "mean_hours",
        };
        format!("{visual}-{key}")
    }
}

/// The number format of a measure.
#[derive(Clone, Copy)]
struct Format {
    decimals: u32,
    suffix: Option<&'static str>,
}

/// Returns the measure field for the SLA target, drawn beside the mean hours.
pub(super) fn target_value(visual: &str) -> Value {
    computed(&format!("{visual}-target"), TARGET, Format { decimals: 0, suffix: Some(" h") })
}

/// Returns a measure field without an aggregation function: calculated fields contain their aggregation.
fn computed(id: &str, name: &str, format: Format) -> Value {
    let mut display = json!({
        "SeparatorConfiguration": {
            "DecimalSeparator": "DOT",
            "ThousandsSeparator": { "Symbol": "COMMA", "Visibility": "VISIBLE" },
        },
        "DecimalPlacesConfiguration": { "DecimalPlaces": format.decimals },
        "NumberScale": "NONE",
    });
    if let Some(suffix) = format.suffix {
        display["Suffix"] = json!(suffix);
    }
    json!({ "NumericalMeasureField": {
        "FieldId": id,
        "Column": column(name),
        "FormatConfiguration": { "FormatConfiguration": { "NumberDisplayFormatConfiguration": display } },
    } })
}

/// Returns the calculated fields of the measures, without duplicates, and the SLA target.
pub(super) fn computed_columns(measures: impl Iterator<Item = Measure>) -> Vec<Value> {
    let named =
        |name: &str, expression: &str| json!({ "DataSetIdentifier": DATA_SET, "Name": name, "Expression": expression });
    let mut columns: Vec<Value> = Vec::new();
    for measure in measures {
        let column = named(measure.name(), measure.expression());
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    let targets = Severity::ALL.iter().map(|it| format!("{{severity}} = '{}', {}", it.as_str(), it.sla_target_hours()));
    let targets = targets.collect::<Vec<_>>().join(", ");
    columns.push(named(TARGET, &format!("min(ifelse({targets}, NULL))")));
    columns
}
