//! The quarantine: rejected records and the reasons for their rejection.
//!
//! `_quarantine/rejected.jsonl` holds the rejected lines, byte for byte, each with a newline. `_quarantine/_reasons.jsonl`
//! holds one object for each of them in the same order: file, line, byte offset, field and reason. Its underscore excludes
//! it from the inputs of a directory, so that fixed lines can be transformed with `transform --input OUTPUT/_quarantine`. A
//! run that appends adds numbered files beside the existing ones: `rejected-1.jsonl`.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};

use anyhow::Result;
use manifest::FileEntry;
use publish::{StagedFile, Staging};
use serde::Serialize;
use ticket_schema::names::QUARANTINE_DIR;

use crate::decode::RejectReason;

const RECORDS: &str = "rejected";
const REASONS: &str = "_reasons";

/// Returns the path of the file of rejected records below the data set's directory. Each appending run has its own number.
pub fn records_path(number: u64) -> String {
    path(RECORDS, number)
}

/// Returns the path of the file of reasons below the data set's directory.
pub fn reasons_path(number: u64) -> String {
    path(REASONS, number)
}

fn path(stem: &str, number: u64) -> String {
    let number = if number == 0 { String::new() } else { format!("-{number}") };
    format!("{QUARANTINE_DIR}/{stem}{number}.jsonl")
}

/// Returns the number in the path of a file of rejected records, or `None` for any other path.
pub fn parse_number(path: &str) -> Option<u64> {
    let number = path.strip_prefix(QUARANTINE_DIR)?.strip_prefix('/')?.strip_prefix(RECORDS)?.strip_suffix(".jsonl")?;
    if number.is_empty() { Some(0) } else { number.strip_prefix('-')?.parse().ok() }
}

/// The position of a record in the input.
#[derive(Clone, Debug, Serialize)]
pub struct SourcePosition {
    /// The path of the file, as it was given.
    pub file: String,
    /// The line number, from 1.
    pub line: u64,
    /// The offset of the line's first byte in the file, from 0.
    pub byte_offset: u64,
}

impl std::fmt::Display for SourcePosition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, line {}", self.file, self.line)
    }
}

/// A line of the file of reasons.
#[derive(Serialize)]
struct ReasonEntry<'a> {
    #[serde(flatten)]
    position: &'a SourcePosition,
    field: Option<&'static str>,
    reason: &'a str,
}

/// The rejected records of a run. Its files are created with the first record.
pub struct Quarantine<'a> {
    staging: &'a Staging,
    number: u64,
    files: Option<Files>,
    n_records: u64,
    by_field: BTreeMap<Option<&'static str>, FieldRejections>,
}

struct Files {
    records: BufWriter<StagedFile>,
    reasons: BufWriter<StagedFile>,
}

/// The records that were rejected because of one field.
#[derive(Clone, Debug)]
pub struct FieldRejections {
    /// The number of records.
    pub n_records: u64,
    /// The position of the first record and the reason for its rejection, as text.
    pub first: String,
}

impl<'a> Quarantine<'a> {
    /// Creates an empty quarantine. Its files will have the given number.
    pub const fn new(staging: &'a Staging, number: u64) -> Self {
        Self { staging, number, files: None, n_records: 0, by_field: BTreeMap::new() }
    }

    /// The number of rejected records.
    pub const fn n_records(&self) -> u64 {
        self.n_records
    }

    /// The rejected records by the field at fault; `None` stands for the line as a whole.
    pub const fn by_field(&self) -> &BTreeMap<Option<&'static str>, FieldRejections> {
        &self.by_field
    }

    /// Begins a record with its first bytes. [`extend_record`](Self::extend_record) appends further bytes and
    /// [`end_record`](Self::end_record) ends it.
    ///
    /// # Errors
    ///
    /// Fails if a file of the quarantine cannot be written.
    pub fn begin_record(&mut self, position: &SourcePosition, reason: &RejectReason, bytes: &[u8]) -> Result<()> {
        self.n_records += 1;
        let rejections = FieldRejections { n_records: 0, first: format!("{position}: {reason}") };
        self.by_field.entry(reason.field).or_insert(rejections).n_records += 1;
        let files = self.files()?;
        let entry = ReasonEntry { position, field: reason.field, reason: &reason.reason };
        serde_json::to_writer(&mut files.reasons, &entry)?;
        files.reasons.write_all(b"\n")?;
        files.records.write_all(bytes)?;
        Ok(())
    }

    /// Appends bytes to the current record.
    ///
    /// # Errors
    ///
    /// Fails if a file of the quarantine cannot be written.
    pub fn extend_record(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.files()?.records.write_all(bytes)?)
    }

    /// Ends the current record with a newline.
    ///
    /// # Errors
    ///
    /// Fails if a file of the quarantine cannot be written.
    pub fn end_record(&mut self) -> Result<()> {
        self.extend_record(b"\n")
    }

    fn files(&mut self) -> Result<&mut Files> {
        let files = match self.files.take() {
            Some(files) => files,
            None => Files {
                records: self.create(&records_path(self.number))?,
                reasons: self.create(&reasons_path(self.number))?,
            },
        };
        Ok(self.files.insert(files))
    }

    fn create(&self, path: &str) -> Result<BufWriter<StagedFile>> {
        Ok(BufWriter::new(self.staging.create(path)?))
    }

    /// Finishes the files and returns them; returns none if no record was rejected.
    ///
    /// # Errors
    ///
    /// Fails if a file of the quarantine cannot be written.
    pub fn finish(self) -> Result<Vec<FileEntry>> {
        let Some(files) = self.files else { return Ok(Vec::new()) };
        let entry = |name: String, file: BufWriter<StagedFile>| -> Result<FileEntry> {
            let file = file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
            let checksum = file.checksum();
            Ok(FileEntry { name, rows: self.n_records, bytes: checksum.n_bytes(), crc64nvme: checksum.to_base64() })
        };
        Ok(vec![entry(reasons_path(self.number), files.reasons)?, entry(records_path(self.number), files.records)?])
    }
}
