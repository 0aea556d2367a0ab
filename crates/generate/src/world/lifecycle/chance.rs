//! Random events and durations of a ticket's lifecycle.

/// The number of different 32-bit words.
const WORD_RANGE: f64 = 4_294_967_296.0;

/// An event that happens to a share of the tickets.
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

    /// Returns the word's relative position, from 0 to 1, among the words for which the event happens; `None` if it
    /// does not.
    pub(super) fn position(&self, word: u32) -> Option<f64> {
        (word < self.below).then(|| f64::from(word) * self.positions_per_word)
    }
}

/// Returns a duration close to `typical` if that is short, below `latest` and at least one second.
pub(super) fn bounded_response(typical: f64, latest: f64) -> i64 {
    (typical * latest / (typical + latest)).max(1.0) as i64
}

/// Interpolates between two fractions of a duration.
pub(super) fn between(seconds: i64, (least, most): (f64, f64), position: f64) -> i64 {
    (seconds as f64 * (least + (most - least) * position)) as i64
}

/// Maps a uniform word to a number from 0 to below 1.
pub(super) fn position_of(word: u32) -> f64 {
    f64::from(word) / WORD_RANGE
}
