//! What there is to read, in which form, and what its manifest claims.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use cli_support::Messages;
use cli_support::messages::ProgressUnit;
use jsonl::input::{Inputs, Source};
use manifest::{CuratedManifest, Manifest, WorldParameters};
use ticket_schema::Timestamp;
use ticket_schema::names::TICKETS_DIR;

use crate::intake::Intake;
use crate::rows::{Names, Place, Row};
use crate::rules::RuleBook;
use crate::{curated, raw};

/// A data set that has been read.
#[derive(Debug)]
pub struct DataSet {
    /// What it was called on the command line.
    pub name: String,
    /// What its manifest says of it.
    pub claim: Claim,
    /// Lines that aren't blank, or rows.
    pub n_lines: u64,
    /// Those that can be compared.
    pub rows: Vec<Row>,
    /// The faults found while reading.
    pub book: RuleBook,
    files: Vec<Source>,
    is_curated: bool,
}

/// What a manifest says of a data set.
#[derive(Clone, Debug, Default)]
pub struct Claim {
    /// The world that the tickets are from.
    pub world: Option<WorldParameters>,
    /// Set if it has only the tickets that changed after this time.
    pub changed_since: Option<Timestamp>,
}

/// Reads the data set that `paths` name: directories or files of JSON-Lines, `-`, or one directory with curated Parquet.
pub fn read(paths: &[PathBuf], names: &mut Names, messages: &Messages) -> Result<DataSet> {
    let name = paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
    let is_curated = matches!(paths, [dir] if dir.join(TICKETS_DIR).is_dir());
    let (files, claim) = match paths {
        [dir] if is_curated => find_curated(dir, messages)?,
        _ => find_raw(paths, messages)?,
    };
    let n_bytes = files.iter().filter_map(Source::n_bytes).sum();
    let progress = messages.with_progress("realism", n_bytes, ProgressUnit::Bytes);
    let mut intake = Intake::new(names);
    for (number, file) in files.iter().enumerate() {
        let number = u32::try_from(number).context("there are more than 2^32 files")?;
        match file.path() {
            Some(path) if is_curated => curated::read(&path, number, &mut intake, &progress)?,
            _ => raw::read(file, number, &mut intake, &progress)?,
        }
    }
    let Intake { n_lines, rows, book, .. } = intake;
    ensure!(n_lines > 0, "no tickets in {name}: there is nothing to judge");
    Ok(DataSet { name, claim, n_lines, rows, book, files, is_curated })
}

impl DataSet {
    /// Where a line stands, as `data/raw/tickets_0000.jsonl:17`; of Parquet, the number of the row.
    pub fn shown(&self, place: Place) -> String {
        let unit = if self.is_curated { ", row " } else { ":" };
        let file = self.files.get(place.source as usize).map_or_else(String::new, Source::shown);
        format!("{file}{unit}{}", place.line)
    }
}

fn find_raw(paths: &[PathBuf], messages: &Messages) -> Result<(Vec<Source>, Claim)> {
    let inputs = Inputs::find(paths, messages)?;
    let claim = inputs.manifest.as_ref().map_or_else(Claim::default, |manifest| Claim {
        world: Some(manifest.world.clone()),
        changed_since: manifest.changed_since,
    });
    Ok((inputs.sources, claim))
}

fn find_curated(dir: &Path, messages: &Messages) -> Result<(Vec<Source>, Claim)> {
    let manifest = CuratedManifest::load(dir).unwrap_or_else(|error| {
        messages.warn(format!("{error}; the files are read without it"));
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

/// What lies in a directory, by name.
fn list(dir: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(dir).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    let mut paths: Vec<PathBuf> = entries.with_context(|| format!("cannot list {}", dir.display()))?;
    paths.sort();
    Ok(paths)
}
