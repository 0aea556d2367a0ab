//! `pipeline`: from nothing to answers in one command.

use std::io;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use cli_support::messages::Verbosity;
use cli_support::{Messages, Outcome};
use pipeline::{Config, run_pipeline};
use query::format::Format;
use ticket_schema::Timestamp;
use ticket_schema::manifest::WorldParameters;

/// Make a lake of support tickets and question it: generate, transform, query
///
/// Needs no account and no network. Every answer is held against the one that was counted while the tickets were made. A
/// second run replaces the first.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// How many tickets to make
    #[arg(long, value_name = "N", default_value_t = 5000, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000_000))]
    count: u64,

    /// How many days before --as-of the first ticket may be opened
    #[arg(long, value_name = "DAYS", default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    days_back: u32,

    /// Tickets a JSON-Lines file
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..))]
    batch_size: u64,

    /// What makes this world different from others
    #[arg(long, value_name = "N", default_value_t = 42)]
    seed: u64,

    /// The present, as 2026-11-22 or 2026-11-22T08:30:00Z [default: today's midnight UTC]
    #[arg(long, value_name = "TIME")]
    as_of: Option<Timestamp>,

    /// The directory that gets raw/ and curated/
    #[arg(long, value_name = "DIR", default_value = "data")]
    data: PathBuf,

    /// Threads that make tickets [default: one for each processor]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,

    /// How to show the answers
    #[arg(long, value_enum, default_value_t)]
    format: Format,

    #[command(flatten)]
    verbosity: Verbosity,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    cli_support::run(|| pipeline(&arguments))
}

fn pipeline(arguments: &Arguments) -> anyhow::Result<Outcome> {
    let world = WorldParameters {
        seed: arguments.seed,
        as_of: arguments.as_of.unwrap_or_else(|| Timestamp::midnight_before(chrono::Utc::now())),
        days_back: arguments.days_back,
        count: arguments.count,
    };
    let config = Config {
        tickets: generate::Config {
            world,
            shard: None,
            batch_size: arguments.batch_size,
            threads: arguments.threads.unwrap_or_else(cli_support::default_threads),
        },
        data: arguments.data.clone(),
        format: arguments.format,
    };
    run_pipeline(&config, &mut io::stdout().lock(), &Messages::new(arguments.verbosity))
}
