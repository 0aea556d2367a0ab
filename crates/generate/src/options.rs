//! Command-line options that describe a world and its files, shared by all binaries that generate.

use std::num::NonZeroUsize;

use anyhow::Result;
use manifest::{Scenario, Shard, WorldParameters};
use ticket_schema::Timestamp;

use crate::profile::Profile;
use crate::run::Config;

/// Options for the tickets to generate.
#[derive(Clone, Debug, clap::Args)]
pub struct GenerateOptions {
    /// Number of tickets created in the world's first --days-back days
    #[arg(long, value_name = "N", default_value_t = 5000, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000_000))]
    count: u64,

    /// Length of the world's first period in days; it ends at --as-of unless --world-start is given
    #[arg(long, value_name = "DAYS", default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    days_back: u32,

    /// Number of tickets per file
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..))]
    batch_size: u64,

    /// Seed of the random numbers
    #[arg(long, value_name = "N", default_value_t = 42)]
    seed: u64,

    /// Time of the snapshot, for example 2026-11-22 or 2026-11-22T08:30:00Z; without --world-start, another time gives
    /// another world with other tickets [default: today at 00:00 UTC]
    #[arg(long, value_name = "TIME")]
    as_of: Option<Timestamp>,

    /// Start of the world; fix it to view the same world at different times [default: --days-back before --as-of]
    #[arg(long, value_name = "TIME")]
    world_start: Option<Timestamp>,

    /// Profile with the weights of the world: default, realistic (actual market shares), or the path of a TOML file
    #[arg(long, value_name = "NAME|FILE", default_value = "default")]
    profile: String,

    /// Incident with a known effect, which the manifest describes; can be repeated
    #[arg(long, value_name = "NAME")]
    scenario: Vec<ScenarioChoice>,

    /// Number of worker threads, at most 1024 [default: number of processors]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

/// A scenario, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum ScenarioChoice {
    /// Recall of X3 cars, announced after one third of the period: a surge of recall tickets
    Recall,
    /// Several days of frost in midwinter: a surge of electrical tickets (batteries)
    ColdWave,
    /// The service centre DLR-DE-001 stops working for several days in the middle of the period
    DealerOutage,
    /// No incident
    None,
}

impl ScenarioChoice {
    const fn scenario(self) -> Option<Scenario> {
        match self {
            Self::Recall => Some(Scenario::Recall),
            Self::ColdWave => Some(Scenario::ColdWave),
            Self::DealerOutage => Some(Scenario::DealerOutage),
            Self::None => None,
        }
    }
}

impl GenerateOptions {
    /// Returns the run configuration; `today` is the snapshot time unless the options name one.
    ///
    /// # Errors
    ///
    /// Fails if the profile cannot be read or is invalid.
    pub fn config(&self, today: Timestamp, shard: Option<Shard>) -> Result<Config> {
        let as_of = self.as_of.unwrap_or(today);
        let default = WorldParameters::new(self.seed, as_of, self.days_back, self.count);
        let mut scenarios = Vec::new();
        for scenario in self.scenario.iter().filter_map(|choice| choice.scenario()) {
            if !scenarios.contains(&scenario) {
                scenarios.push(scenario);
            }
        }
        let world = WorldParameters {
            world_start: self.world_start.unwrap_or(default.world_start),
            profile: self.profile()?.reference().clone(),
            scenarios,
            ..default
        };
        let requested = self.threads.and_then(|threads| NonZeroUsize::new(usize::from(threads)));
        let threads = requested.unwrap_or_else(executor::default_threads);
        Ok(Config { shard, batch_size: self.batch_size, threads, ..Config::of(world) })
    }

    /// Loads the profile.
    ///
    /// # Errors
    ///
    /// Fails if the profile cannot be read or is invalid.
    pub fn profile(&self) -> Result<Profile> {
        Profile::load(&self.profile)
    }
}
