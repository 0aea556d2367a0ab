//! Where within an hour its tickets fall: in order, and as independent arrivals do.
//!
//! The gaps between independent arrivals are exponential, so the gaps before each ticket are drawn so and stretched to fill
//! the hour. An hour with very many tickets is first cut into equal parts, whose numbers vary as those of a Poisson process
//! do, so that a run that begins in the middle of it never has far to count.

use crate::distributions::NORMAL_QUANTILES;
use crate::draws::Key;

/// The most tickets of a stretch that isn't cut any further.
const MOST: u64 = 1024;

/// Into how many parts a stretch is cut.
const PARTS: usize = 12;

/// Some time with a number of tickets.
#[derive(Clone, Copy, Debug)]
pub struct Stretch {
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
pub struct Spacing {
    gaps: Key,
    parts: Key,
    /// The quantiles 1/2048, 3/2048 … of the exponential distribution with mean 1.
    exponential: Vec<f64>,
}

/// A place in the row of tickets.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    stretch: Stretch,
    /// The gaps from the stretch's start to here.
    sum: f64,
    seconds_a_gap: f64,
}

impl Spacing {
    /// The gaps of a world.
    pub fn new(gaps: Key, parts: Key) -> Self {
        let exponential = (0..1024_u32).map(|i| -libm::log(1.0 - (f64::from(i) + 0.5) / 1024.0)).collect();
        Self { gaps, parts, exponential }
    }

    /// The place before ticket `n` of an hour.
    pub fn place(&self, hour: Stretch, n: u64) -> Place {
        let mut stretch = hour;
        while stretch.n_tickets > MOST && stretch.seconds > 1.0 {
            stretch = self.part(&stretch, n);
        }
        // Always added in one order, so that the sums are the same to the last bit wherever a run begins.
        let add = |sum: f64, tickets: std::ops::Range<u64>| tickets.fold(sum, |sum, n| sum + self.gap(n));
        let sum = add(0.0, stretch.first..n);
        let all = add(sum, n..stretch.first + stretch.n_tickets + 1);
        Place { stretch, sum, seconds_a_gap: stretch.seconds / all }
    }

    /// Goes on to ticket `n`, the next one; returns when it arrives, in seconds since 1970.
    pub fn next(&self, place: &mut Place, n: u64) -> f64 {
        place.sum += self.gap(n);
        place.stretch.start + place.sum * place.seconds_a_gap
    }

    fn gap(&self, n: u64) -> f64 {
        self.exponential[(self.gaps.hash(n) >> 54) as usize]
    }

    /// The part of a stretch that has ticket `n`.
    fn part(&self, whole: &Stretch, n: u64) -> Stretch {
        let weights = self.weights(whole);
        let scale = whole.n_tickets as f64 / weights.iter().sum::<f64>();
        let (mut sum, mut first, seconds) = (0.0, whole.first, whole.seconds / PARTS as f64);
        for (i, weight) in weights.iter().enumerate() {
            sum += weight;
            let is_last = i == PARTS - 1;
            let counted = if is_last { whole.n_tickets } else { libm::round(sum * scale) as u64 };
            let end = whole.first + counted.min(whole.n_tickets);
            if n < end {
                return Stretch { first, n_tickets: end - first, start: whole.start + i as f64 * seconds, seconds };
            }
            first = end;
        }
        *whole
    }

    /// How much of a stretch belongs to each of its parts: gamma-distributed numbers, with the mean and variance of the tickets
    /// in a part (by Wilson and Hilferty 1931, which is good for means above 10).
    fn weights(&self, whole: &Stretch) -> [f64; PARTS] {
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

impl Place {
    /// Whether ticket `n` lies in the stretch that is being counted through.
    pub const fn holds(&self, n: u64) -> bool {
        n >= self.stretch.first && n - self.stretch.first < self.stretch.n_tickets
    }
}
