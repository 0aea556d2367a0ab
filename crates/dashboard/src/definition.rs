//! What the dashboard shows: ten visuals and the filters that act on all of them. Nothing here knows of a page or of a browser,
//! so that every rendering is made from the same definition.

use serde::Serialize;

/// The dashboard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Definition {
    /// Its title.
    pub title: &'static str,
    /// What can be filtered, in the order in which it is offered.
    pub filters: &'static [Filter],
    /// What is shown, in reading order.
    pub visuals: &'static [Visual],
}

/// One way to choose tickets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Filter {
    /// What is chosen.
    pub field: Field,
    /// How it is called.
    pub title: &'static str,
    /// How it is chosen.
    pub kind: FilterKind,
}

/// How values are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FilterKind {
    /// Any number of the field's values; none chosen means all.
    Values,
    /// A first and a last day, both included; either may be missing.
    Period,
}

/// A visual: one answer in one form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Visual {
    /// Its name, unique in the dashboard.
    pub id: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// What it shows, in a sentence.
    pub about: &'static str,
    /// The KPI of `queries/sample_queries.sql` that it shows, by name.
    pub kpi: &'static str,
    /// Its form.
    pub form: Form,
    /// What tickets are grouped by: rows, slices or the axis first, then colours or columns. Choosing one of these values
    /// in the visual filters the dashboard by it.
    pub group_by: &'static [Field],
    /// What is shown of each group, the drawn measure first.
    pub measures: &'static [Measure],
    /// How many rows are shown at most; the first ones in the KPI's order.
    pub limit: Option<u32>,
    /// How wide it is on a large screen, in twelfths of the page.
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
    /// Areas on top of each other, over time.
    StackedArea,
    /// A table with a row for each ticket.
    Table,
    /// Vertical bars.
    Bars,
    /// A grid of cells, the darker the more.
    HeatMap,
}

/// What tickets are grouped or chosen by.
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

/// What is said of a group of tickets. The serialised name is the column's in the KPI's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// How many there are.
    Tickets,
    /// Their share of all tickets that are chosen, in percent.
    Percentage,
    /// How many have no `resolved_at`.
    OpenTickets,
    /// How many have a `resolved_at`.
    ClosedTickets,
    /// How many have missed their SLA target.
    Breached,
    /// The share of those, in percent.
    BreachPercentage,
    /// How many are resolved.
    ResolvedTickets,
    /// The mean time from opening to resolution of those, in hours.
    MeanHours,
}

/// The dashboard.
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
    fn ten_visuals_of_ten_forms_show_kpis_that_there_are() {
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
