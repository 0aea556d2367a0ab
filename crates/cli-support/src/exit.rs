//! Exit codes: 0 done, 1 failed, 2 invalid usage, 3 done with rejected lines in quarantine.

use std::io;
use std::process::ExitCode;

/// The outcome of a run that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything was done. Exit code 0.
    Done,
    /// Everything was done, but some lines are in quarantine. Exit code 3.
    Quarantined,
}

/// A usage error that the argument parser cannot detect. Exit code 2.
#[derive(Debug)]
pub struct UsageError(pub String);

impl std::fmt::Display for UsageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

/// Runs a tool's library function, reports its error on standard error and returns the exit code.
///
/// A closed standard output (`generate --output - | head`) counts as success. An interrupt (Ctrl-C, SIGTERM) removes staged
/// files and exits with 130.
pub fn run(tool: impl FnOnce() -> anyhow::Result<Outcome>) -> ExitCode {
    publish::remove_unfinished_on_interrupt(crate::messages::interrupted);
    match tool() {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Quarantined) => ExitCode::from(3),
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            crate::messages::error(&error);
            ExitCode::from(if error.is::<UsageError>() { 2 } else { 1 })
        }
    }
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}
