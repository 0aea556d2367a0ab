//! Opens a page in the browser that the desktop has chosen.

use std::path::Path;
use std::process::{Command, Stdio};

use cli_support::Messages;

/// What opens an address, and what stands before the address.
#[cfg(target_os = "macos")]
const OPENER: (&str, &[&str]) = ("open", &[]);
#[cfg(windows)]
const OPENER: (&str, &[&str]) = ("rundll32", &["url.dll,FileProtocolHandler"]);
#[cfg(not(any(target_os = "macos", windows)))]
const OPENER: (&str, &[&str]) = ("xdg-open", &[]);

/// Opens a file.
pub fn open_file(path: &Path, messages: &Messages) {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    open(&path.to_string_lossy(), messages);
}

/// Opens a file or an address. If that can't be done, it says so: the page is there all the same.
pub fn open(what: &str, messages: &Messages) {
    let (program, before) = OPENER;
    let quiet =
        |command: &mut Command| command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !quiet(Command::new(program).args(before).arg(what)).is_ok_and(|status| status.success()) {
        messages.warn(format!("no browser could be started with {program}; open {what} yourself"));
    }
}
