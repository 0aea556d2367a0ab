//! The report card: every result, ready to be shown.

use serde::Serialize;
use ticket_schema::Timestamp;

/// Everything that was found out about a data set.
#[derive(Clone, Debug, Serialize)]
pub struct Card {
    /// What was read.
    pub data: String,
    /// Lines that aren't blank, or rows.
    pub n_lines: u64,
    /// Those that could be read as tickets; only they are compared.
    pub n_tickets: u64,
    /// When the first ticket may have been opened.
    pub start: Timestamp,
    /// The present of the data set.
    pub as_of: Timestamp,
    /// The profile that it is held against.
    pub profile: String,
    /// Every rule.
    pub rules: Vec<RuleResult>,
    /// What it was compared with, or why not.
    pub reference: String,
    /// How it compares; missing if it could not be compared, or is too small.
    pub scores: Option<Scores>,
    /// Whether every rule holds and nothing is below its target. A set too small to be compared can pass by rules alone.
    pub passed: bool,
}

/// How a data set compares.
#[derive(Clone, Debug, Serialize)]
pub struct Scores {
    /// Each column's shape.
    pub columns: Vec<Score>,
    /// Each pair's joint shares.
    pub pairs: Vec<Score>,
    /// Against exact weights; none for tickets that need not have them, as those of a shard or a cold wave.
    pub chi_squares: Vec<ChiSquareResult>,
    /// Signs that the world is believable.
    pub signs: Vec<SignResult>,
    /// Cars and customers.
    pub repeats: Vec<Repeats>,
    /// Weekdays and hours.
    pub profiles: Vec<Profile>,
}

/// How well a rule is kept.
#[derive(Clone, Debug, Serialize)]
pub struct RuleResult {
    /// Its name.
    pub name: &'static str,
    /// What it says.
    pub meaning: &'static str,
    /// Lines or tickets that were asked.
    pub n_asked: u64,
    /// Those that break it.
    pub n_broken: u64,
    /// The share that keeps it.
    pub share: f64,
    /// Where the first that breaks it stands.
    pub first: Option<String>,
    /// Whether all keep it.
    pub passed: bool,
}

/// A score from 0 to 1, as SDMetrics defines it.
#[derive(Clone, Debug, Serialize)]
pub struct Score {
    /// The column, or both.
    pub name: String,
    /// What was compared.
    pub what: &'static str,
    /// The score.
    pub score: f64,
    /// What sets of this size from the claimed world score.
    pub expected: Option<Expected>,
    /// What it must at least be.
    pub target: f64,
    /// Whether it is.
    pub passed: bool,
}

/// What sets of the data's size from the claimed world score against each other.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Expected {
    /// On the average.
    pub mean: f64,
    /// The standard deviation.
    pub deviation: f64,
}

/// Counts against exact weights.
#[derive(Clone, Debug, Serialize)]
pub struct ChiSquareResult {
    /// The column.
    pub name: &'static str,
    /// The statistic; missing if it is infinite, as something occurs that has no weight.
    pub statistic: Option<f64>,
    /// Degrees of freedom.
    pub degrees: usize,
    /// How likely a statistic at least this high is.
    pub p: f64,
    /// What `p` must be above.
    pub target: f64,
    /// Whether it is.
    pub passed: bool,
}

/// A sign that the world is believable.
#[derive(Clone, Debug, Serialize)]
pub struct SignResult {
    /// Its name.
    pub name: &'static str,
    /// What it says.
    pub meaning: &'static str,
    /// The data's figure.
    pub value: f64,
    /// The reference's.
    pub reference: f64,
    /// What the data's must at least be.
    pub target: f64,
    /// Whether it is.
    pub passed: bool,
}

/// How often something comes again.
#[derive(Clone, Debug, Serialize)]
pub struct Repeats {
    /// `car` or `customer`.
    pub name: &'static str,
    /// In the data.
    pub data: TicketsEach,
    /// In all worlds of the reference together.
    pub reference: TicketsEach,
}

/// How many tickets each of something has.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct TicketsEach {
    /// How many of them there are.
    pub n: u64,
    /// The mean.
    pub mean: f64,
    /// The share of those with more than one.
    pub share_again: f64,
    /// The most that one has.
    pub most: u32,
}

/// Shares side by side.
#[derive(Clone, Debug, Serialize)]
pub struct Profile {
    /// `weekday` or `hour`, both local to the market.
    pub name: &'static str,
    /// In their natural order.
    pub entries: Vec<ProfileEntry>,
}

/// One weekday or hour.
#[derive(Clone, Debug, Serialize)]
pub struct ProfileEntry {
    /// Which.
    pub label: String,
    /// Its share of the data's tickets.
    pub share: f64,
    /// Its share of the reference's.
    pub reference: f64,
}

impl Expected {
    /// Mean and standard deviation; `None` of fewer than two scores.
    pub fn of(scores: &[f64]) -> Option<Self> {
        let n = scores.len() as f64;
        let mean = scores.iter().sum::<f64>() / n;
        let variance = scores.iter().map(|score| (score - mean).powi(2)).sum::<f64>() / (n - 1.0);
        (scores.len() >= 2).then(|| Self { mean, deviation: variance.sqrt() })
    }
}

impl Card {
    /// What is below its target, by name.
    pub fn below_target(&self) -> Vec<String> {
        let failed = |kind: &str, name: &str, passed: bool| (!passed).then(|| format!("{kind} {name}"));
        let rules = self.rules.iter().filter_map(|rule| failed("rule", rule.name, rule.passed));
        let scores = self.scores.iter().flat_map(|scores| {
            let columns = scores.columns.iter().filter_map(|score| failed("column", &score.name, score.passed));
            let pairs = scores.pairs.iter().filter_map(|score| failed("pair", &score.name, score.passed));
            let chi_squares = scores.chi_squares.iter().filter_map(|test| failed("chi-square", test.name, test.passed));
            let signs = scores.signs.iter().filter_map(|sign| failed("sign", sign.name, sign.passed));
            columns.chain(pairs).chain(chi_squares).chain(signs)
        });
        rules.chain(scores).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Expected;

    #[test]
    fn deviations_are_those_of_a_sample() {
        let expected = Expected::of(&[1.0, 2.0, 3.0, 4.0]).unwrap();
        assert!((expected.mean - 2.5).abs() < 1e-12);
        assert!((expected.deviation - (5.0_f64 / 3.0).sqrt()).abs() < 1e-12);
        assert!(Expected::of(&[1.0]).is_none());
    }
}
