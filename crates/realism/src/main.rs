//! `realism`: checks and scores ticket data, and prints a report.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Parser;
use cli_support::messages::Verbosity;
use cli_support::{Messages, Outcome};
use realism::report::Report;
use realism::report::format::{Format, render};
use realism::{Config, run_realism};

/// Check ticket data against the contract's rules and score its similarity to the world it claims to be from
///
/// Rules: every ticket must satisfy every rule.
///
/// Scores: every column must score at least 0.99 and every pair of columns 0.97, with the metrics of SDMetrics, compared
/// with reference worlds of the same profile, period and size. Where random variation keeps such worlds below that, the
/// target is what they score against each other. Market, severity and channel need a chi-square p above 0.001 against
/// the profile's weights, and every plausibility metric must reach its target.
///
/// Data sets with fewer than 1,000 tickets, and selections of changed tickets, are only checked against the rules.
///
/// Exit codes: 0 all targets reached; 1 a result below its target, or unreadable data; 2 usage error.
#[allow(clippy::doc_markdown, reason = "these comments are the help text")]
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Directories or files of JSON Lines, - for standard input, or a directory with curated Parquet
    #[arg(long, short, value_name = "PATH", default_value = "data/raw", num_args = 1..)]
    data: Vec<PathBuf>,

    /// Profile to compare with: default, realistic or a TOML file [default: the profile in the manifest, or default]
    #[arg(long, value_name = "NAME|FILE")]
    profile: Option<String>,

    /// Data set to compare with instead of reference worlds
    #[arg(long, value_name = "PATH")]
    reference: Option<PathBuf>,

    /// Output format of the report
    #[arg(long, value_enum, default_value_t)]
    format: Format,

    #[command(flatten)]
    verbosity: Verbosity,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    cli_support::run(|| realism(arguments))
}

fn realism(arguments: Arguments) -> anyhow::Result<Outcome> {
    let messages = Messages::new(arguments.verbosity);
    let config = Config {
        data: arguments.data,
        profile: arguments.profile,
        reference: arguments.reference,
        threads: executor::default_threads(),
    };
    let report = run_realism(&config, &messages)?;
    let mut out = io::stdout().lock();
    let text = render(arguments.format, &report)?;
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("cannot write to standard output")?;
    verdict(&report)
}

fn verdict(report: &Report) -> anyhow::Result<Outcome> {
    match report.below_target()[..] {
        _ if report.passed => Ok(Outcome::Done),
        [] => bail!("{} could not be compared; reference: {}", report.data, report.reference),
        [ref first] => bail!("{first} is below its target"),
        [ref first, ..] => {
            bail!("{} results are below their targets, {first} first", report.below_target().len())
        }
    }
}
