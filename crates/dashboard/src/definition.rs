//! The definition of the dashboard: ten visuals, and filters that apply to all of them. It is independent of HTML and
//! QuickSight; both renderings use it.

use serde::Serialize;

/// A dashboard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Definition {
    /// Title.
    pub title: &'static str,
    /// Filters in display order.
    pub filters: &'static [Filter],
    /// Visuals in reading order.
    pub visuals: &'static [Visual],
}

/// A filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Filter {
    /// Field to filter by.
    pub field: Field,
    /// Label.
    pub title: &'static str,
    /// Kind of selection.
    pub kind: FilterKind,
}

/// The kind of selection of a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FilterKind {
    /// Any number of the field's values; an empty selection means all.
    Values,
    /// A first and a last day, both included; either may be missing.
    Period,
}

/// A visual: the answer of a KPI in a chart form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Visual {
    /// Identifier, unique in the dashboard.
    pub id: &'static str,
    /// Heading.
    pub title: &'static str,
    /// Description in one sentence.
    pub about: &'static str,
    /// Name of the KPI in `queries/sample_queries.sql`.
    pub kpi: &'static str,
    /// Chart form.
    pub form: Form,
    /// Grouping fields: rows, slices or the axis first, then colours or columns. A click on a group filters the dashboard by
    /// it.
    pub group_by: &'static [Field],
    /// Measures of each group; the first one is drawn.
    pub measures: &'static [Measure],
    /// Maximum number of rows, in the KPI's order.
    pub limit: Option<u32>,
    /// Width on a large screen, in twelfths of the page.
    pub width: u32,
}

/// The form of a visual.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// A line over time.
    Line,
    /// A ring with a slice for each group.
    Donut,
    /// A number with a gauge from 0 to 100 %.
    Gauge,
    /// A number.
    Number,
    /// Horizontal bars, the largest on top.
    HorizontalBars,
    /// Rectangles whose areas are the values.
    TreeMap,
    /// Stacked areas over time.
    StackedArea,
    /// A table with a row for each ticket.
    Table,
    /// Vertical bars.
    Bars,
    /// A grid of cells; darker cells have larger values.
    HeatMap,
}

/// A field to group or filter by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// The column `market`.
    Market,
    /// The column `severity`.
    Severity,
    /// The column `category`.
    Category,
    /// The UTC day of `created_at`.
    Day,
    /// The Monday of that day's week.
    Week,
}

/// A measure of a group of tickets. The serialized name is the column in the KPI's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Number of tickets.
    Tickets,
    /// Share of all filtered tickets, in percent.
    Percentage,
    /// Number of tickets without `resolved_at`.
    OpenTickets,
    /// Number of tickets with `resolved_at`.
    ClosedTickets,
    /// Number of tickets that missed their SLA target.
    Breached,
    /// Share of tickets that missed their SLA target, in percent.
    BreachPercentage,
    /// Number of resolved tickets.
    ResolvedTickets,
    /// Mean time from opening to resolution of resolved tickets, in hours.
    MeanHours,
}

/// The after-sales dashboard.
pub const DASHBOARD: Definition = Definition { title: "After-sales support", filters: &FILTERS, visuals: &VISUALS };

const FILTERS: [Filter; 4] = [
    Filter { field: Field::Market, title: "Market", kind: FilterKind::Values },
    Filter { field: Field::Severity, title: "Severity", kind: FilterKind::Values },
    Filter { field: Field::Category, title: "Category", kind: FilterKind::Values },
    Filter { field: Field::Day, title: "Period", kind: FilterKind::Period },
];

const VISUALS: [Visual; 10] = [
    Visual {
        id: "daily_volume",
        title: "Daily ticket volume",
        about: "Tickets opened on each of the last 30 complete days, or of the chosen period's days",
        kpi: "daily_volume",
        form: Form::Line,
        group_by: &[Field::Day],
        measures: &[Measure::Tickets],
        limit: None,
        width: 6,
    },
    Visual {
        id: "sla_breach_rate",
        title: "SLA breach rate",
        about: "Tickets that missed their target",
        kpi: "sla_breach_rate",
        form: Form::Gauge,
        group_by: &[Field::Severity],
        measures: &[Measure::BreachPercentage, Measure::Breached, Measure::Tickets],
        limit: None,
        width: 3,
    },
    Visual {
        id: "average_resolution_time",
        title: "Average resolution time",
        about: "Mean from opening to resolution",
        kpi: "resolution_time_by_severity",
        form: Form::Number,
        group_by: &[],
        measures: &[Measure::MeanHours, Measure::ResolvedTickets],
        limit: None,
        width: 3,
    },
    Visual {
        id: "severity_distribution",
        title: "Severity distribution",
        about: "Tickets of each severity",
        kpi: "severity_distribution",
        form: Form::Donut,
        group_by: &[Field::Severity],
        measures: &[Measure::Tickets, Measure::Percentage],
        limit: None,
        width: 4,
    },
    Visual {
        id: "tickets_by_market",
        title: "Tickets by market",
        about: "Tickets of each market, most first",
        kpi: "tickets_by_market",
        form: Form::HorizontalBars,
        group_by: &[Field::Market],
        measures: &[Measure::Tickets, Measure::Percentage],
        limit: None,
        width: 4,
    },
    Visual {
        id: "top_categories",
        title: "Top 5 categories",
        about: "Those with most tickets, and their share of all",
        kpi: "top_categories",
        form: Form::TreeMap,
        group_by: &[Field::Category],
        measures: &[Measure::Tickets, Measure::Percentage],
        limit: Some(5),
        width: 4,
    },
    Visual {
        id: "weekly_open_vs_closed",
        title: "Open against closed by week",
        about: "Tickets opened in each week, by whether they are open now",
        kpi: "weekly_open_vs_closed",
        form: Form::StackedArea,
        group_by: &[Field::Week],
        measures: &[Measure::OpenTickets, Measure::ClosedTickets, Measure::Tickets],
        limit: None,
        width: 6,
    },
    Visual {
        id: "resolution_time_by_severity",
        title: "Resolution time by severity",
        about: "Mean hours from opening to resolution, beside the SLA target",
        kpi: "resolution_time_by_severity",
        form: Form::Bars,
        group_by: &[Field::Severity],
        measures: &[Measure::MeanHours, Measure::ResolvedTickets],
        limit: None,
        width: 6,
    },
    Visual {
        id: "market_by_severity",
        title: "Market × severity",
        about: "Tickets of each market and severity",
        kpi: "market_by_severity",
        form: Form::HeatMap,
        group_by: &[Field::Market, Field::Severity],
        measures: &[Measure::Tickets],
        limit: None,
        width: 5,
    },
    Visual {
        id: "open_p1_tickets",
        title: "Open P1 tickets",
        about: "The critical tickets that are open, oldest first, at most 100",
        kpi: "open_p1_tickets",
        form: Form::Table,
        group_by: &[],
        measures: &[],
        limit: Some(100),
        width: 7,
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{DASHBOARD, Form};

    #[test]
    fn each_visual_has_its_own_form_and_an_existing_kpi() {
        let kpis: Vec<String> = kpi::catalogue::kpis().unwrap().into_iter().map(|kpi| kpi.name).collect();
        let visuals = DASHBOARD.visuals;
        assert_eq!(visuals.len(), 10);
        assert_eq!(visuals.iter().map(|visual| visual.id).collect::<BTreeSet<_>>().len(), 10);
        assert_eq!(visuals.iter().map(|visual| format!("{:?}", visual.form)).collect::<BTreeSet<_>>().len(), 10);
        for visual in visuals {
            assert!(kpis.iter().any(|kpi| kpi == visual.kpi), "{}", visual.kpi);
            assert!(visual.form == Form::Table || !visual.measures.is_empty(), "{}", visual.id);
        }
    }
}
