//! Reads back the Parquet files that an earlier run wrote.

use std::fs::File;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use arrow::datatypes::{Int32Type, TimestampMillisecondType};
use manifest::FileEntry;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet_encode::NULL_TIMESTAMP;
use ticket_schema::enums::StringEnum;
use ticket_schema::ticket_columns;

use crate::rows::columns::Rows;
use crate::rows::kinds::{self, Kind, kind};
use crate::rows::row::{Market, Text};

/// Number of rows read at once.
const BATCH_ROWS: usize = 1 << 13;

/// A file of the existing data set.
#[derive(Clone, Debug)]
pub struct StoredFile {
    /// Its entry in the manifest.
    pub entry: FileEntry,
    /// Path of the file.
    pub path: PathBuf,
    /// Market of its rows.
    pub market: Market,
}

impl StoredFile {
    /// Calls `take` with the identifier and the `updated_at` of each row, in the file's order.
    ///
    /// # Errors
    ///
    /// Fails if the file differs from its manifest entry, or if `take` fails.
    pub fn for_each_key(&self, mut take: impl FnMut([u8; 16], i64) -> Result<()>) -> Result<()> {
        let mut n_rows = 0;
        for batch in self.batches(&["ticket_id", "updated_at"])? {
            let batch = batch.with_context(|| self.unreadable())?;
            let ids = column(&batch, "ticket_id").and_then(texts).with_context(|| self.unreadable())?;
            let updated_at = column(&batch, "updated_at").and_then(times).with_context(|| self.unreadable())?;
            for (ticket_id, updated_at) in ids.iter().zip(updated_at) {
                take(parse_uuid(ticket_id).with_context(|| self.unreadable())?, updated_at)?;
                n_rows += 1;
            }
        }
        ensure!(n_rows == self.entry.rows, self.unreadable());
        Ok(())
    }

    /// Calls `take` with the rows, some thousands at a time, in the file's order.
    ///
    /// # Errors
    ///
    /// Fails if the file was not written by `transform`, or if `take` fails.
    pub fn for_each_rows(&self, mut take: impl FnMut(&Rows) -> Result<()>) -> Result<()> {
        let mut rows = Rows::default();
        for batch in self.batches(&[])? {
            rows.clear();
            let batch = batch.with_context(|| self.unreadable())?;
            read_batch(&batch, &mut rows).with_context(|| self.unreadable())?;
            take(&rows)?;
        }
        Ok(())
    }

    /// Reads the columns with these names, or all columns if there are no names.
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

    fn unreadable(&self) -> String {
        format!(
            "{} differs from the file that transform wrote; restore it, or transform all inputs again with --mode overwrite",
            self.path.display()
        )
    }
}

macro_rules! read_batch {
    ($($name:ident: $kind:ident($type:ty), $constraint:literal, $meaning:literal;)*) => {
        /// Appends the rows of a batch.
        fn read_batch(batch: &RecordBatch, rows: &mut Rows) -> Result<()> {
            $(
                if <kind!($kind $type)>::IN_FILE {
                    let array = column(batch, stringify!($name))?;
                    <kind!($kind $type)>::read_back(array, &mut rows.$name)
                        .with_context(|| concat!("column ", stringify!($name)))?;
                }
            )*
            Ok(())
        }
    };
}
ticket_columns!(read_batch);

/// Reading of a kind from the files of an earlier run.
trait ReadBack: Kind {
    /// Appends the values of an array.
    fn read_back(array: &dyn Array, column: &mut Self::Column) -> Result<()>;
}

impl ReadBack for kinds::Uuid {
    fn read_back(array: &dyn Array, column: &mut Self::Column) -> Result<()> {
        texts(array)?.iter().try_for_each(|text| {
            column.push(parse_uuid(text)?);
            Ok(())
        })
    }
}

impl ReadBack for kinds::Timestamp {
    fn read_back(array: &dyn Array, column: &mut Self::Column) -> Result<()> {
        column.extend(times(array)?);
        Ok(())
    }
}

impl ReadBack for kinds::NullableTimestamp {
    fn read_back(array: &dyn Array, column: &mut Self::Column) -> Result<()> {
        column.extend(times(array)?);
        Ok(())
    }
}

impl<T: StringEnum + Eq> ReadBack for kinds::StringEnum<T> {
    fn read_back(array: &dyn Array, column: &mut Self::Column) -> Result<()> {
        texts(array)?.iter().try_for_each(|text| {
            Self::push(column, T::parse(text.unwrap_or_default())?);
            Ok(())
        })
    }
}

impl ReadBack for kinds::PartitionKey {
    fn read_back(_array: &dyn Array, _column: &mut Self::Column) -> Result<()> {
        Ok(())
    }
}

impl ReadBack for kinds::Text {
    fn read_back(array: &dyn Array, column: &mut Self::Column) -> Result<()> {
        texts(array)?.iter().try_for_each(|text| {
            Self::push(column, text.and_then(Text::new).context("expected a text of 1 to 255 bytes")?);
            Ok(())
        })
    }
}

impl ReadBack for kinds::NullableText {
    fn read_back(array: &dyn Array, column: &mut Self::Column) -> Result<()> {
        texts(array)?.iter().try_for_each(|text| {
            let text = text.map(|text| Text::new(text).context("expected a text of 1 to 255 bytes")).transpose()?;
            Self::push(column, text);
            Ok(())
        })
    }
}

impl ReadBack for kinds::Integer {
    fn read_back(array: &dyn Array, column: &mut Self::Column) -> Result<()> {
        let integers = array.as_primitive_opt::<Int32Type>().context("expected 32-bit integers")?;
        column.extend_from_slice(integers.values());
        Ok(())
    }
}

impl ReadBack for kinds::Boolean {
    fn read_back(array: &dyn Array, column: &mut Self::Column) -> Result<()> {
        let booleans = array.as_boolean_opt().context("expected booleans")?;
        column.extend(booleans.iter().map(Option::unwrap_or_default));
        Ok(())
    }
}

fn column<'b>(batch: &'b RecordBatch, name: &str) -> Result<&'b dyn Array> {
    Ok(batch.column_by_name(name).with_context(|| format!("column {name} is missing"))?.as_ref())
}

fn texts(array: &dyn Array) -> Result<&StringArray> {
    array.as_string_opt().context("expected texts")
}

fn times(array: &dyn Array) -> Result<impl Iterator<Item = i64>> {
    let times = array.as_primitive_opt::<TimestampMillisecondType>().context("expected timestamps")?.clone();
    Ok((0..times.len()).map(move |row| if times.is_null(row) { NULL_TIMESTAMP } else { times.value(row) }))
}

fn parse_uuid(text: Option<&str>) -> Result<[u8; 16]> {
    Ok(uuid::Uuid::try_parse(text.unwrap_or_default())?.into_bytes())
}
