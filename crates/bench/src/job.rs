//! One number of tickets, converted by all engines in interleaved rounds.

use std::fs::{self, File};
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use cli_support::{Messages, human};
use serde_json::Value;

use crate::engines::Engine;
use crate::independent_processes::{self, Share};
use crate::measure::{Usage, measured};
use crate::programs::{Programs, output};
use crate::statistics::order;

/// Tickets per file. Every peer is fastest with files of this size.
const TICKETS_A_FILE: u64 = 500_000;

/// The `generate` options of the tickets' world, the same for all runs.
const WORLD: &str = "--seed 42 --as-of 2026-11-22 --days-back 90";

/// Usage and output size of one run.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// Resource usage.
    pub usage: Usage,
    /// Bytes of all Parquet files.
    pub bytes: u64,
    /// Number of Parquet files.
    pub n_files: u64,
}

/// The results for one number of tickets.
#[derive(Clone, Debug)]
pub struct Job {
    /// Number of tickets.
    pub tickets: u64,
    /// Bytes of their JSON-Lines.
    pub input_bytes: u64,
    /// Number of JSON-Lines files.
    pub n_input_files: u64,
    /// Size of the columns in transform's output before compression, in bytes.
    pub uncompressed_bytes: u64,
    /// Runs of each engine, by round.
    pub runs: Vec<Vec<Run>>,
    /// Wall times of single-threaded processes running together, by round, one for each thread of the first engine. Empty if
    /// the files cannot be divided evenly.
    pub independent_processes: Vec<Duration>,
}

/// The input of a job.
#[derive(Debug)]
pub struct Tickets {
    /// Number of tickets.
    pub count: u64,
    /// The directory that holds them.
    pub dir: PathBuf,
    /// The files with the tickets.
    pub files: Vec<PathBuf>,
}

impl Tickets {
    /// Generates this number of tickets below a directory and replaces existing ones.
    ///
    /// # Errors
    ///
    /// Fails if `generate` fails.
    pub fn generate(count: u64, below: &Path, programs: &Programs) -> Result<Self> {
        let dir = below.join("raw");
        let mut generate = Command::new(&programs.generate);
        generate.args(WORLD.split(' ')).args(["--quiet", "--count", &count.to_string()]);
        generate.args(["--batch-size", &TICKETS_A_FILE.to_string()]).arg("--output").arg(&dir);
        output(&mut generate).context("cannot generate the tickets")?;
        let files = files_below(&dir, "jsonl")?;
        Ok(Self { count, dir, files })
    }

    /// Reads all files into the page cache. Needed before each run: some kernels reclaim unused pages after a while.
    fn warm(&self) -> Result<()> {
        for path in &self.files {
            let mut file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
            io::copy(&mut file, &mut io::sink())?;
        }
        Ok(())
    }
}

impl Job {
    /// Runs all engines in each of `n_rounds` rounds and checks their output.
    ///
    /// # Errors
    ///
    /// Fails if an engine fails or writes wrong output.
    pub fn run(
        tickets: &Tickets,
        engines: &[Engine],
        n_rounds: usize,
        programs: &Programs,
        below: &Path,
        messages: &Messages,
    ) -> Result<Self> {
        let mut job = Self {
            tickets: tickets.count,
            input_bytes: total_bytes(&tickets.files)?,
            n_input_files: tickets.files.len() as u64,
            uncompressed_bytes: 0,
            runs: vec![Vec::new(); engines.len()],
            independent_processes: Vec::new(),
        };
        let mut ours = None;
        for round in 0..n_rounds {
            for i in order(engines.len(), round) {
                let engine = &engines[i];
                let name = engine.name();
                let dir = below.join(name.replace(", ", "-").replace(' ', "-"));
                let run = one_run(engine, tickets, programs, &dir).with_context(|| format!("{name} failed"))?;
                messages.note(format!(
                    "bench: {} tickets, round {} of {n_rounds}: {name}, {}",
                    human::count(tickets.count),
                    round + 1,
                    human::duration(run.usage.wall),
                ));
                let tickets_dir = engine.tickets_dir(&dir);
                if round == 0 {
                    let contents = programs.python.contents(&tickets_dir)?;
                    check_rows(&name, contents["rows"].as_u64().unwrap_or(0), tickets.count)?;
                    // The first engine of the first round is `transform`.
                    check_same_contents(&name, &contents, ours.get_or_insert_with(|| contents.clone()))?;
                } else {
                    check_rows(&name, programs.python.rows(&tickets_dir)?, tickets.count)?;
                }
                job.runs[i].push(run);
                if round + 1 < n_rounds {
                    remove_dir_if_exists(&dir)?;
                }
            }
            job.independent_processes.extend(run_independent_processes(tickets, engines[0].threads, programs, below)?);
        }
        job.uncompressed_bytes = ours.and_then(|contents| contents["uncompressed_bytes"].as_u64()).unwrap_or(0);
        Ok(job)
    }
}

fn one_run(engine: &Engine, tickets: &Tickets, programs: &Programs, dir: &Path) -> Result<Run> {
    remove_dir_if_exists(dir)?;
    // Output of earlier runs is synced before this one starts, not meanwhile.
    rustix::fs::sync();
    tickets.warm()?;
    let usage = measured(&engine.command(programs, &tickets.dir, dir))?;
    let files = files_below(&engine.tickets_dir(dir), "parquet")?;
    Ok(Run { usage, bytes: total_bytes(&files)?, n_files: files.len() as u64 })
}

/// Runs `transform` as independent single-threaded processes, if the files can be divided evenly.
fn run_independent_processes(
    tickets: &Tickets,
    n_programs: NonZeroUsize,
    programs: &Programs,
    below: &Path,
) -> Result<Option<Duration>> {
    let shares = Share::all(&tickets.files, n_programs, below);
    if shares.len() < 2 {
        return Ok(None);
    }
    rustix::fs::sync();
    tickets.warm()?;
    let wall = independent_processes::convert(&shares, programs)?;
    let rows = shares.iter().map(|share| programs.python.rows(&share.output.join("tickets"))).sum::<Result<u64>>()?;
    check_rows("transform in single-threaded processes", rows, tickets.count)?;
    shares.iter().try_for_each(|share| remove_dir_if_exists(&share.output))?;
    Ok(Some(wall))
}

fn check_rows(name: &str, found: u64, expected: u64) -> Result<()> {
    ensure!(found == expected, "{name} wrote {} of {} rows", human::count(found), human::count(expected));
    Ok(())
}

/// Fails at the first market and column whose sum differs from that in transform's output.
fn check_same_contents(name: &str, found: &Value, ours: &Value) -> Result<()> {
    let (Some(found), Some(ours)) = (found["markets"].as_object(), ours["markets"].as_object()) else {
        bail!("contents.py reported no markets");
    };
    ensure!(found.keys().eq(ours.keys()), "{name} wrote other markets than transform");
    for (market, sums) in ours {
        let columns = sums.as_object().into_iter().flatten();
        for (column, ours) in columns {
            let found = &found[market][column];
            ensure!(found == ours, "{name} wrote another {column} than transform in {market}: {found}, not {ours}");
        }
    }
    Ok(())
}

/// Returns the files below a directory with an extension, sorted by path.
fn files_below(dir: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).with_context(|| format!("cannot list {}", dir.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(files_below(&path, extension)?);
        } else if path.extension().is_some_and(|found| found == extension) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn total_bytes(files: &[PathBuf]) -> Result<u64> {
    files.iter().map(|path| Ok(path.metadata().with_context(|| format!("cannot read {}", path.display()))?.len())).sum()
}

/// Removes a directory and its contents.
pub(crate) fn remove_dir_if_exists(dir: &Path) -> Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", dir.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::check_same_contents;

    #[test]
    fn different_contents_are_reported() {
        let contents = |markets| json!({ "rows": 3, "markets": markets });
        let ours = contents(json!({ "DE": { "rows": 2, "status": 7 }, "JP": { "rows": 1, "status": 5 } }));
        let error_for = |markets| check_same_contents("X", &contents(markets), &ours).unwrap_err().to_string();

        check_same_contents("X", &ours.clone(), &ours).unwrap();
        let other_sum = json!({ "DE": { "rows": 2, "status": 8 }, "JP": { "rows": 1, "status": 5 } });
        assert_eq!(error_for(other_sum), "X wrote another status than transform in DE: 8, not 7");
        let column_missing = json!({ "DE": { "rows": 2, "status": 7 }, "JP": { "rows": 1 } });
        assert_eq!(error_for(column_missing), "X wrote another status than transform in JP: null, not 5");
        let market_missing = json!({ "DE": { "rows": 2, "status": 7 } });
        assert_eq!(error_for(market_missing), "X wrote other markets than transform");
        assert!(check_same_contents("X", &json!({}), &ours).is_err());
    }
}
