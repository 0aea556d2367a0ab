//! Conversion of Arrow record batches to answers.

use anyhow::Result;
use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type, Schema};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::common::cast::as_boolean_array;
use manifest::answer::{Answer, Cell};

/// Athena's format of timestamps; a zero fraction is omitted.
const TIMESTAMP_FORMAT: &str = "%Y-%m-%d %H:%M:%S%.f";

/// Returns the rows of all batches in order.
///
/// # Errors
///
/// Fails if a column can't be cast or formatted.
pub fn to_answer(schema: &Schema, batches: &[RecordBatch]) -> Result<Answer> {
    let mut answer =
        Answer { columns: schema.fields().iter().map(|field| field.name().clone()).collect(), rows: Vec::new() };
    for batch in batches {
        let columns: Vec<Vec<Cell>> = batch.columns().iter().map(|column| cells(column)).collect::<Result<_>>()?;
        let mut columns: Vec<_> = columns.into_iter().map(Vec::into_iter).collect();
        for _ in 0..batch.num_rows() {
            answer.rows.push(columns.iter_mut().filter_map(Iterator::next).collect());
        }
    }
    Ok(answer)
}

fn cells(column: &dyn Array) -> Result<Vec<Cell>> {
    use datafusion::arrow::compute::cast;
    let cells = match column.data_type() {
        DataType::Boolean => as_boolean_array(column)?.iter().map(|value| value.map(Cell::Boolean)).collect(),
        // All integers fit into a BIGINT, except large unsigned ones, which become text.
        kind if kind.is_integer() && *kind != DataType::UInt64 => {
            let whole = cast(column, &DataType::Int64)?;
            whole.as_primitive::<Int64Type>().iter().map(|value| value.map(Cell::Integer)).collect()
        }
        DataType::UInt64 => texts(column, |text| text.parse().map_or(Cell::Text(text), Cell::Integer))?,
        kind if kind.is_numeric() => {
            let number = cast(column, &DataType::Float64)?;
            number.as_primitive::<Float64Type>().iter().map(|value| value.map(number_cell)).collect()
        }
        _ => texts(column, Cell::Text)?,
    };
    let or_null = |cell: Option<Cell>| cell.unwrap_or(Cell::Null);
    Ok(cells.into_iter().map(or_null).collect())
}

/// Returns NaN and infinity as text, since JSON can't represent them.
fn number_cell(value: f64) -> Cell {
    if value.is_finite() { Cell::Number(value) } else { Cell::Text(value.to_string()) }
}

fn texts(column: &dyn Array, to_cell: impl Fn(String) -> Cell) -> Result<Vec<Option<Cell>>> {
    let options = FormatOptions::default()
        .with_timestamp_format(Some(TIMESTAMP_FORMAT))
        .with_timestamp_tz_format(Some(TIMESTAMP_FORMAT));
    let formatter = ArrayFormatter::try_new(column, &options)?;
    let cell = |row| Ok(to_cell(formatter.value(row).try_to_string()?));
    (0..column.len()).map(|row| if column.is_null(row) { Ok(None) } else { cell(row).map(Some) }).collect()
}
