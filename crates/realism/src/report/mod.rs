//! Report: the results of all rules and scores.

pub mod format;

use serde::Serialize;
use ticket_schema::Timestamp;

/// Results for a data set.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Name of the data set.
    pub data: String,
    /// Number of rows, or of lines that are not blank.
    pub n_lines: u64,
    /// Number of lines that could be read as tickets; only these are compared.
    pub n_tickets: u64,
    /// Start of the period that the tickets were created in.
    pub start: Timestamp,
    /// As-of time of the data set.
    pub as_of: Timestamp,
    /// Name of the profile.
    pub profile: String,
    /// Result of every rule.
    pub rules: Vec<RuleResult>,
    /// Description of the reference, or the reason why there is none.
    pub reference: String,
    /// Similarity to the reference; `None` if the data set is too small or cannot be compared.
    pub scores: Option<Scores>,
    /// True if every rule is satisfied and every score reaches its target. Data sets that are too small for a
    /// comparison pass on the rules alone.
    pub passed: bool,
}

/// Similarity of a data set to its reference.
#[derive(Clone, Debug, Serialize)]
pub struct Scores {
    /// Scores of the columns' distributions.
    pub columns: Vec<Score>,
    /// Scores of the pairs' joint distributions.
    pub pairs: Vec<Score>,
    /// Chi-square tests against the profile's exact weights; empty if they do not apply, for example to a shard or with
    /// a cold wave.
    pub chi_squares: Vec<ChiSquareResult>,
    /// Plausibility metrics.
    pub plausibility: Vec<MetricResult>,
    /// Repeat visits of cars and customers.
    pub repeats: Vec<Repeats>,
    /// Distributions over weekdays and hours.
    pub profiles: Vec<Profile>,
}

/// Result of a rule.
#[derive(Clone, Debug, Serialize)]
pub struct RuleResult {
    /// Name of the rule.
    pub name: &'static str,
    /// Definition of the rule.
    pub description: &'static str,
    /// Number of lines or tickets checked.
    pub n_checked: u64,
    /// Number of violations.
    pub n_broken: u64,
    /// Share of lines or tickets that satisfy the rule.
    pub share: f64,
    /// Location of the first violation.
    pub first: Option<String>,
    /// True if there is no violation.
    pub passed: bool,
}

/// A score from 0 to 1, as defined by SDMetrics.
#[derive(Clone, Debug, Serialize)]
pub struct Score {
    /// Name of the column, or of both columns.
    pub name: String,
    /// Compared property.
    pub comparison: &'static str,
    /// Similarity.
    pub score: f64,
    /// Scores of reference worlds of the same size.
    pub expected: Option<Expected>,
    /// Minimum for passing.
    pub target: f64,
    /// True if the target is reached.
    pub passed: bool,
}

/// Scores of reference worlds of the data's size against each other.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Expected {
    /// Mean.
    pub mean: f64,
    /// Standard deviation.
    pub deviation: f64,
}

/// Chi-square test of counts against exact weights.
#[derive(Clone, Debug, Serialize)]
pub struct ChiSquareResult {
    /// Name of the column.
    pub name: &'static str,
    /// Test statistic; `None` if infinite, because a value with weight 0 occurs.
    pub statistic: Option<f64>,
    /// Degrees of freedom.
    pub degrees: usize,
    /// Probability of a statistic at least this high.
    pub p: f64,
    /// Exclusive minimum of `p`.
    pub target: f64,
    /// True if the target is exceeded.
    pub passed: bool,
}

/// Result of a plausibility metric.
#[derive(Clone, Debug, Serialize)]
pub struct MetricResult {
    /// Name of the metric.
    pub name: &'static str,
    /// Definition of the metric.
    pub description: &'static str,
    /// Value of the data set.
    pub value: f64,
    /// Value of the reference.
    pub reference: f64,
    /// Minimum for passing.
    pub target: f64,
    /// True if the target is reached.
    pub passed: bool,
}

/// Number of tickets per car or customer.
#[derive(Clone, Debug, Serialize)]
pub struct Repeats {
    /// `car` or `customer`.
    pub name: &'static str,
    /// Values of the data set.
    pub data: TicketsPerEntity,
    /// Values of all reference worlds together.
    pub reference: TicketsPerEntity,
}

/// Distribution of the number of tickets per car or customer.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct TicketsPerEntity {
    /// Number of cars or customers.
    pub n: u64,
    /// Mean number of tickets.
    pub mean: f64,
    /// Share with more than one ticket.
    pub share_repeated: f64,
    /// Maximum number of tickets.
    pub max: u32,
}

/// Distribution of the data set and the reference over weekdays or hours.
#[derive(Clone, Debug, Serialize)]
pub struct Profile {
    /// `weekday` or `hour`, both in local time of the market.
    pub name: &'static str,
    /// In chronological order.
    pub entries: Vec<ProfileEntry>,
}

/// One weekday or hour.
#[derive(Clone, Debug, Serialize)]
pub struct ProfileEntry {
    /// Name of the weekday or hour.
    pub label: String,
    /// Share of the data set's tickets.
    pub share: f64,
    /// Share of the reference's tickets.
    pub reference: f64,
}

impl Expected {
    /// Returns mean and sample standard deviation, or `None` for fewer than two scores.
    pub fn of(scores: &[f64]) -> Option<Self> {
        let n = scores.len() as f64;
        let mean = scores.iter().sum::<f64>() / n;
        let variance = scores.iter().map(|score| (score - mean).powi(2)).sum::<f64>() / (n - 1.0);
        (scores.len() >= 2).then(|| Self { mean, deviation: variance.sqrt() })
    }
}

impl Report {
    /// Returns the names of the results below their targets.
    pub fn below_target(&self) -> Vec<String> {
        let failed = |kind: &str, name: &str, passed: bool| (!passed).then(|| format!("{kind} {name}"));
        let rules = self.rules.iter().filter_map(|rule| failed("rule", rule.name, rule.passed));
        let scores = self.scores.iter().flat_map(|scores| {
            let columns = scores.columns.iter().filter_map(|score| failed("column", &score.name, score.passed));
            let pairs = scores.pairs.iter().filter_map(|score| failed("pair", &score.name, score.passed));
            let chi_squares = scores.chi_squares.iter().filter_map(|test| failed("chi-square", test.name, test.passed));
            let plausibility =
                scores.plausibility.iter().filter_map(|metric| failed("metric", metric.name, metric.passed));
            columns.chain(pairs).chain(chi_squares).chain(plausibility)
        });
        rules.chain(scores).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Expected;

    #[test]
    fn deviation_is_the_sample_standard_deviation() {
        let expected = Expected::of(&[1.0, 2.0, 3.0, 4.0]).unwrap();
        assert!((expected.mean - 2.5).abs() < 1e-12);
        assert!((expected.deviation - (5.0_f64 / 3.0).sqrt()).abs() < 1e-12);
        assert!(Expected::of(&[1.0]).is_none());
    }
}
