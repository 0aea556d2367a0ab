//! Compares the metadata of a file with its values.

use bytes::Bytes;
use parquet::basic::BoundaryOrder;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::page_index::offset_index::PageLocation;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::serialized_reader::ReadOptionsBuilder;
use parquet::file::statistics::Statistics;
use parquet_encode::{NULL_TIMESTAMP, PAGE_ROWS};
use ticket_schema::enums::{Category, Channel, Severity, Status};
use transform::rows::columns::Rows;

pub(crate) fn metadata(file: &Bytes) -> ParquetMetaData {
    let options = ReadOptionsBuilder::new().with_page_index().build();
    SerializedFileReader::new_with_options(file.clone(), options).unwrap().metadata().clone()
}

/// A sort key of a value and the value's bytes in statistics.
pub(crate) type KeyAndBytes = (Vec<u8>, Vec<u8>);

/// Returns the values of a column; `None` is null.
fn values(rows: &Rows, column: &str) -> Vec<Option<KeyAndBytes>> {
    let text = |text: &[u8]| Some((text.to_vec(), text.to_vec()));
    let known = |value: &str| text(value.as_bytes());
    let time = |time: &i64| Some(((*time as u64 ^ 1 << 63).to_be_bytes().to_vec(), time.to_le_bytes().to_vec()));
    let year = |year: &i32| Some(((*year as u32 ^ 1 << 31).to_be_bytes().to_vec(), year.to_le_bytes().to_vec()));
    match column {
        "ticket_id" => rows.ticket_id.iter().map(|id| known(&uuid::Uuid::from_bytes(*id).to_string())).collect(),
        "created_at" => rows.created_at.iter().map(time).collect(),
        "updated_at" => rows.updated_at.iter().map(time).collect(),
        "resolved_at" => rows.resolved_at.iter().map(|at| time(at).filter(|_| *at != NULL_TIMESTAMP)).collect(),
        "severity" => rows.severity.iter().map(|index| known(Severity::ALL[usize::from(*index)].as_str())).collect(),
        "status" => rows.status.iter().map(|index| known(Status::ALL[usize::from(*index)].as_str())).collect(),
        "category" => rows.category.iter().map(|index| known(Category::ALL[usize::from(*index)].as_str())).collect(),
        "channel" => rows.channel.iter().map(|index| known(Channel::ALL[usize::from(*index)].as_str())).collect(),
        "dealer_id" => rows.dealer_id.iter().map(text).collect(),
        "customer_id" => rows.customer_id.iter().map(text).collect(),
        "vin_last6" => rows.vin_last6.iter().map(text).collect(),
        "model_series" => rows.model_series.iter().map(text).collect(),
        "model_year" => rows.model_year.iter().map(year).collect(),
        "sla_breached" => rows.sla_breached.iter().map(|value| text(&[u8::from(*value)])).collect(),
        other => panic!("{other} is not a column"),
    }
}

/// Returns the minimum and the maximum of some values, and the number of nulls.
fn bounds_and_nulls(values: &[Option<KeyAndBytes>]) -> (Option<(KeyAndBytes, KeyAndBytes)>, i64) {
    let n_nulls = values.iter().filter(|value| value.is_none()).count();
    let values = || values.iter().flatten().cloned();
    (values().min().zip(values().max()), n_nulls as i64)
}

pub(crate) fn page_bounds(index: &ColumnIndexMetaData, page: usize) -> Option<(Vec<u8>, Vec<u8>)> {
    macro_rules! numbers {
        ($index:expr) => {
            $index
                .min_value(page)
                .map(|value| value.to_le_bytes().to_vec())
                .zip($index.max_value(page).map(|value| value.to_le_bytes().to_vec()))
        };
    }
    match index {
        ColumnIndexMetaData::BOOLEAN(index) => {
            index.min_value(page).map(|v| vec![u8::from(*v)]).zip(index.max_value(page).map(|v| vec![u8::from(*v)]))
        }
        ColumnIndexMetaData::INT32(index) => numbers!(index),
        ColumnIndexMetaData::INT64(index) => numbers!(index),
        ColumnIndexMetaData::BYTE_ARRAY(index) => {
            index.min_value(page).map(<[u8]>::to_vec).zip(index.max_value(page).map(<[u8]>::to_vec))
        }
        other => panic!("{other:?} is of no column"),
    }
}

/// Asserts that statistics, page indexes and offsets match `groups`, the rows in the order of the file.
pub(crate) fn assert_metadata_matches(file: &Bytes, groups: &[Rows]) {
    let metadata = metadata(file);
    assert_eq!(metadata.num_row_groups(), groups.len());
    for (group, rows) in groups.iter().enumerate() {
        let row_group = metadata.row_group(group);
        assert_eq!(row_group.num_rows() as usize, rows.len());
        let sorting = row_group.sorting_columns().unwrap();
        assert_eq!((sorting.len(), sorting[0].column_idx, sorting[0].descending), (1, 1, false));
        assert!(rows.created_at.is_sorted());
        for (column, chunk) in row_group.columns().iter().enumerate() {
            let name = chunk.column_path().string();
            let values = values(rows, &name);
            assert_statistics_match(chunk.statistics().unwrap(), &values, &name);
            let index = &metadata.column_index().unwrap()[group][column];
            let locations = metadata.offset_index().unwrap()[group][column].page_locations();
            assert_eq!(locations.len(), rows.len().div_ceil(PAGE_ROWS), "{name}");
            assert_pages_are_contiguous(chunk, locations);
            let mut page_bounds_seen = Vec::new();
            for (page, location) in locations.iter().enumerate() {
                let first = location.first_row_index as usize;
                assert_eq!(first, page * PAGE_ROWS, "{name}");
                let (bounds, n_nulls) = bounds_and_nulls(&values[first..rows.len().min(first + PAGE_ROWS)]);
                assert_eq!(index.null_count(page), Some(n_nulls), "{name} {page}");
                assert_eq!(index.is_null_page(page), bounds.is_none(), "{name} {page}");
                let stated = page_bounds(index, page);
                assert_eq!(stated, bounds.clone().map(|(min, max)| (min.1, max.1)), "{name} {page}");
                page_bounds_seen.extend(bounds);
            }
            let is_ascending = page_bounds_seen.is_sorted_by(|a, b| a.0 <= b.0 && a.1 <= b.1);
            let is_marked_ascending = index.get_boundary_order() == Some(BoundaryOrder::ASCENDING);
            assert_eq!(is_marked_ascending, is_ascending, "{name}");
            if index.get_boundary_order() == Some(BoundaryOrder::DESCENDING) {
                assert!(page_bounds_seen.is_sorted_by(|a, b| a.0 >= b.0 && a.1 >= b.1), "{name}");
            }
        }
    }
}

pub(crate) fn assert_statistics_match(statistics: &Statistics, values: &[Option<KeyAndBytes>], name: &str) {
    let (bounds, n_nulls) = bounds_and_nulls(values);
    assert_eq!(statistics.null_count_opt(), Some(n_nulls as u64), "{name}");
    assert_eq!(statistics.min_bytes_opt(), bounds.as_ref().map(|(min, _)| min.1.as_slice()), "{name}");
    assert_eq!(statistics.max_bytes_opt(), bounds.as_ref().map(|(_, max)| max.1.as_slice()), "{name}");
    assert!(bounds.is_none() || !statistics.is_min_max_deprecated(), "{name}");
}

/// Asserts that the data pages are contiguous from the end of the dictionary to the end of the chunk.
pub(crate) fn assert_pages_are_contiguous(chunk: &ColumnChunkMetaData, locations: &[PageLocation]) {
    let (start, n_bytes) = chunk.byte_range();
    assert_eq!(locations[0].offset, chunk.data_page_offset());
    for pair in locations.windows(2) {
        assert_eq!(pair[0].offset + i64::from(pair[0].compressed_page_size), pair[1].offset);
    }
    let last = locations.last().unwrap();
    assert_eq!((last.offset + i64::from(last.compressed_page_size)) as u64, start + n_bytes);
}
