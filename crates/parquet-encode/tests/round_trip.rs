//! Columns of every type and of many shapes are read back with Arrow's Parquet reader.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Int32Type, Int64Type};
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::{SchemaDescPtr, SchemaDescriptor};
use parquet_encode::{Compression, FileOptions, FileWriter, NULL_TIMESTAMP, StringColumn, Workspace, encoders};
use proptest::prelude::*;

const SCHEMA: &str = "message columns {
    required binary id (STRING);
    required int64 at;
    optional int64 optional_at;
    required binary kind (STRING);
    required binary name (STRING);
    required int32 number;
    required boolean flag;
}";

const KINDS: [&str; 4] = ["phone", "email", "", "app"];

/// A row of the schema; `kind` is an index into [`KINDS`].
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    id: [u8; 16],
    at: i64,
    optional_at: Option<i64>,
    kind: u8,
    name: String,
    number: i32,
    flag: bool,
}

fn schema() -> SchemaDescPtr {
    Arc::new(SchemaDescriptor::new(Arc::new(parse_message_type(SCHEMA).unwrap())))
}

fn encode(row_groups: &[&[Row]], compression: Compression) -> Bytes {
    let schema = schema();
    let mut workspace = Workspace::new(compression).unwrap();
    let mut file = FileWriter::new(Vec::new(), Arc::clone(&schema), FileOptions::default()).unwrap();
    for rows in row_groups {
        let ids: Vec<[u8; 16]> = rows.iter().map(|row| row.id).collect();
        let at: Vec<i64> = rows.iter().map(|row| row.at).collect();
        let optional_at: Vec<i64> = rows.iter().map(|row| row.optional_at.unwrap_or(NULL_TIMESTAMP)).collect();
        let kinds: Vec<u8> = rows.iter().map(|row| row.kind).collect();
        let mut names = StringColumn::default();
        rows.iter().for_each(|row| names.push(row.name.as_bytes()));
        let numbers: Vec<i32> = rows.iter().map(|row| row.number).collect();
        let flags: Vec<bool> = rows.iter().map(|row| row.flag).collect();
        let columns = vec![
            encoders::uuids(&ids, &mut workspace, schema.column(0)).unwrap(),
            encoders::timestamps(&at, &mut workspace, schema.column(1)).unwrap(),
            encoders::optional_timestamps(&optional_at, &mut workspace, schema.column(2)).unwrap(),
            encoders::enums(&kinds, &KINDS, &mut workspace, schema.column(3)).unwrap(),
            encoders::strings(&names, &mut workspace, schema.column(4)).unwrap(),
            encoders::integers(&numbers, &mut workspace, schema.column(5)).unwrap(),
            encoders::booleans(&flags, &mut workspace, schema.column(6)).unwrap(),
        ];
        let memory = file.append(workspace.finish_row_group(columns, rows.len())).unwrap();
        workspace.recycle(memory);
    }
    file.finish().unwrap().0.into()
}

fn decode(file: Bytes) -> Vec<Row> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    reader.flat_map(|batch| rows_of(&batch.unwrap())).collect()
}

fn rows_of(batch: &RecordBatch) -> Vec<Row> {
    let string = |column: usize, row: usize| batch.column(column).as_string::<i32>().value(row);
    let hex = |text: &str| u128::from_str_radix(&text.replace('-', ""), 16).unwrap().to_be_bytes();
    let optional_at = batch.column(2).as_primitive::<Int64Type>();
    let row = |row: usize| Row {
        id: hex(string(0, row)),
        at: batch.column(1).as_primitive::<Int64Type>().value(row),
        optional_at: (!optional_at.is_null(row)).then(|| optional_at.value(row)),
        kind: KINDS.iter().position(|kind| *kind == string(3, row)).unwrap() as u8,
        name: string(4, row).to_owned(),
        number: batch.column(5).as_primitive::<Int32Type>().value(row),
        flag: batch.column(6).as_boolean().value(row),
    };
    (0..batch.num_rows()).map(row).collect()
}

fn any_row() -> impl Strategy<Value = Row> {
    let name = prop_oneof![
        4 => "[a-c]{0,2}",
        4 => "common prefix [0-9]{1,4}",
        1 => "\\PC{0,40}",
        1 => (0_usize..=255).prop_map(|n_bytes| "x".repeat(n_bytes)),
    ];
    let optional_at = proptest::option::of((NULL_TIMESTAMP + 1)..=i64::MAX);
    let number = prop_oneof![4 => 2000..2040, 1 => any::<i32>()];
    (any::<[u8; 16]>(), any::<i64>(), optional_at, 0..KINDS.len() as u8, name, number, any::<bool>()).prop_map(
        |(id, at, optional_at, kind, name, number, flag)| Row { id, at, optional_at, kind, name, number, flag },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_columns_round_trip(rows in prop::collection::vec(any_row(), 1..600), split in any::<prop::sample::Index>()) {
        for compression in [Compression::Snappy, Compression::Zstd, Compression::None] {
            let (first, second) = rows.split_at(split.index(rows.len()));
            let row_groups: Vec<&[Row]> = [first, second].into_iter().filter(|rows| !rows.is_empty()).collect();
            let file = encode(&row_groups, compression);
            prop_assert_eq!(decode(file), &rows[..]);
        }
    }
}

#[test]
fn columns_of_several_pages_round_trip() {
    let row = |number: u32| Row {
        id: u128::from(number).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835).to_be_bytes(),
        at: i64::from(number) * 15_000,
        optional_at: (!number.is_multiple_of(3)).then(|| i64::from(number)),
        kind: (number % 4) as u8,
        name: format!("CUST-{:06}", number.wrapping_mul(2_654_435_761) % 1_000_000),
        number: 2020 + (number % 7) as i32,
        flag: number.is_multiple_of(5),
    };
    let rows: Vec<Row> = (0..=2 * parquet_encode::PAGE_ROWS as u32).map(row).collect();
    assert_eq!(decode(encode(&[&rows], Compression::Snappy)), rows);
}

#[test]
fn file_without_row_groups_is_valid() {
    assert_eq!(decode(encode(&[], Compression::Snappy)), []);
}
