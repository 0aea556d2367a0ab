//! `transform`: ticket JSON-Lines to Snappy Parquet, partitioned by market.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use cli_support::messages::Verbosity;
use cli_support::{Messages, Outcome, human};
use transform::input::Inputs;
use transform::{Config, OnError, run_transform};

/// Turn ticket JSON-Lines into Snappy Parquet, partitioned by market
///
/// Writes tickets/market=DE/part-0.parquet and so on below the output directory and replaces the data set that was there.
/// Lines that break the ticket contract go, as they came, to _quarantine/ below it, with file, line, byte offset, field and
/// reason; the exit code is then 3. Files that are not from transform stay.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Directories or files of JSON-Lines, or - for standard input
    #[arg(long, short, value_name = "PATH", default_value = "data/raw", num_args = 1..)]
    input: Vec<PathBuf>,

    /// The directory to write to
    #[arg(long, short, value_name = "DIR", default_value = "data/curated")]
    output: PathBuf,

    /// What to do with a line that breaks the contract
    #[arg(long, value_enum, default_value_t)]
    on_error: OnError,

    #[command(flatten)]
    verbosity: Verbosity,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    cli_support::run(|| transform(&arguments))
}

fn transform(arguments: &Arguments) -> anyhow::Result<Outcome> {
    let started = Instant::now();
    let messages = Messages::new(arguments.verbosity);
    let inputs = Inputs::find(&arguments.input, &messages)?;
    let config = Config { output: arguments.output.clone(), on_error: arguments.on_error };
    let report = run_transform(&config, inputs, &messages)?;
    messages.note(format!(
        "transform: {} in {} -> {}",
        report.summary(),
        human::duration(started.elapsed()),
        arguments.output.display()
    ));
    Ok(report.outcome())
}
