//! What the profile of a data set promises, and tickets of the world that it claims to be from, drawn with other seeds. The only
//! module that makes worlds.

use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, ensure};
use executor::on_threads;
use generate::{Profile, World};
use manifest::{ProfileRef, WorldParameters};
use ticket_schema::Timestamp;

use crate::rows::Row;
use crate::sample::Sample;
use crate::traits::Period;

/// How many worlds there are: enough to tell how much worlds differ from each other.
const WORLDS: usize = 16;

/// How many tickets count in a world at most. Larger worlds would differ as much: in their days and dealers, not by chance.
const LARGEST: u64 = 100_000;

/// The part of the tickets of its stretch of a world that a data set has at least, unless it is a selection of them: lines may
/// have been refused on the way.
const ALMOST_ALL: f64 = 0.9;

/// How much of the world that a data set claims to be from it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Every ticket.
    Whole,
    /// The tickets that were opened between two points in time, as a shard has them.
    Stretch,
    /// Only some of those, as a reader of what has changed.
    Selection,
}

/// Worlds like the one that a data set claims to be from, and each as large.
#[derive(Clone, Debug)]
pub struct Worlds {
    /// What they are made from, but for the seed.
    parameters: WorldParameters,
    /// When the first and the last ticket that count were opened, in seconds since 1970.
    opened: (i64, i64),
}

/// The exact weights by which a profile draws.
#[derive(Clone, Debug)]
pub struct Weights {
    /// By [`Market::ALL`](ticket_schema::enums::Market::ALL).
    pub markets: Vec<f64>,
    /// By [`Severity::ALL`](ticket_schema::enums::Severity::ALL).
    pub severities: Vec<f64>,
    /// By [`Channel::ALL`](ticket_schema::enums::Channel::ALL).
    pub channels: Vec<f64>,
}

/// What a profile promises of every ticket and of all together.
#[derive(Clone, Debug)]
pub struct Promises {
    /// Its name, as a manifest has it.
    pub reference: ProfileRef,
    /// The shares of all tickets together.
    pub weights: Weights,
    /// Whether the channels with opening hours are open, by local hour.
    pub opening_hours: [bool; 24],
}

impl Promises {
    /// Those of the profile of this name or in this file.
    pub fn of(name: &str) -> Result<Self> {
        let profile = Profile::load(name)?;
        let weights = Weights {
            markets: profile.markets.weights.shares(),
            severities: profile.severities.weights.shares(),
            channels: profile.channels.weights.shares(),
        };
        let opening_hours = std::array::from_fn(|hour| profile.hours.opening.get(hour) > 0.0);
        Ok(Self { reference: profile.reference().clone(), weights, opening_hours })
    }
}

/// How much of a claimed world a data set has, from the number of its lines and when its first and last ticket were opened.
pub fn extent(world: &WorldParameters, n_lines: u64, opened: (i64, i64)) -> Result<Extent> {
    let world = World::new(world.clone())?;
    let stretch = numbers(&world, opened);
    Ok(if n_lines >= world.n_tickets() {
        Extent::Whole
    } else if n_lines as f64 >= ALMOST_ALL * (stretch.end - stretch.start) as f64 {
        Extent::Stretch
    } else {
        Extent::Selection
    })
}

const DAY_SECONDS: u64 = 86_400;

impl Worlds {
    /// Worlds like a claimed one, of which count the tickets that were opened between two points in time. There are `n_tickets`
    /// of them, and as many in the worlds, unless that is too many: then all of a world is made smaller.
    pub fn like(world: WorldParameters, n_tickets: u64, opened: (i64, i64)) -> Self {
        let shrunk = u128::from(world.count) * u128::from(LARGEST) / u128::from(n_tickets.max(1));
        let count = u64::try_from(shrunk).map_or(world.count, |shrunk| shrunk.clamp(1, world.count));
        Self { parameters: WorldParameters { count, ..world }, opened }
    }

    /// Worlds with about `n_tickets` tickets opened between two points in time, for a data set that claims none: as many a day,
    /// over whole days until as-of, but only those between the two count.
    pub fn around(profile: ProfileRef, n_tickets: u64, opened: (i64, i64), as_of: Timestamp) -> Result<Self> {
        let days_back = as_of.seconds().saturating_sub(opened.0).max(1).unsigned_abs().div_ceil(DAY_SECONDS);
        let days_back = u32::try_from(days_back).context("the tickets are spread over millions of years")?;
        let opened_seconds = opened.1.saturating_sub(opened.0).max(1);
        let growth = f64::from(days_back) * DAY_SECONDS as f64 / opened_seconds as f64;
        ensure!(growth < 1e4, "all tickets were opened within {opened_seconds} s");
        // The seed is replaced; a count is far below 2^53.
        let count = (n_tickets as f64 * growth).round() as u64;
        let parameters = WorldParameters { profile, ..WorldParameters::new(0, as_of, days_back, count) };
        Ok(Self::like(parameters, n_tickets, opened))
    }

    /// The period of the worlds.
    pub fn period(&self) -> Period {
        let start = self.parameters.world_start.seconds().max(self.opened.0);
        Period { start, as_of: self.parameters.as_of.seconds() }
    }

    /// The tickets of each world, counted.
    pub fn samples(&self, threads: NonZeroUsize) -> Result<Vec<Sample>> {
        let seeds = self.seeds();
        let (next, samples) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        let work = || -> Result<()> {
            while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed)) {
                let sample = self.sample(*seed)?;
                samples.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((*seed, sample));
            }
            Ok(())
        };
        on_threads(threads.get().min(seeds.len()), work).into_iter().collect::<Result<()>>()?;
        let mut samples = samples.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        // Whichever thread was first, sums of floating-point numbers come out the same.
        samples.sort_by_key(|(seed, _)| *seed);
        Ok(samples.into_iter().map(|(_, sample)| sample).collect())
    }

    /// Seeds that are always the same, but never the one that made the data.
    fn seeds(&self) -> Vec<u64> {
        (1..).map(|n| n << 32 | 0x5EED).filter(|seed| *seed != self.parameters.seed).take(WORLDS).collect()
    }

    fn sample(&self, seed: u64) -> Result<Sample> {
        let world = World::new(WorldParameters { seed, ..self.parameters.clone() })?;
        let rows: Vec<Row> =
            world.tickets(numbers(&world, self.opened)).map(|ticket| Row::of_ticket(&ticket)).collect();
        Ok(Sample::new(&rows, self.period()))
    }
}

/// The tickets of a world that were opened between two points in time.
fn numbers(world: &World, opened: (i64, i64)) -> Range<u64> {
    let first = |is_behind: &dyn Fn(i64) -> bool| {
        let (mut low, mut high) = (0, world.n_tickets());
        while low < high {
            let middle = low + (high - low) / 2;
            let created_at = world.tickets(middle..middle + 1).next().map(|ticket| ticket.created_at.seconds());
            if created_at.is_some_and(is_behind) { high = middle } else { low = middle + 1 }
        }
        low
    };
    first(&|created_at| created_at >= opened.0)..first(&|created_at| created_at > opened.1)
}
