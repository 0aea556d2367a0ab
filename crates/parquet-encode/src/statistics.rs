//! Smallest and largest values: of each page for the column index, of all pages for the column chunk.

use parquet::basic::{BoundaryOrder, Type};
use parquet::data_type::ByteArray;
use parquet::file::statistics::Statistics;

/// A value of a column, ordered as Parquet orders its type.
pub(super) trait Value: Ord + Clone {
    /// Its physical type.
    const TYPE: Type;

    /// As the column index has it: plain encoding, a text without its length.
    fn to_plain(&self) -> Vec<u8>;

    /// Statistics of a column chunk.
    fn statistics(bounds: Option<(Self, Self)>, n_nulls: u64) -> Statistics;
}

macro_rules! values {
    ($($value:ty, $parquet_type:ident, $statistics:ident, $to_plain:expr, $to_parquet:expr;)+) => {$(
        impl Value for $value {
            const TYPE: Type = Type::$parquet_type;

            fn to_plain(&self) -> Vec<u8> {
                $to_plain(self)
            }

            fn statistics(bounds: Option<(Self, Self)>, n_nulls: u64) -> Statistics {
                let (min, max) = bounds.map($to_parquet).unzip();
                Statistics::$statistics(min, max, None, Some(n_nulls), false)
            }
        }
    )+};
}

values! {
    bool, BOOLEAN, boolean, |value: &bool| vec![u8::from(*value)], |bounds| bounds;
    i32, INT32, int32, |value: &i32| value.to_le_bytes().to_vec(), |bounds| bounds;
    i64, INT64, int64, |value: &i64| value.to_le_bytes().to_vec(), |bounds| bounds;
    Vec<u8>, BYTE_ARRAY, byte_array, Clone::clone, |(min, max)| (ByteArray::from(min), ByteArray::from(max));
}

/// What the index says of a page.
#[derive(Clone, Debug)]
pub(super) struct PageStatistics<T> {
    /// The smallest and the largest value; none if all are null.
    pub(super) bounds: Option<(T, T)>,
    pub(super) n_nulls: u64,
}

/// The smallest and the largest of some values.
pub(super) fn bounds_of<T: Ord + Copy>(values: &[T]) -> Option<(T, T)> {
    let first = *values.first()?;
    Some(values.iter().fold((first, first), |(min, max), value| (min.min(*value), max.max(*value))))
}

/// The smallest and the largest value of all pages.
pub(super) fn merged<T: Value>(pages: &[PageStatistics<T>]) -> Option<(T, T)> {
    let bounds = pages.iter().filter_map(|page| page.bounds.as_ref());
    let min = bounds.clone().map(|(min, _)| min).min()?;
    let max = bounds.map(|(_, max)| max).max()?;
    Some((min.clone(), max.clone()))
}

/// Whether both the smallest and the largest values of the pages go up, or down. Pages of nulls don't count.
pub(super) fn boundary_order<T: Value>(pages: &[PageStatistics<T>]) -> BoundaryOrder {
    let bounds = || pages.iter().filter_map(|page| page.bounds.as_ref());
    let mins = || bounds().map(|(min, _)| min);
    let maxs = || bounds().map(|(_, max)| max);
    if mins().is_sorted() && maxs().is_sorted() {
        BoundaryOrder::ASCENDING
    } else if mins().is_sorted_by(|a, b| a >= b) && maxs().is_sorted_by(|a, b| a >= b) {
        BoundaryOrder::DESCENDING
    } else {
        BoundaryOrder::UNORDERED
    }
}
