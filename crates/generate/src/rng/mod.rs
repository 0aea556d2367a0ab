//! Random numbers of a world.
//!
//! Ticket `n` owns block `n` of one `ChaCha` stream, which supports random access in constant time; its draws are
//! therefore independent of threads and order. Each purpose has its own words in the block. Things that are not tickets
//! (cars, days, service centres) hash their number with a [`HashKey`].

pub mod categorical;
pub mod distributions;

use manifest::WorldParameters;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use uuid::Uuid;

/// Number of 32-bit words per block.
const WORDS: usize = 16;

/// Purpose of a word in a ticket's draws.
#[derive(Clone, Copy, Debug)]
pub enum DrawPurpose {
    /// The ticket's identifier (four words).
    TicketId = 0,
    /// Durations of waiting periods and second resolutions.
    Detail = 4,
    /// The market, and the cause of the ticket.
    Market = 5,
    /// The channel.
    Channel = 6,
    /// The car's series and model year.
    Cohort = 7,
    /// The car within its cohort.
    Car = 8,
    /// The category.
    Category = 9,
    /// The severity.
    Severity = 10,
    /// Time to resolution.
    Resolution = 11,
    /// Time to the first response.
    FirstResponse = 12,
    /// Occurrence and start of a waiting period.
    Waiting = 13,
    /// Occurrence and time of re-opening.
    Reopening = 14,
    /// Time from resolution to closing.
    Closing = 15,
}

/// Version bits of a UUID's first half and variant bits of its second half (RFC 9562).
const UUID_VERSION: u64 = 0xF000;
const UUID_VARIANT: u64 = 0xC000_0000_0000_0000;

/// The random words of one ticket.
#[derive(Clone, Copy, Debug)]
pub struct TicketDraws([u32; WORDS]);

impl TicketDraws {
    /// Returns a uniform 32-bit word.
    pub const fn word(&self, purpose: DrawPurpose) -> u32 {
        self.0[purpose as usize]
    }

    /// Returns the ticket's identifier, a random (version 4) UUID.
    pub fn ticket_id(&self) -> Uuid {
        let [first, second] = [0, 2].map(|i| {
            let (high, low) =
                (self.0[DrawPurpose::TicketId as usize + i], self.0[DrawPurpose::TicketId as usize + i + 1]);
            u64::from(high) << 32 | u64::from(low)
        });
        Uuid::from_u64_pair(first & !UUID_VERSION | 0x4000, second & !UUID_VARIANT | 0x8000_0000_0000_0000)
    }
}

/// Maps a uniform 32-bit word to a number below `n`.
pub const fn scale(word: u32, n: u32) -> u32 {
    ((word as u64 * n as u64) >> 32) as u32
}

/// Seed of all random numbers of a world: the user's seed and a hash of the other parameters that define the world.
/// As-of is not part of it.
#[derive(Clone, Copy, Debug)]
pub struct WorldSeed {
    seed: u64,
    world: u64,
}

impl WorldSeed {
    /// Derives the seed of a world.
    pub fn of(world: &WorldParameters) -> Self {
        let WorldParameters { seed, world_start, days_back, count, profile, scenarios, .. } = world;
        // A profile file is identified by its content, not by its path.
        let profile = profile.crc64nvme.as_ref().unwrap_or(&profile.name);
        let scenarios: Vec<&str> = scenarios.iter().map(|scenario| scenario.as_str()).collect();
        let text = format!("{world_start} {days_back} {count} {profile} {}", scenarios.join(" "));
        Self { seed: *seed, world: HashKey::new(0, &text).0 }
    }

    /// Returns the hash key of one kind of entity.
    pub const fn key(self, kind: &str) -> HashKey {
        HashKey::new(self.seed ^ self.world, kind)
    }

    /// Returns the draws of successive tickets, starting at ticket `n`.
    pub fn tickets(self, n: u64) -> DrawStream {
        DrawStream::at(self, n)
    }
}

/// Buffered stream of the draws of successive tickets.
#[derive(Debug)]
pub struct DrawStream {
    rng: ChaCha8Rng,
    /// Buffered draws: generating a batch is cheaper than one block at a time.
    ready: [TicketDraws; BATCH],
    n_used: usize,
}

/// Number of tickets per batch.
const BATCH: usize = 16;

impl DrawStream {
    /// Opens the stream at ticket `n`.
    fn at(seed: WorldSeed, n: u64) -> Self {
        let mut key = *b"................tickets, in 2026";
        key[..8].copy_from_slice(&seed.seed.to_le_bytes());
        key[8..16].copy_from_slice(&seed.world.to_le_bytes());
        let mut rng = ChaCha8Rng::from_seed(key);
        rng.set_word_pos(u128::from(n) * WORDS as u128);
        Self { rng, ready: [TicketDraws([0; WORDS]); BATCH], n_used: BATCH }
    }

    /// Returns the next ticket's draws.
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

/// Key of a hash function over the numbers of one kind of entity, independent of the other kinds.
#[derive(Clone, Copy, Debug)]
pub struct HashKey(u64);

impl HashKey {
    /// Creates the key of one kind of entity.
    pub const fn new(seed: u64, kind: &str) -> Self {
        let kind = kind.as_bytes();
        let (mut hash, mut i) = (mix(seed ^ 0x9E37_79B9_7F4A_7C15), 0);
        while i < kind.len() {
            hash = mix(hash ^ kind[i] as u64);
            i += 1;
        }
        Self(hash)
    }

    /// Returns the hash of number `n`.
    pub const fn hash(self, n: u64) -> u64 {
        mix(self.0.wrapping_add(n.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
    }

    /// Returns the hash of number `n`, scaled to a number above 0 and below 1.
    pub const fn unit(self, n: u64) -> f64 {
        ((self.hash(n) >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
    }
}

/// Mixes the bits of a number bijectively (finaliser of `SplitMix64`: Steele, Lea and Flood 2014).
const fn mix(mut n: u64) -> u64 {
    n = (n ^ (n >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    n = (n ^ (n >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    n ^ (n >> 31)
}

#[cfg(test)]
mod tests {
    use super::{HashKey, WorldSeed};

    #[test]
    fn random_access_matches_sequential_draws() {
        let seed = WorldSeed { seed: 7, world: 9 };
        let mut from_start = seed.tickets(0);
        let all: Vec<_> = (0..100).map(|_| from_start.next_ticket().0).collect();
        for n in [0, 1, 2, 3, 7, 50, 99] {
            assert_eq!(seed.tickets(n as u64).next_ticket().0, all[n], "ticket {n}");
        }
    }

    #[test]
    fn keys_are_independent_and_uniform() {
        let (cars, days) = (HashKey::new(1, "car"), HashKey::new(1, "day"));
        assert_ne!(cars.hash(0), days.hash(0));
        assert_ne!(cars.hash(0), HashKey::new(2, "car").hash(0));
        let mean = (0..10_000).map(|n| cars.unit(n)).sum::<f64>() / 10_000.0;
        // The mean of 10,000 uniform numbers has a standard deviation of 0.0029.
        assert!((mean - 0.5).abs() < 0.015, "{mean}");
    }
}
