//! Generated pages of `docs/reference`.
//!
//! The tests compare each page with the code from which it is generated. After a change of the code, run them with
//! `UPDATE_DOCS=1` to update the pages.
#![allow(
    clippy::disallowed_methods,
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "only tests call this: a failure is a panic, and the pages are files of the checkout"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

/// Width of the help texts, in characters.
const HELP_COLUMNS: &str = "100";

/// Returns the path of a page below `docs/reference`.
pub fn page(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference").join(name)
}

/// Fails unless a page below `docs/reference` has this content; writes it instead if `UPDATE_DOCS` is set.
#[track_caller]
pub fn assert_current(name: &str, content: &str) {
    let path = page(name);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap_or(&path))
            .and_then(|()| std::fs::write(&path, content))
            .unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
        return;
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == content, "docs/reference/{name} is not current; run this test again with UPDATE_DOCS=1");
}

/// Fails unless `docs/reference/cli/<tool>.md` holds the help of a tool and of its subcommands.
#[track_caller]
pub fn assert_cli_current(tool: &str, binary: &str, subcommands: &[&str]) {
    let mut content = format!(
        "# `{tool}` options\n\n\
         <!-- Generated from `{tool} --help`. To update: UPDATE_DOCS=1 cargo test -p {tool} --test reference -->\n"
    );
    content += &format!("\n```text\n{}```\n", help(binary, None));
    for subcommand in subcommands {
        content += &format!("\n## `{tool} {subcommand}`\n\n```text\n{}```\n", help(binary, Some(subcommand)));
    }
    assert_current(&format!("cli/{tool}.md"), &content);
}

fn help(binary: &str, subcommand: Option<&str>) -> String {
    let output = Command::new(binary)
        .args(subcommand)
        .arg("--help")
        .env("COLUMNS", HELP_COLUMNS)
        .output()
        .unwrap_or_else(|error| panic!("cannot run {binary}: {error}"));
    assert!(output.status.success(), "{binary} {subcommand:?} --help failed");
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}
