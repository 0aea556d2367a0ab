//! Atomic replacement of one file.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::lock::take_lock;
use crate::platform::sync_directory;

/// Creates or atomically replaces the file `target`, under the same lock as a data set.
///
/// # Errors
///
/// Fails if the target is a directory, if another run is writing it, or if it cannot be written. The target is unchanged
/// then.
///
/// ```
/// let directory = tempfile::tempdir()?;
/// let target = directory.path().join("page.html");
/// publish::replace_file(&target, b"<!doctype html>")?;
/// assert_eq!(std::fs::read(&target)?, b"<!doctype html>");
/// # Ok::<(), anyhow::Error>(())
/// ```
pub fn replace_file(target: &Path, content: &[u8]) -> Result<()> {
    ensure!(!target.is_dir(), "{} is a directory; the output must be a file", target.display());
    let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = target.file_name().and_then(|name| name.to_str());
    let name = name.with_context(|| format!("{} can't be the name of a file", target.display()))?;
    fs::create_dir_all(parent).with_context(|| format!("cannot create {}", parent.display()))?;
    let _lock = take_lock(&parent.join(format!(".{name}.lock")), target)?;
    let partial = parent.join(format!(".{name}.partial"));
    let write = || {
        let mut file = File::create(&partial)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&partial, target)?;
        sync_directory(parent)
    };
    write()
        .inspect_err(|_| drop(fs::remove_file(&partial)))
        .with_context(|| format!("cannot write {}", target.display()))
}
