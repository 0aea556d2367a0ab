//! One run: every line of every input to a partition or to quarantine, and the account of it.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use cli_support::messages::ProgressUnit;
use cli_support::publish::Staging;
use cli_support::{Messages, Outcome, human};
use ticket_schema::Timestamp;
use ticket_schema::manifest::{
    CuratedManifest, CuratedStage, FORMAT, FileEntry, InputEntry, Manifest, RawManifest, RowCounts, Tool,
};
use ticket_schema::names::{MANIFEST_FILE, QUARANTINE_DIR};

use crate::decode::{Decoder, Refusal};
use crate::input::{Inputs, Source};
use crate::lines::{Line, Lines, MAX_LINE_BYTES};
use crate::partitions::{Partitions, Written};
use crate::quarantine::{LINES_FILE, Place, Quarantine, REASONS_FILE};

/// What to do with a line that breaks the contract.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum OnError {
    /// Put it into quarantine and go on
    #[default]
    Quarantine,
    /// Stop at the first one and publish nothing
    Fail,
}

/// Where to write, and how to take errors.
#[derive(Clone, Debug)]
pub struct Config {
    /// The curated data set's directory.
    pub output: PathBuf,
    /// What to do with bad lines.
    pub on_error: OnError,
}

/// What a run has done.
#[derive(Clone, Debug)]
pub struct Report {
    /// What became of the rows.
    pub rows: RowCounts,
    /// How many markets there are.
    pub n_markets: u64,
    /// Bytes of Parquet.
    pub n_bytes: u64,
}

impl Report {
    /// `5,000 of 5,000 lines in 10 markets, 450.3 kB`.
    pub fn summary(&self) -> String {
        format!(
            "{} of {} in {}, {}",
            human::count(self.rows.written),
            human::counted(self.rows.read, "line"),
            human::counted(self.n_markets, "market"),
            human::bytes(self.n_bytes)
        )
    }

    /// Whether everything went in.
    pub const fn outcome(&self) -> Outcome {
        if self.rows.quarantined > 0 { Outcome::Quarantined } else { Outcome::Done }
    }
}

/// Reads `inputs` and replaces the data set in the output directory by what was in them.
pub fn run_transform(config: &Config, inputs: Inputs, messages: &Messages) -> Result<Report> {
    inputs.refuse_below(&config.output)?;
    let replaced = CuratedManifest::load(&config.output)
        .with_context(|| format!("{} holds something else; choose another --output", config.output.display()))?
        .map(|manifest| manifest.owned_files())
        .unwrap_or_default();
    let staging = Staging::begin(&config.output)?;
    let manifest = {
        let progress = messages.with_progress("transform", inputs.n_bytes(), ProgressUnit::Bytes);
        let mut run = Run::new(&staging, config.on_error, &progress);
        for source in &inputs.sources {
            run.read(source)?;
        }
        run.finish(inputs)?
    };
    staging.create(MANIFEST_FILE)?.write_all(manifest.to_json()?.as_bytes())?;
    for foreign in staging.publish(&replaced)? {
        messages.warn(format!("{} is not from transform and stays", config.output.join(foreign).display()));
    }
    if manifest.rows.quarantined > 0 {
        let dir = config.output.join(QUARANTINE_DIR);
        messages.warn(format!(
            "{} in quarantine: {}, with the reasons in {REASONS_FILE} beside it",
            human::counted(manifest.rows.quarantined, "line"),
            dir.join(LINES_FILE).display()
        ));
    }
    Ok(Report {
        rows: manifest.rows,
        n_markets: manifest.markets.len() as u64,
        n_bytes: manifest.files.iter().map(|file| file.bytes).sum(),
    })
}

struct Run<'a> {
    on_error: OnError,
    messages: &'a Messages,
    partitions: Partitions<'a>,
    quarantine: Quarantine<'a>,
    decoder: Decoder,
    inputs: Vec<InputEntry>,
    broken_promises: Vec<String>,
    n_blank_lines: u64,
    /// In whole seconds, rounded up.
    latest_change: Option<i64>,
}

impl<'a> Run<'a> {
    fn new(staging: &'a Staging, on_error: OnError, messages: &'a Messages) -> Self {
        Self {
            on_error,
            messages,
            partitions: Partitions::new(staging),
            quarantine: Quarantine::new(staging),
            decoder: Decoder::default(),
            inputs: Vec::new(),
            broken_promises: Vec::new(),
            n_blank_lines: 0,
            latest_change: None,
        }
    }

    fn read(&mut self, source: &Source) -> Result<()> {
        let shown = source.shown();
        let mut lines = Lines::new(source.open().with_context(|| format!("cannot open {shown}"))?);
        let mut rows = RowCounts::default();
        let mut n_bytes_shown = 0;
        while let Some(line) = lines.next_line().with_context(|| format!("cannot read {shown}"))? {
            if line.is_whole && line.bytes.iter().all(|byte| b" \t\r".contains(byte)) {
                self.n_blank_lines += 1;
                continue;
            }
            rows.read += 1;
            match self.decode_into_partition(&line)? {
                Ok(()) => rows.written += 1,
                Err(refusal) => {
                    rows.quarantined += 1;
                    let place = Place { file: shown.clone(), line: line.number, byte_offset: line.byte_offset };
                    if self.on_error == OnError::Fail {
                        bail!("{place} (byte {}): {refusal}; nothing was published", place.byte_offset);
                    }
                    self.quarantine.begin_line(&place, &refusal, line.bytes)?;
                    while let Some(piece) = lines.next_piece().with_context(|| format!("cannot read {shown}"))? {
                        self.quarantine.more(piece)?;
                    }
                    self.quarantine.end_line()?;
                }
            }
            let n_bytes_read = lines.reader().checksum().n_bytes();
            if n_bytes_read != n_bytes_shown {
                self.messages.advance(n_bytes_read - n_bytes_shown);
                n_bytes_shown = n_bytes_read;
            }
        }
        let checksum = lines.reader().checksum();
        let entry =
            InputEntry { name: source.name.clone(), bytes: checksum.n_bytes(), crc64nvme: checksum.to_base64(), rows };
        self.broken_promises.extend(source.broken_promise(&entry));
        self.inputs.push(entry);
        Ok(())
    }

    fn decode_into_partition(&mut self, line: &Line) -> Result<Result<(), Refusal>> {
        if !line.is_whole {
            return Ok(Err(Refusal::of_line(format!("is longer than {} MiB", MAX_LINE_BYTES >> 20))));
        }
        match self.decoder.decode(line.bytes) {
            Ok(row) => {
                self.latest_change = self.latest_change.max(Some(row.updated_at.seconds_rounded_up()));
                self.partitions.push(&row)?;
                Ok(Ok(()))
            }
            Err(refusal) => Ok(Err(refusal)),
        }
    }

    /// Closes the files, proves that no row is lost, and says what has to be said.
    fn finish(self, inputs: Inputs) -> Result<CuratedManifest> {
        let mut rows = RowCounts::default();
        for input in &self.inputs {
            rows.read += input.rows.read;
            rows.written += input.rows.written;
            rows.quarantined += input.rows.quarantined;
        }
        if rows.read == 0 {
            let shown = inputs.sources.iter().map(Source::shown).collect::<Vec<_>>().join(", ");
            bail!("no tickets in {shown}: there is nothing to transform, and nothing was changed");
        }
        self.say_what_was_passed_over();
        let quarantined = self.quarantine.n_lines();
        let quarantine = self.quarantine.finish()?;
        let Written { files, markets } = self.partitions.finish()?;
        prove_conservation(rows, &files, quarantined)?;

        // Expected answers hold only for exactly the tickets they were counted over.
        let n_copies = inputs.manifest.as_ref().map_or(0, RawManifest::n_copies);
        if n_copies > 0 {
            self.messages.warn(format!(
                "{} of tickets, planted by generate --dirty, taken as tickets; the manifest's expected answers don't apply",
                human::counted(n_copies, "further line")
            ));
        }
        let as_promised = self.broken_promises.is_empty();
        let origin = inputs.manifest.filter(|manifest| {
            as_promised && manifest.rows == rows.read && manifest.answers_hold_without(rows.quarantined)
        });
        let latest_change = self.latest_change.and_then(Timestamp::from_seconds);
        Ok(CuratedManifest {
            format: FORMAT,
            stage: CuratedStage::Curated,
            tool: Tool { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
            as_of: origin.as_ref().map(|origin| origin.world.as_of).or(latest_change),
            world: origin.as_ref().map(|origin| origin.world.clone()),
            rows,
            markets,
            inputs: self.inputs,
            files,
            quarantine,
            expected_answers: origin.map(|origin| origin.expected_answers),
        })
    }

    fn say_what_was_passed_over(&self) {
        for broken_promise in &self.broken_promises {
            self.messages.warn(format!("{broken_promise}; the manifest's expected answers don't apply"));
        }
        for (field, example) in self.quarantine.examples() {
            self.messages.warn(format!(
                "{} refused because of {}; the first is {}",
                human::counted(example.n_lines, "line"),
                field.unwrap_or("the line as a whole"),
                example.first
            ));
        }
        if let Some(fields) = self.decoder.unknown_fields().summary() {
            self.messages.warn(format!("ignored fields that the contract doesn't know: {fields}"));
        }
        if self.n_blank_lines > 0 {
            self.messages.note(format!("transform: {} passed over", human::counted(self.n_blank_lines, "blank line")));
        }
    }
}

/// Every line that was read is in a finished file: `rows` was counted while reading, the others are what the files say.
fn prove_conservation(rows: RowCounts, files: &[FileEntry], quarantined: u64) -> Result<()> {
    let written: u64 = files.iter().map(|file| file.rows).sum();
    let proven = RowCounts { read: rows.read, written, quarantined };
    ensure!(
        proven == rows && rows.balance(),
        "rows are lost: {} read, but {written} in Parquet and {quarantined} in quarantine; this is a bug, and nothing was \
         published",
        rows.read
    );
    Ok(())
}
