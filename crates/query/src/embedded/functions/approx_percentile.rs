//! Trino's `approx_percentile(x, percentage)`, exact and deterministic.
//!
//! Trino estimates with a t-digest. As long as the digest holds single values, the estimate is the value of rank
//! `min(floor(percentage * n), n - 1)`, counted from 0; this function returns that value for any `n`. As in Trino, integers
//! give a BIGINT, other numbers a DOUBLE, and NULLs are ignored. Memory: eight bytes per row, since all values are kept.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Float64Type, Int64Type};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, Signature, Volatility};

/// The aggregate function `approx_percentile`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct ApproxPercentile {
    signature: Signature,
}

impl ApproxPercentile {
    /// Creates the function.
    pub(super) fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl AggregateUDFImpl for ApproxPercentile {
    fn name(&self) -> &'static str {
        "approx_percentile"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        match arguments {
            [value, percentage] if is_number(value) && is_number(percentage) => {
                let is_whole = value.is_integer() || value.is_null();
                Ok(vec![if is_whole { DataType::Int64 } else { DataType::Float64 }, DataType::Float64])
            }
            _ => plan_err!("approx_percentile takes a number and a percentage, as in approx_percentile(hours, 0.95)"),
        }
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        Ok(arguments[0].clone())
    }

    fn state_fields(&self, arguments: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let values = Field::new_list_field(DataType::Float64, true);
        Ok(vec![
            Arc::new(Field::new_list(format!("{}[values]", arguments.name), values, true)),
            Arc::new(Field::new(format!("{}[percentage]", arguments.name), DataType::Float64, true)),
        ])
    }

    fn accumulator(&self, arguments: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let is_whole = arguments.return_field.data_type() == &DataType::Int64;
        Ok(Box::new(PercentileAccumulator { values: Vec::new(), percentage: None, is_whole }))
    }
}

fn is_number(kind: &DataType) -> bool {
    kind.is_numeric() || kind.is_null()
}

/// The accumulator of a group.
#[derive(Debug)]
struct PercentileAccumulator {
    values: Vec<f64>,
    percentage: Option<f64>,
    is_whole: bool,
}

impl PercentileAccumulator {
    fn set_percentage(&mut self, percentages: &ArrayRef) -> Result<()> {
        for percentage in percentages.as_primitive::<Float64Type>().iter().flatten() {
            if !(0.0..=1.0).contains(&percentage) {
                return exec_err!("approx_percentile: the percentage must be between 0 and 1, not {percentage}");
            }
            if self.percentage.is_some_and(|known| known.to_bits() != percentage.to_bits()) {
                return exec_err!("approx_percentile: the percentage must be the same for all rows of a group");
            }
            self.percentage = Some(percentage);
        }
        Ok(())
    }
}

impl Accumulator for PercentileAccumulator {
    fn update_batch(&mut self, arguments: &[ArrayRef]) -> Result<()> {
        self.set_percentage(&arguments[1])?;
        if self.is_whole {
            self.values.extend(arguments[0].as_primitive::<Int64Type>().iter().flatten().map(|value| value as f64));
        } else {
            self.values.extend(arguments[0].as_primitive::<Float64Type>().iter().flatten());
        }
        Ok(())
    }

    // The casts are safe: the rank is below the number of values, and integer values came from a BIGINT.
    fn evaluate(&mut self) -> Result<ScalarValue> {
        let chosen = self.percentage.filter(|_| !self.values.is_empty()).map(|percentage| {
            let last = self.values.len() - 1;
            let rank = ((percentage * self.values.len() as f64) as usize).min(last);
            *self.values.select_nth_unstable_by(rank, f64::total_cmp).1
        });
        Ok(if self.is_whole {
            ScalarValue::Int64(chosen.map(|value| value.round() as i64))
        } else {
            ScalarValue::Float64(chosen)
        })
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.values.capacity() * size_of::<f64>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let values: Vec<ScalarValue> = self.values.iter().map(|value| ScalarValue::from(*value)).collect();
        Ok(vec![
            ScalarValue::List(ScalarValue::new_list_nullable(&values, &DataType::Float64)),
            ScalarValue::Float64(self.percentage),
        ])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.set_percentage(&states[1])?;
        let lists = states[0].as_list::<i32>();
        for values in (0..lists.len()).filter(|i| lists.is_valid(*i)).map(|i| lists.value(i)) {
            self.values.extend(values.as_primitive::<Float64Type>().iter().flatten());
        }
        Ok(())
    }
}
