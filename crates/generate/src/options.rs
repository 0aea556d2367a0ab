//! The options by which a person describes a world and its files, shared by every binary that generates.

use std::num::NonZeroUsize;

use anyhow::Result;
use manifest::{Scenario, Shard, WorldParameters};
use ticket_schema::Timestamp;

use crate::profile::Profile;
use crate::run::Config;

/// What to generate, as a person says it.
#[derive(Clone, Debug, clap::Args)]
pub struct GenerateOptions {
    /// How many tickets are opened in the world's first --days-back days
    #[arg(long, value_name = "N", default_value_t = 5000, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000_000))]
    count: u64,

    /// How many days the world's first period has; unless --world-start says otherwise, it ends at --as-of
    #[arg(long, value_name = "DAYS", default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    days_back: u32,

    /// Tickets a file
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..))]
    batch_size: u64,

    /// What makes this world different from others
    #[arg(long, value_name = "N", default_value_t = 42)]
    seed: u64,

    /// The present, as 2026-11-22 or 2026-11-22T08:30:00Z; without --world-start another present is another world, with
    /// other tickets [default: today's midnight UTC]
    #[arg(long, value_name = "TIME")]
    as_of: Option<Timestamp>,

    /// When the world starts, to look at the same world at different times [default: --days-back before --as-of]
    #[arg(long, value_name = "TIME")]
    world_start: Option<Timestamp>,

    /// The weights of everything: default, realistic (the markets' real shares), or a TOML file
    #[arg(long, value_name = "NAME|FILE", default_value = "default")]
    profile: String,

    /// Something out of the ordinary with a known effect, which the manifest describes; can be given several times
    #[arg(long, value_name = "NAME")]
    scenario: Vec<ScenarioChoice>,

    /// Threads that make tickets, at most 1024 [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

/// A scenario, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum ScenarioChoice {
    /// An X3 recall, announced when a third of the period is over: its tickets come in a surge
    Recall,
    /// Some days of frost in the middle of winter: batteries die
    ColdWave,
    /// The service centre DLR-DE-001 does nothing for some days in the middle of the period
    DealerOutage,
    /// Nothing
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
    /// The configuration; `today` is the present if the options name none. Fails if the profile can't be used.
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
        let asked = self.threads.and_then(|threads| NonZeroUsize::new(usize::from(threads)));
        let threads = asked.unwrap_or_else(executor::default_threads);
        Ok(Config { shard, batch_size: self.batch_size, threads, ..Config::of(world) })
    }

    /// The profile.
    pub fn profile(&self) -> Result<Profile> {
        Profile::load(&self.profile)
    }
}
