//! Runs `transform` as several single-threaded processes that share only the machine. Separates limits of the machine from
//! contention within `transform`.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::programs::Programs;

/// The input and output of one process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share<'a> {
    /// The input files.
    pub files: &'a [PathBuf],
    /// The output directory.
    pub output: PathBuf,
}

impl<'a> Share<'a> {
    /// Divides files evenly among processes that write below a directory; empty if the files cannot be divided evenly.
    pub fn all(files: &'a [PathBuf], n_programs: NonZeroUsize, below: &Path) -> Vec<Self> {
        if files.is_empty() || !files.len().is_multiple_of(n_programs.get()) {
            return Vec::new();
        }
        let shares = files.chunks(files.len() / n_programs).enumerate();
        shares.map(|(i, files)| Self { files, output: below.join(format!("process-{i}")) }).collect()
    }
}

/// Runs a process per share; returns the wall time from the first start to the last exit.
///
/// # Errors
///
/// Fails if a process cannot be started or fails.
pub fn convert(shares: &[Share], programs: &Programs) -> Result<Duration> {
    let started = Instant::now();
    let running = shares.iter().map(|share| {
        let command = programs.transform(NonZeroUsize::MIN, share.files, &share.output);
        Command::new(&command[0]).args(&command[1..]).stdin(Stdio::null()).stdout(Stdio::null()).spawn()
    });
    let running = running.collect::<Result<Vec<_>, _>>().context("cannot start transform")?;
    for mut one in running {
        let status = one.wait().context("cannot wait for transform")?;
        ensure!(status.success(), "transform ended with {status}");
    }
    Ok(started.elapsed())
}
