//! One run: every line of every input to a partition or to quarantine, and the reconciliation of it.

pub mod conversion;
pub mod error_limit;
pub mod existing_dataset;
pub mod manifest_builder;
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
use manifest::Manifest;
use publish::Staging;
use ticket_schema::names::{MANIFEST_FILE, QUARANTINE_DIR};

use crate::dedup::index::find_superseded_rows;
use crate::dedup::rewrite::{Superseded, supersede};
use crate::dedup::superseded_rows::SupersededRows;
use crate::parquet_file::Compression;
use crate::run::conversion::{Converted, Job, convert};
use crate::run::error_limit::ErrorLimit;
use crate::run::existing_dataset::{ExistingDataset, Mode};
use crate::run::manifest_builder::merge;
use crate::run::report::Report;
use crate::write::part_writer::Layout;
use jsonl::input::{Inputs, Source};

/// Which states of a ticket are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Dedupe {
    /// Every line is a row
    #[default]
    None,
    /// Of all lines with one identifier that with the latest change, also among the tickets that are there already
    Latest,
}

/// Where to write, and how.
#[derive(Clone, Debug)]
pub struct Config {
    /// The curated data set's directory.
    pub output: PathBuf,
    /// What happens to the tickets that are there; by default they go, unless their quarantine is taken back.
    pub mode: Option<Mode>,
    /// What happens to several states of a ticket.
    pub dedupe: Dedupe,
    /// Whether an input may be taken in that was taken in before.
    pub force: bool,
    /// How many bad lines are borne.
    pub error_limit: ErrorLimit,
    /// How files are compressed.
    pub compression: Compression,
    /// How long a file may become before the next one begins, in bytes.
    pub target_file_bytes: u64,
    /// How many threads work. They don't change a byte of the output.
    pub threads: NonZeroUsize,
}

impl Config {
    /// A file that Athena reads well by itself, and whose page index fits in memory.
    pub const TARGET_FILE_BYTES: u64 = 128 << 20;

    /// What is done if nothing else is asked for.
    pub fn new(output: impl Into<PathBuf>) -> Self {
        Self {
            output: output.into(),
            mode: None,
            dedupe: Dedupe::None,
            force: false,
            error_limit: ErrorLimit::Any,
            compression: Compression::default(),
            target_file_bytes: Self::TARGET_FILE_BYTES,
            threads: default_threads(),
        }
    }

    const fn layout(&self) -> Layout {
        Layout { compression: self.compression, target_file_bytes: self.target_file_bytes }
    }
}

/// Reads `inputs` into the data set in the output directory. It appears whole, or not at all.
pub fn run_transform(config: &Config, mut inputs: Inputs, messages: &Messages) -> Result<Report> {
    let staging = Staging::begin(&config.output)?;
    let current = ExistingDataset::find(&config.output, &inputs, config.mode)?;
    if !config.force {
        current.refuse_expected_repeats(&inputs.sources)?;
    }
    let stored = current.stored()?;
    let (duplicates, compared) = match config.dedupe {
        Dedupe::None => (SupersededRows::default(), Vec::new()),
        Dedupe::Latest => {
            inputs.spool_standard_input(staging.scratch())?;
            let progress = messages.with_progress("compare", inputs.n_bytes_expected(), ProgressUnit::BytesOfRows);
            find_superseded_rows(&stored, &inputs.sources, staging.scratch(), config.threads, &progress)?
        }
    };
    let converted = {
        let progress = messages.with_progress("transform", inputs.n_bytes_expected(), ProgressUnit::BytesOfRows);
        let job = Job {
            sources: &inputs.sources,
            staging: &staging,
            layout: config.layout(),
            first_parts: current.first_parts(),
            quarantine_number: current.quarantine_number(),
            duplicates: duplicates.clone(),
            error_limit: config.error_limit,
            threads: config.threads,
        };
        convert(job, &progress)?
    };
    for (compared, read) in compared.iter().zip(&converted.inputs) {
        ensure!(
            *compared == read.crc64nvme,
            "{} changed between comparing and writing its tickets; run again when nobody writes it",
            read.name
        );
    }
    if converted.reconciliation.total().read == 0 {
        let shown = inputs.sources.iter().map(Source::shown).take(3).collect::<Vec<_>>().join(", ");
        bail!("no tickets in {shown}: there is nothing to transform, and nothing was changed");
    }
    if !config.force {
        current
            .refuse_repeats(converted.inputs.iter().map(|it| (it.name.as_str(), it.bytes, it.crc64nvme.as_str())))?;
    }
    say_what_was_passed_over(&converted, messages);
    let superseded = supersede(&stored, &duplicates, &staging, config.layout())?;
    let report = Report::new(&converted);
    let manifest = merge(&current, inputs, converted, &superseded, messages)?;
    let mut file = BufWriter::new(staging.create(MANIFEST_FILE)?);
    manifest.write_json(&mut file)?;
    file.flush()?;
    drop(file);
    publish(staging, &current, &superseded, config, messages)?;
    if manifest.rows.quarantined > 0 {
        messages.warn(format!(
            "{} in quarantine, with the reasons beside them; to take them in, mend them and run transform --input {}",
            human::counted(manifest.rows.quarantined, "line"),
            config.output.join(QUARANTINE_DIR).display(),
        ));
    }
    Ok(report.of(&manifest))
}

fn publish(
    staging: Staging,
    current: &ExistingDataset,
    superseded: &Superseded,
    config: &Config,
    messages: &Messages,
) -> Result<()> {
    let stays: BTreeSet<String> = current.kept().map(Manifest::owned_files).unwrap_or_default();
    for other in staging.publish(&current.replaced(&superseded.replaced))? {
        if !other.to_str().is_some_and(|name| stays.contains(name)) {
            messages.warn(format!("{} is not from transform and stays", config.output.join(other).display()));
        }
    }
    Ok(())
}

fn say_what_was_passed_over(converted: &Converted, messages: &Messages) {
    for (field, example) in &converted.rejected {
        messages.warn(format!(
            "{} rejected because of {}; the first is {}",
            human::counted(example.n_lines, "line"),
            field.unwrap_or("the line as a whole"),
            example.first
        ));
    }
    if let Some(fields) = converted.unknown_fields.summary() {
        messages.warn(format!("ignored fields that the contract doesn't know: {fields}"));
    }
    if converted.n_blank_lines > 0 {
        messages.note(format!("transform: {} passed over", human::counted(converted.n_blank_lines, "blank line")));
    }
}
