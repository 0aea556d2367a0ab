//! What the encoder makes of any rows: every value comes back, and what the file says of its pages is true of them.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod samples;
mod truth;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Int32Type, TimestampMillisecondType};
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression as ParquetCodec, Encoding, PageType, ZstdLevel};
use parquet::file::metadata::ParquetMetaData;
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::page_index::offset_index::OffsetIndexMetaData;
use parquet::file::reader::{FileReader, SerializedFileReader};
use proptest::prelude::*;
use ticket_schema::enums::{Category, Channel, Severity, Status};
use transform::parquet_file::{Compression, Encoder, PAGE_ROWS, ParquetFile};
use transform::partition::columns::{NO_TIME, Rows, Texts};

use samples::{DAY, Shape, TYPICAL, Times, Words, append, in_order, rows, shapes, text};
use truth::{assert_true_metadata, metadata};

const CODECS: [Compression; 3] = [Compression::Snappy, Compression::Zstd, Compression::None];

fn write(groups: &[Rows], compression: Compression) -> Bytes {
    let mut encoder = Encoder::new(compression).unwrap();
    let mut file = ParquetFile::new(Vec::new()).unwrap();
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

/// The rows as Arrow's reader finds them.
fn read(file: Bytes) -> Rows {
    let mut rows = Rows::default();
    for batch in ParquetRecordBatchReaderBuilder::try_new(file).unwrap().with_batch_size(5000).build().unwrap() {
        take(&batch.unwrap(), &mut rows);
    }
    rows
}

fn take(batch: &RecordBatch, rows: &mut Rows) {
    let column = |name: &str| batch.column_by_name(name).unwrap();
    let texts = |name: &str| column(name).as_string::<i32>();
    let time = |name: &str| column(name).as_primitive::<TimestampMillisecondType>();
    let place = |all: &[&str], text: &str| all.iter().position(|known| *known == text).unwrap() as u8;
    let severities: Vec<&str> = Severity::ALL.iter().map(|value| value.as_str()).collect();
    let statuses: Vec<&str> = Status::ALL.iter().map(|value| value.as_str()).collect();
    let categories: Vec<&str> = Category::ALL.iter().map(|value| value.as_str()).collect();
    let channels: Vec<&str> = Channel::ALL.iter().map(|value| value.as_str()).collect();
    for row in 0..batch.num_rows() {
        rows.ticket_id.push(uuid::Uuid::parse_str(texts("ticket_id").value(row)).unwrap().into_bytes());
        rows.created_at.push(time("created_at").value(row));
        rows.updated_at.push(time("updated_at").value(row));
        let resolved_at = time("resolved_at");
        rows.resolved_at.push(if resolved_at.is_null(row) { NO_TIME } else { resolved_at.value(row) });
        rows.severity.push(place(&severities, texts("severity").value(row)));
        rows.status.push(place(&statuses, texts("status").value(row)));
        rows.category.push(place(&categories, texts("category").value(row)));
        rows.channel.push(place(&channels, texts("channel").value(row)));
        rows.dealer_id.push(text(texts("dealer_id").value(row)));
        rows.customer_id.push(text(texts("customer_id").value(row)));
        rows.vin_last6.push(text(texts("vin_last6").value(row)));
        rows.model_series.push(text(texts("model_series").value(row)));
        rows.model_year.push(column("model_year").as_primitive::<Int32Type>().value(row));
        rows.sla_breached.push(column("sla_breached").as_boolean().value(row));
    }
}

fn assert_round_trip(groups: &[Rows], compression: Compression) -> Bytes {
    let file = write(groups, compression);
    assert_eq!(write(groups, compression), file, "the same rows, other bytes");
    let written: Vec<Rows> = groups.iter().filter(|rows| !rows.is_empty()).map(in_order).collect();
    assert_true_metadata(&file, &written);
    let mut expected = Rows::default();
    for rows in &written {
        append(&mut expected, rows);
    }
    assert!(read(file.clone()) == expected, "other values come back");
    file
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn any_rows_come_back(shapes in prop::collection::vec((shapes(), any::<u64>()), 1..3), codec in 0..CODECS.len()) {
        let groups: Vec<Rows> = shapes.into_iter().map(|(shape, seed)| rows(shape, seed)).collect();
        assert_round_trip(&groups, CODECS[codec]);
    }
}

#[test]
fn more_texts_than_codes_can_name_come_back() {
    for n_distinct in [65_536, 65_537_u64] {
        let n_rows = 3 * n_distinct as usize;
        let mut rows = rows(Shape { n_rows, words: Words::Of(1), ..TYPICAL }, 2);
        rows.dealer_id = Texts::default();
        // Each three times in a row, so that a dictionary looks good from the beginning.
        (0..n_rows as u64).for_each(|row| rows.dealer_id.push(text(&format!("DLR-{:012}", (row / 3) % n_distinct))));
        let file = assert_round_trip(&[rows], Compression::Snappy);
        let has_dictionary = metadata(&file).row_group(0).column(8).dictionary_page_offset().is_some();
        assert_eq!(has_dictionary, n_distinct <= 65_536, "{n_distinct}");
    }
}

#[test]
fn a_file_without_rows_is_a_file() {
    for groups in [vec![], vec![Rows::default()]] {
        let file = write(&groups, Compression::Snappy);
        assert_eq!(metadata(&file).num_row_groups(), 0);
        assert!(read(file).is_empty());
    }
}

#[test]
fn a_row_group_says_when_its_rows_were_created() {
    let mut rows = rows(Shape { times: Times::Unsorted, ..TYPICAL }, 3);
    let expected = (*rows.created_at.iter().min().unwrap(), *rows.created_at.iter().max().unwrap());
    let mut encoder = Encoder::new(Compression::None).unwrap();
    let group = encoder.encode(std::slice::from_ref(&rows)).unwrap();
    assert_eq!((group.created_at(), group.n_rows()), (Some(expected), rows.len()));
    assert_eq!(encoder.encode(&[Rows::default()]).unwrap().created_at(), None);
    rows.sla_breached.pop();
    assert!(encoder.encode(std::slice::from_ref(&rows)).is_err(), "columns of different lengths");
}

#[test]
fn an_encoder_used_again_gives_the_same_bytes() {
    let (one, other) = (rows(TYPICAL, 4), rows(Shape { words: Words::Any, times: Times::Unsorted, ..TYPICAL }, 5));
    for compression in CODECS {
        let mut encoder = Encoder::new(compression).unwrap();
        let first = encoder.encode(std::slice::from_ref(&one)).unwrap().bytes().to_vec();
        encoder.encode(std::slice::from_ref(&other)).unwrap();
        assert_eq!(encoder.encode(std::slice::from_ref(&one)).unwrap().bytes(), first);
    }
}

#[test]
fn rows_in_blocks_give_the_same_bytes_as_in_one() {
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
        assert_eq!((found.n_rows(), found.created_at()), (expected.n_rows(), expected.created_at()));
    }
}

#[test]
fn the_layout_is_what_many_readers_read_fast() {
    let mut rows = rows(TYPICAL, 6);
    let distinct = self::rows(Shape { words: Words::Of(1 << 40), ..TYPICAL }, 7);
    rows.customer_id = distinct.customer_id;
    rows.vin_last6 = Texts::default();
    rows.ticket_id.iter().for_each(|id| {
        rows.vin_last6.push(text(&format!("{:06}", u32::from_be_bytes(*id.first_chunk().unwrap()) % 1_000_000)));
    });
    for (compression, codec) in CODECS.into_iter().zip([
        ParquetCodec::SNAPPY,
        ParquetCodec::ZSTD(ZstdLevel::try_new(1).unwrap()),
        ParquetCodec::UNCOMPRESSED,
    ]) {
        let file = assert_round_trip(std::slice::from_ref(&rows), compression);
        let reader = SerializedFileReader::new(file).unwrap();
        for (place, chunk) in reader.metadata().row_group(0).columns().iter().enumerate() {
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
            for page in group.get_column_page_reader(place).unwrap() {
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
fn snappy_and_zstd_shrink_what_repeats_and_add_next_to_nothing_to_what_does_not() {
    // Too many different texts for a dictionary, of which long parts are the same.
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
fn a_day_of_ninety_is_found_without_reading_the_rest() {
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
    let part = n_bytes as f64 / file.len() as f64;
    assert!(part < 0.05, "{pages:?}: {:.1} % of the file", 100.0 * part);
}
