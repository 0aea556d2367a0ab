//! The `transform` command: ticket JSON-Lines to Parquet, partitioned by market.

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
use parquet_encode::Compression;
use transform::run::error_limit::ErrorLimit;
use transform::run::existing_dataset::Mode;
use transform::run::preview;
use transform::{Config, Dedupe, run_transform};

/// Transform ticket JSON-Lines to Parquet, partitioned by market
///
/// Writes tickets/market=DE/part-0.parquet and so on below the output directory, replacing the existing data set. Lines that
/// break the ticket contract are copied unchanged to _quarantine/ below it, with file, line, byte offset, field and reason,
/// and the exit code is 3. To reprocess them, fix them in place and pass --input OUTPUT/_quarantine. Files that transform
/// did not write are kept.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// JSON-Lines to read: directories, files (also .gz and .zst), glob patterns ('data/*.jsonl') or - for standard input
    #[arg(long, short, value_name = "PATH", default_value = "data/raw", num_args = 1..)]
    input: Vec<PathBuf>,

    /// Directory of the curated data set
    #[arg(long, short, value_name = "DIR", default_value = "data/curated")]
    output: PathBuf,

    /// Write mode [default: overwrite; append if the input is the data set's own quarantine]
    #[arg(long, value_enum)]
    mode: Option<Mode>,

    /// Deduplication of lines with the same ticket_id
    #[expect(clippy::doc_markdown, reason = "a help text without markup")]
    #[arg(long, value_name = "POLICY", value_enum, default_value_t)]
    dedupe: Dedupe,

    /// Append inputs that the data set already contains
    #[arg(long)]
    force: bool,

    /// Handling of lines that break the contract
    #[arg(long, value_name = "ACTION", value_enum, default_value_t)]
    on_error: OnError,

    /// Fail without publishing if more lines than this number or percentage break the contract
    #[arg(long, value_name = "N|P%", conflicts_with = "on_error")]
    max_errors: Option<ErrorLimit>,

    /// Compression codec of the Parquet files
    #[arg(long, value_name = "CODEC", value_enum, default_value_t)]
    compression: Compression,

    /// Target size of a Parquet file; each holds at least one row group of up to 131,072 tickets
    #[arg(long, value_name = "SIZE", default_value = "128MiB", value_parser = human::parse_bytes)]
    target_file_size: u64,

    /// Number of worker threads; the output is the same for any number [default: number of cores]
    #[arg(long, value_name = "N", value_parser = threads)]
    threads: Option<NonZeroUsize>,

    /// Show the inputs and files without reading or writing tickets
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    verbosity: Verbosity,
}

/// The handling of lines that break the contract.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum OnError {
    /// Copy them to the quarantine and continue
    #[default]
    Quarantine,
    /// Fail at the first one and publish nothing
    Fail,
}

fn threads(text: &str) -> Result<NonZeroUsize, String> {
    const MAX: usize = 256;
    let n = text.parse::<NonZeroUsize>().map_err(|error| error.to_string())?;
    if n.get() > MAX { Err(format!("the maximum is {MAX} threads")) } else { Ok(n) }
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
