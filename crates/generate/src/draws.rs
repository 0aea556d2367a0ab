//! The randomness of one ticket: a fixed number of words at a fixed place of one `ChaCha` stream.
//!
//! The stream is a function of the seed alone and can be entered anywhere at no cost, so ticket `n` has the same draws
//! whoever makes it, in whatever order, on however many threads. Each use has a word of its own: adding a use later does
//! not disturb the others.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// How many 32-bit words of the stream belong to one ticket.
const WORDS: usize = 32;

/// What a word of a ticket's draws is used for.
#[derive(Clone, Copy, Debug)]
pub enum Use {
    /// When within its slot of the period the ticket is opened.
    Arrival = 0,
    /// The market.
    Market = 1,
    /// The dealer within the market.
    Dealer = 2,
    /// The severity.
    Severity = 3,
    /// The category.
    Category = 4,
    /// The channel.
    Channel = 5,
    /// Series and model year.
    Car = 6,
    /// The last six characters of the VIN.
    Vin = 7,
    /// The customer (two words).
    Customer = 8,
    /// Time to resolution.
    Resolution = 10,
    /// Time to the first answer.
    Answer = 11,
    /// Whether and when work rests.
    Rest = 12,
    /// Time from resolution to closing.
    Closing = 13,
    /// The ticket's identifier (four words).
    TicketId = 28,
}

/// One ticket's draws.
#[derive(Clone, Copy, Debug)]
pub struct Draws([u8; WORDS * 4]);

impl Draws {
    /// A uniform 32-bit word.
    pub fn word(&self, purpose: Use) -> u32 {
        u32::from_le_bytes(self.bytes(purpose))
    }

    /// Uniform bytes, from the first word of `purpose` on.
    pub fn bytes<const N: usize>(&self, purpose: Use) -> [u8; N] {
        let start = purpose as usize * 4;
        std::array::from_fn(|i| self.0[start + i])
    }

    /// A uniform number below `n`.
    pub fn below(&self, purpose: Use, n: u32) -> u32 {
        scale(self.word(purpose), n)
    }
}

/// A uniform 32-bit word as a number below `n`.
pub fn scale(word: u32, n: u32) -> u32 {
    ((u64::from(word) * u64::from(n)) >> 32) as u32
}

/// The draws of successive tickets.
#[derive(Debug)]
pub struct DrawStream(ChaCha8Rng);

impl DrawStream {
    /// The stream of a seed, entered at ticket `n`.
    pub fn at(seed: u64, n: u64) -> Self {
        let mut key = *b"........aftersales tickets, 2026";
        key[..8].copy_from_slice(&seed.to_le_bytes());
        let mut rng = ChaCha8Rng::from_seed(key);
        rng.set_word_pos(u128::from(n) * WORDS as u128);
        Self(rng)
    }

    /// The next ticket's draws.
    pub fn next_ticket(&mut self) -> Draws {
        let mut words = [0; WORDS * 4];
        self.0.fill_bytes(&mut words);
        Draws(words)
    }
}

#[cfg(test)]
mod tests {
    use super::{DrawStream, Use};

    #[test]
    fn entering_anywhere_gives_the_same_words() {
        let mut from_start = DrawStream::at(7, 0);
        let all: Vec<_> = (0..100).map(|_| from_start.next_ticket().bytes::<128>(Use::Arrival)).collect();
        for n in [0, 1, 2, 3, 7, 50, 99] {
            assert_eq!(DrawStream::at(7, n as u64).next_ticket().bytes::<128>(Use::Arrival), all[n], "ticket {n}");
        }
    }
}
