//! `transform`: ticket JSON-Lines to Snappy Parquet, partitioned by market.

use std::io::Write;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;
use clap::Parser;
use cli_support::messages::Verbosity;
use cli_support::{Messages, Outcome, human};
use jsonl::input::Inputs;
use transform::parquet_file::Compression;
use transform::run::error_limit::ErrorLimit;
use transform::run::existing_dataset::Mode;
use transform::run::preview;
use transform::{Config, Dedupe, run_transform};

/// Turn ticket JSON-Lines into Snappy Parquet, partitioned by market
///
/// Writes tickets/market=DE/part-0.parquet and so on below the output directory and replaces the data set that was there.
/// Lines that break the ticket contract go, as they came, to _quarantine/ below it, with file, line, byte offset, field and
/// reason; the exit code is then 3. Once mended, they are taken in by --input OUTPUT/_quarantine. Files that are not from
/// transform stay.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Directories, files or patterns ('data/*.jsonl') of JSON-Lines, also .gz and .zst, or - for standard input
    #[arg(long, short, value_name = "PATH", default_value = "data/raw", num_args = 1..)]
    input: Vec<PathBuf>,

    /// The directory to write to
    #[arg(long, short, value_name = "DIR", default_value = "data/curated")]
    output: PathBuf,

    /// What happens to the tickets that are there already [default: overwrite; append if a quarantine is taken back]
    #[arg(long, value_enum)]
    mode: Option<Mode>,

    /// Which lines of a ticket that is there more than once are kept
    #[arg(long, value_enum, default_value_t)]
    dedupe: Dedupe,

    /// Append an input although the same bytes were taken in before
    #[arg(long)]
    force: bool,

    /// What to do with a line that breaks the contract
    #[arg(long, value_enum, default_value_t)]
    on_error: OnError,

    /// Publish nothing if more lines than this break the contract
    #[arg(long, value_name = "N|P%", conflicts_with = "on_error")]
    max_errors: Option<ErrorLimit>,

    /// How the files are compressed
    #[arg(long, value_enum, default_value_t)]
    compression: Compression,

    /// How long a file may become before the next part begins; at least one row group of up to 131,072 tickets goes into each
    #[arg(long, value_name = "SIZE", default_value = "128MiB", value_parser = human::parse_bytes)]
    target_file_size: u64,

    /// How many threads work; the output is the same for any number [default: one for each core]
    #[arg(long, value_name = "N", value_parser = threads)]
    threads: Option<NonZeroUsize>,

    /// Show what would be read and written, and do nothing
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    verbosity: Verbosity,
}

/// What to do with a line that breaks the contract.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum OnError {
    /// Put it into quarantine and go on
    #[default]
    Quarantine,
    /// CancellationToken at the first one and publish nothing
    Fail,
}

fn threads(text: &str) -> Result<NonZeroUsize, String> {
    const MAX: usize = 256;
    let n = text.parse::<NonZeroUsize>().map_err(|error| error.to_string())?;
    if n.get() > MAX { Err(format!("at most {MAX} threads are possible")) } else { Ok(n) }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    cli_support::run(|| transform(&arguments))
}

fn transform(arguments: &Arguments) -> anyhow::Result<Outcome> {
    let started = Instant::now();
    let messages = Messages::new(arguments.verbosity);
    let inputs = Inputs::find(&arguments.input, &messages)?;
    let config = arguments.config();
    if arguments.dry_run {
        let plan = preview::describe(&config, &inputs)?;
        std::io::stdout().write_all(plan.as_bytes()).context("cannot write to standard output")?;
        return Ok(Outcome::Done);
    }
    let report = run_transform(&config, inputs, &messages)?;
    messages.note(report.reconciliation().trim_end());
    messages.note(format!(
        "transform: {} in {} -> {}",
        report.summary(),
        human::duration(started.elapsed()),
        arguments.output.display()
    ));
    Ok(report.outcome())
}

impl Arguments {
    fn config(&self) -> Config {
        let defaults = Config::new(&self.output);
        let error_limit = match self.on_error {
            OnError::Fail => ErrorLimit::Lines(0),
            OnError::Quarantine => self.max_errors.unwrap_or_default(),
        };
        Config {
            mode: self.mode,
            dedupe: self.dedupe,
            force: self.force,
            error_limit,
            compression: self.compression,
            target_file_bytes: self.target_file_size,
            threads: self.threads.unwrap_or(defaults.threads),
            ..defaults
        }
    }
}
