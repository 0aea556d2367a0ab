//! Rejected lines, as they came, and why.
//!
//! `_quarantine/rejected.jsonl` holds the lines, byte for byte, each with a newline. `_quarantine/_reasons.jsonl` has an
//! object for each of them, in the same order: file, line, byte offset, field and reason. Its underscore keeps it from being
//! read as tickets, so that mended lines can be taken in with `transform --input`. A run that appends puts its own beside those
//! that are there: `rejected-1.jsonl`.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};

use anyhow::Result;
use manifest::FileEntry;
use publish::{StagedFile, Staging};
use serde::Serialize;
use ticket_schema::names::QUARANTINE_DIR;

use crate::decode::RejectReason;

const LINES: &str = "rejected";
const REASONS: &str = "_reasons";

/// The name of the file of rejected lines, below the data set's directory. Each run that appends has a number of its own.
pub fn lines_file(number: u64) -> String {
    file(LINES, number)
}

/// The name of the file of reasons.
pub fn reasons_file(number: u64) -> String {
    file(REASONS, number)
}

fn file(what: &str, number: u64) -> String {
    let number = if number == 0 { String::new() } else { format!("-{number}") };
    format!("{QUARANTINE_DIR}/{what}{number}.jsonl")
}

/// The number in the name of a file of rejected lines.
pub fn number(name: &str) -> Option<u64> {
    let number = name.strip_prefix(QUARANTINE_DIR)?.strip_prefix('/')?.strip_prefix(LINES)?.strip_suffix(".jsonl")?;
    if number.is_empty() { Some(0) } else { number.strip_prefix('-')?.parse().ok() }
}

/// Where a line stood.
#[derive(Clone, Debug, Serialize)]
pub struct Place {
    /// The file, as it was given.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
    /// Where in the file it starts, in bytes from 0.
    pub byte_offset: u64,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, line {}", self.file, self.line)
    }
}

/// A line of the reasons file.
#[derive(Serialize)]
struct Entry<'a> {
    #[serde(flatten)]
    place: &'a Place,
    field: Option<&'static str>,
    reason: &'a str,
}

/// The rejected lines of a run. Its files exist only if there are any.
pub struct Quarantine<'a> {
    staging: &'a Staging,
    number: u64,
    files: Option<Files>,
    n_lines: u64,
    examples: BTreeMap<Option<&'static str>, Example>,
}

struct Files {
    lines: BufWriter<StagedFile>,
    reasons: BufWriter<StagedFile>,
}

/// What was rejected because of one field.
#[derive(Clone, Debug)]
pub struct Example {
    /// How many lines.
    pub n_lines: u64,
    /// Where the first of them stood, and what was wrong with it.
    pub first: String,
}

impl<'a> Quarantine<'a> {
    /// Nothing rejected yet.
    pub const fn new(staging: &'a Staging, number: u64) -> Self {
        Self { staging, number, files: None, n_lines: 0, examples: BTreeMap::new() }
    }

    /// How many lines have been rejected.
    pub const fn n_lines(&self) -> u64 {
        self.n_lines
    }

    /// By the field at fault (`None`: the line as a whole), how many lines were rejected, and the first.
    pub const fn examples(&self) -> &BTreeMap<Option<&'static str>, Example> {
        &self.examples
    }

    /// Takes a line in: its place, the reason, and the first of its bytes. [`more`](Self::more) takes further ones and
    /// [`end_line`](Self::end_line) ends it.
    pub fn begin_line(&mut self, place: &Place, refusal: &RejectReason, bytes: &[u8]) -> Result<()> {
        self.n_lines += 1;
        let example = Example { n_lines: 0, first: format!("{place}: {refusal}") };
        self.examples.entry(refusal.field).or_insert(example).n_lines += 1;
        let files = self.files()?;
        serde_json::to_writer(&mut files.reasons, &Entry { place, field: refusal.field, reason: &refusal.reason })?;
        files.reasons.write_all(b"\n")?;
        files.lines.write_all(bytes)?;
        Ok(())
    }

    /// Takes further bytes of the line.
    pub fn more(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.files()?.lines.write_all(bytes)?)
    }

    /// Ends the line.
    pub fn end_line(&mut self) -> Result<()> {
        self.more(b"\n")
    }

    fn files(&mut self) -> Result<&mut Files> {
        let files = match self.files.take() {
            Some(files) => files,
            None => Files {
                lines: self.create(&lines_file(self.number))?,
                reasons: self.create(&reasons_file(self.number))?,
            },
        };
        Ok(self.files.insert(files))
    }

    fn create(&self, name: &str) -> Result<BufWriter<StagedFile>> {
        Ok(BufWriter::new(self.staging.create(name)?))
    }

    /// Finishes the files, if there are any.
    pub fn finish(self) -> Result<Vec<FileEntry>> {
        let Some(files) = self.files else { return Ok(Vec::new()) };
        let entry = |name: String, file: BufWriter<StagedFile>| -> Result<FileEntry> {
            let file = file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
            let checksum = file.checksum();
            Ok(FileEntry { name, rows: self.n_lines, bytes: checksum.n_bytes(), crc64nvme: checksum.to_base64() })
        };
        Ok(vec![entry(reasons_file(self.number), files.reasons)?, entry(lines_file(self.number), files.lines)?])
    }
}
