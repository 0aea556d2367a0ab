//! Which tickets get a defect, and which: a pure function of seed, rate and the ticket's number.
//!
//! The draws are a stream of their own beside that of the tickets, so the tickets of a seed are the same with defects and
//! without, and a greater rate keeps the defects of a smaller one.

use std::collections::BTreeMap;
use std::ops::Range;

use manifest::defects::DefectKind;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::rate::Rate;
use crate::rng::scale;

/// After how many tickets a copy may come. Of copies due at one place that of the oldest ticket comes first.
pub const DELAYS: [u64; 3] = [40, 7, 1];

/// How many 32-bit words of the stream belong to one ticket.
const WORDS: usize = 16;

/// Twenty typical defects of a landing zone: what is delivered again is the rule, damage on the way the exception (guess).
const DEFECT_KINDS: [[DefectKind; 5]; 4] = {
    use DefectKind::{BadUtf8, CutLine, Duplicate, ImpossibleTime, LateCopy, UnknownText, WrongType};
    [
        [Duplicate, Duplicate, LateCopy, WrongType, UnknownText],
        [Duplicate, LateCopy, WrongType, UnknownText, ImpossibleTime],
        [Duplicate, LateCopy, WrongType, UnknownText, CutLine],
        [Duplicate, LateCopy, ImpossibleTime, CutLine, BadUtf8],
    ]
};

/// What happens to one ticket.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The kind of defect.
    pub kind: DefectKind,
    /// For a copy, after how many further tickets it comes.
    pub delay: u64,
    /// What further choices are made with.
    pub rng: DefectRng,
}

/// The draws that belong to one ticket's defect, one after the other.
#[derive(Clone, Debug)]
pub struct DefectRng {
    words: [u32; WORDS],
    next: usize,
}

impl Plan {
    /// The plans of the tickets in a range, of those that get a defect.
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
    /// A uniform 32-bit word. No defect needs more words than there are.
    fn word(&mut self) -> u32 {
        self.next += 1;
        self.words[(self.next - 1) % WORDS]
    }

    /// A uniform number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        scale(self.word(), n as u32) as usize
    }

    /// One of several.
    pub fn choose<'a, T>(&mut self, among: &'a [T]) -> &'a T {
        &among[self.below(among.len())]
    }

    /// A uniform point of `span_seconds` seconds, which are at least one.
    pub fn second_of(&mut self, span_seconds: i64) -> i64 {
        ((i128::from(self.word()) * i128::from(span_seconds)) >> 32) as i64
    }
}

#[cfg(test)]
mod tests {
    use super::Plan;

    #[test]
    fn any_range_gives_the_same_plans_and_a_greater_rate_keeps_them() {
        let plans = |rate: &str, range| {
            let plans = Plan::of_range(7, rate.parse().unwrap(), range);
            plans.into_iter().map(|(n, plan)| (n, plan.kind, plan.delay, plan.rng.words)).collect::<Vec<_>>()
        };
        let few = plans("1%", 0..10_000);
        assert!((50..200).contains(&few.len()), "{}", few.len());
        let in_pieces: Vec<_> = (0..10_000).step_by(250).flat_map(|n| plans("1%", n..n + 250)).collect();
        assert_eq!(in_pieces, few);
        let many = plans("20%", 0..10_000);
        assert!(few.iter().all(|plan| many.contains(plan)));
        assert_eq!(plans("1", 0..100).len(), 100);
        assert!(plans("0", 0..10_000).is_empty());
    }
}
