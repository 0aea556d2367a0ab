//! Builds the manifest of a data set from existing, new and superseded files.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use cli_support::{Messages, human};
use jsonl::input::{Inputs, Source};
use manifest::{CuratedManifest, CuratedStage, FORMAT, FileEntry, RawManifest, RowCounts, Tool};
use ticket_schema::Timestamp;

use crate::dedup::rewrite::RewrittenFiles;
use crate::run::existing_dataset::ExistingDataset;
use crate::run::pipeline::PipelineOutput;
use crate::write::part_writer::market_and_number;

/// Builds the manifest of the kept files of `existing` and the new files of `output`, and verifies that no row is missing.
///
/// # Errors
///
/// Fails if the row counts of the files do not match the reconciliation.
pub fn build_manifest(
    existing: &ExistingDataset,
    inputs: Inputs,
    mut output: PipelineOutput,
    rewritten: &RewrittenFiles,
    messages: &Messages,
) -> Result<CuratedManifest> {
    let kept = existing.kept();
    let rows_by_market = rows_by_market(existing, &output, rewritten);
    if existing.is_reprocess {
        for input in &mut output.inputs {
            input.taken_back = existing.n_quarantined_in(&input.name);
        }
        report_removed_lines(existing, &output, messages);
    }
    let origin = origin(inputs, &output, messages);
    let latest_change = output.latest_change.and_then(Timestamp::from_seconds);
    let as_of = origin.as_ref().map(|origin| origin.world.as_of).or(latest_change);
    // The rest of the input's manifest describes only its own tickets, not those that were kept.
    let origin = origin.filter(|_| kept.is_none());

    let is_kept = |file: &&FileEntry| !rewritten.replaced.contains(&file.name);
    let mut files: Vec<FileEntry> = kept.iter().flat_map(|kept| &kept.files).filter(is_kept).cloned().collect();
    files.extend(rewritten.rewritten.iter().cloned());
    files.append(&mut output.files);
    files.sort_by(|a, b| a.name.cmp(&b.name));
    let mut quarantine: Vec<FileEntry> =
        kept.filter(|_| !existing.is_reprocess).map(|kept| kept.quarantine.clone()).unwrap_or_default();
    quarantine.append(&mut output.quarantine);

    let manifest = CuratedManifest {
        format: FORMAT,
        stage: CuratedStage::Curated,
        tool: Tool { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        as_of: as_of.max(kept.and_then(|kept| kept.as_of)),
        world: origin.as_ref().map(|origin| origin.world.clone()),
        rows: rows_by_market.values().copied().sum(),
        markets: n_rows_by_market(&files),
        rows_by_market,
        superseded: kept.map_or(0, |kept| kept.superseded) + rewritten.n_rows(),
        inputs: kept.iter().flat_map(|kept| kept.inputs.clone()).chain(output.inputs).collect(),
        files,
        quarantine,
        expected_answers: origin.map(|origin| origin.expected_answers).filter(|answers| !answers.is_empty()),
    };
    verify(&manifest)?;
    Ok(manifest)
}

/// Returns the row counts by market. Superseded rows move from written to duplicates.
fn rows_by_market(
    existing: &ExistingDataset,
    output: &PipelineOutput,
    rewritten: &RewrittenFiles,
) -> BTreeMap<String, RowCounts> {
    let mut rows_by_market = existing.rows_by_market();
    for (market, rows) in output.reconciliation.by_market() {
        *rows_by_market.entry(market).or_default() += rows;
    }
    for (market, n_rows) in &rewritten.by_market {
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
        if let Some((market, _)) = market_and_number(&file.name) {
            *markets.entry(market.as_str().to_owned()).or_default() += file.rows;
        }
    }
    markets
}

/// Returns the manifest of the input if the data set holds exactly its tickets, because expected answers are valid only for
/// the tickets that they were computed from.
fn origin(inputs: Inputs, output: &PipelineOutput, messages: &Messages) -> Option<RawManifest> {
    let mut as_expected = true;
    for (source, read) in inputs.sources.iter().zip(&output.inputs) {
        if let Some(mismatch) = Source::manifest_mismatch(source, read) {
            messages.warn(format!("{mismatch}; the manifest's expected answers don't apply"));
            as_expected = false;
        }
    }
    let manifest = inputs.manifest?;
    let rows = output.reconciliation.total();
    let n_copies = manifest.n_copies() - rows.duplicates.min(manifest.n_copies());
    if n_copies > 0 {
        messages.warn(format!(
            "{} injected by `generate --dirty` counted as tickets; the manifest's expected answers don't apply (with --dedupe \
             latest they do)",
            human::counted(n_copies, "duplicate line")
        ));
    }
    let is_exact = as_expected
        && manifest.rows == rows.read
        && manifest.n_copies() == rows.duplicates
        && manifest.n_rejected() == rows.quarantined;
    Some(manifest).filter(|_| is_exact)
}

fn report_removed_lines(existing: &ExistingDataset, output: &PipelineOutput, messages: &Messages) {
    let before: u64 = existing.manifest.iter().map(|manifest| manifest.rows.quarantined).sum();
    let now = output.reconciliation.total().read;
    if now < before {
        messages.warn(format!(
            "{} of {before} quarantined lines were removed from the quarantine and are no longer counted",
            human::count(before - now),
        ));
    }
}

/// Verifies that the files hold the rows that the reconciliation counted as written.
fn verify(manifest: &CuratedManifest) -> Result<()> {
    let written = |(market, rows): (&String, &RowCounts)| (rows.written > 0).then(|| (market.clone(), rows.written));
    let expected: BTreeMap<String, u64> = manifest.rows_by_market.iter().filter_map(written).collect();
    let n_transformed: u64 = manifest.inputs.iter().map(|input| input.rows.written).sum();
    // Each record is in two files: the records and the reasons.
    let n_quarantined: u64 = manifest.quarantine.iter().map(|file| file.rows).sum::<u64>() / 2;
    ensure!(
        manifest.markets == expected
            && manifest.rows.balance()
            && n_transformed == manifest.rows.written + manifest.superseded
            && n_quarantined == manifest.rows.quarantined,
        "the manifest does not match the files: {:?}; this is a bug, and nothing was published",
        manifest.rows
    );
    Ok(())
}
