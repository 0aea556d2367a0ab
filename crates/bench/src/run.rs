//! A benchmark run: prepares the programs, runs the engines, measures the hardware baseline.

use std::fs;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use cli_support::{Messages, human};

use crate::engines::{Engine, Peer};
use crate::hardware_baseline::HardwareBaseline;
use crate::job::{Job, Tickets, remove_dir_if_exists};
use crate::machine::Machine;
use crate::measure::measured;
use crate::programs::{Programs, compiler};
use crate::statistics::median_duration;

/// Configuration of a benchmark run.
#[derive(Clone, Debug)]
pub struct Config {
    /// The numbers of tickets to convert.
    pub tickets: Vec<u64>,
    /// Runs per engine.
    pub runs: u32,
    /// Threads for each engine.
    pub threads: NonZeroUsize,
    /// Peers to run; all if empty.
    pub only: Vec<Peer>,
    /// Keep the tickets and the output of the last round.
    pub keep: bool,
    /// Directory for tickets, output and the Python environment.
    pub dir: PathBuf,
}

/// The results of a benchmark run.
#[derive(Clone, Debug)]
pub struct BenchmarkResults {
    /// The machine.
    pub machine: Machine,
    /// Names and versions of the programs.
    pub versions: Vec<(String, String)>,
    /// Threads per engine.
    pub threads: NonZeroUsize,
    /// The engines; the first one is `transform` with all threads.
    pub engines: Vec<Engine>,
    /// Start-up time by engine.
    pub starts: Vec<Duration>,
    /// Results by number of tickets, ascending.
    pub jobs: Vec<Job>,
    /// Rates of the machine, measured with the tickets of the last job.
    pub baseline: HardwareBaseline,
}

/// Prepares the programs, runs all jobs and cleans up.
///
/// # Errors
///
/// Fails if a program cannot be built, fails, or writes wrong output. Files are kept for inspection then.
pub fn run_bench(config: &Config, messages: &Messages) -> Result<BenchmarkResults> {
    fs::create_dir_all(&config.dir).with_context(|| format!("cannot create {}", config.dir.display()))?;
    let dir = config.dir.canonicalize().with_context(|| format!("cannot find {}", config.dir.display()))?;
    let programs = Programs::prepare(&dir.join("venv"), messages)?;
    let engines = Engine::all(config.threads, &config.only);
    let starts = engines.iter().map(|engine| start(engine, &programs, config.runs)).collect::<Result<_>>()?;

    let mut counts = config.tickets.clone();
    counts.sort_unstable();
    counts.dedup();
    let mut jobs = Vec::with_capacity(counts.len());
    let mut baseline = None;
    for (i, &count) in counts.iter().enumerate() {
        let below = dir.join(count.to_string());
        remove_dir_if_exists(&below)?;
        messages.note(format!("bench: generating {} tickets", human::count(count)));
        let tickets = Tickets::generate(count, &below, &programs)?;
        jobs.push(Job::run(&tickets, &engines, config.runs as usize, &programs, &below, messages)?);
        if i + 1 == counts.len() {
            messages.note("bench: measuring the machine");
            baseline = Some(HardwareBaseline::measure(&tickets.files, config.threads, &below)?);
        }
        if !config.keep {
            remove_dir_if_exists(&below)?;
        }
    }
    let packages: Vec<_> = engines.iter().filter_map(|engine| engine.peer).map(Peer::package).collect();
    let compiled = (concat!("transform ", env!("CARGO_PKG_VERSION"), ", compiled by").to_owned(), compiler()?);
    Ok(BenchmarkResults {
        machine: Machine::this(&dir),
        versions: [compiled].into_iter().chain(programs.python.versions(&packages)?).collect(),
        threads: config.threads,
        engines,
        starts,
        jobs,
        baseline: baseline.context("no number of tickets was given")?,
    })
}

/// Measures the median start-up time of an engine with its files in the page cache.
fn start(engine: &Engine, programs: &Programs, n_runs: u32) -> Result<Duration> {
    let command = engine.start_command(programs);
    measured(&command)?;
    let walls = (0..n_runs).map(|_| Ok(measured(&command)?.wall)).collect::<Result<Vec<_>>>()?;
    Ok(median_duration(walls))
}
