//! Our transform as several programs of one thread each, which share nothing but the machine: whether it is the machine or our own
//! doing that more threads don't bring more.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::programs::Programs;

/// What one of the programs converts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share<'a> {
    /// The files with the tickets.
    pub files: &'a [PathBuf],
    /// The directory it writes to.
    pub output: PathBuf,
}

impl<'a> Share<'a> {
    /// The shares of so many programs, which write below a directory. There are none if the files can't be shared out evenly.
    pub fn all(files: &'a [PathBuf], n_programs: NonZeroUsize, below: &Path) -> Vec<Self> {
        if files.is_empty() || !files.len().is_multiple_of(n_programs.get()) {
            return Vec::new();
        }
        let shares = files.chunks(files.len() / n_programs).enumerate();
        shares.map(|(i, files)| Self { files, output: below.join(format!("apart-{i}")) }).collect()
    }
}

/// Starts a program for each share and waits for all; returns the time from the first one's start to the last one's end.
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
