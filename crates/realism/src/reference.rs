//! Tickets of the world that a data set claims to be from, drawn with other seeds. The only module that knows `generate`.

use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, ensure};
use cli_support::exit::UsageError;
use generate::World;
use ticket_schema::Timestamp;
use ticket_schema::manifest::WorldParameters;
use ticket_schema::vocabulary::{Channel, Market, Severity};

use crate::rows::Row;
use crate::sample::Sample;
use crate::traits::Period;

/// How many tickets all worlds together should have at least.
const ENOUGH_TICKETS: u64 = 400_000;

/// How many worlds there are at least, and at most.
const WORLDS: std::ops::RangeInclusive<u64> = 2..=20;

/// The profile that is meant if nobody names one.
pub const DEFAULT_PROFILE: &str = "default";

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
    /// By [`Market::ALL`].
    pub markets: Vec<f64>,
    /// By [`Severity::ALL`].
    pub severities: Vec<f64>,
    /// By [`Channel::ALL`].
    pub channels: Vec<f64>,
}

/// The weights of a profile: the contract's own.
pub fn weights(profile: &str) -> Result<Weights> {
    ensure!(
        profile == DEFAULT_PROFILE,
        UsageError(format!("there is no profile `{profile}`; the only one is `{DEFAULT_PROFILE}`"))
    );
    let market = |market: &Market| match market {
        Market::De => 0.25,
        Market::Us => 0.20,
        Market::Cn => 0.15,
        Market::Gb => 0.10,
        Market::Fr => 0.07,
        Market::It => 0.06,
        Market::Jp => 0.05,
        Market::Kr | Market::Au | Market::Ae => 0.04,
    };
    let severity = |severity: &Severity| match severity {
        Severity::P1 => 0.05,
        Severity::P2 => 0.15,
        Severity::P3 => 0.45,
        Severity::P4 => 0.35,
    };
    let channel = |channel: &Channel| match channel {
        Channel::Phone => 0.25,
        Channel::Email => 0.20,
        Channel::DealerPortal => 0.30,
        Channel::BmwApp => 0.15,
        Channel::WalkIn => 0.10,
    };
    Ok(Weights {
        markets: Market::ALL.iter().map(market).collect(),
        severities: Severity::ALL.iter().map(severity).collect(),
        channels: Channel::ALL.iter().map(channel).collect(),
    })
}

/// When a claimed world starts, in seconds since 1970.
pub fn start(world: &WorldParameters) -> i64 {
    world.as_of.plus_seconds(-i64::from(world.days_back) * DAY_SECONDS).seconds()
}

const DAY_SECONDS: i64 = 86_400;

impl Worlds {
    /// Worlds like a claimed one.
    pub fn like(world: WorldParameters) -> Self {
        Self { parameters: world, opened: (i64::MIN, i64::MAX) }
    }

    /// Worlds with about `n_tickets` tickets opened between two points in time, for a data set that claims none (or is a
    /// part of one): as many a day, over whole days until as-of, but only those between the two count.
    pub fn around(n_tickets: u64, opened: (i64, i64), as_of: Timestamp) -> Result<Self> {
        let days_back = as_of.seconds().saturating_sub(opened.0).max(1).unsigned_abs().div_ceil(DAY_SECONDS as u64);
        let days_back = u32::try_from(days_back).context("the tickets are spread over millions of years")?;
        let opened_seconds = opened.1.saturating_sub(opened.0).max(1);
        let growth = f64::from(days_back) * DAY_SECONDS as f64 / opened_seconds as f64;
        // The seed is replaced; a count is far below 2^53.
        let count = (n_tickets as f64 * growth).round() as u64;
        ensure!(growth < 1e4, "all tickets were opened within {opened_seconds} s");
        Ok(Self { parameters: WorldParameters { seed: 0, as_of, days_back, count }, opened })
    }

    /// The period of the worlds.
    pub fn period(&self) -> Period {
        Period { start: start(&self.parameters).max(self.opened.0), as_of: self.parameters.as_of.seconds() }
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
        std::thread::scope(|scope| -> Result<()> {
            let workers: Vec<_> = (0..threads.get().min(seeds.len())).map(|_| scope.spawn(work)).collect();
            for worker in workers {
                worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            }
            Ok(())
        })?;
        let mut samples = samples.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        // Whichever thread was first, sums of floating-point numbers come out the same.
        samples.sort_by_key(|(seed, _)| *seed);
        Ok(samples.into_iter().map(|(_, sample)| sample).collect())
    }

    /// Seeds that are always the same, but never the one that made the data.
    fn seeds(&self) -> Vec<u64> {
        let n = ENOUGH_TICKETS.div_ceil(self.parameters.count.max(1)).clamp(*WORLDS.start(), *WORLDS.end());
        (1..).map(|n| n << 32 | 0x5EED).filter(|seed| *seed != self.parameters.seed).take(n as usize).collect()
    }

    fn sample(&self, seed: u64) -> Result<Sample> {
        let world = World::new(WorldParameters { seed, ..self.parameters })?;
        let tickets = world.tickets(0..self.parameters.count).map(|ticket| Row::of_ticket(&ticket));
        let counts = |row: &Row| (self.opened.0..=self.opened.1).contains(&row.created_at);
        let rows: Vec<Row> = tickets.filter(counts).collect();
        Ok(Sample::new(&rows, self.period()))
    }
}
