//! `bench`: benchmarks of the pipeline's tools and their peers.

use std::ffi::OsString;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use bench::engines::Peer;
use bench::{Config, measure, report, run_bench};
use clap::{Args, Parser, Subcommand};
use cli_support::messages::Verbosity;
use cli_support::{Messages, Outcome};

/// Benchmark the pipeline's tools and their peers
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Transform(TransformArguments),
    /// Run a command and print its resource usage as JSON
    #[command(hide = true)]
    Measure {
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<OsString>,
    },
}

/// Compare transform with DuckDB, chDB, Polars and pyarrow: ticket JSON-Lines to Snappy Parquet, partitioned by market
///
/// Builds the tools, creates a Python environment with the peers, generates tickets, and runs all engines in interleaved
/// rounds, in a different order each round. Checks the row count of each run, and in the first round compares the output of
/// each engine with transform's, column by column. Needs Linux, cargo, Python 3.11 or newer, and 1.3 GB of disk besides the
/// tickets.
#[derive(Debug, Args)]
struct TransformArguments {
    /// Number of tickets to convert; can be given several times
    #[arg(long, value_name = "N", default_values_t = [5_000, 5_000_000], value_parser = clap::value_parser!(u64).range(1..))]
    tickets: Vec<u64>,

    /// Runs per engine; in six rounds each of the six engines follows each other one once
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,

    /// Threads for each engine; transform also runs with one [default: number of cores]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,

    /// Compare transform with this peer only; can be given several times
    #[arg(long, value_enum, value_name = "PEER")]
    only: Vec<Peer>,

    /// Keep the tickets and the output of the last round
    #[arg(long)]
    keep: bool,

    /// Directory for the tickets, the output and the Python environment
    #[arg(long, value_name = "DIR", default_value = "target/bench/transform")]
    dir: PathBuf,

    /// Report file to write
    #[arg(long, short, value_name = "FILE", default_value = "BENCHMARKS.md")]
    output: PathBuf,

    #[command(flatten)]
    verbosity: Verbosity,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    cli_support::run(|| match arguments.command {
        Command::Transform(arguments) => transform(arguments),
        Command::Measure { command } => print(&(serde_json::to_string(&measure::run(&command)?)? + "\n")),
    })
}

fn transform(arguments: TransformArguments) -> anyhow::Result<Outcome> {
    let messages = Messages::new(arguments.verbosity);
    let config = Config {
        tickets: arguments.tickets,
        runs: arguments.runs,
        threads: arguments.threads.unwrap_or_else(executor::default_threads),
        only: arguments.only,
        keep: arguments.keep,
        dir: arguments.dir,
    };
    let results = run_bench(&config, &messages)?;
    write(&arguments.output, &report::render(&results))?;
    messages.note(format!("bench: wrote {}", arguments.output.display()));
    print(&report::tables(&results))
}

fn print(text: &str) -> anyhow::Result<Outcome> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("cannot write to standard output")?;
    Ok(Outcome::Done)
}

#[allow(clippy::disallowed_methods, reason = "a small report, which needs no atomic replacement")]
fn write(path: &std::path::Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
