//! The Python environment of the peers, created once with the versions of `requirements.txt`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use cli_support::Messages;
use serde_json::Value;

use crate::programs::output;

/// Help for a missing Python.
const MISSING_PYTHON_HELP: &str = "the peers are Python packages: install Python 3.11 or newer with its venv module \
     (on Debian and Ubuntu: apt install python3 python3-venv), and check that python3 is on the PATH";

/// A Python with the peers installed.
#[derive(Debug)]
pub struct Python {
    program: PathBuf,
}

impl Python {
    /// Creates or updates the environment in `dir`. Uses the network only if a package is missing.
    ///
    /// # Errors
    ///
    /// Fails if Python is missing, the environment cannot be created, or a package cannot be installed.
    pub fn prepare(dir: &Path, messages: &Messages) -> Result<Self> {
        let program = dir.join("bin/python");
        // The last file that venv creates; missing if the venv module is incomplete.
        if !dir.join("bin/pip").exists() {
            messages.note(format!("bench: creating a Python environment in {}", dir.display()));
            let created = output(Command::new("python3").args(["-m", "venv"]).arg(dir));
            created.context(MISSING_PYTHON_HELP)?;
        }
        let python = Self { program };
        let requirements = crate_file("requirements.txt");
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"].map(OsStr::new);
        python.output(pip.into_iter().chain([requirements.as_os_str()])).context("cannot install the peers")?;
        Ok(python)
    }

    /// Returns the path of the interpreter.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Returns the versions of Python and of some packages.
    ///
    /// # Errors
    ///
    /// Fails if the interpreter fails or a package is missing.
    pub fn versions(&self, packages: &[&'static str]) -> Result<Vec<(String, String)>> {
        let code = "import importlib.metadata, platform, sys; print(platform.python_version()); \
                    [print(importlib.metadata.version(name)) for name in sys.argv[1:]]";
        let text = self.output(["-c", code].iter().chain(packages))?;
        let names = ["Python"].iter().chain(packages).map(ToString::to_string);
        Ok(names.zip(text.lines().map(str::to_owned)).collect())
    }

    /// Reads the contents of a directory of market directories: rows, bytes before compression, and sums per market and
    /// column.
    ///
    /// # Errors
    ///
    /// Fails if a file cannot be read.
    pub fn contents(&self, tickets_dir: &Path) -> Result<Value> {
        let text = self.output([script("contents.py").as_path(), tickets_dir])?;
        serde_json::from_str(&text).context("contents.py printed no valid JSON")
    }

    /// Counts the rows of a directory of market directories.
    ///
    /// # Errors
    ///
    /// Fails if a file cannot be read.
    pub fn rows(&self, tickets_dir: &Path) -> Result<u64> {
        let text = self.output([script("contents.py").as_os_str(), tickets_dir.as_os_str(), "--rows".as_ref()])?;
        let contents: Value = serde_json::from_str(&text).context("contents.py printed no valid JSON")?;
        contents["rows"].as_u64().context("contents.py printed no row count")
    }

    fn output<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Result<String> {
        output(Command::new(&self.program).args(arguments))
    }
}

/// Returns the path of one of the scripts.
pub(crate) fn script(name: &str) -> PathBuf {
    crate_file("peers").join(name)
}

fn crate_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}
