//! The engines and their command lines.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use crate::programs::Programs;
use crate::python;

/// A tool that `transform` is compared with.
#[allow(clippy::doc_markdown, reason = "these comments are help texts")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
#[value(rename_all = "lower")]
pub enum Peer {
    /// DuckDB
    DuckDb,
    /// chDB, which is ClickHouse as a library
    ChDb,
    /// Polars
    Polars,
    /// pyarrow, which is Apache Arrow C++
    PyArrow,
}

impl Peer {
    /// All peers, in the report's order.
    pub const ALL: [Self; 4] = [Self::DuckDb, Self::ChDb, Self::Polars, Self::PyArrow];

    /// Returns its display name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DuckDb => "DuckDB",
            Self::ChDb => "chDB",
            Self::Polars => "Polars",
            Self::PyArrow => "pyarrow",
        }
    }

    /// Returns the name of its Python module and package.
    pub const fn package(self) -> &'static str {
        match self {
            Self::DuckDb => "duckdb",
            Self::ChDb => "chdb",
            Self::Polars => "polars",
            Self::PyArrow => "pyarrow",
        }
    }

    /// Returns the Python modules that its script imports.
    const fn imports(self) -> &'static str {
        match self {
            Self::PyArrow => "pyarrow.dataset, pyarrow.json",
            _ => self.package(),
        }
    }

    fn script(self) -> PathBuf {
        python::script(&format!("with_{}.py", self.package()))
    }
}

/// A tool with a number of threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Engine {
    /// The peer; `None` for `transform`.
    pub peer: Option<Peer>,
    /// Number of threads.
    pub threads: NonZeroUsize,
}

impl Engine {
    /// Returns `transform` with these threads and with one, then the peers: those in `only`, or all if it is empty.
    ///
    /// The first engine is the baseline of all ratios.
    pub fn all(threads: NonZeroUsize, only: &[Peer]) -> Vec<Self> {
        let single = (threads != NonZeroUsize::MIN).then_some(Self { peer: None, threads: NonZeroUsize::MIN });
        let peers = Peer::ALL.into_iter().filter(|peer| only.is_empty() || only.contains(peer));
        let peers = peers.map(|peer| Self { peer: Some(peer), threads });
        [Self { peer: None, threads }].into_iter().chain(single).chain(peers).collect()
    }

    /// Returns its name in a table.
    pub fn name(&self) -> String {
        let tool = self.peer.map_or("transform", Peer::name);
        format!("{tool}, {}", cli_support::human::counted(self.threads.get() as u64, "thread"))
    }

    /// Returns the command that converts the tickets in one directory to Parquet in another.
    pub fn command(&self, programs: &Programs, input: &Path, output: &Path) -> Vec<OsString> {
        match self.peer {
            None => programs.transform(self.threads, &[input.to_owned()], output),
            Some(peer) => {
                let (script, threads) = (peer.script().into(), self.threads.to_string().into());
                vec![programs.python.program().into(), script, input.into(), output.into(), threads]
            }
        }
    }

    /// Returns a command that starts the tool and exits.
    pub fn start_command(&self, programs: &Programs) -> Vec<OsString> {
        match self.peer {
            None => vec![programs.transform.clone().into(), "--version".into()],
            Some(peer) => {
                vec![programs.python.program().into(), "-c".into(), format!("import {}", peer.imports()).into()]
            }
        }
    }

    /// Returns the parent of the market directories in its output.
    pub fn tickets_dir(&self, output: &Path) -> PathBuf {
        if self.peer.is_none() { output.join("tickets") } else { output.to_owned() }
    }
}
