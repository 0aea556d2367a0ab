//! What a stage says about the data set that it leaves behind, in `_manifest.json`: what made it, which files belong to
//! it, and what must be true of it. The next stage reads this instead of guessing from names or modification times.
//!
//! A manifest holds no clock time, so the same input always gives the same manifest.

pub mod answer;
pub mod defects;
pub mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::answer::Answers;
use crate::defects::DefectKind;
pub use crate::world::{ProfileRef, Scenario, ScenarioEffect, Shard, WorldParameters};
use ticket_schema::Timestamp;
use ticket_schema::names::MANIFEST_FILE;

/// The version of the manifest's form that this code reads and writes.
pub const FORMAT: u32 = 1;

/// Why a manifest can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// It is there but can't be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The manifest.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is not a manifest of the kind that was asked for.
    #[error("{} is not the manifest of {stage} tickets that this version writes", path.display())]
    Unknown {
        /// The manifest.
        path: PathBuf,
        /// `raw` or `curated`.
        stage: &'static str,
        /// Where the text departs from the expected form.
        source: serde_json::Error,
    },
}

/// What both kinds of manifest can do.
pub trait Manifest: Serialize + DeserializeOwned {
    /// `raw` or `curated`.
    const STAGE: &'static str;

    /// The files that hold the data set's lines and rows, without the manifest itself.
    fn files(&self) -> impl Iterator<Item = &FileEntry>;

    /// Reads the manifest of the data set in `dir`; `None` if there is none.
    fn load(dir: &Path) -> Result<Option<Self>, ManifestError> {
        let path = dir.join(MANIFEST_FILE);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(source) => return Err(ManifestError::Unreadable { path, source }),
        };
        serde_json::from_slice(&text).map(Some).map_err(|source| ManifestError::Unknown {
            path,
            stage: Self::STAGE,
            source,
        })
    }

    /// The names of all files that belong to the data set, the manifest among them.
    fn owned_files(&self) -> BTreeSet<String> {
        self.files().map(|file| file.name.clone()).chain([MANIFEST_FILE.to_owned()]).collect()
    }

    /// The text of the manifest: indented JSON with a newline at its end.
    fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self).map(|json| json + "\n")
    }

    /// Writes that text; it may be long.
    fn write_json(&self, mut to: impl io::Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut to, self)?;
        to.write_all(b"\n")
    }
}

impl Manifest for RawManifest {
    const STAGE: &'static str = "raw";

    fn files(&self) -> impl Iterator<Item = &FileEntry> {
        self.files.iter()
    }

    fn owned_files(&self) -> BTreeSet<String> {
        let files = self.files.iter().chain(&self.truth);
        files.map(|file| file.name.clone()).chain([MANIFEST_FILE.to_owned()]).collect()
    }
}

impl RawManifest {
    /// How many lines are planted that a strict reader refuses.
    pub fn n_rejected(&self) -> u64 {
        self.defects.iter().filter(|(kind, _)| kind.is_refused()).map(|(_, n)| n).sum()
    }

    /// Whether the expected answers hold once `n_rejected` lines are refused and all others kept: if as many are planted to be
    /// refused, and no ticket is there twice.
    pub fn answers_hold_without(&self, n_rejected: u64) -> bool {
        let n_planted = self.defects.values().sum::<u64>();
        self.n_copies() == 0 && n_planted == n_rejected
    }

    /// How many lines are planted that a strict reader takes, and that show a ticket a second time.
    pub fn n_copies(&self) -> u64 {
        self.defects.iter().filter(|(kind, _)| !kind.is_refused()).map(|(_, n)| n).sum()
    }
}

impl Manifest for CuratedManifest {
    const STAGE: &'static str = "curated";

    fn files(&self) -> impl Iterator<Item = &FileEntry> {
        self.files.iter().chain(&self.quarantine)
    }
}

/// The manifest of raw JSON-Lines.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RawManifest {
    /// [`FORMAT`].
    pub format: u32,
    /// `raw`.
    pub stage: RawStage,
    /// What wrote it.
    pub tool: Tool,
    /// The world that the tickets were taken from.
    pub world: WorldParameters,
    /// What the world's scenarios do, in the order in which they were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scenario_effects: Vec<ScenarioEffect>,
    /// Set if only tickets that changed after this time are in the data set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_since: Option<Timestamp>,
    /// Tickets a file.
    pub batch_size: u64,
    /// Which part of the world, if not all of it.
    pub shard: Option<Shard>,
    /// The command that makes the same data set again, on any day.
    pub repeat: String,
    /// Lines in all files.
    pub rows: u64,
    /// Tickets in each market, counted as for the expected answers.
    pub markets: BTreeMap<String, u64>,
    /// The files, in the order of their tickets.
    pub files: Vec<FileEntry>,
    /// The planted defects of each kind. Without any, every line is a ticket of its own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub defects: BTreeMap<DefectKind, u64>,
    /// The list of the planted defects, if any were asked for. It holds no tickets, and belongs here alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truth: Option<FileEntry>,
    /// What the KPI queries must answer at the world's as-of over exactly these tickets: those that remain when every line that
    /// breaks the contract is refused, and of several lines of a ticket the one with the latest `updated_at` is kept.
    pub expected_answers: Answers,
}

/// The manifest of curated Parquet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CuratedManifest {
    /// [`FORMAT`].
    pub format: u32,
    /// `curated`.
    pub stage: CuratedStage,
    /// What wrote it.
    pub tool: Tool,
    /// The present of the data set: the world's as-of, or for tickets of unknown origin the latest `updated_at`, rounded
    /// up to a whole second. Missing only if there is no ticket at all.
    pub as_of: Option<Timestamp>,
    /// The world that the tickets were taken from, if they are exactly what `generate` wrote.
    pub world: Option<WorldParameters>,
    /// What became of the input's rows, in total. `written` is what the files hold now, `quarantined` what the quarantine does.
    pub rows: RowCounts,
    /// Tickets in each market.
    pub markets: BTreeMap<String, u64>,
    /// What became of the rows of each market; lines whose market can't be read count for
    /// [`UNKNOWN_MARKET`](ticket_schema::names::UNKNOWN_MARKET).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rows_by_market: BTreeMap<String, RowCounts>,
    /// How many tickets were written by a run and gave way to a later state of the same ticket in a later run. They count as
    /// `written` in their input, and as `duplicates` in the totals.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub superseded: u64,
    /// What was read, file by file, by the runs that made the data set.
    pub inputs: Vec<InputEntry>,
    /// The Parquet files, by name.
    pub files: Vec<FileEntry>,
    /// The refused lines and the reasons, if there are any.
    pub quarantine: Vec<FileEntry>,
    /// Handed on from the input's manifest if the tickets are exactly what it describes, else missing.
    pub expected_answers: Option<Answers>,
}

/// Marks a manifest as one of raw data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RawStage {
    /// The only value.
    Raw,
}

/// Marks a manifest as one of curated data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CuratedStage {
    /// The only value.
    Curated,
}

/// The program that wrote a data set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// A file of a data set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Its path below the data set's directory, with `/` between the parts.
    pub name: String,
    /// How many lines or rows it holds.
    pub rows: u64,
    /// Its size.
    pub bytes: u64,
    /// CRC-64/NVME of its content, eight bytes from the highest in base64: the text that S3 gives for an object.
    pub crc64nvme: String,
}

/// What became of the rows of an input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowCounts {
    /// Lines read, blank ones left out.
    pub read: u64,
    /// Tickets written to Parquet.
    pub written: u64,
    /// Lines in quarantine.
    pub quarantined: u64,
    /// Tickets left out because a later state of the same ticket was kept.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub duplicates: u64,
}

impl RowCounts {
    /// Whether every row that was read is accounted for.
    pub const fn balance(&self) -> bool {
        self.read == self.written + self.quarantined + self.duplicates
    }
}

impl std::ops::AddAssign for RowCounts {
    fn add_assign(&mut self, more: Self) {
        self.read += more.read;
        self.written += more.written;
        self.quarantined += more.quarantined;
        self.duplicates += more.duplicates;
    }
}

impl std::iter::Sum for RowCounts {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |mut sum, rows| {
            sum += rows;
            sum
        })
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde asks for")]
const fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// An input file and what became of its rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputEntry {
    /// Its name within the input directory, or its path as it was given; `-` is standard input.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// CRC-64/NVME of its content, as in [`FileEntry`].
    pub crc64nvme: String,
    /// What became of its rows.
    #[serde(flatten)]
    pub rows: RowCounts,
    /// How many lines of the quarantine it has taken the place of. These were counted as read before.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub taken_back: u64,
}
