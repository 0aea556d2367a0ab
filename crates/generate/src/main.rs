//! `generate`: realistic, reproducible support tickets as JSON-Lines.

use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use cli_support::messages::Verbosity;
use cli_support::{Messages, Outcome, human};
use generate::{Config, Target, run_generate};
use ticket_schema::Timestamp;
use ticket_schema::manifest::{Shard, WorldParameters};

/// Write realistic support tickets as JSON-Lines
///
/// The same --count, --days-back, --seed and --as-of always give the same tickets in the same order, byte for byte,
/// whatever the batch size, the number of threads or the shards. An earlier data set in the output directory is replaced;
/// files that are not from generate stay.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
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

    /// The directory to write to, or - for standard output
    #[arg(long, short, value_name = "DIR", default_value = "data/raw")]
    output: PathBuf,

    /// The present, as 2026-11-22 or 2026-11-22T08:30:00Z [default: today's midnight UTC]
    #[arg(long, value_name = "TIME")]
    as_of: Option<Timestamp>,

    /// Threads that make tickets [default: one for each processor]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,

    /// Make only part I of N equal parts, as in 2/5
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,

    #[command(flatten)]
    verbosity: Verbosity,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    cli_support::run(|| generate(&arguments))
}

fn generate(arguments: &Arguments) -> anyhow::Result<Outcome> {
    let started = Instant::now();
    let messages = Messages::new(arguments.verbosity);
    let config = Config {
        world: WorldParameters {
            seed: arguments.seed,
            as_of: arguments.as_of.unwrap_or_else(|| Timestamp::midnight_before(chrono::Utc::now())),
            days_back: arguments.days_back,
            count: arguments.count,
        },
        shard: arguments.shard,
        batch_size: arguments.batch_size,
        threads: arguments.threads.unwrap_or_else(cli_support::default_threads),
    };
    let report = if arguments.output == Path::new("-") {
        run_generate(&config, Target::Stream(&mut io::stdout().lock()), &messages)?
    } else {
        run_generate(&config, Target::Directory(arguments.output.clone()), &messages)?
    };
    messages.note(format!(
        "generate: {} in {} -> {}",
        report.summary(),
        human::duration(started.elapsed()),
        arguments.output.display()
    ));
    Ok(Outcome::Done)
}
