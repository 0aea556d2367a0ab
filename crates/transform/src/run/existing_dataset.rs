//! The data set that lies in the output directory when a run begins, and what the run does with it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use cli_support::human;
use manifest::{CuratedManifest, FileEntry, InputEntry, Manifest, RowCounts};
use ticket_schema::names::{MANIFEST_FILE, QUARANTINE_DIR, UNKNOWN_MARKET};

use crate::decode::Market;
use crate::dedup::stored_rows::StoredFile;
use crate::write::part_writer;
use crate::write::quarantine;
use jsonl::input::{Inputs, Source};

/// What happens to the tickets that are there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Mode {
    /// They go: the whole data set is replaced
    Overwrite,
    /// They stay, and the new ones are put beside them
    Append,
}

/// A curated data set as it is.
#[derive(Debug)]
pub struct ExistingDataset {
    dir: PathBuf,
    /// What it says of itself; `None` if there is none.
    pub manifest: Option<CuratedManifest>,
    /// What is to happen to it.
    pub mode: Mode,
    /// Whether the input is its own quarantine, with mended lines.
    pub is_reprocess: bool,
}

impl ExistingDataset {
    /// Looks at what lies in `dir`. Without a `mode` a quarantine is taken back by appending, and anything else replaces.
    pub fn find(dir: &Path, inputs: &Inputs, mode: Option<Mode>) -> Result<Self> {
        let manifest = CuratedManifest::load(dir)
            .with_context(|| format!("{} holds something else; choose another --output", dir.display()))?;
        let is_reprocess = inputs.lie_in(&dir.join(QUARANTINE_DIR));
        if !is_reprocess || mode == Some(Mode::Overwrite) {
            inputs.refuse_below(dir)?;
        }
        let mode = mode.unwrap_or(if is_reprocess { Mode::Append } else { Mode::Overwrite });
        let current = Self { dir: dir.to_owned(), manifest, mode, is_reprocess };
        if mode == Mode::Append {
            current.ensure_intact()?;
        }
        Ok(current)
    }

    /// Nothing is put beside files that aren't what the manifest says.
    fn ensure_intact(&self) -> Result<()> {
        let quarantine = self.manifest.iter().flat_map(|manifest| &manifest.quarantine).filter(|_| !self.is_reprocess);
        for file in self.manifest.iter().flat_map(|manifest| &manifest.files).chain(quarantine) {
            let path = self.dir.join(&file.name);
            let n_bytes = path.metadata().map(|metadata| metadata.len());
            let is_mended = file.name.starts_with(QUARANTINE_DIR);
            let advice = if is_mended { ", or take it in first with --input" } else { "" };
            ensure!(
                n_bytes.is_ok_and(|n_bytes| n_bytes == file.bytes),
                "{} is not as transform wrote it, so nothing can be put beside it; bring it back, make the data set anew with \
                 --mode overwrite{advice}",
                path.display()
            );
        }
        Ok(())
    }

    /// What stays.
    pub fn kept(&self) -> Option<&CuratedManifest> {
        self.manifest.as_ref().filter(|_| self.mode == Mode::Append)
    }

    /// The Parquet files that stay.
    pub fn stored(&self) -> Result<Vec<StoredFile>> {
        let files = self.kept().map_or(&[][..], |manifest| &manifest.files);
        let stored = |file: &FileEntry| {
            let (market, _) = part_writer::market_and_number(&file.name)
                .with_context(|| format!("{} has a name that transform doesn't give", file.name))?;
            Ok(StoredFile { entry: file.clone(), path: self.dir.join(&file.name), market })
        };
        files.iter().map(stored).collect()
    }

    /// The number of the first new part of each market.
    pub fn first_parts(&self) -> BTreeMap<Market, u64> {
        let mut first = BTreeMap::new();
        for file in self.kept().iter().flat_map(|manifest| &manifest.files) {
            if let Some((market, number)) = part_writer::market_and_number(&file.name) {
                let first: &mut u64 = first.entry(market).or_default();
                *first = (*first).max(number + 1);
            }
        }
        first
    }

    /// The number of the next quarantine: those that stay keep their names.
    pub fn quarantine_number(&self) -> u64 {
        let stays = self.kept().filter(|_| !self.is_reprocess);
        let names = stays.iter().flat_map(|manifest| &manifest.quarantine).map(|file| file.name.as_str());
        names.filter_map(quarantine::number).max().map_or(0, |number| number + 1)
    }

    /// Refuses an input that was taken in before.
    pub fn refuse_repeats<'i>(&self, inputs: impl Iterator<Item = (&'i str, u64, &'i str)>) -> Result<()> {
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
                    "{name} was taken in before, as {} ({}, checksum {crc64nvme}); nothing was changed. Use --force to take \
                     it in again",
                    before.name,
                    human::counted(before.rows.read, "line"),
                );
            }
        }
        Ok(())
    }

    /// The same, as far as manifests say beforehand what the inputs hold.
    pub fn refuse_expected_repeats(&self, sources: &[Source]) -> Result<()> {
        let promised = sources.iter().filter_map(|source| source.expected.as_deref());
        self.refuse_repeats(promised.map(|file| (file.name.as_str(), file.bytes, file.crc64nvme.as_str())))
    }

    /// The files of the data set that don't stay, apart from `rewritten` ones; each by its name.
    pub fn replaced(&self, rewritten: &[String]) -> std::collections::BTreeSet<String> {
        let Some(manifest) = &self.manifest else { return std::collections::BTreeSet::new() };
        let mut replaced = manifest.owned_files();
        if self.mode == Mode::Append {
            let quarantine_goes = self.is_reprocess;
            replaced.retain(|name| {
                name == MANIFEST_FILE
                    || rewritten.contains(name)
                    || quarantine_goes && manifest.quarantine.iter().any(|file| file.name == *name)
            });
        }
        replaced
    }

    /// How many lines of the quarantine a file of it held before it was mended.
    pub fn n_quarantined_in(&self, name: &str) -> u64 {
        let files = self.manifest.iter().flat_map(|manifest| &manifest.quarantine);
        files.filter(|file| file.name == format!("{QUARANTINE_DIR}/{name}")).map(|file| file.rows).sum()
    }

    /// What was known of the rows before this run: without the lines of a quarantine that is taken back, which are read again.
    pub fn rows_by_market(&self) -> BTreeMap<String, RowCounts> {
        let mut rows = self.kept().map(of_manifest).unwrap_or_default();
        if self.is_reprocess {
            for rows in rows.values_mut() {
                rows.read -= rows.quarantined;
                rows.quarantined = 0;
            }
        }
        rows
    }
}

/// Manifests of earlier versions don't tell what became of the rows of each market.
fn of_manifest(manifest: &CuratedManifest) -> BTreeMap<String, RowCounts> {
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
