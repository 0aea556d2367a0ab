//! The Parquet files of whole runs: values, schema, encodings and layout.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic, and makes the files it needs")]

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Int32Type, TimestampMillisecondType};
use cli_support::Messages;
use jsonl::input::Inputs;
use manifest::{CuratedManifest, Manifest, WorldParameters};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, Encoding, LogicalType, PageType, Repetition, TimeUnit, Type};
use parquet::file::metadata::ParquetMetaData;
use parquet::file::reader::{FileReader, SerializedFileReader};
use serde_json::Value;
use tempfile::{TempDir, tempdir};
use ticket_schema::columns::file_columns;
use transform::run::error_limit::ErrorLimit;
use transform::{Config, run_transform};

fn lake(count: u64) -> TempDir {
    let home = tempdir().unwrap();
    let world = WorldParameters::new(5, "2026-11-22T09:30:00Z".parse().unwrap(), 60, count);
    let config = generate::Config { batch_size: count, ..generate::Config::of(world) };
    let target = generate::Target::Directory(home.path().join("raw"));
    generate::run_generate(&config, target, &Messages::silent()).unwrap();
    let config = Config { error_limit: ErrorLimit::Lines(0), ..Config::new(home.path().join("curated")) };
    run_transform(&config, Inputs::of_manifest(&home.path().join("raw")).unwrap(), &Messages::silent()).unwrap();
    home
}

fn parquet_files(home: &Path) -> Vec<(String, std::path::PathBuf)> {
    let manifest = CuratedManifest::load(&home.join("curated")).unwrap().unwrap();
    let market = |name: &str| name.split(['=', '/']).nth(2).unwrap().to_owned();
    manifest.files.iter().map(|file| (market(&file.name), home.join("curated").join(&file.name))).collect()
}

/// Returns the JSON of the ticket from which a row was written.
fn row_json(batch: &RecordBatch, row: usize, market: &str) -> BTreeMap<String, Value> {
    let text = |name: &str| Value::from(batch.column_by_name(name).unwrap().as_string::<i32>().value(row));
    let time = |name: &str| {
        let column = batch.column_by_name(name).unwrap().as_primitive::<TimestampMillisecondType>();
        let time = chrono::DateTime::from_timestamp_millis(column.value(row)).unwrap();
        let text = time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
        if column.is_null(row) { Value::Null } else { Value::from(text) }
    };
    let mut json: BTreeMap<String, Value> = file_columns()
        .map(|column| {
            let value = match column.name {
                name if name.ends_with("_at") => time(name),
                "model_year" => {
                    Value::from(batch.column_by_name("model_year").unwrap().as_primitive::<Int32Type>().value(row))
                }
                "sla_breached" => Value::from(batch.column_by_name("sla_breached").unwrap().as_boolean().value(row)),
                name => text(name),
            };
            (column.name.to_owned(), value)
        })
        .collect();
    json.insert("market".into(), market.into());
    json
}

#[test]
fn values_round_trip_in_order_within_each_market() {
    let home = lake(3000);
    let mut expected: BTreeMap<String, Vec<BTreeMap<String, Value>>> = BTreeMap::new();
    let raw = std::fs::read_dir(home.path().join("raw")).unwrap().map(|entry| entry.unwrap().path());
    let raw = raw.into_iter().find(|path| path.extension().is_some_and(|ending| ending == "jsonl")).unwrap();
    for line in std::fs::read_to_string(raw).unwrap().lines() {
        let ticket: BTreeMap<String, Value> = serde_json::from_str(line).unwrap();
        expected.entry(ticket["market"].as_str().unwrap().to_owned()).or_default().push(ticket);
    }
    let mut found = BTreeMap::new();
    for (market, path) in parquet_files(home.path()) {
        let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap().build().unwrap();
        let rows: Vec<_> = reader
            .flat_map(|batch| {
                let batch = batch.unwrap();
                (0..batch.num_rows()).map(|row| row_json(&batch, row, &market)).collect::<Vec<_>>()
            })
            .collect();
        found.insert(market, rows);
    }
    assert_eq!(found, expected);
}

/// The encodings that Athena engine version 3 (Trino) reads in data pages of version 1, without `BYTE_STREAM_SPLIT`, which
/// it reads only for floats.
const READ_BY_ATHENA: [Encoding; 6] = [
    Encoding::PLAIN,
    Encoding::RLE,
    Encoding::RLE_DICTIONARY,
    Encoding::DELTA_BINARY_PACKED,
    Encoding::DELTA_LENGTH_BYTE_ARRAY,
    Encoding::DELTA_BYTE_ARRAY,
];

#[test]
fn layout_is_supported_by_athena() {
    let home = lake(3000);
    for (market, path) in parquet_files(home.path()) {
        let reader = SerializedFileReader::new(File::open(&path).unwrap()).unwrap();
        assert_schema(reader.metadata());
        for group in reader.metadata().row_groups() {
            for column in group.columns() {
                let name = column.column_path().string();
                assert_eq!(column.compression(), Compression::SNAPPY, "{market} {name}");
                assert!(column.statistics().is_some(), "{market} {name}");
                assert!(
                    column.column_index_offset().is_some() && column.offset_index_offset().is_some(),
                    "{market} {name}"
                );
                assert!(column.encodings().all(|encoding| READ_BY_ATHENA.contains(&encoding)), "{market} {name}");
            }
        }
        let group = reader.get_row_group(0).unwrap();
        for column in 0..group.num_columns() {
            let pages = group.get_column_page_reader(column).unwrap();
            assert!(pages.map(|page| page.unwrap().page_type()).all(|kind| kind != PageType::DATA_PAGE_V2));
        }
    }
}

/// Alignment allows direct writes without a copy. The padding has the minimum length and consists of zeros.
#[test]
fn large_row_groups_are_aligned_to_disk_blocks() {
    const BLOCK_BYTES: usize = 4096;
    let home = lake(120_000);
    let (mut n_large, mut n_small) = (0, 0);
    for (market, path) in parquet_files(home.path()) {
        let bytes = std::fs::read(&path).unwrap();
        let reader = SerializedFileReader::new(File::open(&path).unwrap()).unwrap();
        let mut end = 4_usize;
        for group in reader.metadata().row_groups() {
            let start = usize::try_from(group.file_offset().unwrap()).unwrap();
            let n_bytes = usize::try_from(group.compressed_size()).unwrap();
            if n_bytes >= 1 << 20 {
                n_large += 1;
                assert_eq!(start, end.next_multiple_of(BLOCK_BYTES), "{market}");
                assert!(bytes[end..start].iter().all(|byte| *byte == 0));
            } else {
                n_small += 1;
                assert_eq!(start, end, "{market}");
            }
            end = start + n_bytes;
        }
    }
    assert!(n_large > 0 && n_small > 0, "{n_large} large, {n_small} small");
}

fn assert_schema(metadata: &ParquetMetaData) {
    let schema = metadata.file_metadata().schema_descr();
    let names: Vec<String> = schema.columns().iter().map(|column| column.name().to_owned()).collect();
    assert_eq!(names, file_columns().map(|column| column.name).collect::<Vec<_>>());
    for column in schema.columns() {
        let kind = (column.physical_type(), column.logical_type_ref().cloned());
        let expected = match column.name() {
            "created_at" | "updated_at" | "resolved_at" => {
                (Type::INT64, Some(LogicalType::timestamp(true, TimeUnit::MILLIS)))
            }
            "model_year" => (Type::INT32, None),
            "sla_breached" => (Type::BOOLEAN, None),
            _ => (Type::BYTE_ARRAY, Some(LogicalType::String)),
        };
        assert_eq!(kind, expected, "{}", column.name());
        let repetition = if column.name() == "resolved_at" { Repetition::OPTIONAL } else { Repetition::REQUIRED };
        assert_eq!(column.self_type().get_basic_info().repetition(), repetition, "{}", column.name());
    }
}
