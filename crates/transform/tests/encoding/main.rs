//! Encoded row groups of tickets: values round-trip, and metadata match the values.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod metadata_checks;
mod samples;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Int32Type, TimestampMillisecondType};
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression as ParquetCodec, Encoding, PageType, ZstdLevel};
use parquet::file::metadata::ParquetMetaData;
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::page_index::offset_index::OffsetIndexMetaData;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::statistics::Statistics;
use parquet_encode::{Compression, EncodedRowGroup, NULL_TIMESTAMP, PAGE_ROWS, StringColumn};
use proptest::prelude::*;
use ticket_schema::enums::{Category, Channel, Severity, Status};
use transform::rows::columns::Rows;
use transform::write::row_group::Encoder;
use transform::write::ticket_file;

use metadata_checks::{assert_metadata_matches, metadata};
use samples::{DAY, Shape, TYPICAL, Times, Words, append, rows, shapes, sorted};

const CODECS: [Compression; 3] = [Compression::Snappy, Compression::Zstd, Compression::None];

fn write(groups: &[Rows], compression: Compression) -> Bytes {
    let mut encoder = Encoder::new(compression).unwrap();
    let mut file = ticket_file::create(Vec::new()).unwrap();
    for rows in groups {
        file.append(encoder.encode(std::slice::from_ref(rows)).unwrap()).unwrap();
    }
    let n_rows = groups.iter().map(Rows::len).sum::<usize>() as u64;
    assert_eq!(file.n_rows(), n_rows);
    let n_bytes = file.n_bytes();
    let (bytes, written) = file.finish().unwrap();
    assert_eq!(written, n_rows);
    assert!(n_bytes < bytes.len() as u64);
    bytes.into()
}

/// Reads the rows with Arrow's reader.
fn read(file: Bytes) -> Rows {
    let mut rows = Rows::default();
    for batch in ParquetRecordBatchReaderBuilder::try_new(file).unwrap().with_batch_size(5000).build().unwrap() {
        append_batch(&batch.unwrap(), &mut rows);
    }
    rows
}

fn append_batch(batch: &RecordBatch, rows: &mut Rows) {
    let column = |name: &str| batch.column_by_name(name).unwrap();
    let texts = |name: &str| column(name).as_string::<i32>();
    let time = |name: &str| column(name).as_primitive::<TimestampMillisecondType>();
    let index = |all: &[&str], text: &str| all.iter().position(|known| *known == text).unwrap() as u8;
    let severities: Vec<&str> = Severity::ALL.iter().map(|value| value.as_str()).collect();
    let statuses: Vec<&str> = Status::ALL.iter().map(|value| value.as_str()).collect();
    let categories: Vec<&str> = Category::ALL.iter().map(|value| value.as_str()).collect();
    let channels: Vec<&str> = Channel::ALL.iter().map(|value| value.as_str()).collect();
    for row in 0..batch.num_rows() {
        rows.ticket_id.push(uuid::Uuid::parse_str(texts("ticket_id").value(row)).unwrap().into_bytes());
        rows.created_at.push(time("created_at").value(row));
        rows.updated_at.push(time("updated_at").value(row));
        let resolved_at = time("resolved_at");
        rows.resolved_at.push(if resolved_at.is_null(row) { NULL_TIMESTAMP } else { resolved_at.value(row) });
        rows.severity.push(index(&severities, texts("severity").value(row)));
        rows.status.push(index(&statuses, texts("status").value(row)));
        rows.category.push(index(&categories, texts("category").value(row)));
        rows.channel.push(index(&channels, texts("channel").value(row)));
        rows.dealer_id.push(texts("dealer_id").value(row).as_bytes());
        rows.customer_id.push(texts("customer_id").value(row).as_bytes());
        rows.vin_last6.push(texts("vin_last6").value(row).as_bytes());
        rows.model_series.push(texts("model_series").value(row).as_bytes());
        rows.model_year.push(column("model_year").as_primitive::<Int32Type>().value(row));
        rows.sla_breached.push(column("sla_breached").as_boolean().value(row));
    }
}

/// Returns the range of `created_at` from the statistics of a row group.
fn created_at(group: &EncodedRowGroup) -> Option<(i64, i64)> {
    match group.statistics(1)? {
        Statistics::Int64(statistics) => statistics.min_opt().copied().zip(statistics.max_opt().copied()),
        other => panic!("{other:?} are not statistics of timestamps"),
    }
}

fn assert_round_trip(groups: &[Rows], compression: Compression) -> Bytes {
    let file = write(groups, compression);
    assert_eq!(write(groups, compression), file, "the same rows yield other bytes");
    let written: Vec<Rows> = groups.iter().filter(|rows| !rows.is_empty()).map(sorted).collect();
    assert_metadata_matches(&file, &written);
    let mut expected = Rows::default();
    for rows in &written {
        append(&mut expected, rows);
    }
    assert!(read(file.clone()) == expected, "the values differ");
    file
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_rows_round_trip(shapes in prop::collection::vec((shapes(), any::<u64>()), 1..3), codec in 0..CODECS.len()) {
        let groups: Vec<Rows> = shapes.into_iter().map(|(shape, seed)| rows(shape, seed)).collect();
        assert_round_trip(&groups, CODECS[codec]);
    }
}

#[test]
fn strings_beyond_the_dictionary_limit_round_trip() {
    for n_distinct in [65_536, 65_537_u64] {
        let n_rows = 3 * n_distinct as usize;
        let mut rows = rows(Shape { n_rows, words: Words::Of(1), ..TYPICAL }, 2);
        rows.dealer_id = StringColumn::default();
        // Each string three times in a row, so that the sampled rows favour a dictionary.
        let string = |row: u64| format!("DLR-{:012}", (row / 3) % n_distinct);
        (0..n_rows as u64).for_each(|row| rows.dealer_id.push(string(row).as_bytes()));
        let file = assert_round_trip(&[rows], Compression::Snappy);
        let has_dictionary = metadata(&file).row_group(0).column(8).dictionary_page_offset().is_some();
        assert_eq!(has_dictionary, n_distinct <= 65_536, "{n_distinct}");
    }
}

#[test]
fn file_without_rows_is_valid() {
    for groups in [vec![], vec![Rows::default()]] {
        let file = write(&groups, Compression::Snappy);
        assert_eq!(metadata(&file).num_row_groups(), 0);
        assert!(read(file).is_empty());
    }
}

#[test]
fn row_group_statistics_hold_the_range_of_created_at() {
    let mut rows = rows(Shape { times: Times::Unsorted, ..TYPICAL }, 3);
    let expected = (*rows.created_at.iter().min().unwrap(), *rows.created_at.iter().max().unwrap());
    let mut encoder = Encoder::new(Compression::None).unwrap();
    let group = encoder.encode(std::slice::from_ref(&rows)).unwrap();
    assert_eq!((created_at(&group), group.n_rows()), (Some(expected), rows.len()));
    assert_eq!(created_at(&encoder.encode(&[Rows::default()]).unwrap()), None);
    rows.sla_breached.pop();
    assert!(encoder.encode(std::slice::from_ref(&rows)).is_err(), "columns of different lengths are accepted");
}

#[test]
fn reused_encoder_yields_the_same_bytes() {
    let (one, other) = (rows(TYPICAL, 4), rows(Shape { words: Words::Any, times: Times::Unsorted, ..TYPICAL }, 5));
    for compression in CODECS {
        let mut encoder = Encoder::new(compression).unwrap();
        let first = encoder.encode(std::slice::from_ref(&one)).unwrap().bytes().to_vec();
        encoder.encode(std::slice::from_ref(&other)).unwrap();
        assert_eq!(encoder.encode(std::slice::from_ref(&one)).unwrap().bytes(), first);
    }
}

#[test]
fn division_into_blocks_does_not_change_the_bytes() {
    for times in [Times::Unsorted, TYPICAL.times] {
        let whole = rows(Shape { words: Words::Any, times, ..TYPICAL }, 6);
        let ends = [0, 1, 1, 1024, 9000, whole.len()];
        let blocks: Vec<Rows> = ends
            .windows(2)
            .map(|ends| {
                let mut block = Rows::default();
                block.append(&whole, ends[0]..ends[1]);
                block
            })
            .collect();
        let mut encoder = Encoder::new(Compression::Snappy).unwrap();
        let expected = encoder.encode(std::slice::from_ref(&whole)).unwrap();
        let found = encoder.encode(&blocks).unwrap();
        assert_eq!(found.bytes(), expected.bytes());
        assert_eq!((found.n_rows(), created_at(&found)), (expected.n_rows(), created_at(&expected)));
    }
}

#[test]
fn encodings_and_page_types() {
    let mut rows = rows(TYPICAL, 6);
    let distinct = self::rows(Shape { words: Words::Of(1 << 40), ..TYPICAL }, 7);
    rows.customer_id = distinct.customer_id;
    rows.vin_last6 = StringColumn::default();
    rows.ticket_id.iter().for_each(|id| {
        let number = u32::from_be_bytes(*id.first_chunk().unwrap()) % 1_000_000;
        rows.vin_last6.push(format!("{number:06}").as_bytes());
    });
    for (compression, codec) in CODECS.into_iter().zip([
        ParquetCodec::SNAPPY,
        ParquetCodec::ZSTD(ZstdLevel::try_new(1).unwrap()),
        ParquetCodec::UNCOMPRESSED,
    ]) {
        let file = assert_round_trip(std::slice::from_ref(&rows), compression);
        let reader = SerializedFileReader::new(file).unwrap();
        for (index, chunk) in reader.metadata().row_group(0).columns().iter().enumerate() {
            let name = chunk.column_path().string();
            assert_eq!(
                std::mem::discriminant(&chunk.compression()),
                std::mem::discriminant(&codec),
                "{name} {compression:?}"
            );
            let expected = match name.as_str() {
                "ticket_id" | "vin_last6" => Encoding::DELTA_LENGTH_BYTE_ARRAY,
                "customer_id" => Encoding::DELTA_BYTE_ARRAY,
                "sla_breached" => Encoding::PLAIN,
                name if name.ends_with("_at") => Encoding::DELTA_BINARY_PACKED,
                _ => Encoding::RLE_DICTIONARY,
            };
            let group = reader.get_row_group(0).unwrap();
            let mut kinds = Vec::new();
            for page in group.get_column_page_reader(index).unwrap() {
                let page = page.unwrap();
                kinds.push(page.page_type());
                let is_data = page.page_type() == PageType::DATA_PAGE;
                assert_eq!(page.encoding(), if is_data { expected } else { Encoding::PLAIN }, "{name}");
                assert!(page.buffer().len() < 1 << 20, "{name}: a page of {} bytes", page.buffer().len());
            }
            let mut expected_kinds = vec![PageType::DATA_PAGE; rows.len().div_ceil(PAGE_ROWS)];
            if expected == Encoding::RLE_DICTIONARY {
                expected_kinds.insert(0, PageType::DICTIONARY_PAGE);
            }
            assert_eq!(kinds, expected_kinds, "{name}");
            assert_eq!(chunk.dictionary_page_offset().is_some(), expected == Encoding::RLE_DICTIONARY, "{name}");
        }
    }
}

#[test]
fn compression_shrinks_repetitive_columns_and_adds_little_to_random_ones() {
    // Too many distinct strings for a dictionary, with long common parts.
    let rows = rows(Shape { words: Words::Alike(1_000_000), ..TYPICAL }, 9);
    let [snappy, zstd, none] = CODECS.map(|compression| metadata(&write(std::slice::from_ref(&rows), compression)));
    let n_bytes = |metadata: &ParquetMetaData, column: usize| metadata.row_group(0).column(column).compressed_size();
    assert!(2 * n_bytes(&zstd, 9) < n_bytes(&none, 9));
    assert!(10 * n_bytes(&snappy, 9) < 9 * n_bytes(&none, 9));
    for column in 0..14 {
        assert!(n_bytes(&snappy, column) < n_bytes(&none, column) * 101 / 100 + 20);
        assert!(n_bytes(&zstd, column) < n_bytes(&none, column) * 101 / 100 + 40);
    }
}

#[test]
fn one_day_of_ninety_is_found_by_the_page_index() {
    const N_ROWS: i64 = 300_000;
    let mut rows = rows(Shape { n_rows: N_ROWS as usize, words: Words::Of(1 << 40), ..TYPICAL }, 8);
    for (row, time) in rows.created_at.iter_mut().enumerate() {
        *time = row as i64 * (90 * DAY / N_ROWS);
    }
    let file = write(&[rows], Compression::Snappy);
    let metadata = metadata(&file);
    let (from, to) = (40 * DAY, 41 * DAY);
    let ColumnIndexMetaData::INT64(created_at) = &metadata.column_index().unwrap()[0][1] else { panic!("not times") };
    let pages: Vec<usize> = (0..created_at.num_pages() as usize)
        .filter(|page| *created_at.max_value(*page).unwrap() >= from && *created_at.min_value(*page).unwrap() < to)
        .collect();
    let locations = metadata.offset_index().unwrap()[0].iter().map(OffsetIndexMetaData::page_locations);
    let n_bytes: i64 =
        locations.flat_map(|column| pages.iter().map(|page| i64::from(column[*page].compressed_page_size))).sum();
    assert!(!pages.is_empty());
    let share = n_bytes as f64 / file.len() as f64;
    assert!(share < 0.05, "{pages:?}: {:.1} % of the file", 100.0 * share);
}
