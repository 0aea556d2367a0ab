//! Figures that a believable world has whatever its profile: things that depend on each other, days that differ, cars that
//! come again. Independent draws have none of them. Each target lies between what such draws have and half of what the default world
//! has over a month or a year.

use ticket_schema::cars::ModelSeries;
use ticket_schema::enums::Category;

use crate::sample::{Counts, Sample};
use crate::scores::{Table, cramers_v};

/// A figure, and what it must at least be.
#[derive(Clone, Copy, Debug)]
pub struct Sign {
    /// Its name.
    pub name: &'static str,
    /// What it says.
    pub meaning: &'static str,
    /// The least that is enough.
    pub target: f64,
    /// The figure of a sample.
    pub value: fn(&Sample) -> f64,
}

/// Every sign, in the order of the report.
pub const SIGNS: &[Sign] = &[
    Sign {
        name: "category_by_series",
        meaning: "Cramér's V of (category, model_series), corrected for its bias",
        target: 0.02,
        value: |sample| sample.pair_named(("category", "model_series")).map_or(0.0, cramers_v),
    },
    Sign {
        name: "market_by_series",
        meaning: "Cramér's V of (market, model_series), corrected for its bias",
        target: 0.08,
        value: |sample| sample.pair_named(("market", "model_series")).map_or(0.0, cramers_v),
    },
    Sign {
        name: "electric_engines",
        meaning: "the share of Engine in other cars' tickets minus that in battery-electric cars' tickets",
        target: 0.04,
        value: |sample| sample.pair_named(("category", "model_series")).map_or(0.0, electric_engines),
    },
    Sign {
        name: "weekdays",
        meaning: "the busiest local weekday's share of the tickets minus the quietest one's",
        target: 0.05,
        value: |sample| {
            let shares = shares(sample, "weekday", 7);
            let (least, most) =
                shares.iter().fold((1.0, 0.0), |(low, high), x| (f64::min(low, *x), f64::max(high, *x)));
            most - least
        },
    },
    Sign {
        name: "hours",
        meaning: "the busiest local hour's share of the tickets (flat: 0.0417; flat within opening hours: 0.0641)",
        target: 0.08,
        value: |sample| shares(sample, "hour", 24).into_iter().fold(0.0, f64::max),
    },
    Sign {
        name: "cars_again",
        meaning: "the share of cars with more than one ticket",
        target: 0.002,
        value: |sample| share_again(sample, "car"),
    },
    Sign {
        name: "customers_again",
        meaning: "the share of customers with more than one ticket",
        target: 0.002,
        value: |sample| share_again(sample, "customer"),
    },
];

/// The share of each of `n` categories of a column.
pub fn shares(sample: &Sample, column: &str, n: usize) -> Vec<f64> {
    let Some(counts) = sample.column_named(column) else { return vec![0.0; n] };
    let total = counts.n().max(1) as f64;
    counts.histogram(n).into_iter().map(|count| count as f64 / total).collect()
}

fn share_again(sample: &Sample, column: &str) -> f64 {
    match sample.column_named(column) {
        Some(Counts::Numbers(numbers)) if !numbers.is_empty() => {
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
