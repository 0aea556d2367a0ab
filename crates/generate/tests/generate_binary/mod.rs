//! Runs the `generate` binary in a temporary directory.
#![allow(dead_code, reason = "each test binary uses what it needs")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use manifest::{Manifest, RawManifest};
use tempfile::TempDir;

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_generate");

pub(crate) fn generate(home: &Path, arguments: &[&str]) -> Output {
    Command::new(BINARY).current_dir(home).args(arguments).output().unwrap()
}

/// Runs with a fixed as-of time and expects success.
pub(crate) fn generate_ok(home: &TempDir, arguments: &[&str]) -> Output {
    let output = generate(home.path(), &[&["--as-of", "2026-11-22"], arguments].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    output
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

pub(crate) fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

pub(crate) fn manifest(dir: &Path) -> RawManifest {
    RawManifest::load(dir).unwrap().unwrap()
}

pub(crate) fn all_lines(dir: &Path) -> Vec<u8> {
    manifest(dir).files.iter().flat_map(|file| fs::read(dir.join(&file.name)).unwrap()).collect()
}
