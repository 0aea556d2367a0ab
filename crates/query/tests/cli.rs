//! The binary: the effect of each option, error messages and exit codes.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic, and makes the files it needs")]

use std::process::{Command, Output, Stdio};

use serde_json::Value;
use test_support::lake::Lake;

const BINARY: &str = env!("CARGO_BIN_EXE_query");

fn query(lake: &Lake, arguments: &[&str]) -> Output {
    Command::new(BINARY).arg("--data").arg(lake.curated()).args(arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn lake() -> Lake {
    Lake::new(42, 500)
}

#[test]
fn verify_accepts_the_answers_of_all_kpis() {
    let lake = lake();
    let output = query(&lake, &["--verify"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(stderr(&output), "query: 10 answers verified against the manifest's expected answers\n");
    for heading in ["1. daily_volume\n", "10. open_p1_tickets\n"] {
        assert!(stdout(&output).contains(heading));
    }
    assert_eq!(stderr(&query(&lake, &["--verify", "--quiet"])), "");
}

#[test]
fn each_format() {
    let lake = lake();
    let mut shown = String::new();
    for format in ["table", "csv", "json", "markdown"] {
        let output = query(&lake, &["severity_distribution", "--format", format]);
        assert!(output.status.success(), "{}", stderr(&output));
        shown += &[format, "\n", &stdout(&output), "\n"].concat();
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn multiple_answers_have_headings_in_every_format() {
    let lake = lake();
    let csv = stdout(&query(&lake, &["2", "top_categories", "--format", "csv"]));
    let headings: Vec<&str> = csv.lines().filter(|line| line.starts_with('#')).collect();
    assert_eq!(headings, ["# 2. severity_distribution", "# 6. top_categories"]);
    let json: Value = serde_json::from_str(&stdout(&query(&lake, &["--format", "json"]))).unwrap();
    assert_eq!(json["as_of"], "2026-11-22T00:00:00Z");
    assert_eq!(json["answers"].as_array().unwrap().len(), 10);
    assert_eq!(json["answers"][1]["rows"][0]["severity"], "P1");
}

#[test]
fn sql_option_runs_a_query() {
    let lake = lake();
    let output =
        query(&lake, &["--sql", "SELECT 'a,\"b\"|' AS text, NULL AS nothing, 1 = 1 AS yes", "--format", "csv"]);
    assert_eq!(stdout(&output), "text,nothing,yes\n\"a,\"\"b\"\"|\",,true\n");
    let output = query(&lake, &["--sql", "SELECT market FROM tickets WHERE 1 = 0"]);
    assert_eq!(stdout(&output), "(no rows)\n");
    let output = query(&lake, &["--sql", "SELECT chr(27) AS escape"]);
    assert!(stdout(&output).contains("\\u{1b}"), "{}", stdout(&output));
}

#[test]
fn as_of_sets_current_timestamp() {
    let lake = lake();
    let age = |arguments: &[&str]| {
        let sql = "SELECT MIN(hours_since_created) AS hours FROM tickets_enriched";
        let output = query(&lake, &[&["--format", "csv", "--sql", sql], arguments].concat());
        stdout(&output).lines().nth(1).unwrap().parse::<i64>().unwrap()
    };
    assert_eq!(age(&["--as-of", "2026-11-23"]), age(&[]) + 24);
}

#[test]
fn usage_errors_exit_with_2() {
    let lake = lake();
    for (arguments, expected) in [
        (&["best_dealer"][..], "there is no KPI `best_dealer`"),
        (&["11"], "numbers 1 to 10"),
        (&["--format", "xml"], "markdown"),
        (&["--sql", "SELECT 1", "1"], "--sql"),
        (&["--sql", "SELECT 1", "--verify"], "--verify"),
        (&["--verify", "--as-of", "2026-11-21"], "leave --as-of out"),
    ] {
        let output = query(&lake, arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(expected), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn failures_exit_with_1_and_a_message() {
    let lake = lake();
    for (arguments, expected) in [
        (&["--sql", "SELECT colour FROM tickets"][..], "colour"),
        (&["--sql", "SELEKT"], "SELEKT"),
        (&["--sql", "DROP TABLE tickets"], "DDL not supported"),
    ] {
        let output = query(&lake, arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(stderr(&output).contains(expected), "{arguments:?}: {}", stderr(&output));
    }
    for dir in ["nowhere", "raw"] {
        let data = lake.raw().parent().unwrap().join(dir);
        let output = Command::new(BINARY).arg("--data").arg(&data).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let expected = if dir == "raw" { "curated tickets" } else { "run `generate` and then `transform" };
        assert!(stderr(&output).contains(expected), "{}", stderr(&output));
    }
}

#[test]
fn closed_stdout_pipe_exits_with_0() {
    let lake = lake();
    let mut child = Command::new(BINARY)
        .arg("--data")
        .arg(lake.curated())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()));
}

#[test]
fn list_and_help() {
    let run = |argument: &str| stdout(&Command::new(BINARY).arg(argument).output().unwrap());
    insta::assert_snapshot!("list", run("--list"));
    insta::assert_snapshot!("help", run("--help"));
}
