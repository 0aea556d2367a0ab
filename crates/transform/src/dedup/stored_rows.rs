//! Reads back the Parquet files that an earlier run wrote.

use std::fs::File;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use arrow::datatypes::{Int32Type, TimestampMillisecondType};
use manifest::FileEntry;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet_encode::{NULL_TIMESTAMP, StringColumn};
use ticket_schema::enums::{Category, Channel, Severity, Status, StringEnum};

use crate::decode::{Market, Text};
use crate::partition::columns::Rows;

/// How many rows are read at once.
const BATCH_ROWS: usize = 1 << 13;

/// A file of the data set that is there already.
#[derive(Clone, Debug)]
pub struct StoredFile {
    /// What the manifest says of it.
    pub entry: FileEntry,
    /// Where it lies.
    pub path: PathBuf,
    /// The market that its rows are of.
    pub market: Market,
}

impl StoredFile {
    /// Calls `take` with identifier and `updated_at` of each row, in the file's order.
    pub fn for_each_key(&self, mut take: impl FnMut([u8; 16], i64) -> Result<()>) -> Result<()> {
        let mut n_rows = 0;
        for batch in self.batches(&["ticket_id", "updated_at"])? {
            let batch = batch.with_context(|| self.unreadable())?;
            let (ticket_id, updated_at) = (texts(&batch, "ticket_id")?, times(&batch, "updated_at")?);
            for (ticket_id, updated_at) in ticket_id.iter().zip(updated_at) {
                take(self.uuid(ticket_id.unwrap_or_default())?, updated_at)?;
                n_rows += 1;
            }
        }
        ensure!(n_rows == self.entry.rows, self.unreadable());
        Ok(())
    }

    /// Calls `take` with the rows, some thousands at a time, in the file's order.
    pub fn for_each_rows(&self, mut take: impl FnMut(&Rows) -> Result<()>) -> Result<()> {
        let mut rows = Rows::default();
        for batch in self.batches(&[])? {
            rows.clear();
            self.read(&batch.with_context(|| self.unreadable())?, &mut rows)?;
            take(&rows)?;
        }
        Ok(())
    }

    /// The columns with these names, or all.
    fn batches(&self, columns: &[&str]) -> Result<ParquetRecordBatchReader> {
        let open = || -> Result<ParquetRecordBatchReader> {
            let builder =
                ParquetRecordBatchReaderBuilder::try_new(File::open(&self.path)?)?.with_batch_size(BATCH_ROWS);
            let mask = if columns.is_empty() {
                ProjectionMask::all()
            } else {
                ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied())
            };
            Ok(builder.with_projection(mask).build()?)
        };
        open().with_context(|| self.unreadable())
    }

    fn read(&self, batch: &RecordBatch, rows: &mut Rows) -> Result<()> {
        for ticket_id in texts(batch, "ticket_id")? {
            rows.ticket_id.push(self.uuid(ticket_id.unwrap_or_default())?);
        }
        rows.created_at.extend(times(batch, "created_at")?);
        rows.updated_at.extend(times(batch, "updated_at")?);
        rows.resolved_at.extend(times(batch, "resolved_at")?);
        self.codes::<Severity>(batch, &mut rows.severity)?;
        self.codes::<Status>(batch, &mut rows.status)?;
        self.codes::<Category>(batch, &mut rows.category)?;
        self.codes::<Channel>(batch, &mut rows.channel)?;
        let copy = |name: &str, to: &mut StringColumn| -> Result<()> {
            for text in texts(batch, name)? {
                to.push(text.and_then(Text::new).with_context(|| self.unreadable())?.as_bytes());
            }
            Ok(())
        };
        copy("dealer_id", &mut rows.dealer_id)?;
        copy("customer_id", &mut rows.customer_id)?;
        copy("vin_last6", &mut rows.vin_last6)?;
        copy("model_series", &mut rows.model_series)?;
        let years = column(batch, "model_year")?.as_primitive_opt::<Int32Type>().with_context(|| self.unreadable())?;
        rows.model_year.extend_from_slice(years.values());
        let breached = column(batch, "sla_breached")?.as_boolean_opt().with_context(|| self.unreadable())?;
        rows.sla_breached.extend(breached.iter().map(Option::unwrap_or_default));
        Ok(())
    }

    fn codes<T: StringEnum>(&self, batch: &RecordBatch, codes: &mut Vec<u8>) -> Result<()> {
        for text in texts(batch, T::FIELD)? {
            codes.push(T::parse(text.unwrap_or_default()).with_context(|| self.unreadable())?.index() as u8);
        }
        Ok(())
    }

    fn uuid(&self, text: &str) -> Result<[u8; 16]> {
        Ok(uuid::Uuid::try_parse(text).with_context(|| self.unreadable())?.into_bytes())
    }

    fn unreadable(&self) -> String {
        format!("{} is not as transform wrote it; make the data set anew with --mode overwrite", self.path.display())
    }
}

fn column<'b>(batch: &'b RecordBatch, name: &str) -> Result<&'b dyn Array> {
    Ok(batch.column_by_name(name).with_context(|| format!("there is no column {name}"))?.as_ref())
}

fn texts<'b>(batch: &'b RecordBatch, name: &str) -> Result<&'b StringArray> {
    column(batch, name)?.as_string_opt().with_context(|| format!("{name} is not of texts"))
}

fn times(batch: &RecordBatch, name: &str) -> Result<impl Iterator<Item = i64>> {
    let times = column(batch, name)?.as_primitive_opt::<TimestampMillisecondType>();
    let times = times.with_context(|| format!("{name} is not of times"))?.clone();
    Ok((0..times.len()).map(move |row| if times.is_null(row) { NULL_TIMESTAMP } else { times.value(row) }))
}
