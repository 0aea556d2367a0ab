//! The data set that exists in the output directory when a run begins.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use cli_support::human;
use jsonl::input::{Inputs, Source};
use manifest::{CuratedManifest, FileEntry, InputEntry, Manifest, RowCounts};
use ticket_schema::names::{MANIFEST_FILE, QUARANTINE_DIR, UNKNOWN_MARKET};

use crate::dedup::stored_rows::StoredFile;
use crate::rows::row::Market;
use crate::write::part_writer::market_and_number;
use crate::write::quarantine;

/// The write mode: the effect of a run on the existing tickets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Mode {
    /// Replace the whole data set
    Overwrite,
    /// Keep the existing tickets and add the new ones
    Append,
}

/// An existing curated data set.
#[derive(Debug)]
pub struct ExistingDataset {
    dir: PathBuf,
    /// The manifest; `None` if there is no data set.
    pub manifest: Option<CuratedManifest>,
    /// The write mode of the run.
    pub mode: Mode,
    /// True if the input is the data set's own quarantine.
    pub is_reprocess: bool,
}

impl ExistingDataset {
    /// Inspects the directory `dir`. Without a `mode`, the data set's own quarantine is appended and any other input
    /// overwrites.
    ///
    /// # Errors
    ///
    /// Fails if `dir` holds another kind of data set, if an input lies in `dir` and is not its quarantine, or if files to
    /// append to were changed since they were written.
    pub fn find(dir: &Path, inputs: &Inputs, mode: Option<Mode>) -> Result<Self> {
        let manifest = CuratedManifest::load(dir)
            .with_context(|| format!("{} holds another kind of data set; choose another --output", dir.display()))?;
        let is_reprocess = inputs.are_all_in(&dir.join(QUARANTINE_DIR));
        if !is_reprocess || mode == Some(Mode::Overwrite) {
            inputs.reject_inputs_below(dir)?;
        }
        let mode = mode.unwrap_or(if is_reprocess { Mode::Append } else { Mode::Overwrite });
        let existing = Self { dir: dir.to_owned(), manifest, mode, is_reprocess };
        if mode == Mode::Append {
            existing.ensure_intact()?;
        }
        Ok(existing)
    }

    /// Checks that all files that will be kept exist with the size that the manifest states.
    fn ensure_intact(&self) -> Result<()> {
        let quarantine = self.manifest.iter().flat_map(|manifest| &manifest.quarantine).filter(|_| !self.is_reprocess);
        for file in self.manifest.iter().flat_map(|manifest| &manifest.files).chain(quarantine) {
            let path = self.dir.join(&file.name);
            let n_bytes = path.metadata().map(|metadata| metadata.len());
            let is_quarantine = file.name.starts_with(QUARANTINE_DIR);
            let advice = if is_quarantine { ", or reprocess the quarantine first with --input" } else { "" };
            ensure!(
                n_bytes.is_ok_and(|n_bytes| n_bytes == file.bytes),
                "cannot append: {} was changed or removed after transform wrote it; restore it, rebuild the data set with --mode \
                 overwrite{advice}",
                path.display()
            );
        }
        Ok(())
    }

    /// The manifest of the data set that is kept; `None` if there is none or it is replaced.
    pub fn kept(&self) -> Option<&CuratedManifest> {
        self.manifest.as_ref().filter(|_| self.mode == Mode::Append)
    }

    /// Returns the Parquet files that are kept.
    ///
    /// # Errors
    ///
    /// Fails if the manifest lists a file whose name is not that of a part.
    pub fn stored_files(&self) -> Result<Vec<StoredFile>> {
        let files = self.kept().map_or(&[][..], |manifest| &manifest.files);
        let stored = |file: &FileEntry| {
            let (market, _) = market_and_number(&file.name).with_context(|| {
                format!("the manifest lists {}, which is not the name of a Parquet part", file.name)
            })?;
            Ok(StoredFile { entry: file.clone(), path: self.dir.join(&file.name), market })
        };
        files.iter().map(stored).collect()
    }

    /// Returns the number of the first new part of each market that has parts already.
    pub fn next_part_numbers(&self) -> BTreeMap<Market, u64> {
        let mut first = BTreeMap::new();
        for file in self.kept().iter().flat_map(|manifest| &manifest.files) {
            if let Some((market, number)) = market_and_number(&file.name) {
                let first: &mut u64 = first.entry(market).or_default();
                *first = (*first).max(number + 1);
            }
        }
        first
    }

    /// Returns the number for new quarantine files: the lowest above those of the kept ones.
    pub fn next_quarantine_number(&self) -> u64 {
        let kept = self.kept().filter(|_| !self.is_reprocess);
        let names = kept.iter().flat_map(|manifest| &manifest.quarantine).map(|file| file.name.as_str());
        names.filter_map(quarantine::parse_number).max().map_or(0, |number| number + 1)
    }

    /// Rejects inputs, given as name, size in bytes and checksum, that the data set already contains.
    ///
    /// # Errors
    ///
    /// Fails for the first input that has the size and checksum of an earlier one.
    pub fn reject_repeats<'i>(&self, inputs: impl Iterator<Item = (&'i str, u64, &'i str)>) -> Result<()> {
        let Some(kept) = self.kept() else { return Ok(()) };
        let before: BTreeMap<(&str, u64), &InputEntry> = kept
            .inputs
            .iter()
            .filter(|input| input.bytes > 0)
            .map(|input| ((input.crc64nvme.as_str(), input.bytes), input))
            .collect();
        for (name, bytes, crc64nvme) in inputs {
            if let Some(before) = before.get(&(crc64nvme, bytes)) {
                bail!(
                    "{name} is already in the data set, as {} ({}, checksum {crc64nvme}); nothing was changed; use --force to \
                     append it again",
                    before.name,
                    human::counted(before.rows.read, "line"),
                );
            }
        }
        Ok(())
    }

    /// Rejects repeated inputs before they are read, as far as a manifest states their checksums.
    ///
    /// # Errors
    ///
    /// Fails as [`reject_repeats`](Self::reject_repeats) does.
    pub fn reject_expected_repeats(&self, sources: &[Source]) -> Result<()> {
        let expected = sources.iter().filter_map(|source| source.expected.as_deref());
        self.reject_repeats(expected.map(|file| (file.name.as_str(), file.bytes, file.crc64nvme.as_str())))
    }

    /// Returns the names of the existing files that the run replaces or removes, including the `rewritten` ones.
    pub fn replaced_files(&self, rewritten: &[String]) -> std::collections::BTreeSet<String> {
        let Some(manifest) = &self.manifest else { return std::collections::BTreeSet::new() };
        let mut replaced = manifest.owned_files();
        if self.mode == Mode::Append {
            let removes_quarantine = self.is_reprocess;
            replaced.retain(|name| {
                name == MANIFEST_FILE
                    || rewritten.contains(name)
                    || removes_quarantine && manifest.quarantine.iter().any(|file| file.name == *name)
            });
        }
        replaced
    }

    /// Returns the number of lines that a file of the quarantine held when it was written.
    pub fn n_quarantined_in(&self, name: &str) -> u64 {
        let files = self.manifest.iter().flat_map(|manifest| &manifest.quarantine);
        files.filter(|file| file.name == format!("{QUARANTINE_DIR}/{name}")).map(|file| file.rows).sum()
    }

    /// Returns the row counts of the kept data set by market. If its quarantine is reprocessed, these lines are not
    /// included, because they are read and counted again.
    pub fn rows_by_market(&self) -> BTreeMap<String, RowCounts> {
        let mut rows = self.kept().map(row_counts_of).unwrap_or_default();
        if self.is_reprocess {
            for rows in rows.values_mut() {
                rows.read -= rows.quarantined;
                rows.quarantined = 0;
            }
        }
        rows
    }
}

/// Returns the row counts by market. Manifests of earlier versions lack them; there the rejected lines count for an unknown
/// market.
fn row_counts_of(manifest: &CuratedManifest) -> BTreeMap<String, RowCounts> {
    if !manifest.rows_by_market.is_empty() {
        return manifest.rows_by_market.clone();
    }
    let written =
        |(market, n): (&String, &u64)| (market.clone(), RowCounts { read: *n, written: *n, ..RowCounts::default() });
    let n_rejected = manifest.rows.quarantined;
    let rejected = RowCounts { read: n_rejected, quarantined: n_rejected, ..RowCounts::default() };
    let rejected = (n_rejected > 0).then(|| (UNKNOWN_MARKET.to_owned(), rejected));
    manifest.markets.iter().map(written).chain(rejected).collect()
}
