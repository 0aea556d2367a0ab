//! `realism`: a report card for ticket data.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Parser;
use cli_support::messages::Verbosity;
use cli_support::{Messages, Outcome};
use realism::card::Card;
use realism::format::{Format, render};
use realism::{Config, run_realism};

/// Judge how real tickets look: the contract's rules, and how much they are like those of the world they claim
///
/// Every rule must be kept by every ticket. Every column's shape must score at least 0.99 and every named pair 0.97, as SDMetrics
/// scores them, against other worlds of the same profile, period and size, or what such worlds score against each other where
/// chance keeps them from more; market, severity and channel must have a chi-square p above 0.001 against the profile's weights;
/// and the signs of a believable world must be there. Below 1,000 tickets, and of tickets that were selected by their last
/// change, only the rules are judged.
///
/// Exit code 0: nothing is below its target. 1: something is, or the data can't be read. 2: wrong usage.
#[allow(clippy::doc_markdown, reason = "these comments are the help text")]
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Directories or files of JSON-Lines, - for standard input, or a directory with curated Parquet
    #[arg(long, short, value_name = "PATH", default_value = "data/raw", num_args = 1..)]
    data: Vec<PathBuf>,

    /// The profile to hold the tickets against: default, realistic or a TOML file [default: the one that their manifest names, or
    /// default]
    #[arg(long, value_name = "NAME|FILE")]
    profile: Option<String>,

    /// Compare with this data set instead of the profile's world
    #[arg(long, value_name = "PATH")]
    reference: Option<PathBuf>,

    /// How to show the card
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
    let card = run_realism(&config, &messages)?;
    let mut out = io::stdout().lock();
    let text = render(arguments.format, &card)?;
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("cannot write to standard output")?;
    verdict(&card)
}

fn verdict(card: &Card) -> anyhow::Result<Outcome> {
    match card.below_target()[..] {
        _ if card.passed => Ok(Outcome::Done),
        [] => bail!("{} could not be compared: the reference is {}", card.data, card.reference),
        [ref first] => bail!("{first} is below its target"),
        [ref first, ..] => bail!("{} results are below their targets; the first is {first}", card.below_target().len()),
    }
}
