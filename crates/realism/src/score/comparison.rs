//! Comparison of scores with their targets.
//!
//! The target is 0.99 for a column and 0.97 for a pair. Random variation lowers scores, the more so the fewer tickets,
//! days or service centres and the more cells there are. Where reference worlds of the same profile, period and size do
//! not reach the target against each other, the target is their mean score minus five standard deviations. The same
//! applies to plausibility metrics, but only below 50,000 tickets. Data sets below 1,000 tickets are not compared.

use crate::report::{ChiSquareResult, Expected, MetricResult, Profile, ProfileEntry, Repeats, Score, TicketsPerEntity};
use crate::rows::Row;
use crate::score::features::{COLUMNS, Column, PAIRS, Pair, WEEKDAYS};
use crate::score::plausibility_metrics::{PLAUSIBILITY_METRICS, PlausibilityMetric, shares};
use crate::score::reference::Weights;
use crate::score::sample::{Counts, Sample};
use crate::score::statistics::{chi_square, frequency_similarity};

/// Minimum score of a column.
pub const COLUMN_TARGET: f64 = 0.99;
/// Minimum score of a pair.
pub const PAIR_TARGET: f64 = 0.97;
/// Exclusive minimum of a chi-square test's p.
pub const P_TARGET: f64 = 0.001;
/// Number of tickets from which the targets of plausibility metrics are fixed.
pub const FIXED_METRIC_TARGETS_FROM_TICKETS: u64 = 50_000;
/// Minimum number of tickets for a comparison.
pub const MIN_TICKETS: u64 = 1000;

/// Tolerance below the expected score, in standard deviations.
///
/// With about thirty results, long-tailed distributions of distances, and a deviation estimated from few worlds, a
/// smaller tolerance would occasionally fail valid data.
const DEVIATIONS: f64 = 5.0;

/// Reference of a comparison.
#[derive(Debug)]
pub struct Reference {
    /// All tickets of the reference.
    pub pool: Sample,
    /// The reference worlds in the pool, each of the data's size; empty if the reference is a data set.
    pub parts: Vec<Sample>,
}

/// A data set and its reference.
#[derive(Debug)]
pub struct Comparison<'a> {
    /// The data set.
    pub data: &'a Sample,
    /// Number of tickets in the data set.
    pub n_tickets: u64,
    /// The reference.
    pub reference: &'a Reference,
}

impl Comparison<'_> {
    /// Returns the score of each column.
    pub fn columns(&self) -> Vec<Score> {
        let score = |(index, column): (usize, &Column)| {
            let (data, pool) = (self.data.column(index), self.reference.pool.column(index));
            let parts = self.reference.parts.iter().map(|part| part.column(index));
            let expected = parts.map(|part| leave_one_out(part.similarity(pool), part.n(), pool.n()));
            Self::score(
                column.name.to_owned(),
                column.comparison,
                data.similarity(pool),
                &expected.collect::<Vec<_>>(),
                COLUMN_TARGET,
            )
        };
        COLUMNS.iter().enumerate().map(score).collect()
    }

    /// Returns the score of each pair.
    pub fn pairs(&self) -> Vec<Score> {
        let score = |(index, pair): (usize, &Pair)| {
            let (data, pool) = (self.data.pair(index), self.reference.pool.pair(index));
            let parts = self.reference.parts.iter().map(|part| part.pair(index));
            let expected =
                parts.map(|part| leave_one_out(frequency_similarity(part, pool), part.total(), pool.total()));
            let name = format!("{} x {}", pair.names.0, pair.names.1);
            Self::score(
                name,
                "joint shares",
                frequency_similarity(data, pool),
                &expected.collect::<Vec<_>>(),
                PAIR_TARGET,
            )
        };
        PAIRS.iter().enumerate().map(score).collect()
    }

    fn score(name: String, comparison: &'static str, score: f64, part_scores: &[f64], fixed: f64) -> Score {
        let expected = Expected::of(part_scores);
        let target = attainable_target(fixed, expected);
        Score { name, comparison, score, expected, target, passed: score >= target }
    }

    /// Returns the plausibility metrics.
    pub fn plausibility(&self) -> Vec<MetricResult> {
        let result = |metric: &PlausibilityMetric| {
            let part_scores: Vec<f64> = self.reference.parts.iter().map(metric.value).collect();
            let allow_chance = self.n_tickets < FIXED_METRIC_TARGETS_FROM_TICKETS;
            let target =
                if allow_chance { attainable_target(metric.target, Expected::of(&part_scores)) } else { metric.target };
            let value = (metric.value)(self.data);
            let reference = (metric.value)(&self.reference.pool);
            MetricResult {
                name: metric.name,
                description: metric.description,
                value,
                reference,
                target,
                passed: value >= target,
            }
        };
        PLAUSIBILITY_METRICS.iter().map(result).collect()
    }

    /// Returns the distributions over weekdays and hours.
    pub fn profiles(&self) -> Vec<Profile> {
        let profile = |name: &'static str, labels: Vec<String>| {
            let mine = shares(self.data, name, labels.len());
            let theirs = shares(&self.reference.pool, name, labels.len());
            let entries = labels.into_iter().zip(mine).zip(theirs);
            let entry = |((label, share), reference)| ProfileEntry { label, share, reference };
            Profile { name, entries: entries.map(entry).collect() }
        };
        vec![
            profile("weekday", WEEKDAYS.map(str::to_owned).to_vec()),
            profile("hour", (0..24).map(|hour| format!("{hour:02}")).collect()),
        ]
    }

    /// Returns the number of tickets per car and customer.
    pub fn repeats(&self) -> Vec<Repeats> {
        let repeats = |name: &'static str| Repeats {
            name,
            data: self.data.column_named(name).map(tickets_per_entity).unwrap_or_default(),
            reference: self.reference.pool.column_named(name).map(tickets_per_entity).unwrap_or_default(),
        };
        vec![repeats("car"), repeats("customer")]
    }
}

/// Returns the fixed target, or the score that reference worlds attain against each other if that is lower.
fn attainable_target(fixed: f64, expected: Option<Expected>) -> f64 {
    expected.map_or(fixed, |expected| fixed.min(expected.mean - DEVIATIONS * expected.deviation))
}

/// Returns a part's score against the rest of the pool, given its score against the whole pool: with a share `s` of the
/// pool, its frequencies differ from the rest by 1 / (1 - s) times their difference from the pool.
fn leave_one_out(score: f64, n: u64, n_pool: u64) -> f64 {
    1.0 - (1.0 - score) * n_pool as f64 / n_pool.saturating_sub(n).max(1) as f64
}

fn tickets_per_entity(counts: &Counts) -> TicketsPerEntity {
    let Counts::Numeric(numbers) = counts else { return TicketsPerEntity::default() };
    let n_tickets: u64 = numbers.iter().map(|n| u64::from(*n)).sum();
    let n_again = numbers.len() - numbers.partition_point(|n| *n < 2);
    TicketsPerEntity {
        n: numbers.len() as u64,
        mean: n_tickets as f64 / numbers.len().max(1) as f64,
        share_repeated: n_again as f64 / numbers.len().max(1) as f64,
        max: numbers.last().copied().unwrap_or(0),
    }
}

/// Tests market, severity and channel of tickets against the exact weights of their profile.
pub fn chi_squares(rows: &[&Row], weights: &Weights) -> Vec<ChiSquareResult> {
    let result = |name: &'static str, weights: &[f64], category: fn(&Row) -> usize| {
        // Unknown values have weight 0.
        let mut counts = vec![0; weights.len() + 1];
        for row in rows {
            counts[category(row).min(weights.len())] += 1;
        }
        let found = chi_square(&counts, weights);
        ChiSquareResult {
            name,
            statistic: found.statistic.is_finite().then_some(found.statistic),
            degrees: found.degrees,
            p: found.p,
            target: P_TARGET,
            passed: found.p > P_TARGET,
        }
    };
    vec![
        result("market", &weights.markets, |row| usize::from(row.market)),
        result("severity", &weights.severities, |row| row.severity as usize),
        result("channel", &weights.channels, |row| row.channel as usize),
    ]
}

#[cfg(test)]
mod tests {
    use super::leave_one_out;

    #[test]
    fn leave_one_out_scores_exclude_the_part() {
        // Shares of .6 .4 in a part of 10 and .2 .8 in the other 30 give .3 .7 in the pool: distances of .3 and .4.
        assert!((leave_one_out(1.0 - 0.3, 10, 40) - (1.0 - 0.4)).abs() < 1e-12);
    }
}
