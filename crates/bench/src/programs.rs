//! The programs under test: release builds of our tools, and the Python of the peers.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow, ensure};
use cli_support::Messages;
use serde_json::Value;

use crate::python::Python;

/// Paths of the programs.
#[derive(Debug)]
pub struct Programs {
    /// Path of `transform`.
    pub transform: PathBuf,
    /// Path of `generate`.
    pub generate: PathBuf,
    /// Python environment of the peers.
    pub python: Python,
}

impl Programs {
    /// Creates the Python environment in `venv` and builds our tools.
    ///
    /// # Errors
    ///
    /// Fails if the environment cannot be created or the tools cannot be built.
    pub fn prepare(venv: &Path, messages: &Messages) -> Result<Self> {
        let python = Python::prepare(venv, messages)?;
        messages.note("bench: building transform and generate");
        let cargo = std::env::var_os("CARGO").unwrap_or("cargo".into());
        let arguments = "build --release --quiet --package transform --package generate --message-format json";
        let built = output(Command::new(cargo).args(arguments.split(' ')).current_dir(env!("CARGO_MANIFEST_DIR")));
        let built = built.context("cannot build transform and generate")?;
        Ok(Self { transform: executable(&built, "transform")?, generate: executable(&built, "generate")?, python })
    }

    /// Returns the `transform` command for some files or directories.
    pub fn transform(&self, threads: NonZeroUsize, inputs: &[PathBuf], output: &Path) -> Vec<OsString> {
        let mut command = vec![self.transform.clone().into(), "--quiet".into()];
        command.extend([
            "--threads".into(),
            threads.to_string().into(),
            "--output".into(),
            output.into(),
            "--input".into(),
        ]);
        command.extend(inputs.iter().map(OsString::from));
        command
    }
}

/// Finds the path of an executable in cargo's JSON messages.
fn executable(messages: &str, name: &str) -> Result<PathBuf> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut matching = messages.filter(|message| message["target"]["name"] == name);
    let path = matching.find_map(|message| Some(PathBuf::from(message["executable"].as_str()?)));
    path.with_context(|| format!("cargo reported no executable of {name}"))
}

/// Returns the compiler's name and version.
///
/// # Errors
///
/// Fails if `rustc` cannot be run.
pub fn compiler() -> Result<String> {
    Ok(output(Command::new("rustc").arg("--version"))?.trim().to_owned())
}

/// Returns the standard output of a command; on failure the error holds its standard error.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let program = command.get_program().display().to_string();
    let output = command.output().map_err(|error| match error.kind() {
        ErrorKind::NotFound => anyhow!("{program} is not installed"),
        _ => anyhow!("cannot start {program}: {error}"),
    })?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{program} ended with {}: {}", output.status, stderr.trim());
    Ok(String::from_utf8(output.stdout)?)
}
