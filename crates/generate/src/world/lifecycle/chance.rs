//! TODO

/// The number of different 32-bit words.
const WORD_RANGE: f64 = 4_294_967_296.0;

/// Something that happens to a share of tickets, each of which has a position among them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chance {
    below: u32,
    positions_per_word: f64,
}

impl Chance {
    pub(super) fn new(share: f64) -> Self {
        let below = share * f64::from(u32::MAX);
        Self { below: below as u32, positions_per_word: 1.0 / below.max(1.0) }
    }

    /// The position, from 0 to 1, of those that it happens to: they are those with the lowest words.
    pub(super) fn position(&self, word: u32) -> Option<f64> {
        (word < self.below).then(|| f64::from(word) * self.positions_per_word)
    }
}

/// Close to `typical` if that is short, and always below `latest`; at least a second.
pub(super) fn bounded_response(typical: f64, latest: f64) -> i64 {
    (typical * latest / (typical + latest)).max(1.0) as i64
}

/// A part of a time, between two shares of it.
pub(super) fn between(seconds: i64, (least, most): (f64, f64), position: f64) -> i64 {
    (seconds as f64 * (least + (most - least) * position)) as i64
}

/// A uniform word as a position from 0 to 1.
pub(super) fn position_of(word: u32) -> f64 {
    f64::from(word) / WORD_RANGE
}
