//! Opens a page in the default browser.
//!
//! The crate `webbrowser` would replace these lines, at the price of platform bindings among the dependencies.

use std::path::Path;
use std::process::{Command, Stdio};

use cli_support::Messages;

/// The command that opens a URL, and its leading arguments.
#[cfg(target_os = "macos")]
const OPENER: (&str, &[&str]) = ("open", &[]);
#[cfg(windows)]
const OPENER: (&str, &[&str]) = ("rundll32", &["url.dll,FileProtocolHandler"]);
#[cfg(not(any(target_os = "macos", windows)))]
const OPENER: (&str, &[&str]) = ("xdg-open", &[]);

/// Opens a file in the default browser.
pub fn open_file(path: &Path, messages: &Messages) {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    open(&path.to_string_lossy(), messages);
}

/// Opens a file or a URL in the default browser. A failure is only a warning, since the page exists anyway.
pub fn open(target: &str, messages: &Messages) {
    let (program, arguments) = OPENER;
    let quiet =
        |command: &mut Command| command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !quiet(Command::new(program).args(arguments).arg(target)).is_ok_and(|status| status.success()) {
        messages.warn(format!("cannot start a browser with {program}; open {target} by hand"));
    }
}
