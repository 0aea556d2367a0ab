//! A transform run: from inputs to a published data set with a row count for every input and market.

pub mod error_limit;
pub mod existing_dataset;
pub mod manifest_builder;
pub mod pipeline;
pub mod preview;
pub mod reconciliation;
pub mod report;
pub mod workers;

use std::collections::BTreeSet;
use std::io::{BufWriter, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;

use anyhow::{Result, bail, ensure};
use cli_support::messages::ProgressUnit;
use cli_support::{Messages, human};
use executor::default_threads;
use jsonl::input::{Inputs, Source};
use manifest::Manifest;
use parquet_encode::Compression;
use publish::Staging;
use ticket_schema::names::{MANIFEST_FILE, QUARANTINE_DIR};

use crate::dedup::index::find_superseded_rows;
use crate::dedup::rewrite::{RewrittenFiles, rewrite_stored_files};
use crate::dedup::superseded_rows::SupersededRows;
use crate::run::error_limit::ErrorLimit;
use crate::run::existing_dataset::{ExistingDataset, Mode};
use crate::run::manifest_builder::build_manifest;
use crate::run::pipeline::{PipelineInput, PipelineOutput, run_pipeline};
use crate::run::report::Report;
use crate::write::part_writer::PartOptions;

/// The deduplication policy: the states of a ticket that are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Dedupe {
    /// Keep every line
    #[default]
    None,
    /// Keep the line with the latest updated_at of each ticket_id, compared with the existing tickets too
    #[expect(clippy::doc_markdown, reason = "a help text without markup")]
    Latest,
}

/// The configuration of a run.
#[derive(Clone, Debug)]
pub struct Config {
    /// The directory of the curated data set.
    pub output: PathBuf,
    /// The write mode; by default [`Mode::Overwrite`], or [`Mode::Append`] if the input is the data set's own quarantine.
    pub mode: Option<Mode>,
    /// The deduplication policy.
    pub dedupe: Dedupe,
    /// Accepts inputs that the data set already contains.
    pub force: bool,
    /// The number of rejected lines above which nothing is published.
    pub error_limit: ErrorLimit,
    /// The compression codec of the Parquet pages.
    pub compression: Compression,
    /// The target size of a Parquet file in bytes.
    pub target_file_bytes: u64,
    /// The number of worker threads. The output is the same for any number.
    pub threads: NonZeroUsize,
}

impl Config {
    /// The default target size of a Parquet file: one that Athena reads efficiently and whose page index fits in memory.
    pub const TARGET_FILE_BYTES: u64 = 128 << 20;

    /// Creates a configuration with defaults for everything but the output directory.
    pub fn new(output: impl Into<PathBuf>) -> Self {
        Self {
            output: output.into(),
            mode: None,
            dedupe: Dedupe::None,
            force: false,
            error_limit: ErrorLimit::Unlimited,
            compression: Compression::default(),
            target_file_bytes: Self::TARGET_FILE_BYTES,
            threads: default_threads(),
        }
    }

    const fn part_options(&self) -> PartOptions {
        PartOptions { compression: self.compression, target_file_bytes: self.target_file_bytes }
    }
}

/// Transforms `inputs` into the data set in the output directory, which is replaced atomically.
///
/// # Errors
///
/// Fails, and leaves the output directory as it was, if
/// * another run is writing to the same directory, or it holds another kind of data set;
/// * an input cannot be read, changes while it is read, or holds no tickets;
/// * the data set already contains an input, unless [`Config::force`] is set;
/// * more lines are rejected than [`Config::error_limit`] allows;
/// * a file cannot be written.
pub fn run_transform(config: &Config, mut inputs: Inputs, messages: &Messages) -> Result<Report> {
    let staging = Staging::begin(&config.output)?;
    let existing = ExistingDataset::find(&config.output, &inputs, config.mode)?;
    if !config.force {
        existing.reject_expected_repeats(&inputs.sources)?;
    }
    let stored = existing.stored_files()?;
    let (superseded, indexed_checksums) = match config.dedupe {
        Dedupe::None => (SupersededRows::default(), Vec::new()),
        Dedupe::Latest => {
            inputs.spool_standard_input(staging.scratch())?;
            let progress = messages.with_progress("deduplicate", inputs.n_bytes_expected(), ProgressUnit::BytesOfRows);
            find_superseded_rows(&stored, &inputs.sources, staging.scratch(), config.threads, &progress)?
        }
    };
    let output = {
        let progress = messages.with_progress("transform", inputs.n_bytes_expected(), ProgressUnit::BytesOfRows);
        let input = PipelineInput {
            sources: &inputs.sources,
            staging: &staging,
            part_options: config.part_options(),
            first_parts: existing.next_part_numbers(),
            quarantine_number: existing.next_quarantine_number(),
            superseded: superseded.clone(),
            error_limit: config.error_limit,
            threads: config.threads,
        };
        run_pipeline(input, &progress)?
    };
    for (indexed, read) in indexed_checksums.iter().zip(&output.inputs) {
        ensure!(
            *indexed == read.crc64nvme,
            "{} changed between the two passes of --dedupe latest; run again when no other program writes to it",
            read.name
        );
    }
    if output.reconciliation.total().read == 0 {
        let first = inputs.sources.iter().map(Source::display_name).take(3).collect::<Vec<_>>().join(", ");
        bail!("no tickets in {first}; there is nothing to transform, and nothing was changed");
    }
    if !config.force {
        existing.reject_repeats(output.inputs.iter().map(|it| (it.name.as_str(), it.bytes, it.crc64nvme.as_str())))?;
    }
    report_skipped_content(&output, messages);
    let rewritten = rewrite_stored_files(&stored, &superseded, &staging, config.part_options())?;
    let report = Report::new(&output);
    let manifest = build_manifest(&existing, inputs, output, &rewritten, messages)?;
    let mut file = BufWriter::new(staging.create(MANIFEST_FILE)?);
    manifest.write_json(&mut file)?;
    file.flush()?;
    drop(file);
    publish(staging, &existing, &rewritten, config, messages)?;
    if manifest.rows.quarantined > 0 {
        messages.warn(format!(
            "{} in quarantine, with the reasons in _reasons.jsonl; to reprocess them, fix them in place and run `transform \
             --input {}`",
            human::counted(manifest.rows.quarantined, "line"),
            config.output.join(QUARANTINE_DIR).display(),
        ));
    }
    Ok(report.with_dataset(&manifest))
}

fn publish(
    staging: Staging,
    existing: &ExistingDataset,
    rewritten: &RewrittenFiles,
    config: &Config,
    messages: &Messages,
) -> Result<()> {
    let kept: BTreeSet<String> = existing.kept().map(Manifest::owned_files).unwrap_or_default();
    for other in staging.publish(&existing.replaced_files(&rewritten.replaced))? {
        if !other.to_str().is_some_and(|name| kept.contains(name)) {
            messages.warn(format!("{} was not written by transform and is kept", config.output.join(other).display()));
        }
    }
    Ok(())
}

/// Reports rejected lines, unknown fields and blank lines.
fn report_skipped_content(output: &PipelineOutput, messages: &Messages) {
    for (field, rejections) in &output.rejections {
        messages.warn(format!(
            "{} rejected because of {}; first: {}",
            human::counted(rejections.n_records, "line"),
            field.unwrap_or("the line as a whole"),
            rejections.first
        ));
    }
    if let Some(fields) = output.unknown_fields.summary() {
        messages.warn(format!("unknown fields ignored: {fields}"));
    }
    if output.n_blank_lines > 0 {
        messages.note(format!("transform: {} skipped", human::counted(output.n_blank_lines, "blank line")));
    }
}
