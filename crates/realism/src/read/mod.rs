//! Reading of data sets: file discovery, format, and the claims of the manifest.
//!
//! * [`json_lines`]: raw data.
//! * [`parquet`]: curated data.

pub mod json_lines;
pub mod parquet;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use cli_support::Messages;
use cli_support::messages::ProgressUnit;
use jsonl::input::{Inputs, Source};
use manifest::{CuratedManifest, Manifest, WorldParameters};
use ticket_schema::Timestamp;
use ticket_schema::names::TICKETS_DIR;

use crate::rows::{Dictionaries, Location, Row};
use crate::validate::field_validation::FieldValidator;
use crate::validate::rules::Violations;

/// A data set after reading.
#[derive(Debug)]
pub struct DataSet {
    /// Paths as given on the command line.
    pub name: String,
    /// Claims of the manifest.
    pub claim: Claim,
    /// Number of rows, or of lines that are not blank.
    pub n_lines: u64,
    /// Rows of the lines that can be compared.
    pub rows: Vec<Row>,
    /// Violations found while reading.
    pub violations: Violations,
    files: Vec<Source>,
    is_curated: bool,
}

/// Claims of a manifest about its data set.
#[derive(Clone, Debug, Default)]
pub struct Claim {
    /// World that the tickets are from.
    pub world: Option<WorldParameters>,
    /// Set if the data set contains only tickets that changed after this time.
    pub changed_since: Option<Timestamp>,
}

/// Reads the data set at `paths`: directories or files of JSON Lines, `-`, or one directory with curated Parquet.
///
/// # Errors
///
/// Fails if no file is found, a file cannot be read, or the data set is empty.
pub fn read(paths: &[PathBuf], names: &mut Dictionaries, messages: &Messages) -> Result<DataSet> {
    let name = paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
    let is_curated = matches!(paths, [dir] if dir.join(TICKETS_DIR).is_dir());
    let (files, claim) = match paths {
        [dir] if is_curated => find_parquet(dir, messages)?,
        _ => find_json_lines(paths, messages)?,
    };
    let n_bytes = files.iter().filter_map(Source::n_bytes).sum();
    let progress = messages.with_progress("realism", n_bytes, ProgressUnit::Bytes);
    let mut validator = FieldValidator::new(names);
    for (number, file) in files.iter().enumerate() {
        let number = u32::try_from(number).context("there are more than 2^32 files")?;
        match file.path() {
            Some(path) if is_curated => parquet::read(&path, number, &mut validator, &progress)?,
            _ => json_lines::read(file, number, &mut validator, &progress)?,
        }
    }
    let FieldValidator { n_lines, rows, violations, .. } = validator;
    ensure!(n_lines > 0, "no tickets in {name}");
    Ok(DataSet { name, claim, n_lines, rows, violations, files, is_curated })
}

impl DataSet {
    /// Formats a location as `data/raw/tickets_0000.jsonl:17`, or with the row number for Parquet.
    pub fn display_location(&self, location: Location) -> String {
        let unit = if self.is_curated { ", row " } else { ":" };
        let file = self.files.get(location.source as usize).map_or_else(String::new, Source::display_name);
        format!("{file}{unit}{}", location.line)
    }
}

fn find_json_lines(paths: &[PathBuf], messages: &Messages) -> Result<(Vec<Source>, Claim)> {
    let inputs = Inputs::find(paths, messages)?;
    let claim = inputs.manifest.as_ref().map_or_else(Claim::default, |manifest| Claim {
        world: Some(manifest.world.clone()),
        changed_since: manifest.changed_since,
    });
    Ok((inputs.sources, claim))
}

fn find_parquet(dir: &Path, messages: &Messages) -> Result<(Vec<Source>, Claim)> {
    let manifest = CuratedManifest::load(dir).unwrap_or_else(|error| {
        messages.warn(format!("{error}; reading the files without the manifest"));
        None
    });
    let claim = Claim { world: manifest.and_then(|manifest| manifest.world), changed_since: None };
    let tickets = dir.join(TICKETS_DIR);
    let mut paths = Vec::new();
    for partition in list(&tickets)?.iter().filter(|path| path.is_dir()) {
        paths.extend(list(partition)?.into_iter().filter(|path| path.extension().is_some_and(|end| end == "parquet")));
    }
    if paths.is_empty() {
        bail!("no Parquet in {}; run `transform` first, or name another --data", tickets.display());
    }
    Ok((paths.into_iter().map(Source::at).collect(), claim))
}

/// Returns the paths in a directory, sorted by name.
fn list(dir: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(dir).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    let mut paths: Vec<PathBuf> = entries.with_context(|| format!("cannot list {}", dir.display()))?;
    paths.sort();
    Ok(paths)
}
