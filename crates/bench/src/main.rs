//! `bench`: our tools held against others at the same job.

use std::ffi::OsString;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use bench::contestants::Peer;
use bench::{Config, measure, report, run_bench};
use clap::{Args, Parser, Subcommand};
use cli_support::messages::Verbosity;
use cli_support::{Messages, Outcome};

/// Hold our tools against others at the same job
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Transform(TransformArguments),
    /// Run a command and print what it took, as JSON
    #[command(hide = true)]
    Measure {
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<OsString>,
    },
}

/// Hold transform against DuckDB, chDB, Polars and pyarrow: ticket JSON-Lines to Snappy Parquet, partitioned by market
///
/// Builds our tools, makes a Python environment with the others, generates tickets, and lets all contestants convert them by
/// turns, in another order each round. Each run's rows are counted; once, what each contestant wrote is compared with what ours
/// wrote, column by column. Needs Linux, cargo, Python 3.11 or newer, and 1.3 GB of disk besides the tickets.
#[derive(Debug, Args)]
struct TransformArguments {
    /// How many tickets to convert; can be given several times
    #[arg(long, value_name = "N", default_values_t = [5_000, 5_000_000], value_parser = clap::value_parser!(u64).range(1..))]
    tickets: Vec<u64>,

    /// How often each contestant converts them; in six rounds each of all six follows each other once
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,

    /// Threads for each contestant; transform also runs with one [default: one a processor]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,

    /// Hold transform against this one alone; can be given several times
    #[arg(long, value_enum, value_name = "PEER")]
    only: Vec<Peer>,

    /// Leave the tickets and what was last made of them where they are
    #[arg(long)]
    keep: bool,

    /// The directory for the tickets, what is made of them, and the Python environment
    #[arg(long, value_name = "DIR", default_value = "target/bench/transform")]
    dir: PathBuf,

    /// The report to write
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
    let found = run_bench(&config, &messages)?;
    write(&arguments.output, &report::render(&found))?;
    messages.note(format!("bench: wrote {}", arguments.output.display()));
    print(&report::tables(&found))
}

fn print(text: &str) -> anyhow::Result<Outcome> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("cannot write to standard output")?;
    Ok(Outcome::Done)
}

#[allow(clippy::disallowed_methods, reason = "one small file, written in one go, that nobody waits for")]
fn write(path: &std::path::Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
