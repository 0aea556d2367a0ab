//! The manifest of curated Parquet.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ticket_schema::Timestamp;

use crate::Manifest;
use crate::answer::Answers;
use crate::entries::{FileEntry, InputEntry, RowCounts, Tool, is_zero};
use crate::world::WorldParameters;

/// The manifest of curated Parquet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CuratedManifest {
    /// [`FORMAT`](crate::FORMAT).
    pub format: u32,
    /// `curated`.
    pub stage: CuratedStage,
    /// The tool that wrote it.
    pub tool: Tool,
    /// The present of the data set: the world's as-of, or for tickets of unknown origin the latest `updated_at`, rounded
    /// up to a whole second. `None` only if there are no tickets.
    pub as_of: Option<Timestamp>,
    /// The world that the tickets were taken from, if they are exactly what `generate` wrote.
    pub world: Option<WorldParameters>,
    /// Total row counts. `written` counts the rows of the current files, `quarantined` those of the quarantine.
    pub rows: RowCounts,
    /// Tickets in each market.
    pub markets: BTreeMap<String, u64>,
    /// Row counts by market; lines whose market cannot be read count for
    /// [`UNKNOWN_MARKET`](ticket_schema::names::UNKNOWN_MARKET).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rows_by_market: BTreeMap<String, RowCounts>,
    /// Number of tickets that a run wrote and a later run superseded by a later state. They count as `written` in their
    /// input, and as `duplicates` in the totals.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub superseded: u64,
    /// Input files of the runs that wrote the data set.
    pub inputs: Vec<InputEntry>,
    /// The Parquet files, by name.
    pub files: Vec<FileEntry>,
    /// The files of rejected records and reject reasons, if there are any.
    pub quarantine: Vec<FileEntry>,
    /// Copied from the input's manifest if the tickets are exactly those that it describes, else `None`.
    pub expected_answers: Option<Answers>,
}

/// The stage marker of a curated manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CuratedStage {
    /// The only value.
    Curated,
}

impl Manifest for CuratedManifest {
    const STAGE: &'static str = "curated";

    fn files(&self) -> impl Iterator<Item = &FileEntry> {
        self.files.iter().chain(&self.quarantine)
    }
}
