//! The pipeline from inputs to Parquet files and quarantine.
//!
//! Workers decode chunks to batches in any order. An ordered stage takes the batches in input order and partitions their
//! rows. The worker whose batch fills a row group encodes and writes it.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use anyhow::{Context, Result, bail};
use cli_support::Messages;
use executor::{CancellationToken, ReorderBuffer};
use jsonl::chunks::{Content, InputChecksum};
use jsonl::input::Source;
use manifest::{FileEntry, InputEntry};
use parquet_encode::Compression;
use publish::{Checksum, Staging};

use crate::decode::batch::{Batch, RejectedRecord};
use crate::decode::unknown_fields::UnknownFields;
use crate::dedup::superseded_rows::SupersededRows;
use crate::partition::buffers::{BufferPool, PartitionBuffers, RowGroup};
use crate::rows::row::Market;
use crate::run::error_limit::ErrorLimit;
use crate::run::reconciliation::Reconciliation;
use crate::run::workers::{Consumer, for_each_batch};
use crate::write::part_writer::{PartOptions, PartWriter};
use crate::write::quarantine::{FieldRejections, Quarantine, SourcePosition};
use crate::write::row_group::Encoder;

/// The inputs and parameters of the pipeline.
pub struct PipelineInput<'a> {
    /// The inputs, in their order.
    pub sources: &'a [Source],
    /// The staging directory for all files.
    pub staging: &'a Staging,
    /// Properties of the Parquet parts.
    pub part_options: PartOptions,
    /// The number of the first new part of each market that has parts already.
    pub first_parts: BTreeMap<Market, u64>,
    /// The number of the quarantine's files.
    pub quarantine_number: u64,
    /// The rows to drop.
    pub superseded: SupersededRows,
    /// The number of rejected lines above which the pipeline fails.
    pub error_limit: ErrorLimit,
    /// The number of worker threads.
    pub threads: NonZeroUsize,
}

/// The files that the pipeline has written, and the row counts.
#[derive(Debug)]
pub struct PipelineOutput {
    /// The row counts by input and by market.
    pub reconciliation: Reconciliation,
    /// The inputs that were read, with their checksums and row counts.
    pub inputs: Vec<InputEntry>,
    /// The Parquet files, sorted by path.
    pub files: Vec<FileEntry>,
    /// The quarantine's files.
    pub quarantine: Vec<FileEntry>,
    /// The rejected lines by the field at fault; `None` stands for the line as a whole.
    pub rejections: BTreeMap<Option<&'static str>, FieldRejections>,
    /// The fields that the contract does not define.
    pub unknown_fields: UnknownFields,
    /// The number of blank lines.
    pub n_blank_lines: u64,
    /// The latest `updated_at` in whole seconds since 1970, rounded up.
    pub latest_change: Option<i64>,
}

/// Transforms all inputs. On success the files are complete and the row counts are verified against them.
///
/// # Errors
///
/// Fails if an input cannot be read, a file cannot be written, or more lines are rejected than the error limit allows.
pub fn run_pipeline(input: PipelineInput, messages: &Messages) -> Result<PipelineOutput> {
    let pipeline = Pipeline {
        ordered: ReorderBuffer::new(
            OrderedStage {
                sources: input.sources,
                error_limit: input.error_limit,
                messages,
                superseded: input.superseded,
                partitions: PartitionBuffers::default(),
                quarantine: Quarantine::new(input.staging, input.quarantine_number),
                reconciliation: Reconciliation::default(),
                inputs: Vec::new(),
                checksum: InputChecksum::default(),
                n_lines: 0,
                n_blank_lines: 0,
                latest_change: None,
            },
            input.threads.get(),
        ),
        pool: BufferPool::default(),
        parts: PartWriter::new(input.staging, input.part_options, input.first_parts),
        compression: input.part_options.compression,
    };
    let unknown_fields = for_each_batch(input.sources, input.threads, &pipeline)?;
    let ordered = pipeline.ordered.into_inner().context("a batch was not processed; this is a bug")?;
    let files = pipeline.parts.finish()?;
    let (n_quarantined, rejections) = (ordered.quarantine.n_records(), ordered.quarantine.by_field().clone());
    ordered.reconciliation.verify(&files, n_quarantined)?;
    ordered.error_limit.check(ordered.reconciliation.total())?;
    Ok(PipelineOutput {
        reconciliation: ordered.reconciliation,
        inputs: ordered.inputs,
        files,
        quarantine: ordered.quarantine.finish()?,
        rejections,
        unknown_fields,
        n_blank_lines: ordered.n_blank_lines,
        latest_change: ordered.latest_change,
    })
}

struct Pipeline<'a> {
    ordered: ReorderBuffer<OrderedStage<'a>, Batch>,
    /// Reusable memory for buffered rows.
    pool: BufferPool,
    parts: PartWriter<'a>,
    compression: Compression,
}

impl Consumer for Pipeline<'_> {
    type State = Encoder;

    fn new_state(&self) -> Result<Encoder> {
        Encoder::new(self.compression)
    }

    fn consume(
        &self,
        number: u64,
        batch: Batch,
        encoder: &mut Encoder,
        stop: &CancellationToken,
    ) -> Result<Option<Batch>> {
        let mut full = Vec::new();
        let spare = self
            .ordered
            .deliver(number, batch, stop, |ordered, batch| ordered.process(batch, &self.pool, &mut full))?;
        full.into_iter().try_for_each(|row_group| self.write(row_group, encoder, stop))?;
        Ok(spare)
    }

    fn finish(&self, n_batches: u64, encoder: &mut Encoder, stop: &CancellationToken) -> Result<()> {
        self.pool.close();
        let pop = |ordered: &mut OrderedStage| ordered.partitions.pop_fullest();
        while let Some(row_group) = self.ordered.after(n_batches, stop, pop)? {
            self.write(row_group, encoder, stop)?;
        }
        Ok(())
    }
}

impl Pipeline<'_> {
    fn write(&self, row_group: RowGroup, encoder: &mut Encoder, stop: &CancellationToken) -> Result<()> {
        let columns = encoder.encode(&row_group.blocks)?;
        self.pool.take_back(row_group.blocks);
        // Computed before the market's sequencer is entered, where other threads would block meanwhile.
        let mut checksum = Checksum::default();
        checksum.update(columns.bytes());
        let bytes = self.parts.write(row_group.market, row_group.number, columns, &checksum, stop)?;
        encoder.recycle(bytes);
        Ok(())
    }
}

/// The stage that processes batches in input order, one at a time.
struct OrderedStage<'a> {
    sources: &'a [Source],
    error_limit: ErrorLimit,
    messages: &'a Messages,
    superseded: SupersededRows,
    partitions: PartitionBuffers,
    quarantine: Quarantine<'a>,
    reconciliation: Reconciliation,
    inputs: Vec<InputEntry>,
    /// The checksum of the current input.
    checksum: InputChecksum,
    /// The number of lines of the current input before the current batch.
    n_lines: u64,
    n_blank_lines: u64,
    latest_change: Option<i64>,
}

impl OrderedStage<'_> {
    /// Processes a batch and appends the row groups that it fills to `full`.
    fn process(&mut self, batch: &mut Batch, pool: &BufferPool, full: &mut Vec<RowGroup>) -> Result<()> {
        let source = batch.chunk.source;
        self.reconciliation.begin_input(source);
        let mut kept = Vec::new();
        for (market, rows) in batch.markets.iter_mut().filter(|(_, rows)| !rows.is_empty()) {
            kept.clear();
            let n_dropped = self.superseded.for_each_kept_input(*market, rows.len(), |range| kept.push(range));
            self.reconciliation.count_rows(source, *market, rows.len() as u64, n_dropped);
            self.partitions.append(*market, rows, &kept, pool, full);
        }
        self.partitions.flush_over_budget(full);
        for rejected in &batch.rejected {
            self.reconciliation.count_rejected(source, rejected.reason.market);
        }
        self.quarantine_records(batch)?;
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

    fn quarantine_records(&mut self, batch: &Batch) -> Result<()> {
        for rejected in &batch.rejected {
            let position = self.position(batch, rejected);
            if self.error_limit.is_exceeded_by(self.quarantine.n_records() + 1) {
                bail!(
                    "{position} (byte {}): {}; {}; nothing was published",
                    position.byte_offset,
                    rejected.reason,
                    self.error_limit
                );
            }
            self.quarantine.begin_record(&position, &rejected.reason, batch.rejected_bytes(rejected))?;
            if batch.chunk.content == Content::Lines {
                self.quarantine.end_record()?;
            }
        }
        if let Content::MoreOfLongLine { is_last } = batch.chunk.content {
            self.quarantine.extend_record(batch.chunk.bytes())?;
            if is_last {
                self.quarantine.end_record()?;
            }
        }
        Ok(())
    }

    fn position(&self, batch: &Batch, rejected: &RejectedRecord) -> SourcePosition {
        SourcePosition {
            file: self.sources[batch.chunk.source].display_name(),
            line: self.n_lines + rejected.n_lines_before + 1,
            byte_offset: batch.chunk.byte_offset + rejected.start as u64,
        }
    }
}
