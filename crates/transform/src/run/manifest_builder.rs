//! The manifest of a data set: of what was there, what came to it, and what gave way.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use cli_support::{Messages, human};
use manifest::{CuratedManifest, CuratedStage, FORMAT, FileEntry, RawManifest, RowCounts, Tool};
use ticket_schema::Timestamp;

use crate::dedup::rewrite::Superseded;
use crate::run::conversion::Converted;
use crate::run::existing_dataset::ExistingDataset;
use crate::write::part_writer;
use jsonl::input::{Inputs, Source};

/// Describes the data set that consists of what stays of `current` and of what was `converted`; proves that no row is missing.
pub fn merge(
    current: &ExistingDataset,
    inputs: Inputs,
    mut converted: Converted,
    superseded: &Superseded,
    messages: &Messages,
) -> Result<CuratedManifest> {
    let kept = current.kept();
    let rows_by_market = rows_by_market(current, &converted, superseded);
    if current.is_reprocess {
        for input in &mut converted.inputs {
            input.taken_back = current.n_quarantined_in(&input.name);
        }
        say_what_was_taken_back(current, &converted, messages);
    }
    let origin = origin(inputs, &converted, messages);
    let latest_change = converted.latest_change.and_then(Timestamp::from_seconds);
    let as_of = origin.as_ref().map(|origin| origin.world.as_of).or(latest_change);
    // What the input's manifest says further is of its own tickets alone.
    let origin = origin.filter(|_| kept.is_none());

    let stays = |file: &&FileEntry| !superseded.replaced.contains(&file.name);
    let mut files: Vec<FileEntry> = kept.iter().flat_map(|kept| &kept.files).filter(stays).cloned().collect();
    files.extend(superseded.rewritten.iter().cloned());
    files.append(&mut converted.files);
    files.sort_by(|a, b| a.name.cmp(&b.name));
    let mut quarantine: Vec<FileEntry> =
        kept.filter(|_| !current.is_reprocess).map(|kept| kept.quarantine.clone()).unwrap_or_default();
    quarantine.append(&mut converted.quarantine);

    let manifest = CuratedManifest {
        format: FORMAT,
        stage: CuratedStage::Curated,
        tool: Tool { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        as_of: as_of.max(kept.and_then(|kept| kept.as_of)),
        world: origin.as_ref().map(|origin| origin.world.clone()),
        rows: rows_by_market.values().copied().sum(),
        markets: n_rows_by_market(&files),
        rows_by_market,
        superseded: kept.map_or(0, |kept| kept.superseded) + superseded.n_rows(),
        inputs: kept.iter().flat_map(|kept| kept.inputs.clone()).chain(converted.inputs).collect(),
        files,
        quarantine,
        expected_answers: origin.map(|origin| origin.expected_answers).filter(|answers| !answers.is_empty()),
    };
    prove(&manifest)?;
    Ok(manifest)
}

/// Rows that gave way change from written to left out.
fn rows_by_market(
    current: &ExistingDataset,
    converted: &Converted,
    superseded: &Superseded,
) -> BTreeMap<String, RowCounts> {
    let mut rows_by_market = current.rows_by_market();
    for (market, rows) in converted.reconciliation.by_market() {
        *rows_by_market.entry(market).or_default() += rows;
    }
    for (market, n_rows) in &superseded.by_market {
        if let Some(rows) = rows_by_market.get_mut(market.as_str()) {
            rows.written -= n_rows;
            rows.duplicates += n_rows;
        }
    }
    rows_by_market.retain(|_, rows| rows.read > 0);
    rows_by_market
}

fn n_rows_by_market(files: &[FileEntry]) -> BTreeMap<String, u64> {
    let mut markets = BTreeMap::new();
    for file in files {
        if let Some((market, _)) = part_writer::market_and_number(&file.name) {
            *markets.entry(market.as_str().to_owned()).or_default() += file.rows;
        }
    }
    markets
}

/// The manifest of the input, if its tickets are exactly those of the data set: expected answers hold only for exactly the tickets
/// they were counted over.
fn origin(inputs: Inputs, converted: &Converted, messages: &Messages) -> Option<RawManifest> {
    let mut as_expected = true;
    for (source, read) in inputs.sources.iter().zip(&converted.inputs) {
        if let Some(broken) = Source::manifest_mismatch(source, read) {
            messages.warn(format!("{broken}; the manifest's expected answers don't apply"));
            as_expected = false;
        }
    }
    let manifest = inputs.manifest?;
    let rows = converted.reconciliation.total();
    let n_copies = manifest.n_copies() - rows.duplicates.min(manifest.n_copies());
    if n_copies > 0 {
        messages.warn(format!(
            "{} of tickets, planted by generate --dirty, taken as tickets; the manifest's expected answers don't apply (they do \
             with --dedupe latest)",
            human::counted(n_copies, "further line")
        ));
    }
    let is_exact = as_expected
        && manifest.rows == rows.read
        && manifest.n_copies() == rows.duplicates
        && manifest.n_rejected() == rows.quarantined;
    Some(manifest).filter(|_| is_exact)
}

fn say_what_was_taken_back(current: &ExistingDataset, converted: &Converted, messages: &Messages) {
    let before: u64 = current.manifest.iter().map(|manifest| manifest.rows.quarantined).sum();
    let now = converted.reconciliation.total().read;
    if now < before {
        messages.warn(format!(
            "{} of the {before} lines that were in quarantine are not there any more, and count no longer",
            human::count(before - now),
        ));
    }
}

/// What the files hold is what the reconciliation says was written.
fn prove(manifest: &CuratedManifest) -> Result<()> {
    let written = |(market, rows): (&String, &RowCounts)| (rows.written > 0).then(|| (market.clone(), rows.written));
    let expected: BTreeMap<String, u64> = manifest.rows_by_market.iter().filter_map(written).collect();
    let taken_in: u64 = manifest.inputs.iter().map(|input| input.rows.written).sum();
    let n_quarantined: u64 = manifest.quarantine.iter().map(|file| file.rows).sum::<u64>() / 2;
    ensure!(
        manifest.markets == expected
            && manifest.rows.balance()
            && taken_in == manifest.rows.written + manifest.superseded
            && n_quarantined == manifest.rows.quarantined,
        "the data set would not hold what its manifest says: {:?}; this is a bug, and nothing was published",
        manifest.rows
    );
    Ok(())
}
