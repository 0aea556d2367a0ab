//! Arrival times within an hour, distributed like independent arrivals and in order.
//!
//! Gaps between independent arrivals are exponential: the gap before each ticket is drawn from that distribution, and
//! all gaps are scaled to fill the hour. An hour with many tickets is first split recursively into equal parts whose
//! counts vary as in a Poisson process, so that random access never has to add up many gaps.

use crate::rng::HashKey;
use crate::rng::distributions::NORMAL_QUANTILES;

/// Largest number of tickets in an interval that is not split.
const MAX_TICKETS: u64 = 1024;

/// Number of parts that an interval is split into.
const PARTS: usize = 12;

/// A time interval with a number of tickets.
#[derive(Clone, Copy, Debug)]
pub struct Interval {
    /// Number of its first ticket.
    pub first: u64,
    /// Number of tickets.
    pub n_tickets: u64,
    /// Start, in seconds since 1970.
    pub start: f64,
    /// Length in seconds.
    pub seconds: f64,
}

/// Distribution of the gaps between tickets.
#[derive(Debug)]
pub struct InterarrivalTimes {
    gaps: HashKey,
    parts: HashKey,
    /// The quantiles 1/2048, 3/2048 … of the exponential distribution with mean 1.
    exponential: Vec<f64>,
}

/// Position in the sequence of tickets.
#[derive(Clone, Copy, Debug)]
pub struct Position {
    interval: Interval,
    /// Sum of the gaps from the interval's start.
    sum: f64,
    seconds_per_gap: f64,
}

impl InterarrivalTimes {
    /// Creates the distribution from its hash keys.
    pub fn new(gaps: HashKey, parts: HashKey) -> Self {
        let exponential = (0..1024_u32).map(|i| -libm::log(1.0 - (f64::from(i) + 0.5) / 1024.0)).collect();
        Self { gaps, parts, exponential }
    }

    /// Returns the position before ticket `n` of an hour.
    pub fn position(&self, hour: Interval, n: u64) -> Position {
        let mut interval = hour;
        while interval.n_tickets > MAX_TICKETS && interval.seconds > 1.0 {
            interval = self.part(&interval, n);
        }
        // Summation order is fixed, so that results are bit-identical wherever a run starts.
        let add = |sum: f64, tickets: std::ops::Range<u64>| tickets.fold(sum, |sum, n| sum + self.gap(n));
        let sum = add(0.0, interval.first..n);
        let all = add(sum, n..interval.first + interval.n_tickets + 1);
        Position { interval, sum, seconds_per_gap: interval.seconds / all }
    }

    /// Advances to ticket `n`, which must be the next one, and returns its arrival time in seconds since 1970.
    pub fn next(&self, position: &mut Position, n: u64) -> f64 {
        position.sum += self.gap(n);
        position.interval.start + position.sum * position.seconds_per_gap
    }

    fn gap(&self, n: u64) -> f64 {
        self.exponential[(self.gaps.hash(n) >> 54) as usize]
    }

    /// Returns the part of an interval that contains ticket `n`.
    fn part(&self, whole: &Interval, n: u64) -> Interval {
        let weights = self.weights(whole);
        let scale = whole.n_tickets as f64 / weights.iter().sum::<f64>();
        let (mut sum, mut first, seconds) = (0.0, whole.first, whole.seconds / PARTS as f64);
        for (i, weight) in weights.iter().enumerate() {
            sum += weight;
            let is_last = i == PARTS - 1;
            let counted = if is_last { whole.n_tickets } else { libm::round(sum * scale) as u64 };
            let end = whole.first + counted.min(whole.n_tickets);
            if n < end {
                return Interval { first, n_tickets: end - first, start: whole.start + i as f64 * seconds, seconds };
            }
            first = end;
        }
        *whole
    }

    /// Returns the relative sizes of an interval's parts: gamma-distributed, with the mean and variance of a part's
    /// number of tickets (Wilson and Hilferty 1931; accurate for means above 10).
    fn weights(&self, whole: &Interval) -> [f64; PARTS] {
        let mean = whole.n_tickets as f64 / PARTS as f64;
        let (bias, spread) = (1.0 / (9.0 * mean), 1.0 / (3.0 * mean.sqrt()));
        let number = whole.first.wrapping_mul(PARTS as u64);
        std::array::from_fn(|i| {
            let hash = self.parts.hash(number.wrapping_add(i as u64));
            let root = 1.0 - bias + spread * NORMAL_QUANTILES[(hash >> 54) as usize];
            (root * root * root).max(0.0)
        })
    }
}

impl Position {
    /// Returns true if ticket `n` lies in the current interval.
    pub const fn contains(&self, n: u64) -> bool {
        n >= self.interval.first && n - self.interval.first < self.interval.n_tickets
    }
}
