//! The randomness of a world.
//!
//! Ticket `n` has block `n` of one `ChaCha` stream, which can be entered anywhere at no cost: so it
//! has the same draws whoever makes it, in whatever order, on however many threads. Each use has words of its own. What
//! doesn't belong to a ticket (a car, a day, a service centre) has a [`HashKey`] and hashes its own number with it.

pub mod categorical;
pub mod distributions;

use manifest::WorldParameters;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use uuid::Uuid;

/// How many 32-bit words a block has.
const WORDS: usize = 16;

/// What a word of a ticket's draws is used for.
#[derive(Clone, Copy, Debug)]
pub enum DrawPurpose {
    /// The ticket's identifier (four words).
    TicketId = 0,
    /// How long rests and second resolutions take.
    Detail = 4,
    /// The market, and what brings the car in.
    Market = 5,
    /// The channel.
    Channel = 6,
    /// The car's series and model year.
    Cohort = 7,
    /// Which of these cars.
    Car = 8,
    /// The category.
    Category = 9,
    /// The severity.
    Severity = 10,
    /// Time to resolution.
    Resolution = 11,
    /// Time to the first answer.
    FirstResponse = 12,
    /// Whether work rests.
    Waiting = 13,
    /// Whether and when the ticket is re-opened.
    Reopening = 14,
    /// Time from resolution to closing.
    Closing = 15,
}

/// The bits of a UUID's first half that tell its version, and those of its second half that tell its variant (RFC 9562).
const UUID_VERSION: u64 = 0xF000;
const UUID_VARIANT: u64 = 0xC000_0000_0000_0000;

/// One ticket's draws.
#[derive(Clone, Copy, Debug)]
pub struct TicketDraws([u32; WORDS]);

impl TicketDraws {
    /// A uniform 32-bit word.
    pub const fn word(&self, purpose: DrawPurpose) -> u32 {
        self.0[purpose as usize]
    }

    /// The ticket's identifier, a random (version 4) UUID.
    pub fn ticket_id(&self) -> Uuid {
        let [first, second] = [0, 2].map(|i| {
            let (high, low) =
                (self.0[DrawPurpose::TicketId as usize + i], self.0[DrawPurpose::TicketId as usize + i + 1]);
            u64::from(high) << 32 | u64::from(low)
        });
        Uuid::from_u64_pair(first & !UUID_VERSION | 0x4000, second & !UUID_VARIANT | 0x8000_0000_0000_0000)
    }
}

/// A uniform 32-bit word as a number below `n`.
pub const fn scale(word: u32, n: u32) -> u32 {
    ((word as u64 * n as u64) >> 32) as u32
}

/// Where all chance of a world comes from: its seed, and all else that makes it another world. As-of isn't part of it.
#[derive(Clone, Copy, Debug)]
pub struct WorldSeed {
    seed: u64,
    world: u64,
}

impl WorldSeed {
    /// The source of a world.
    pub fn of(world: &WorldParameters) -> Self {
        let WorldParameters { seed, world_start, days_back, count, profile, scenarios, .. } = world;
        // A file is what it holds, wherever it lies.
        let profile = profile.crc64nvme.as_ref().unwrap_or(&profile.name);
        let scenarios: Vec<&str> = scenarios.iter().map(|scenario| scenario.as_str()).collect();
        let text = format!("{world_start} {days_back} {count} {profile} {}", scenarios.join(" "));
        Self { seed: *seed, world: HashKey::new(0, &text).0 }
    }

    /// The key of a kind of thing.
    pub const fn key(self, kind: &str) -> HashKey {
        HashKey::new(self.seed ^ self.world, kind)
    }

    /// The tickets' draws, from ticket `n` on.
    pub fn tickets(self, n: u64) -> DrawStream {
        DrawStream::at(self, n)
    }
}

/// The draws of successive tickets.
#[derive(Debug)]
pub struct DrawStream {
    rng: ChaCha8Rng,
    /// The next tickets' draws: asking for several at once is cheaper.
    ready: [TicketDraws; BATCH],
    n_used: usize,
}

/// For how many tickets draws are made at once.
const BATCH: usize = 16;

impl DrawStream {
    /// The stream of a world, entered at ticket `n`.
    fn at(source: WorldSeed, n: u64) -> Self {
        let mut key = *b"................tickets, in 2026";
        key[..8].copy_from_slice(&source.seed.to_le_bytes());
        key[8..16].copy_from_slice(&source.world.to_le_bytes());
        let mut rng = ChaCha8Rng::from_seed(key);
        rng.set_word_pos(u128::from(n) * WORDS as u128);
        Self { rng, ready: [TicketDraws([0; WORDS]); BATCH], n_used: BATCH }
    }

    /// The next ticket's draws.
    pub fn next_ticket(&mut self) -> &TicketDraws {
        if self.n_used == BATCH {
            self.refill();
        }
        self.n_used += 1;
        &self.ready[self.n_used - 1]
    }

    fn refill(&mut self) {
        let mut bytes = [0; BATCH * WORDS * 4];
        self.rng.fill_bytes(&mut bytes);
        for (draws, bytes) in self.ready.iter_mut().zip(bytes.as_chunks::<{ WORDS * 4 }>().0) {
            for (word, bytes) in draws.0.iter_mut().zip(bytes.as_chunks().0) {
                *word = u32::from_le_bytes(*bytes);
            }
        }
        self.n_used = 0;
    }
}

/// Turns the numbers of one kind of thing into hashes that no other kind shares.
#[derive(Clone, Copy, Debug)]
pub struct HashKey(u64);

impl HashKey {
    /// The key of a kind of thing.
    pub const fn new(seed: u64, kind: &str) -> Self {
        let kind = kind.as_bytes();
        let (mut hash, mut i) = (mix(seed ^ 0x9E37_79B9_7F4A_7C15), 0);
        while i < kind.len() {
            hash = mix(hash ^ kind[i] as u64);
            i += 1;
        }
        Self(hash)
    }

    /// The hash of number `n`.
    pub const fn hash(self, n: u64) -> u64 {
        mix(self.0.wrapping_add(n.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
    }

    /// The hash of number `n` as a number above 0 and below 1.
    pub const fn unit(self, n: u64) -> f64 {
        ((self.hash(n) >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
    }
}

/// Spreads every bit of a number over all 64, one to one (the finaliser of `SplitMix64`: Steele, Lea and Flood 2014).
const fn mix(mut n: u64) -> u64 {
    n = (n ^ (n >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    n = (n ^ (n >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    n ^ (n >> 31)
}

#[cfg(test)]
mod tests {
    use super::{HashKey, WorldSeed};

    #[test]
    fn entering_anywhere_gives_the_same_words() {
        let source = WorldSeed { seed: 7, world: 9 };
        let mut from_start = source.tickets(0);
        let all: Vec<_> = (0..100).map(|_| from_start.next_ticket().0).collect();
        for n in [0, 1, 2, 3, 7, 50, 99] {
            assert_eq!(source.tickets(n as u64).next_ticket().0, all[n], "ticket {n}");
        }
    }

    #[test]
    fn keys_are_apart_and_even() {
        let (cars, days) = (HashKey::new(1, "car"), HashKey::new(1, "day"));
        assert_ne!(cars.hash(0), days.hash(0));
        assert_ne!(cars.hash(0), HashKey::new(2, "car").hash(0));
        let mean = (0..10_000).map(|n| cars.unit(n)).sum::<f64>() / 10_000.0;
        // The mean of 10,000 uniform numbers has a standard deviation of 0.0029.
        assert!((mean - 0.5).abs() < 0.015, "{mean}");
    }
}
