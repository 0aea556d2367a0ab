//! Selection of the tickets that get a defect: a pure function of seed, rate and ticket number.
//!
//! Defects are drawn from a random stream of their own, so a seed gives the same tickets with and without defects, and
//! a higher rate keeps the defects of a lower one.

use std::collections::BTreeMap;
use std::ops::Range;

use manifest::defects::DefectKind;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::rate::Rate;
use crate::rng::scale;

/// Possible distances between a ticket and its copy, in tickets. If several copies follow the same ticket, the oldest
/// comes first.
pub const DELAYS: [u64; 3] = [40, 7, 1];

/// Number of 32-bit words of the stream per ticket.
const WORDS: usize = 16;

/// Distribution of the kinds, as twenty equally likely entries: repeated deliveries are frequent, corruption is rare
/// (guess).
const DEFECT_KINDS: [[DefectKind; 5]; 4] = {
    use DefectKind::{BadUtf8, CutLine, Duplicate, ImpossibleTime, LateCopy, UnknownText, WrongType};
    [
        [Duplicate, Duplicate, LateCopy, WrongType, UnknownText],
        [Duplicate, LateCopy, WrongType, UnknownText, ImpossibleTime],
        [Duplicate, LateCopy, WrongType, UnknownText, CutLine],
        [Duplicate, LateCopy, ImpossibleTime, CutLine, BadUtf8],
    ]
};

/// The defect of one ticket.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The kind of defect.
    pub kind: DefectKind,
    /// Distance between the ticket and its copy, in tickets; used by copies only.
    pub delay: u64,
    /// Random numbers for the details of the defect.
    pub rng: DefectRng,
}

/// The random words of one ticket's defect, used in sequence.
#[derive(Clone, Debug)]
pub struct DefectRng {
    words: [u32; WORDS],
    next: usize,
}

impl Plan {
    /// Returns the plans of the defective tickets in a range.
    pub fn of_range(seed: u64, rate: Rate, tickets: Range<u64>) -> BTreeMap<u64, Self> {
        let mut key = *b"........aftersales defects, 2026";
        key[..8].copy_from_slice(&seed.to_le_bytes());
        let mut stream = ChaCha8Rng::from_seed(key);
        stream.set_word_pos(u128::from(tickets.start) * WORDS as u128);
        let plan = |n| {
            let mut rng = DefectRng { words: std::array::from_fn(|_| stream.next_u32()), next: 0 };
            rate.covers(rng.word())
                .then(|| (n, Self { kind: *rng.choose(DEFECT_KINDS.as_flattened()), delay: *rng.choose(&DELAYS), rng }))
        };
        tickets.filter_map(plan).collect()
    }
}

impl DefectRng {
    /// Returns a uniform 32-bit word. No defect consumes more than `WORDS`.
    fn word(&mut self) -> u32 {
        self.next += 1;
        self.words[(self.next - 1) % WORDS]
    }

    /// Returns a uniform number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        scale(self.word(), n as u32) as usize
    }

    /// Returns a uniformly chosen element.
    pub fn choose<'a, T>(&mut self, among: &'a [T]) -> &'a T {
        &among[self.below(among.len())]
    }

    /// Returns a uniform number of seconds below `span_seconds`, which must be at least 1.
    pub fn second_of(&mut self, span_seconds: i64) -> i64 {
        ((i128::from(self.word()) * i128::from(span_seconds)) >> 32) as i64
    }
}

#[cfg(test)]
mod tests {
    use super::Plan;

    #[test]
    fn plans_are_independent_of_the_range_and_monotonic_in_the_rate() {
        let plans = |rate: &str, range| {
            let plans = Plan::of_range(7, rate.parse().unwrap(), range);
            plans.into_iter().map(|(n, plan)| (n, plan.kind, plan.delay, plan.rng.words)).collect::<Vec<_>>()
        };
        let few = plans("1%", 0..10_000);
        assert!((50..200).contains(&few.len()), "{}", few.len());
        let in_chunks: Vec<_> = (0..10_000).step_by(250).flat_map(|n| plans("1%", n..n + 250)).collect();
        assert_eq!(in_chunks, few);
        let many = plans("20%", 0..10_000);
        assert!(few.iter().all(|plan| many.contains(plan)));
        assert_eq!(plans("1", 0..100).len(), 100);
        assert!(plans("0", 0..10_000).is_empty());
    }
}
