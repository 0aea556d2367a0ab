//! Metrics that any plausible world satisfies, independent of its profile: dependent columns, variation between days,
//! repeat visits. Independent draws have none of these properties. Each target lies between the value of independent
//! draws and half of the default world's value over a month or a year.

use ticket_schema::cars::ModelSeries;
use ticket_schema::enums::Category;

use crate::score::sample::{Counts, Sample};
use crate::score::statistics::{Table, cramers_v};

/// A metric and its minimum.
#[derive(Clone, Copy, Debug)]
pub struct PlausibilityMetric {
    /// Name of the metric.
    pub name: &'static str,
    /// Definition, as shown in the report.
    pub description: &'static str,
    /// Minimum for passing.
    pub target: f64,
    /// Computes the metric of a sample.
    pub value: fn(&Sample) -> f64,
}

/// All metrics, in the order of the report.
pub const PLAUSIBILITY_METRICS: &[PlausibilityMetric] = &[
    PlausibilityMetric {
        name: "category_by_series",
        description: "bias-corrected Cramér's V of (category, model_series)",
        target: 0.02,
        value: |sample| sample.pair_named(("category", "model_series")).map_or(0.0, cramers_v),
    },
    PlausibilityMetric {
        name: "market_by_series",
        description: "bias-corrected Cramér's V of (market, model_series)",
        target: 0.08,
        value: |sample| sample.pair_named(("market", "model_series")).map_or(0.0, cramers_v),
    },
    PlausibilityMetric {
        name: "electric_engines",
        description: "Engine share of tickets of other cars minus Engine share of tickets of battery-electric cars",
        target: 0.04,
        value: |sample| sample.pair_named(("category", "model_series")).map_or(0.0, electric_engines),
    },
    PlausibilityMetric {
        name: "weekdays",
        description: "share of the busiest local weekday minus share of the quietest one",
        target: 0.05,
        value: |sample| {
            let shares = shares(sample, "weekday", 7);
            let (least, most) =
                shares.iter().fold((1.0, 0.0), |(low, high), x| (f64::min(low, *x), f64::max(high, *x)));
            most - least
        },
    },
    PlausibilityMetric {
        name: "hours",
        description: "share of the busiest local hour (uniform: 0.0417; uniform within opening hours: 0.0641)",
        target: 0.08,
        value: |sample| shares(sample, "hour", 24).into_iter().fold(0.0, f64::max),
    },
    PlausibilityMetric {
        name: "repeat_cars",
        description: "share of cars with more than one ticket",
        target: 0.002,
        value: |sample| share_repeated(sample, "car"),
    },
    PlausibilityMetric {
        name: "repeat_customers",
        description: "share of customers with more than one ticket",
        target: 0.002,
        value: |sample| share_repeated(sample, "customer"),
    },
];

/// Returns the share of each of `n` categories of a column.
pub fn shares(sample: &Sample, column: &str, n: usize) -> Vec<f64> {
    let Some(counts) = sample.column_named(column) else { return vec![0.0; n] };
    let total = counts.n().max(1) as f64;
    counts.histogram(n).into_iter().map(|count| count as f64 / total).collect()
}

fn share_repeated(sample: &Sample, column: &str) -> f64 {
    match sample.column_named(column) {
        Some(Counts::Numeric(numbers)) if !numbers.is_empty() => {
            let once = numbers.partition_point(|n_tickets| *n_tickets < 2);
            (numbers.len() - once) as f64 / numbers.len() as f64
        }
        _ => 0.0,
    }
}

fn electric_engines(category_by_series: &Table) -> f64 {
    let engine_share = |electric: bool| {
        let series = || ModelSeries::ALL.iter().filter(move |series| series.is_electric() == electric);
        let count = |category: Category| -> u64 {
            series().map(|series| category_by_series.count(category as usize, *series as usize)).sum()
        };
        let all: u64 = Category::ALL.iter().map(|category| count(*category)).sum();
        count(Category::Engine) as f64 / all.max(1) as f64
    };
    engine_share(false) - engine_share(true)
}
