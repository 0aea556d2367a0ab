//! The binary without Python: help, usage errors, measuring a command, and the error for a missing Python.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic, and makes the files it needs")]

use std::process::{Command, Output};

use serde_json::Value;
use tempfile::tempdir;

const BINARY: &str = env!("CARGO_BIN_EXE_bench");

fn bench(arguments: &[&str]) -> Output {
    Command::new(BINARY).env("COLUMNS", "100").args(arguments).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn help_text() {
    for (name, arguments) in [("help", &["--help"][..]), ("help_transform", &["transform", "--help"])] {
        insta::assert_snapshot!(name, String::from_utf8(bench(arguments).stdout).unwrap());
    }
}

#[test]
fn usage_errors_exit_with_2() {
    for arguments in
        [&["transform", "--tickets", "0"][..], &["transform", "--runs", "0"], &["transform", "--only", "cat"], &[]]
    {
        assert_eq!(bench(arguments).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn missing_python_is_reported() {
    let home = tempdir().unwrap();
    let output = Command::new(BINARY)
        .args(["transform", "--dir", "scratch", "--output", "report.md"])
        .current_dir(home.path())
        .env("PATH", home.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!(stderr(&output).replace(home.path().canonicalize().unwrap().to_str().unwrap(), "HOME"));
    assert!(!home.path().join("report.md").exists());
}

#[test]
fn measurement_includes_child_processes() {
    // A child of the shell that keeps a processor busy for about 0.1 s, and a string of 30 MB in it.
    let child = "s=$(head -c 30000000 /dev/zero | tr '\\0' x); i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done";
    let output = bench(&["measure", "--", "sh", "-c", "echo ignored; sh -c \"$0\"; sleep 0.05", child]);
    assert!(output.status.success(), "{}", stderr(&output));
    let usage: Value = serde_json::from_slice(&output.stdout).unwrap();
    let nanoseconds = |of: &Value| of["secs"].as_u64().unwrap() * 1_000_000_000 + of["nanos"].as_u64().unwrap();
    assert!(nanoseconds(&usage["wall"]) >= 50_000_000, "{usage}");
    assert!(nanoseconds(&usage["cpu"]) > 0, "{usage}");
    assert!((30_000_000..1_000_000_000).contains(&usage["peak_memory"].as_u64().unwrap()), "{usage}");
}

#[test]
fn failed_and_missing_commands_are_errors() {
    let failed = bench(&["measure", "--", "sh", "-c", "echo it is broken >&2; exit 3"]);
    assert_eq!((failed.status.code(), failed.stdout), (Some(1), Vec::new()));
    let failed = bench(&["measure", "--", "sh", "-c", "echo it is broken >&2; exit 3"]);
    assert_eq!(stderr(&failed), "it is broken\nerror: sh ended with exit status: 3\n");
    let missing = bench(&["measure", "--", "./not-there"]);
    assert!(stderr(&missing).starts_with("error: cannot start ./not-there"), "{}", stderr(&missing));
}
