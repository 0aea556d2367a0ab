//! From inputs to Parquet files and quarantine: batches come in, in order, and full row groups go out.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use anyhow::{Context, Result, bail};
use cli_support::Messages;
use executor::{CancellationToken, ReorderBuffer};
use manifest::{FileEntry, InputEntry};
use publish::Checksum;
use publish::Staging;

use crate::decode::Market;
use crate::decode::batch::{Batch, RejectedLine};
use crate::decode::unknown_fields::UnknownFields;
use crate::dedup::superseded_rows::SupersededRows;
use crate::parquet_file::{Compression, Encoder};
use crate::partition::buffers::{BufferPool, PartitionBuffers, RowGroup};
use crate::run::error_limit::ErrorLimit;
use crate::run::reconciliation::Reconciliation;
use crate::run::workers::{Consumer, for_each_batch};
use crate::write::part_writer::{Layout, PartWriter};
use crate::write::quarantine::{Example, Place, Quarantine};
use jsonl::chunks::{Content, InputChecksum};
use jsonl::input::Source;

/// What is converted, and how.
pub struct Job<'a> {
    /// The inputs.
    pub sources: &'a [Source],
    /// Where the files go.
    pub staging: &'a Staging,
    /// How the files are made.
    pub layout: Layout,
    /// The number of the first new part of those markets that have others already.
    pub first_parts: BTreeMap<Market, u64>,
    /// The number of the quarantine's files.
    pub quarantine_number: u64,
    /// The rows to leave out.
    pub duplicates: SupersededRows,
    /// How many bad lines are borne.
    pub error_limit: ErrorLimit,
    /// How many threads work.
    pub threads: NonZeroUsize,
}

/// What became of the inputs.
#[derive(Debug)]
pub struct Converted {
    /// Of every row.
    pub reconciliation: Reconciliation,
    /// What was read.
    pub inputs: Vec<InputEntry>,
    /// The Parquet files, by name.
    pub files: Vec<FileEntry>,
    /// The quarantine's files.
    pub quarantine: Vec<FileEntry>,
    /// By the field at fault, how many lines were rejected, and the first.
    pub rejected: BTreeMap<Option<&'static str>, Example>,
    /// What was ignored.
    pub unknown_fields: UnknownFields,
    /// Lines that hold nothing.
    pub n_blank_lines: u64,
    /// The latest `updated_at`, in whole seconds rounded up.
    pub latest_change: Option<i64>,
}

/// Converts all inputs; the files are finished then, and every row is accounted for.
pub fn convert(job: Job, messages: &Messages) -> Result<Converted> {
    let conversion = Conversion {
        intake: ReorderBuffer::new(
            Intake {
                sources: job.sources,
                error_limit: job.error_limit,
                messages,
                duplicates: job.duplicates,
                partitions: PartitionBuffers::default(),
                quarantine: Quarantine::new(job.staging, job.quarantine_number),
                reconciliation: Reconciliation::default(),
                inputs: Vec::new(),
                checksum: InputChecksum::default(),
                n_lines: 0,
                n_blank_lines: 0,
                latest_change: None,
            },
            job.threads.get(),
        ),
        pool: BufferPool::default(),
        parts: PartWriter::new(job.staging, job.layout, job.first_parts),
        compression: job.layout.compression,
    };
    let unknown_fields = for_each_batch(job.sources, job.threads, &conversion)?;
    let intake = conversion.intake.into_inner().context("a batch was not taken; this is a bug")?;
    let files = conversion.parts.finish()?;
    let (n_quarantined, rejected) = (intake.quarantine.n_lines(), intake.quarantine.examples().clone());
    intake.reconciliation.prove(&files, n_quarantined)?;
    intake.error_limit.judge(intake.reconciliation.total())?;
    Ok(Converted {
        reconciliation: intake.reconciliation,
        inputs: intake.inputs,
        files,
        quarantine: intake.quarantine.finish()?,
        rejected,
        unknown_fields,
        n_blank_lines: intake.n_blank_lines,
        latest_change: intake.latest_change,
    })
}

struct Conversion<'a> {
    intake: ReorderBuffer<Intake<'a>, Batch>,
    /// Memory for the rows that will wait.
    pool: BufferPool,
    parts: PartWriter<'a>,
    compression: Compression,
}

impl Consumer for Conversion<'_> {
    type Tools = Encoder;

    fn tools(&self) -> Result<Encoder> {
        Encoder::new(self.compression)
    }

    fn take(
        &self,
        number: u64,
        batch: Batch,
        encoder: &mut Encoder,
        stop: &CancellationToken,
    ) -> Result<Option<Batch>> {
        let mut full = Vec::new();
        let spare =
            self.intake.deliver(number, batch, stop, |intake, batch| intake.take(batch, &self.pool, &mut full))?;
        full.into_iter().try_for_each(|row_group| self.write(row_group, encoder, stop))?;
        Ok(spare)
    }

    fn finish(&self, n_batches: u64, encoder: &mut Encoder, stop: &CancellationToken) -> Result<()> {
        self.pool.close();
        let pop = |intake: &mut Intake| intake.partitions.pop_fullest();
        while let Some(row_group) = self.intake.after(n_batches, stop, pop)? {
            self.write(row_group, encoder, stop)?;
        }
        Ok(())
    }
}

impl Conversion<'_> {
    fn write(&self, row_group: RowGroup, encoder: &mut Encoder, stop: &CancellationToken) -> Result<()> {
        let encoded_rows = encoder.encode(&row_group.blocks)?;
        self.pool.take_back(row_group.blocks);
        // Here and not while the others wait for the file.
        let mut checksum = Checksum::default();
        checksum.update(encoded_rows.bytes());
        let bytes = self.parts.write(row_group.market, row_group.number, encoded_rows, &checksum, stop)?;
        encoder.use_again(bytes);
        Ok(())
    }
}

/// What sees the batches in order.
struct Intake<'a> {
    sources: &'a [Source],
    error_limit: ErrorLimit,
    messages: &'a Messages,
    duplicates: SupersededRows,
    partitions: PartitionBuffers,
    quarantine: Quarantine<'a>,
    reconciliation: Reconciliation,
    inputs: Vec<InputEntry>,
    /// Of the input that is being read.
    checksum: InputChecksum,
    n_lines: u64,
    n_blank_lines: u64,
    latest_change: Option<i64>,
}

impl Intake<'_> {
    /// Takes a batch; adds the row groups that are full by it to `full`.
    fn take(&mut self, batch: &mut Batch, pool: &BufferPool, full: &mut Vec<RowGroup>) -> Result<()> {
        let source = batch.chunk.source;
        self.reconciliation.begin_input(source);
        let mut kept = Vec::new();
        for (market, rows) in batch.markets.iter_mut().filter(|(_, rows)| !rows.is_empty()) {
            kept.clear();
            let n_left_out = self.duplicates.kept(*market, rows.len(), |range| kept.push(range));
            self.reconciliation.take_rows(source, *market, rows.len() as u64, n_left_out);
            self.partitions.take(*market, rows, &kept, pool, full);
        }
        self.partitions.flush_over_budget(full);
        for rejected in &batch.rejected {
            self.reconciliation.count_rejected(source, rejected.refusal.market);
        }
        self.quarantine_lines(batch)?;
        self.n_lines += batch.n_lines;
        self.n_blank_lines += batch.n_blank_lines;
        self.latest_change = self.latest_change.max(batch.latest_change);
        self.messages.advance(batch.chunk.checksum.n_bytes());
        self.messages.advance_rows(batch.n_lines);
        if let Some(checksum) = self.checksum.take(&batch.chunk) {
            let rows = self.reconciliation.by_input[source];
            let name = self.sources[source].name.to_string();
            let (bytes, crc64nvme) = (checksum.n_bytes(), checksum.to_base64());
            self.inputs.push(InputEntry { name, bytes, crc64nvme, rows, taken_back: 0 });
            self.n_lines = 0;
        }
        Ok(())
    }

    fn quarantine_lines(&mut self, batch: &Batch) -> Result<()> {
        for rejected in &batch.rejected {
            let place = self.place(batch, rejected);
            if self.error_limit.is_exceeded_by(self.quarantine.n_lines() + 1) {
                bail!(
                    "{place} (byte {}): {}; {}; nothing was published",
                    place.byte_offset,
                    rejected.refusal,
                    self.error_limit
                );
            }
            self.quarantine.begin_line(&place, &rejected.refusal, batch.line(rejected))?;
            if batch.chunk.content == Content::Lines {
                self.quarantine.end_line()?;
            }
        }
        if let Content::MoreOfLongLine { is_last } = batch.chunk.content {
            self.quarantine.more(batch.chunk.bytes())?;
            if is_last {
                self.quarantine.end_line()?;
            }
        }
        Ok(())
    }

    fn place(&self, batch: &Batch, rejected: &RejectedLine) -> Place {
        Place {
            file: self.sources[batch.chunk.source].shown(),
            line: self.n_lines + rejected.n_before + 1,
            byte_offset: batch.chunk.byte_offset + rejected.start as u64,
        }
    }
}
