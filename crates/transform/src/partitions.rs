//! Rows to Parquet files, one file a market, in bounded memory.
//!
//! Rows wait in column builders until a batch of them is full, then in the writer, encoded, until a row group is. Both
//! borders are decided by the rows alone, so the same rows in the same order give the same bytes.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use arrow::array::{ArrayRef, BooleanBuilder, Int32Builder, RecordBatch, StringBuilder, TimestampMillisecondBuilder};
use cli_support::publish::{StagedFile, Staging};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use ticket_schema::columns::{PARTITION_COLUMN, arrow_types};
use ticket_schema::manifest::FileEntry;
use ticket_schema::names::TICKETS_DIR;

use crate::decode::{Market, Row};
use crate::parquet_layout::writer_properties;

/// Rows that wait in builders before they are encoded.
const BATCH_ROWS: usize = 1024;

/// How many bytes of values may wait in all writers together for their row groups to fill. Beyond it the fullest row group
/// is written as it is.
const MAX_WAITING_BYTES: usize = 128 << 20;

/// All markets seen so far.
pub struct Partitions<'a> {
    staging: &'a Staging,
    by_market: BTreeMap<Market, Partition>,
    waiting_bytes: usize,
}

/// One market's file.
struct Partition {
    name: String,
    builders: Builders,
    writer: ArrowWriter<StagedFile>,
    n_rows: u64,
    waiting_bytes: usize,
}

/// What became of the rows.
#[derive(Debug, Default)]
pub struct Written {
    /// The files, by name.
    pub files: Vec<FileEntry>,
    /// Rows in each market, as the finished files say.
    pub markets: BTreeMap<String, u64>,
}

impl<'a> Partitions<'a> {
    /// No market yet.
    pub const fn new(staging: &'a Staging) -> Self {
        Self { staging, by_market: BTreeMap::new(), waiting_bytes: 0 }
    }

    /// Takes a row into its market.
    pub fn push(&mut self, row: &Row) -> Result<()> {
        let partition = match self.by_market.entry(row.market) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => {
                entry.insert(Partition::create(self.staging, row.market)?)
            }
        };
        let n_bytes = partition.builders.push(row);
        partition.n_rows += 1;
        partition.waiting_bytes += n_bytes;
        self.waiting_bytes += n_bytes;
        if partition.builders.n_rows == BATCH_ROWS {
            let written = partition.encode_batch()?;
            self.waiting_bytes -= written;
            if self.waiting_bytes > MAX_WAITING_BYTES {
                self.write_fullest_row_group()?;
            }
        }
        Ok(())
    }

    fn write_fullest_row_group(&mut self) -> Result<()> {
        if let Some(fullest) = self.by_market.values_mut().max_by_key(|partition| partition.waiting_bytes) {
            self.waiting_bytes -= fullest.end_row_group()?;
        }
        Ok(())
    }

    /// Finishes all files.
    pub fn finish(self) -> Result<Written> {
        let mut written = Written::default();
        for (market, partition) in self.by_market {
            let file = partition.finish()?;
            written.markets.insert(market.as_str().to_owned(), file.rows);
            written.files.push(file);
        }
        Ok(written)
    }
}

impl Partition {
    fn create(staging: &Staging, market: Market) -> Result<Self> {
        let name = format!("{TICKETS_DIR}/{PARTITION_COLUMN}={}/part-0.parquet", market.as_str());
        // The Parquet types say everything; a copy of the Arrow schema in each file would only tie it to one reader.
        let options = ArrowWriterOptions::new().with_properties(writer_properties()).with_skip_arrow_metadata(true);
        let writer = ArrowWriter::try_new_with_options(staging.create(&name)?, arrow_types::file_schema(), options)?;
        Ok(Self { name, builders: Builders::default(), writer, n_rows: 0, waiting_bytes: 0 })
    }

    /// Hands the waiting rows to the writer; returns how many bytes of values went into a finished row group.
    fn encode_batch(&mut self) -> Result<usize> {
        let batch = self.builders.finish()?;
        self.writer.write(&batch).with_context(|| format!("cannot write {}", self.name))?;
        let row_group_is_full = self.writer.in_progress_rows() == 0;
        Ok(if row_group_is_full { std::mem::take(&mut self.waiting_bytes) } else { 0 })
    }

    /// Writes the row group as far as it is full.
    fn end_row_group(&mut self) -> Result<usize> {
        self.writer.flush().with_context(|| format!("cannot write {}", self.name))?;
        Ok(std::mem::take(&mut self.waiting_bytes))
    }

    fn finish(mut self) -> Result<FileEntry> {
        self.encode_batch()?;
        let metadata = self.writer.finish().with_context(|| format!("cannot write {}", self.name))?;
        let rows = u64::try_from(metadata.file_metadata().num_rows())?;
        ensure!(rows == self.n_rows, "{} has {rows} rows instead of {}; this is a bug", self.name, self.n_rows);
        let checksum = self.writer.inner().checksum();
        Ok(FileEntry { name: self.name, rows, bytes: checksum.n_bytes(), crc64nvme: checksum.to_base64() })
    }
}

/// The columns of rows that wait, in the order of the file's schema.
#[derive(Default)]
struct Builders {
    n_rows: usize,
    ticket_id: StringBuilder,
    created_at: TimestampMillisecondBuilder,
    updated_at: TimestampMillisecondBuilder,
    resolved_at: TimestampMillisecondBuilder,
    severity: StringBuilder,
    status: StringBuilder,
    category: StringBuilder,
    channel: StringBuilder,
    dealer_id: StringBuilder,
    customer_id: StringBuilder,
    vin_last6: StringBuilder,
    model_series: StringBuilder,
    model_year: Int32Builder,
    sla_breached: BooleanBuilder,
}

impl Builders {
    /// Takes a row; returns about how many bytes its values have.
    fn push(&mut self, row: &Row) -> usize {
        const FIXED_BYTES: usize = 36 + 3 * 8 + 4 + 1;
        let mut n_bytes = FIXED_BYTES;
        let mut text = |column: &mut StringBuilder, value: &str| {
            n_bytes += value.len();
            column.append_value(value);
        };
        self.ticket_id.append_value(uuid::Uuid::from_bytes(row.ticket_id).hyphenated().to_string());
        self.created_at.append_value(row.created_at.milliseconds());
        self.updated_at.append_value(row.updated_at.milliseconds());
        self.resolved_at.append_option(row.resolved_at.map(crate::moment::Moment::milliseconds));
        text(&mut self.severity, row.severity.as_str());
        text(&mut self.status, row.status.as_str());
        text(&mut self.category, row.category.as_str());
        text(&mut self.channel, row.channel.as_str());
        text(&mut self.dealer_id, row.dealer_id.as_str());
        text(&mut self.customer_id, row.customer_id.as_str());
        text(&mut self.vin_last6, row.vin_last6.as_str());
        text(&mut self.model_series, row.model_series.as_str());
        self.model_year.append_value(row.model_year);
        self.sla_breached.append_value(row.sla_breached);
        self.n_rows += 1;
        n_bytes
    }

    fn finish(&mut self) -> Result<RecordBatch> {
        self.n_rows = 0;
        let utc =
            |column: &mut TimestampMillisecondBuilder| -> ArrayRef { Arc::new(column.finish().with_timezone("UTC")) };
        let text = |column: &mut StringBuilder| -> ArrayRef { Arc::new(column.finish()) };
        let columns = vec![
            text(&mut self.ticket_id),
            utc(&mut self.created_at),
            utc(&mut self.updated_at),
            utc(&mut self.resolved_at),
            text(&mut self.severity),
            text(&mut self.status),
            text(&mut self.category),
            text(&mut self.channel),
            text(&mut self.dealer_id),
            text(&mut self.customer_id),
            text(&mut self.vin_last6),
            text(&mut self.model_series),
            Arc::new(self.model_year.finish()),
            Arc::new(self.sla_breached.finish()),
        ];
        Ok(RecordBatch::try_new(arrow_types::file_schema(), columns)?)
    }
}
