//! `_truth.jsonl`: the position of every injected defect, as ground truth for scoring detectors.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};

use anyhow::Result;
use manifest::FileEntry;
use manifest::defects::DefectKind;
use publish::{StagedFile, Staging};
use serde::Serialize;
use ticket_schema::names::TRUTH_FILE;
use uuid::Uuid;

use super::{InjectedDefect, InjectedDefects};

/// A line of the truth file.
#[derive(Serialize)]
struct Entry<'a> {
    file: &'a str,
    /// Counted from 1.
    line: u64,
    kind: DefectKind,
    ticket_id: Uuid,
    field: Option<&'static str>,
}

/// Writer of the truth file.
#[derive(Debug)]
pub struct TruthFile {
    file: BufWriter<StagedFile>,
    by_kind: BTreeMap<DefectKind, u64>,
}

impl TruthFile {
    /// Creates an empty truth file.
    ///
    /// # Errors
    ///
    /// Fails if the staging directory cannot be written.
    pub fn create(staging: &Staging) -> Result<Self> {
        Ok(Self { file: BufWriter::new(staging.create(TRUTH_FILE)?), by_kind: BTreeMap::new() })
    }

    /// Appends the defects of lines that were appended to `file` after its first `n_lines_before` lines.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be written.
    pub fn add(&mut self, file: &str, n_lines_before: u64, injected: &InjectedDefects) -> Result<()> {
        for defect in &injected.defects {
            let InjectedDefect { line, kind, ticket_id, field } = *defect;
            let entry = Entry { file, line: n_lines_before + line + 1, kind, ticket_id, field };
            serde_json::to_writer(&mut self.file, &entry)?;
            self.file.write_all(b"\n")?;
            *self.by_kind.entry(defect.kind).or_default() += 1;
        }
        Ok(())
    }

    /// Closes the file and returns the number of defects of each kind, and the file's manifest entry.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be written.
    pub fn finish(self) -> Result<(BTreeMap<DefectKind, u64>, FileEntry)> {
        let file = self.file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        let checksum = file.checksum();
        let entry = FileEntry {
            name: TRUTH_FILE.to_owned(),
            rows: self.by_kind.values().sum(),
            bytes: checksum.n_bytes(),
            crc64nvme: checksum.to_base64(),
        };
        Ok((self.by_kind, entry))
    }
}
