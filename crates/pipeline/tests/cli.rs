//! The binary: its output files, messages and repeated runs.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic, and makes the files it needs")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use manifest::{CuratedManifest, Manifest};
use tempfile::tempdir;

const BINARY: &str = env!("CARGO_BIN_EXE_pipeline");

fn pipeline(home: &Path, arguments: &[&str]) -> Output {
    let output = Command::new(BINARY).current_dir(home).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    output
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn default_run_writes_all_stages_and_verifies_all_kpis() {
    let home = tempdir().unwrap();
    let output = pipeline(home.path(), &[]);
    let messages = stderr(&output);
    for part in [
        "[1/4] generate  5,000 tickets",
        "[2/4] transform 5,000 of 5,000 lines in 10 markets",
        "[3/4] query     10 KPIs",
        "[4/4] dashboard 10 visuals of 5,000 tickets",
        "10 answers verified",
        "Next steps",
    ] {
        assert!(messages.contains(part), "`{part}` is not in {messages}");
    }
    let answers = String::from_utf8(output.stdout).unwrap();
    assert!(answers.contains("1. daily_volume") && answers.contains("10. open_p1_tickets"));
    assert!(home.path().join("data/raw/_manifest.json").exists());
    assert!(home.path().join("data/curated/tickets/market=DE/part-0.parquet").exists());
    assert!(home.path().join("data/dashboard.html").exists());
}

#[test]
fn options_apply_to_all_stages_and_a_rerun_replaces_the_data() {
    let home = tempdir().unwrap();
    pipeline(home.path(), &["--data", "lake", "--count", "3000"]);
    fs::write(home.path().join("lake/raw/extra.jsonl"), "not ours").unwrap();
    let arguments = [
        "--data",
        "lake",
        "--count",
        "70",
        "--seed",
        "7",
        "--as-of",
        "2024-03-01",
        "--days-back",
        "9",
        "--batch-size",
        "50",
        "--threads",
        "1",
        "--format",
        "json",
    ];
    let output = pipeline(home.path(), &arguments);
    let manifest = CuratedManifest::load(&home.path().join("lake/curated")).unwrap().unwrap();
    let world = manifest.world.unwrap();
    assert_eq!((world.count, world.seed, world.days_back), (70, 7, 9));
    assert_eq!(world.as_of.to_string(), "2024-03-01T00:00:00Z");
    assert_eq!((manifest.rows.read, manifest.inputs.len()), (70, 2));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["answers"].as_array().unwrap().len(), 10);
    let mut raw: Vec<_> =
        fs::read_dir(home.path().join("lake/raw")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    raw.sort();
    assert_eq!(
        raw,
        ["_manifest.json", "extra.jsonl", "tickets_20240301_000000_0000.jsonl", "tickets_20240301_000000_0001.jsonl"]
    );
}

#[test]
fn quiet_prints_only_the_answers() {
    let home = tempdir().unwrap();
    let output = pipeline(home.path(), &["--quiet", "--count", "10"]);
    assert_eq!(stderr(&output), "");
    assert!(!output.stdout.is_empty());
}

#[test]
fn help_text() {
    let home = tempdir().unwrap();
    insta::assert_snapshot!(String::from_utf8(pipeline(home.path(), &["--help"]).stdout).unwrap());
}
