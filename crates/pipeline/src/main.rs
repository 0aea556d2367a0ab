//! `pipeline`: generates a lake and answers the KPIs in one command.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use cli_support::messages::Verbosity;
use cli_support::{Messages, Outcome};
use generate::GenerateOptions;
use pipeline::{Config, run_pipeline};
use query::format::Format;
use ticket_schema::Timestamp;

/// Run the whole local pipeline: generate, transform, query, dashboard
///
/// Needs no account and no network. Verifies every answer against the expected answer that generate computed. A second run
/// replaces the output of the first.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(flatten)]
    options: GenerateOptions,

    /// Output directory of raw/, curated/ and dashboard.html
    #[arg(long, value_name = "DIR", default_value = "data")]
    data: PathBuf,

    /// Output format of the answers
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
    let today = Timestamp::midnight_before(chrono::Utc::now());
    let config = Config {
        tickets: arguments.options.config(today, None)?,
        data: arguments.data.clone(),
        format: arguments.format,
    };
    run_pipeline(&config, &mut io::stdout().lock(), &Messages::new(arguments.verbosity))
}
