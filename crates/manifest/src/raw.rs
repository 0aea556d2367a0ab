//! The manifest of raw JSON-Lines.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use ticket_schema::Timestamp;
use ticket_schema::names::MANIFEST_FILE;

use crate::Manifest;
use crate::answer::Answers;
use crate::defects::DefectKind;
use crate::entries::{FileEntry, Tool};
use crate::world::{ScenarioEffect, Shard, WorldParameters};

/// The manifest of raw JSON-Lines.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RawManifest {
    /// [`FORMAT`](crate::FORMAT).
    pub format: u32,
    /// `raw`.
    pub stage: RawStage,
    /// The tool that wrote it.
    pub tool: Tool,
    /// The world that the tickets were taken from.
    pub world: WorldParameters,
    /// Effects of the world's scenarios, in the order in which these were given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scenario_effects: Vec<ScenarioEffect>,
    /// Set if only tickets that changed after this time are in the data set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_since: Option<Timestamp>,
    /// Tickets per file.
    pub batch_size: u64,
    /// The shard of the world; `None` for all of it.
    pub shard: Option<Shard>,
    /// The command that reproduces the data set on any day.
    pub repeat: String,
    /// Lines in all files.
    pub rows: u64,
    /// Tickets in each market, counted as for the expected answers.
    pub markets: BTreeMap<String, u64>,
    /// The files, in the order of their tickets.
    pub files: Vec<FileEntry>,
    /// Number of injected defects by kind. If empty, every line is a distinct ticket.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub defects: BTreeMap<DefectKind, u64>,
    /// The file that lists the injected defects, if any were requested. It holds no tickets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truth: Option<FileEntry>,
    /// Expected answers of the KPI queries at the world's as-of over exactly these tickets, after every line that violates
    /// the contract is rejected and of several lines of a ticket the one with the latest `updated_at` is kept.
    pub expected_answers: Answers,
}

/// The stage marker of a raw manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RawStage {
    /// The only value.
    Raw,
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
    /// Returns the number of injected defects that a strict reader rejects.
    pub fn n_rejected(&self) -> u64 {
        self.defects.iter().filter(|(kind, _)| kind.is_rejected()).map(|(_, n)| n).sum()
    }

    /// Returns whether the expected answers hold after `n_rejected` lines have been rejected and all others kept: exactly as
    /// many defects are injected, and no ticket occurs twice.
    pub fn answers_hold_without(&self, n_rejected: u64) -> bool {
        let n_planted = self.defects.values().sum::<u64>();
        self.n_copies() == 0 && n_planted == n_rejected
    }

    /// Returns the number of injected lines that a strict reader accepts and that repeat a ticket.
    pub fn n_copies(&self) -> u64 {
        self.defects.iter().filter(|(kind, _)| !kind.is_rejected()).map(|(_, n)| n).sum()
    }
}
