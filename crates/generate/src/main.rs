//! `generate`: realistic, reproducible support tickets as JSON-LineSelection.

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

/// Write realistic support tickets as JSON-LineSelection
///
/// The same --count, --days-back, --seed and --as-of always give the same tickets in the same order, byte for byte,
/// whatever the batch size, the number of threads or the shards. An earlier data set in the output directory is replaced;
/// files that are not from generate stay.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(flatten)]
    options: GenerateOptions,

    /// The directory to write to, or - for standard output
    #[arg(long, short, value_name = "DIR", default_value = "data/raw")]
    output: PathBuf,

    /// Make only part I of N equal parts, as in 2/5
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,

    /// Compress the files or the stream
    #[arg(long, value_enum, value_name = "HOW", default_value_t)]
    compress: Compression,

    /// Only tickets that are new or have changed since then, as they are now: with the same world a daily feed
    #[arg(long, value_name = "TIME", conflicts_with = "dirty")]
    changed_since: Option<Timestamp>,

    /// Plant defects in this share of the tickets, as 0.01 or 1%, and list them in _truth.jsonl
    #[arg(long, value_name = "RATE", default_value = "0", allow_negative_numbers = true)]
    dirty: Rate,

    /// Print every parameter of the profile with its source, year, and whether it is known or a guess; make nothing
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
