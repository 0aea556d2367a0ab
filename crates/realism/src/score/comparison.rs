//! Scores against targets.
//!
//! A column's target is 0.99, a pair's 0.97. Chance pulls scores lower: the more so the fewer tickets, days or dealers there are,
//! and the more cells. So where worlds of the same profile, period and size don't reach a target against each other either, it
//! is what they do reach: five standard deviations below their mean. The signs of a believable world give way to chance in
//! the same manner, but only in sets of fewer than 50,000 tickets. Below 1,000 tickets nothing is compared.

use crate::card::{ChiSquareResult, Expected, Profile, ProfileEntry, Repeats, Score, SignResult, TicketsEach};
use crate::reference::Weights;
use crate::rows::Row;
use crate::sample::{Counts, Sample};
use crate::scores::{chi_square, frequency_similarity};
use crate::signs::{SIGNS, Sign, shares};
use crate::traits::{COLUMNS, Column, PAIRS, Pair, WEEKDAYS};

/// What a column must score.
pub const COLUMN_TARGET: f64 = 0.99;
/// What a pair must score.
pub const PAIR_TARGET: f64 = 0.97;
/// What a chi-square's p must be above.
pub const P_TARGET: f64 = 0.001;
/// From how many tickets on the signs' targets don't give way to chance.
pub const SIGNS_FROM_TICKETS: u64 = 50_000;
/// From how many tickets on there is any sense in comparing.
pub const MEANINGFUL_FROM_TICKETS: u64 = 1000;

/// How many standard deviations below what is expected a score may lie.
///
/// With some thirty results, distances whose distribution has a long tail, and a deviation that is itself estimated from few
/// worlds, fewer would fail a good set now and then.
const DEVIATIONS: f64 = 5.0;

/// What a data set is held against.
#[derive(Debug)]
pub struct Reference {
    /// All tickets of the reference.
    pub pool: Sample,
    /// Sets of the data's own size that the pool is made of; none if it is another data set.
    pub parts: Vec<Sample>,
}

/// A data set and what it is held against.
#[derive(Debug)]
pub struct Comparison<'a> {
    /// The data.
    pub data: &'a Sample,
    /// Tickets in the data.
    pub n_tickets: u64,
    /// What it is held against.
    pub reference: &'a Reference,
}

impl Comparison<'_> {
    /// The score of each column.
    pub fn columns(&self) -> Vec<Score> {
        let score = |(place, column): (usize, &Column)| {
            let (data, pool) = (self.data.column(place), self.reference.pool.column(place));
            let parts = self.reference.parts.iter().map(|part| part.column(place));
            let expected = parts.map(|part| left_out(part.similarity(pool), part.n(), pool.n()));
            Self::score(
                column.name.to_owned(),
                column.what,
                data.similarity(pool),
                &expected.collect::<Vec<_>>(),
                COLUMN_TARGET,
            )
        };
        COLUMNS.iter().enumerate().map(score).collect()
    }

    /// The score of each pair.
    pub fn pairs(&self) -> Vec<Score> {
        let score = |(place, pair): (usize, &Pair)| {
            let (data, pool) = (self.data.pair(place), self.reference.pool.pair(place));
            let parts = self.reference.parts.iter().map(|part| part.pair(place));
            let expected = parts.map(|part| left_out(frequency_similarity(part, pool), part.total(), pool.total()));
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

    fn score(name: String, what: &'static str, score: f64, of_parts: &[f64], plain: f64) -> Score {
        let expected = Expected::of(of_parts);
        let target = reachable(plain, expected);
        Score { name, what, score, expected, target, passed: score >= target }
    }

    /// The signs that the world is believable.
    pub fn signs(&self) -> Vec<SignResult> {
        let result = |sign: &Sign| {
            let of_parts: Vec<f64> = self.reference.parts.iter().map(sign.value).collect();
            let gives_way = self.n_tickets < SIGNS_FROM_TICKETS;
            let target = if gives_way { reachable(sign.target, Expected::of(&of_parts)) } else { sign.target };
            let value = (sign.value)(self.data);
            let reference = (sign.value)(&self.reference.pool);
            SignResult { name: sign.name, meaning: sign.meaning, value, reference, target, passed: value >= target }
        };
        SIGNS.iter().map(result).collect()
    }

    /// The weekdays and hours of the data beside those of the reference.
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

    /// How often cars and customers come again.
    pub fn repeats(&self) -> Vec<Repeats> {
        let repeats = |name: &'static str| Repeats {
            name,
            data: self.data.column_named(name).map(tickets_each).unwrap_or_default(),
            reference: self.reference.pool.column_named(name).map(tickets_each).unwrap_or_default(),
        };
        vec![repeats("car"), repeats("customer")]
    }
}

/// The target, or what worlds like the claimed one reach against each other, if that is lower.
fn reachable(plain: f64, expected: Option<Expected>) -> f64 {
    expected.map_or(plain, |expected| plain.min(expected.mean - DEVIATIONS * expected.deviation))
}

/// A part's score against the others, from its score against the pool that it is a part of: with a share `s` of the pool,
/// its frequencies differ from the others' by 1 / (1 - s) times what they differ from the pool's.
fn left_out(score: f64, n: u64, n_pool: u64) -> f64 {
    1.0 - (1.0 - score) * n_pool as f64 / n_pool.saturating_sub(n).max(1) as f64
}

fn tickets_each(counts: &Counts) -> TicketsEach {
    let Counts::Numbers(numbers) = counts else { return TicketsEach::default() };
    let n_tickets: u64 = numbers.iter().map(|n| u64::from(*n)).sum();
    let n_again = numbers.len() - numbers.partition_point(|n| *n < 2);
    TicketsEach {
        n: numbers.len() as u64,
        mean: n_tickets as f64 / numbers.len().max(1) as f64,
        share_again: n_again as f64 / numbers.len().max(1) as f64,
        most: numbers.last().copied().unwrap_or(0),
    }
}

/// Market, severity and channel of tickets against the exact weights of their profile.
pub fn chi_squares(rows: &[&Row], weights: &Weights) -> Vec<ChiSquareResult> {
    let result = |name: &'static str, weights: &[f64], category: fn(&Row) -> usize| {
        // What the contract doesn't know has no weight.
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
    use super::left_out;

    #[test]
    fn a_part_is_held_against_the_others() {
        // Shares .6 .4 in a part of 10, .2 .8 in the other 30: .3 .7 in the pool. Distances .3 and .4.
        assert!((left_out(1.0 - 0.3, 10, 40) - (1.0 - 0.4)).abs() < 1e-12);
    }
}
