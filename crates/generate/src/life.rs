//! A ticket's life: how long it takes from opening to closing, and what of that shows at as-of.
//!
//! Resolution times are lognormal, as service durations are (Brown et al., 2005). Median and breach rate of each severity
//! are guesses; with the SLA target they fix the distribution: sigma = ln(target / median) / z(1 - breach rate).

use ticket_schema::Timestamp;
use ticket_schema::vocabulary::{Severity, Status};

use crate::draws::{Draws, Use, scale};

/// Shortest time to resolution, in seconds.
const SHORTEST: f64 = 60.0;

const DAY_SECONDS: u32 = 86_400;

/// What a ticket's life shows at as-of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Where it stands.
    pub status: Status,
    /// Its last change so far.
    pub updated_at: Timestamp,
    /// Its resolution, if that has happened.
    pub resolved_at: Option<Timestamp>,
    /// Whether the SLA target was missed, or is already overdue.
    pub sla_breached: bool,
}

/// How long tickets of each severity take.
#[derive(Debug)]
pub struct Lives {
    /// By severity, in the order of [`Severity::ALL`].
    resolution: Vec<Durations>,
}

impl Lives {
    /// The default world's durations.
    pub fn new() -> Self {
        let resolution = |severity: &Severity| {
            let (median_hours, breach_rate) = match severity {
                Severity::P1 => (1.8, 0.10),
                Severity::P2 => (3.6, 0.10),
                Severity::P3 => (19.2, 0.08),
                Severity::P4 => (42.0, 0.05),
            };
            let sigma =
                libm::log(f64::from(severity.sla_target_hours()) / median_hours) / normal_quantile(1.0 - breach_rate);
            Durations::lognormal(median_hours * 3600.0, sigma)
        };
        Self { resolution: Severity::ALL.iter().map(resolution).collect() }
    }

    /// What a ticket opened at `created_at` shows at `as_of`, which must not be earlier.
    pub fn seen(&self, severity: Severity, created_at: Timestamp, as_of: Timestamp, draws: &Draws) -> Seen {
        let age = as_of.seconds() - created_at.seconds();
        let resolution = self.resolution[severity as usize].pick(draws.word(Use::Resolution));
        let unresolved = |status, after: u32| Seen {
            status,
            updated_at: created_at.plus_seconds(i64::from(after)),
            resolved_at: None,
            sla_breached: age > severity.sla_target_seconds(),
        };

        if i64::from(resolution) <= age {
            let resolved_at = created_at.plus_seconds(i64::from(resolution));
            let closing = DAY_SECONDS + draws.below(Use::Closing, 6 * DAY_SECONDS);
            let closed_at = resolved_at.plus_seconds(i64::from(closing));
            let (status, updated_at) =
                if closed_at <= as_of { (Status::Closed, closed_at) } else { (Status::Resolved, resolved_at) };
            let sla_breached = i64::from(resolution) > severity.sla_target_seconds();
            return Seen { status, updated_at, resolved_at: Some(resolved_at), sla_breached };
        }

        // The first answer comes within the first quarter; four in ten tickets then wait through the middle third.
        let answered = draws.below(Use::Answer, resolution / 4);
        let (rest, resumed) = (resolution / 3, resolution / 3 * 2);
        let rests = scale(draws.word(Use::Rest), 10) < 4;
        if age < i64::from(answered) {
            unresolved(Status::Open, 0)
        } else if !rests || age < i64::from(rest) {
            unresolved(Status::InProgress, answered)
        } else if age < i64::from(resumed) {
            unresolved(Status::Waiting, rest)
        } else {
            unresolved(Status::InProgress, resumed)
        }
    }
}

impl Default for Lives {
    fn default() -> Self {
        Self::new()
    }
}

/// A distribution of durations in whole seconds, as a table of quantiles.
#[derive(Debug)]
struct Durations {
    /// The quantiles 0/1024, 1/1024 … 1024/1024; the outermost two stand for 1/4096 and 4095/4096.
    quantiles: [u32; 1025],
}

impl Durations {
    fn lognormal(median_seconds: f64, sigma: f64) -> Self {
        let quantile = |i: usize| {
            let p = (i as f64 / 1024.0).clamp(1.0 / 4096.0, 4095.0 / 4096.0);
            let seconds = median_seconds * libm::exp(sigma * normal_quantile(p));
            // A table entry is far below 2^32 seconds (136 years).
            libm::round(seconds.max(SHORTEST)) as u32
        };
        Self { quantiles: std::array::from_fn(quantile) }
    }

    /// The duration at which a share of `word` / 2^32 is shorter.
    fn pick(&self, word: u32) -> u32 {
        let place = (word >> 22) as usize;
        let (low, high) = (self.quantiles[place], self.quantiles[place + 1]);
        low + scale(word << 10, high - low)
    }
}

/// The standard normal distribution's quantile of `p` in (0, 1), to the last bit or two.
///
/// Found by halving an interval: it runs some thousand times at start, and only on functions that give the same bits on
/// every machine.
fn normal_quantile(p: f64) -> f64 {
    let (mut low, mut high) = (-10.0, 10.0);
    for _ in 0..64 {
        let middle = f64::midpoint(low, high);
        if libm::erfc(-middle * std::f64::consts::FRAC_1_SQRT_2) / 2.0 < p { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::{Durations, Lives, normal_quantile};
    use ticket_schema::vocabulary::Severity;

    #[test]
    fn normal_quantiles_match_the_printed_table() {
        for (p, z) in [(0.5, 0.0), (0.9, 1.281_552), (0.95, 1.644_854), (0.975, 1.959_964), (0.001, -3.090_232)] {
            assert!((normal_quantile(p) - z).abs() < 1e-6, "{p}");
        }
    }

    #[test]
    fn medians_and_breach_rates_are_the_ones_asked_for() {
        let lives = Lives::new();
        for (severity, median_hours, breach_rate) in [
            (Severity::P1, 1.8, 0.10),
            (Severity::P2, 3.6, 0.10),
            (Severity::P3, 19.2, 0.08),
            (Severity::P4, 42.0, 0.05),
        ] {
            let durations = &lives.resolution[severity as usize];
            let median = f64::from(durations.pick(1 << 31)) / 3600.0;
            assert!((median - median_hours).abs() < 0.01, "{severity}: {median}");
            let breached =
                (0..1_u32 << 16).filter(|i| i64::from(durations.pick(i << 16)) > severity.sla_target_seconds());
            let share = breached.count() as f64 / 65_536.0;
            assert!((share - breach_rate).abs() < 0.001, "{severity}: {share}");
        }
    }

    #[test]
    fn durations_never_fall_with_the_word() {
        let durations = Durations::lognormal(3600.0, 1.5);
        let picks: Vec<u32> = (0..=u32::MAX).step_by(65_537).map(|word| durations.pick(word)).collect();
        assert!(picks.is_sorted());
        assert!(picks[0] >= 60);
    }
}
