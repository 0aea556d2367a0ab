//! Trino's `date_diff(unit, from, to)`: the number of complete units between two times, negative if `to` is earlier.
//!
//! Trino computes with UTC milliseconds. A month is complete when the same day of the month and time of day is reached, or
//! the last day of a shorter month; a quarter is 3 and a year 12 complete months.

use std::sync::Arc;

use chrono::{DateTime, Datelike};
use datafusion::arrow::array::{ArrayRef, AsArray, Int64Array};
use datafusion::arrow::datatypes::{DataType, TimeUnit, TimestampMillisecondType};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};

/// The scalar function `date_diff`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct DateDiff {
    signature: Signature,
}

impl DateDiff {
    /// Creates the function.
    pub(super) fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for DateDiff {
    fn name(&self) -> &'static str {
        "date_diff"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        let [_, from, to] = arguments else {
            return plan_err!("date_diff takes a unit and two times, as in date_diff('hour', created_at, resolved_at)");
        };
        let is_time = |kind: &DataType| matches!(kind, DataType::Timestamp(..) | DataType::Date32 | DataType::Null);
        if !is_time(from) || !is_time(to) {
            return plan_err!("date_diff takes timestamps or dates, not {from} and {to}");
        }
        let time = DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
        Ok(vec![DataType::Utf8, time.clone(), time])
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [unit, from, to] = &arguments.args[..] else {
            return exec_err!("date_diff takes three arguments");
        };
        let ColumnarValue::Scalar(ScalarValue::Utf8(Some(unit))) = unit else {
            return exec_err!("date_diff takes its unit as a text, as in 'hour'");
        };
        let Some(unit) = Unit::from_name(unit) else {
            return exec_err!("date_diff: unknown unit '{unit}'");
        };
        let difference = |from: &ArrayRef, to: &ArrayRef| -> Int64Array {
            let (from, to) =
                (from.as_primitive::<TimestampMillisecondType>(), to.as_primitive::<TimestampMillisecondType>());
            from.iter().zip(to).map(|(from, to)| Some(unit.between(from?, to?))).collect()
        };
        if let (ColumnarValue::Scalar(from), ColumnarValue::Scalar(to)) = (from, to) {
            let one = difference(&from.to_array()?, &to.to_array()?);
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&one, 0)?));
        }
        let from = from.to_array(arguments.number_rows)?;
        let to = to.to_array(arguments.number_rows)?;
        Ok(ColumnarValue::Array(Arc::new(difference(&from, &to))))
    }
}

/// The unit of the difference, as a multiple of a base unit.
#[derive(Clone, Copy, Debug)]
enum Unit {
    Milliseconds(i64),
    Months(i64),
}

const DAY_MILLISECONDS: i64 = 86_400_000;

impl Unit {
    fn from_name(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "millisecond" => Self::Milliseconds(1),
            "second" => Self::Milliseconds(1000),
            "minute" => Self::Milliseconds(60_000),
            "hour" => Self::Milliseconds(3_600_000),
            "day" => Self::Milliseconds(DAY_MILLISECONDS),
            "week" => Self::Milliseconds(7 * DAY_MILLISECONDS),
            "month" => Self::Months(1),
            "quarter" => Self::Months(3),
            "year" => Self::Months(12),
            _ => return None,
        })
    }

    /// Returns the complete units between two times in milliseconds.
    fn between(self, from: i64, to: i64) -> i64 {
        match self {
            Self::Milliseconds(unit) => (to - from) / unit,
            Self::Months(unit) if to < from => -(complete_months(to, from) / unit),
            Self::Months(unit) => complete_months(from, to) / unit,
        }
    }
}

/// Returns the complete months between two times in milliseconds. Requires `from <= to`.
fn complete_months(from: i64, to: i64) -> i64 {
    let (from, to) = (Calendar::of(from), Calendar::of(to));
    let months = (to.year * 12 + to.month) - (from.year * 12 + from.month);
    let due_day = if to.is_last_of_month { from.day.min(to.day) } else { from.day };
    months - i64::from((to.day, to.millisecond) < (due_day, from.millisecond))
}

/// The calendar fields of a UTC time.
struct Calendar {
    year: i64,
    month: i64,
    day: u32,
    millisecond: i64,
    is_last_of_month: bool,
}

impl Calendar {
    fn of(milliseconds: i64) -> Self {
        let time = DateTime::from_timestamp_millis(milliseconds).unwrap_or_default();
        Self {
            year: i64::from(time.year()),
            month: i64::from(time.month()),
            day: time.day(),
            millisecond: milliseconds.rem_euclid(DAY_MILLISECONDS),
            is_last_of_month: time.day() == u32::from(time.num_days_in_month()),
        }
    }
}
