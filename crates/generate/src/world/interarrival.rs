//! Where within an hour its tickets fall: in order, and as independent arrivals do.
//!
//! The gaps between independent arrivals are exponential, so the gaps before each ticket are drawn so and stretched to fill
//! the hour. An hour with very many tickets is first cut into equal parts, whose numbers vary as those of a Poisson process
//! do, so that a run that begins in the middle of it never has far to count.

use crate::rng::HashKey;
use crate::rng::distributions::NORMAL_QUANTILES;

/// The most tickets of a interval that isn't cut any further.
const MAX_TICKETS: u64 = 1024;

/// Into how many parts a interval is cut.
const PARTS: usize = 12;

/// Some time with a number of tickets.
#[derive(Clone, Copy, Debug)]
pub struct Interval {
    /// Its first ticket.
    pub first: u64,
    /// How many there are.
    pub n_tickets: u64,
    /// When it begins, in seconds since 1970.
    pub start: f64,
    /// How long it is.
    pub seconds: f64,
}

/// The gaps between tickets.
#[derive(Debug)]
pub struct InterarrivalTimes {
    gaps: HashKey,
    parts: HashKey,
    /// The quantiles 1/2048, 3/2048 … of the exponential distribution with mean 1.
    exponential: Vec<f64>,
}

/// A position in the row of tickets.
#[derive(Clone, Copy, Debug)]
pub struct Position {
    interval: Interval,
    /// The gaps from the interval's start to here.
    sum: f64,
    seconds_per_gap: f64,
}

impl InterarrivalTimes {
    /// The gaps of a world.
    pub fn new(gaps: HashKey, parts: HashKey) -> Self {
        let exponential = (0..1024_u32).map(|i| -libm::log(1.0 - (f64::from(i) + 0.5) / 1024.0)).collect();
        Self { gaps, parts, exponential }
    }

    /// The position before ticket `n` of an hour.
    pub fn position(&self, hour: Interval, n: u64) -> Position {
        let mut interval = hour;
        while interval.n_tickets > MAX_TICKETS && interval.seconds > 1.0 {
            interval = self.part(&interval, n);
        }
        // Always added in one order, so that the sums are the same to the last bit wherever a run begins.
        let add = |sum: f64, tickets: std::ops::Range<u64>| tickets.fold(sum, |sum, n| sum + self.gap(n));
        let sum = add(0.0, interval.first..n);
        let all = add(sum, n..interval.first + interval.n_tickets + 1);
        Position { interval, sum, seconds_per_gap: interval.seconds / all }
    }

    /// Goes on to ticket `n`, the next one; returns when it arrives, in seconds since 1970.
    pub fn next(&self, position: &mut Position, n: u64) -> f64 {
        position.sum += self.gap(n);
        position.interval.start + position.sum * position.seconds_per_gap
    }

    fn gap(&self, n: u64) -> f64 {
        self.exponential[(self.gaps.hash(n) >> 54) as usize]
    }

    /// The part of a interval that has ticket `n`.
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

    /// How much of a interval belongs to each of its parts: gamma-distributed numbers, with the mean and variance of the tickets
    /// in a part (by Wilson and Hilferty 1931, which is good for means above 10).
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
    /// Whether ticket `n` lies in the interval that is being counted through.
    pub const fn contains(&self, n: u64) -> bool {
        n >= self.interval.first && n - self.interval.first < self.interval.n_tickets
    }
}
