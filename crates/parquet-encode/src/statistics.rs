//! Minimum and maximum values: of each page for the column index, of all pages for the column chunk.

use parquet::basic::{BoundaryOrder, Type};
use parquet::data_type::ByteArray;
use parquet::file::statistics::Statistics;

/// A value of a column. Its order is the one that Parquet defines for the physical type.
pub(crate) trait Value: Ord + Clone {
    /// The physical type.
    const TYPE: Type;

    /// Returns the bytes for the column index: `PLAIN` encoding, strings without their length.
    fn to_plain(&self) -> Vec<u8>;

    /// Returns the statistics of a column chunk.
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

/// The entry of a page in the column index.
#[derive(Clone, Debug)]
pub(crate) struct PageStatistics<T> {
    /// The minimum and the maximum; `None` if all values are null.
    pub(crate) bounds: Option<(T, T)>,
    pub(crate) n_nulls: u64,
}

/// Returns the minimum and the maximum of the values; `None` if there are none.
pub(crate) fn bounds_of<T: Ord + Copy>(values: &[T]) -> Option<(T, T)> {
    let first = *values.first()?;
    Some(values.iter().fold((first, first), |(min, max), value| (min.min(*value), max.max(*value))))
}

/// Returns the minimum and the maximum over all pages.
pub(crate) fn merged<T: Value>(pages: &[PageStatistics<T>]) -> Option<(T, T)> {
    let bounds = pages.iter().filter_map(|page| page.bounds.as_ref());
    let min = bounds.clone().map(|(min, _)| min).min()?;
    let max = bounds.map(|(_, max)| max).max()?;
    Some((min.clone(), max.clone()))
}

/// Returns the order of both the minima and the maxima of the pages. Pages of nulls are ignored.
pub(crate) fn boundary_order<T: Value>(pages: &[PageStatistics<T>]) -> BoundaryOrder {
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
