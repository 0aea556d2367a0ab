//! Resource usage of a command: wall time, CPU time and memory.
//!
//! The kernel sums the usage of all terminated children of a process, and keeps the peak memory of the largest one only. So
//! each command runs under a process of its own, `bench measure`, that has no other child.

use std::ffi::OsStr;
use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nix::sys::resource::{UsageWho, getrusage};
use nix::unistd::{SysconfVar, sysconf};
use serde::{Deserialize, Serialize};

/// Resource usage of a command and its descendants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Wall time.
    pub wall: Duration,
    /// Processor time of all threads, in user and kernel mode.
    pub cpu: Duration,
    /// Processor time stolen by the hypervisor during the run, over all processors; 0 if the kernel does not report it.
    pub stolen: Duration,
    /// Peak resident memory of the largest process in bytes, including mapped files.
    pub peak_memory: u64,
}

/// Measures a command under a process of its own.
///
/// # Errors
///
/// Fails if the command cannot be started or fails; the message is the command's standard error.
pub fn measured<S: AsRef<OsStr>>(command: &[S]) -> Result<Usage> {
    let bench = std::env::current_exe().context("cannot find the path of bench")?;
    let output = Command::new(bench).arg("measure").arg("--").args(command).output().context("cannot start bench")?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}", stderr.trim().trim_start_matches("error: "));
    serde_json::from_slice(&output.stdout).context("bench measure printed no valid resource usage")
}

/// Runs a command, discards its standard output, and returns its usage. Correct only in a process without other children.
///
/// # Errors
///
/// Fails if the command cannot be started or fails.
pub fn run<S: AsRef<OsStr>>(command: &[S]) -> Result<Usage> {
    let (program, arguments) = command.split_first().context("no command to measure")?;
    let program = program.as_ref();
    let (stolen_before, started) = (stolen(), Instant::now());
    let status = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .with_context(|| format!("cannot start {}", program.display()))?;
    let wall = started.elapsed();
    ensure!(status.success(), "{} ended with {status}", program.display());
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).context("cannot read the resource usage of the command")?;
    Ok(Usage {
        wall,
        cpu: duration(usage.user_time()) + duration(usage.system_time()),
        stolen: stolen().saturating_sub(stolen_before),
        peak_memory: u64::try_from(usage.max_rss())? * BYTES_OF_MAX_RSS,
    })
}

/// The unit of `max_rss` in bytes.
const BYTES_OF_MAX_RSS: u64 = if cfg!(target_vendor = "apple") { 1 } else { 1024 };

/// Returns the CPU time stolen by the host since the machine started.
fn stolen() -> Duration {
    let ticks = fs::read_to_string("/proc/stat").ok().and_then(|stat| {
        // The first line: "cpu", then the time spent in user mode, nice, system, idle, waiting, irq, softirq and stolen.
        stat.lines().next()?.split_whitespace().nth(8)?.parse::<f64>().ok()
    });
    let ticks_a_second = sysconf(SysconfVar::CLK_TCK).ok().flatten();
    Duration::from_secs_f64(ticks.zip(ticks_a_second).map_or(0.0, |(ticks, a_second)| ticks / a_second as f64))
}

fn duration(time: nix::sys::time::TimeVal) -> Duration {
    Duration::new(time.tv_sec().unsigned_abs(), time.tv_usec().unsigned_abs() as u32 * 1000)
}
