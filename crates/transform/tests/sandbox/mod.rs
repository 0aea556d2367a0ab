//! Temporary directories with tickets, in which the tests run the real binary.
#![allow(dead_code, reason = "each test binary uses a part of this module")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use arrow::array::AsArray;
use arrow::datatypes::TimestampMillisecondType;
use manifest::{CuratedManifest, Manifest, RowCounts};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tempfile::{TempDir, tempdir};

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_transform");

pub(crate) fn transform(home: &TempDir, arguments: &[&str]) -> Output {
    Command::new(BINARY).current_dir(home.path()).args(arguments).output().unwrap()
}

pub(crate) fn spawn(home: &TempDir, arguments: &[&str]) -> Child {
    Command::new(BINARY)
        .current_dir(home.path())
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Polls a condition that a process brings about; fails if the process ends first.
pub(crate) fn wait_until(child: &mut Child, mut holds: impl FnMut() -> bool) {
    while !holds() {
        assert_eq!(child.try_wait().unwrap(), None, "the process has ended");
        std::thread::sleep(Duration::from_millis(1));
    }
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Creates a directory with `data/raw` written by generate.
pub(crate) fn home_with_tickets(count: u64) -> TempDir {
    let home = tempdir().unwrap();
    generate_into(&home.path().join("data/raw"), count);
    home
}

pub(crate) fn generate_into(dir: &Path, count: u64) {
    generate_dirty_into(dir, count, 42, "0");
}

pub(crate) fn generate_dirty_into(dir: &Path, count: u64, seed: u64, rate: &str) {
    let as_of = "2026-11-22".parse().unwrap();
    let world = manifest::WorldParameters::new(seed, as_of, 90, count);
    let config = generate::Config { dirty: rate.parse().unwrap(), ..generate::Config::of(world) };
    let target = generate::Target::Directory(dir.to_owned());
    generate::run_generate(&config, target, &cli_support::Messages::silent()).unwrap();
}

pub(crate) fn first_raw_file(home: &TempDir) -> PathBuf {
    home.path().join("data/raw/tickets_20261122_000000_0000.jsonl")
}

pub(crate) fn manifest(home: &TempDir) -> CuratedManifest {
    CuratedManifest::load(&home.path().join("data/curated")).unwrap().unwrap()
}

pub(crate) fn counts(read: u64, written: u64, quarantined: u64) -> RowCounts {
    RowCounts { read, written, quarantined, duplicates: 0 }
}

/// Returns the name and the content of every file below a directory, sorted by name.
pub(crate) fn files(dir: &Path) -> Vec<(String, Vec<u8>)> {
    fn walk(dir: &Path, prefix: &str, found: &mut Vec<(String, Vec<u8>)>) {
        for entry in fs::read_dir(dir).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
            if entry.path().is_dir() {
                walk(&entry.path(), &format!("{name}/"), found);
            } else {
                found.push((name, fs::read(entry.path()).unwrap()));
            }
        }
    }
    let mut found = Vec::new();
    walk(dir, "", &mut found);
    found.sort();
    found
}

pub(crate) fn names(dir: &Path) -> Vec<String> {
    files(dir).into_iter().map(|(name, _)| name).collect()
}

/// The state of a ticket in Parquet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct State {
    pub(crate) ticket_id: String,
    pub(crate) market: String,
    pub(crate) updated_at: i64,
    pub(crate) status: String,
}

/// Returns all rows of a curated data set, sorted. Asserts that the files and their row counts match the manifest.
pub(crate) fn states(curated: &Path) -> Vec<State> {
    let manifest = CuratedManifest::load(curated).unwrap().unwrap();
    let mut states = Vec::new();
    for entry in &manifest.files {
        let file = fs::File::open(curated.join(&entry.name)).unwrap();
        let market = entry.name.split(['=', '/']).nth(2).unwrap();
        let n_before = states.len();
        for batch in ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap() {
            let batch = batch.unwrap();
            let text =
                |name: &str, row: usize| batch.column_by_name(name).unwrap().as_string::<i32>().value(row).to_owned();
            let times = batch.column_by_name("updated_at").unwrap().as_primitive::<TimestampMillisecondType>();
            states.extend((0..batch.num_rows()).map(|row| State {
                ticket_id: text("ticket_id", row),
                market: market.to_owned(),
                updated_at: times.value(row),
                status: text("status", row),
            }));
        }
        assert_eq!((states.len() - n_before) as u64, entry.rows, "{}", entry.name);
    }
    let on_disk: Vec<String> = names(&curated.join("tickets")).iter().map(|name| format!("tickets/{name}")).collect();
    assert_eq!(on_disk, manifest.files.iter().map(|entry| entry.name.clone()).collect::<Vec<_>>());
    states.sort();
    states
}
