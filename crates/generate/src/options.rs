//! The options by which a person describes a world and its files, shared by every binary that generates.

use std::num::NonZeroUsize;

use ticket_schema::Timestamp;
use ticket_schema::manifest::{Shard, WorldParameters};

use crate::compression::Compression;
use crate::run::Config;

/// What to generate, as a person says it.
#[derive(Clone, Debug, clap::Args)]
pub struct GenerateOptions {
    /// How many tickets the world has
    #[arg(long, value_name = "N", default_value_t = 5000, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000_000))]
    count: u64,

    /// How many days before --as-of the first ticket may be opened
    #[arg(long, value_name = "DAYS", default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    days_back: u32,

    /// Tickets a file
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..))]
    batch_size: u64,

    /// What makes this world different from others
    #[arg(long, value_name = "N", default_value_t = 42)]
    seed: u64,

    /// The present, as 2026-11-22 or 2026-11-22T08:30:00Z [default: today's midnight UTC]
    #[arg(long, value_name = "TIME")]
    as_of: Option<Timestamp>,

    /// Threads that make tickets [default: one for each processor]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
}

impl GenerateOptions {
    /// The configuration; `today` is the present if the options name none.
    pub fn config(&self, today: Timestamp, shard: Option<Shard>) -> Config {
        let world = WorldParameters {
            seed: self.seed,
            as_of: self.as_of.unwrap_or(today),
            days_back: self.days_back,
            count: self.count,
        };
        let threads = self.threads.unwrap_or_else(cli_support::default_threads);
        Config { world, shard, batch_size: self.batch_size, compression: Compression::None, threads }
    }
}
