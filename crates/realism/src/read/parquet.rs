//! Reader of Parquet files in `tickets/market=XX/`, with columns looked up by name.

use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result};
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, TimeUnit, TimestampMillisecondType};
use cli_support::Messages;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use ticket_schema::columns::{COLUMNS, PARTITION_COLUMN};

use crate::rows::Location;
use crate::validate::field_validation::{FieldValidator, ParsedTime, Value, Values};

/// Prefix of a partition's directory name.
const PARTITION_PREFIX: &str = "market=";

/// Adds every row of a file, with the market from its directory's name.
///
/// # Errors
///
/// Fails if the file cannot be read as Parquet.
pub fn read(path: &Path, number: u32, validator: &mut FieldValidator, progress: &Messages) -> Result<()> {
    let cannot_read = || format!("cannot read {} as Parquet", path.display());
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let n_bytes = file.metadata().map_or(0, |metadata| metadata.len());
    let batches = ParquetRecordBatchReaderBuilder::try_new(file).and_then(ParquetRecordBatchReaderBuilder::build);
    let market = partition(path);
    let mut line: u32 = 0;
    for batch in batches.with_context(cannot_read)? {
        let batch = batch.with_context(cannot_read)?;
        let columns: Vec<Option<Column>> = COLUMNS.iter().map(|column| Column::find(&batch, column.name)).collect();
        for row in 0..batch.num_rows() {
            line = line.saturating_add(1);
            let mut values = Values::default();
            for (index, column) in columns.iter().enumerate() {
                values[index] = match (column, market) {
                    (Some(column), _) => column.value(row),
                    (None, Some(market)) if COLUMNS[index].name == PARTITION_COLUMN => Value::Text(market.into()),
                    (None, _) => Value::Missing,
                };
            }
            validator.add_line(&values, Location { source: number, line });
        }
    }
    progress.advance(n_bytes);
    Ok(())
}

/// Returns `DE` for `tickets/market=DE/part-0.parquet`.
fn partition(path: &Path) -> Option<&str> {
    path.parent()?.file_name()?.to_str()?.strip_prefix(PARTITION_PREFIX)
}

/// A column, cast to the type from which its values are read.
struct Column {
    array: ArrayRef,
    kind: Kind,
}

enum Kind {
    Text,
    Time,
    Integer,
    Boolean,
    Other,
}

impl Column {
    fn find(batch: &RecordBatch, name: &str) -> Option<Self> {
        let array = batch.column_by_name(name)?;
        let (kind, wanted) = match array.data_type() {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(..) => {
                (Kind::Text, DataType::Utf8)
            }
            DataType::Timestamp(_, zone) => (Kind::Time, DataType::Timestamp(TimeUnit::Millisecond, zone.clone())),
            kind if kind.is_integer() => (Kind::Integer, DataType::Int64),
            DataType::Boolean => (Kind::Boolean, DataType::Boolean),
            other => (Kind::Other, other.clone()),
        };
        let other = || Self { array: array.clone(), kind: Kind::Other };
        Some(cast(array, &wanted).map_or_else(|_| other(), |array| Self { array, kind }))
    }

    fn value(&self, row: usize) -> Value<'_> {
        if self.array.is_null(row) {
            return Value::Null;
        }
        match self.kind {
            Kind::Text => Value::Text(self.array.as_string::<i32>().value(row).into()),
            Kind::Time => {
                let milliseconds = self.array.as_primitive::<TimestampMillisecondType>().value(row);
                let seconds = milliseconds.div_euclid(1000);
                Value::Time(ParsedTime { seconds, is_canonical: seconds.saturating_mul(1000) == milliseconds })
            }
            Kind::Integer => Value::Integer(self.array.as_primitive::<Int64Type>().value(row)),
            Kind::Boolean => Value::Boolean(self.array.as_boolean().value(row)),
            Kind::Other => Value::Other,
        }
    }
}
