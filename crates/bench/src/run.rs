//! The whole run: prepare, let the contestants take turns, measure the ceilings.

use std::fs;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use cli_support::{Messages, human};

use crate::ceilings::Ceilings;
use crate::contestants::{Contestant, Peer};
use crate::job::{Job, Tickets, remove_if_there};
use crate::machine::Machine;
use crate::measure::measured;
use crate::programs::{Programs, compiler};
use crate::statistics::median_duration;

/// What to compare, and where.
#[derive(Clone, Debug)]
pub struct Config {
    /// The numbers of tickets to convert.
    pub tickets: Vec<u64>,
    /// How often each contestant converts them.
    pub runs: u32,
    /// Threads for each contestant.
    pub threads: NonZeroUsize,
    /// The peers that take part; all of them if none is named.
    pub only: Vec<Peer>,
    /// Leave the tickets and what was last made of them.
    pub keep: bool,
    /// The directory for everything.
    pub dir: PathBuf,
}

/// What a whole run has found.
#[derive(Clone, Debug)]
pub struct Found {
    /// The machine.
    pub machine: Machine,
    /// Names and versions of what took part.
    pub versions: Vec<(String, String)>,
    /// How many threads each of them could use.
    pub threads: NonZeroUsize,
    /// Who took part; the first one is our transform with all threads.
    pub contestants: Vec<Contestant>,
    /// For each contestant how long it takes to start and do nothing.
    pub starts: Vec<Duration>,
    /// For each number of tickets what it has shown, from the smallest.
    pub jobs: Vec<Job>,
    /// What the machine can do, measured with the tickets of the last job.
    pub ceilings: Ceilings,
}

/// Prepares everything, runs all jobs and cleans up. An error leaves what there is by then for a look.
pub fn run_bench(config: &Config, messages: &Messages) -> Result<Found> {
    fs::create_dir_all(&config.dir).with_context(|| format!("cannot create {}", config.dir.display()))?;
    let dir = config.dir.canonicalize().with_context(|| format!("cannot find {}", config.dir.display()))?;
    let programs = Programs::prepare(&dir.join("venv"), messages)?;
    let contestants = Contestant::all(config.threads, &config.only);
    let starts =
        contestants.iter().map(|contestant| start(contestant, &programs, config.runs)).collect::<Result<_>>()?;

    let mut counts = config.tickets.clone();
    counts.sort_unstable();
    counts.dedup();
    let mut jobs = Vec::with_capacity(counts.len());
    let mut ceilings = None;
    for (i, &count) in counts.iter().enumerate() {
        let below = dir.join(count.to_string());
        remove_if_there(&below)?;
        messages.note(format!("bench: generating {} tickets", human::count(count)));
        let tickets = Tickets::generate(count, &below, &programs)?;
        jobs.push(Job::run(&tickets, &contestants, config.runs as usize, &programs, &below, messages)?);
        if i + 1 == counts.len() {
            messages.note("bench: measuring the machine");
            ceilings = Some(Ceilings::measure(&tickets.files, config.threads, &below)?);
        }
        if !config.keep {
            remove_if_there(&below)?;
        }
    }
    let packages: Vec<_> = contestants.iter().filter_map(|contestant| contestant.peer).map(Peer::package).collect();
    let compiled = (concat!("transform ", env!("CARGO_PKG_VERSION"), ", compiled by").to_owned(), compiler()?);
    Ok(Found {
        machine: Machine::this(&dir),
        versions: [compiled].into_iter().chain(programs.python.versions(&packages)?).collect(),
        threads: config.threads,
        contestants,
        starts,
        jobs,
        ceilings: ceilings.context("no tickets were asked for")?,
    })
}

/// How long a contestant takes to start, once its files are in the page cache.
fn start(contestant: &Contestant, programs: &Programs, n_runs: u32) -> Result<Duration> {
    let command = contestant.start_command(programs);
    measured(&command)?;
    let walls = (0..n_runs).map(|_| Ok(measured(&command)?.wall)).collect::<Result<Vec<_>>>()?;
    Ok(median_duration(walls))
}
