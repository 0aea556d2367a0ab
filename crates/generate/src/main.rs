//! `generate`: realistic, reproducible support tickets as JSON Lines.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;
use clap::Parser;
use cli_support::messages::Verbosity;
use cli_support::{Messages, Outcome, human};
use generate::defects::Rate;
use generate::{Compression, Config, GenerateOptions, Target, run_generate};
use manifest::Shard;
use ticket_schema::Timestamp;

/// Generate realistic support tickets as JSON Lines
///
/// The same --count, --days-back, --seed and --as-of always give the same tickets in the same order, byte for byte, for
/// any batch size, number of threads and sharding. An existing data set in the output directory is replaced; files that
/// generate did not write are kept.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(flatten)]
    options: GenerateOptions,

    /// Output directory, or - for standard output
    #[arg(long, short, value_name = "DIR", default_value = "data/raw")]
    output: PathBuf,

    /// Generate only shard I of N equal shards, for example 2/5
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,

    /// Compression of the files or the stream
    #[arg(long, value_enum, value_name = "CODEC", default_value_t)]
    compress: Compression,

    /// Write only tickets created or changed since this time, in their state at --as-of: a daily feed of the same world
    #[arg(long, value_name = "TIME", conflicts_with = "dirty")]
    changed_since: Option<Timestamp>,

    /// Inject defects into this share of the tickets, for example 0.01 or 1%, and list them in _truth.jsonl
    #[arg(long, value_name = "RATE", default_value = "0", allow_negative_numbers = true)]
    dirty: Rate,

    /// Print every parameter of the profile with its source, its year and its basis (contract, sourced or guess), then
    /// exit
    #[arg(long)]
    explain: bool,

    #[command(flatten)]
    verbosity: Verbosity,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    cli_support::run(|| generate(&arguments))
}

fn generate(arguments: &Arguments) -> anyhow::Result<Outcome> {
    let started = Instant::now();
    if arguments.explain {
        let text = generate::profile::explain(&arguments.options.profile()?)?;
        io::stdout().write_all(text.as_bytes()).context("cannot write to standard output")?;
        return Ok(Outcome::Done);
    }
    let messages = Messages::new(arguments.verbosity);
    let today = Timestamp::midnight_before(chrono::Utc::now());
    let config = Config {
        compression: arguments.compress,
        changed_since: arguments.changed_since,
        dirty: arguments.dirty,
        ..arguments.options.config(today, arguments.shard)?
    };
    let report = if arguments.output == Path::new("-") {
        run_generate(&config, Target::Stream(&mut io::stdout()), &messages)?
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
