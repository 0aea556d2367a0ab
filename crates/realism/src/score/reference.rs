//! Reference worlds: worlds with the parameters that a data set claims, but other seeds, and the properties of their
//! profile. No other module generates tickets.

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
use crate::score::features::Period;
use crate::score::sample::Sample;

/// Number of worlds: enough to estimate the variation between worlds.
const WORLDS: usize = 16;

/// Maximum number of tickets per world. Beyond that, variation between worlds is dominated by days and service centres
/// and no longer decreases.
const MAX_TICKETS: u64 = 100_000;

/// Minimum share of its interval's tickets that a data set contains unless it is a subset: lines may have been rejected
/// in earlier stages.
const MIN_COVERAGE: f64 = 0.9;

/// Coverage of the claimed world by a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All tickets.
    Whole,
    /// All tickets created in an interval, as in a shard.
    Interval,
    /// Some tickets of an interval, as in a feed of changes.
    Subset,
}

/// Worlds with a data set's claimed parameters and size.
#[derive(Clone, Debug)]
pub struct ReferenceWorlds {
    /// Parameters of the worlds; the seed is replaced.
    parameters: WorldParameters,
    /// Creation times of the first and the last ticket that are compared, in seconds since 1970.
    created: (i64, i64),
}

/// Exact weights of a profile.
#[derive(Clone, Debug)]
pub struct Weights {
    /// By [`Market::ALL`](ticket_schema::enums::Market::ALL).
    pub markets: Vec<f64>,
    /// By [`Severity::ALL`](ticket_schema::enums::Severity::ALL).
    pub severities: Vec<f64>,
    /// By [`Channel::ALL`](ticket_schema::enums::Channel::ALL).
    pub channels: Vec<f64>,
}

/// Properties of a profile that hold for each ticket or for all tickets together.
#[derive(Clone, Debug)]
pub struct ProfileExpectations {
    /// Name and checksum, as in a manifest.
    pub reference: ProfileRef,
    /// Shares over all tickets.
    pub weights: Weights,
    /// Opening state of the channels with opening hours, by local hour.
    pub opening_hours: [bool; 24],
}

impl ProfileExpectations {
    /// Loads the properties of the profile with this name or path.
    ///
    /// # Errors
    ///
    /// Fails if the profile cannot be read or is invalid.
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

/// Determines the coverage of a claimed world from the number of lines and the creation times of the first and last
/// ticket.
///
/// # Errors
///
/// Fails if the claimed world is invalid.
pub fn extent(world: &WorldParameters, n_lines: u64, created: (i64, i64)) -> Result<Extent> {
    let world = World::new(world.clone())?;
    let interval = numbers(&world, created);
    Ok(if n_lines >= world.n_tickets() {
        Extent::Whole
    } else if n_lines as f64 >= MIN_COVERAGE * (interval.end - interval.start) as f64 {
        Extent::Interval
    } else {
        Extent::Subset
    })
}

const DAY_SECONDS: u64 = 86_400;

impl ReferenceWorlds {
    /// Creates worlds with a claimed world's parameters, restricted to tickets created in an interval. Their size is
    /// that of the data set, `n_tickets`, up to 100,000; above that, the whole world is scaled down.
    pub fn like(world: WorldParameters, n_tickets: u64, created: (i64, i64)) -> Self {
        let shrunk = u128::from(world.count) * u128::from(MAX_TICKETS) / u128::from(n_tickets.max(1));
        let count = u64::try_from(shrunk).map_or(world.count, |shrunk| shrunk.clamp(1, world.count));
        Self { parameters: WorldParameters { count, ..world }, created }
    }

    /// Creates worlds for a data set without a manifest: the same number of tickets per day over whole days until
    /// as-of, restricted to the interval.
    ///
    /// # Errors
    ///
    /// Fails if the interval is too short or too long for a world.
    pub fn around(profile: ProfileRef, n_tickets: u64, created: (i64, i64), as_of: Timestamp) -> Result<Self> {
        let days_back = as_of.seconds().saturating_sub(created.0).max(1).unsigned_abs().div_ceil(DAY_SECONDS);
        let days_back = u32::try_from(days_back).context("the creation times span millions of years")?;
        let created_seconds = created.1.saturating_sub(created.0).max(1);
        let scale = f64::from(days_back) * DAY_SECONDS as f64 / created_seconds as f64;
        ensure!(scale < 1e4, "all tickets were created within {created_seconds} s");
        // The seed is replaced later; a count is far below 2^53.
        let count = (n_tickets as f64 * scale).round() as u64;
        let parameters = WorldParameters { profile, ..WorldParameters::new(0, as_of, days_back, count) };
        Ok(Self::like(parameters, n_tickets, created))
    }

    /// Returns the period of the worlds.
    pub fn period(&self) -> Period {
        let start = self.parameters.world_start.seconds().max(self.created.0);
        Period { start, as_of: self.parameters.as_of.seconds() }
    }

    /// Generates the worlds and returns the distributions of each.
    ///
    /// # Errors
    ///
    /// Fails if the parameters are invalid for a world.
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
        // Fixed order, so that sums of floating-point numbers are independent of scheduling.
        samples.sort_by_key(|(seed, _)| *seed);
        Ok(samples.into_iter().map(|(_, sample)| sample).collect())
    }

    /// Returns fixed seeds, without the seed of the data.
    fn seeds(&self) -> Vec<u64> {
        (1..).map(|n| n << 32 | 0x5EED).filter(|seed| *seed != self.parameters.seed).take(WORLDS).collect()
    }

    fn sample(&self, seed: u64) -> Result<Sample> {
        let world = World::new(WorldParameters { seed, ..self.parameters.clone() })?;
        let rows: Vec<Row> =
            world.tickets(numbers(&world, self.created)).map(|ticket| Row::of_ticket(&ticket)).collect();
        Ok(Sample::new(&rows, self.period()))
    }
}

/// Returns the numbers of a world's tickets that were created in an interval.
fn numbers(world: &World, created: (i64, i64)) -> Range<u64> {
    let first = |reached: &dyn Fn(i64) -> bool| {
        let (mut low, mut high) = (0, world.n_tickets());
        while low < high {
            let middle = low + (high - low) / 2;
            let created_at = world.tickets(middle..middle + 1).next().map(|ticket| ticket.created_at.seconds());
            if created_at.is_some_and(reached) { high = middle } else { low = middle + 1 }
        }
        low
    };
    first(&|created_at| created_at >= created.0)..first(&|created_at| created_at > created.1)
}
