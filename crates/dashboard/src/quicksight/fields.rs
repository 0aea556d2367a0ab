//! How QuickSight names and computes what tickets are grouped by and what is said of a group.

use serde_json::{Value, json};
use ticket_schema::enums::Severity;

use super::DATA_SET;
use crate::definition::{Field, Measure};

/// The computed column beside the mean hours.
const TARGET: &str = "SLA target (hours)";

/// A column of the data set, or a computed one.
pub(super) fn column(name: &str) -> Value {
    json!({ "DataSetIdentifier": DATA_SET, "ColumnName": name })
}

impl Field {
    /// The column of the data set that it is made of.
    pub(super) const fn column_name(self) -> &'static str {
        match self {
            Self::Market => "market",
            Self::Severity => "severity",
            Self::Category => "category",
            Self::Day | Self::Week => "created_at",
        }
    }

    /// What tickets are grouped by, in a visual.
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

    /// What it is called within a visual.
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
    /// What it is called on the dashboard.
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

    /// How it is computed of a group's tickets.
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

    /// What is drawn, in a visual.
    pub(super) fn value(self, visual: &str) -> Value {
        computed(&self.id(visual), self.name(), self.format())
    }

    /// What it is called within a visual.
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

/// How a number is written.
#[derive(Clone, Copy)]
struct Format {
    decimals: u32,
    suffix: Option<&'static str>,
}

/// The SLA target of a group's tickets, to stand beside their mean hours.
pub(super) fn target_value(visual: &str) -> Value {
    computed(&format!("{visual}-target"), TARGET, Format { decimals: 0, suffix: Some(" h") })
}

/// A computed column says itself how it is aggregated.
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

/// The computed columns that these measures need, and the SLA target.
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
