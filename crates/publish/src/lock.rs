//! Lock against two runs that write the same target.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use anyhow::{Context, Result, bail};

/// Locks the file at `path`, which is created if necessary and stays; the lock ends when the result is dropped.
///
/// # Errors
///
/// Fails if another run holds the lock or the file cannot be opened. `target` is named in the message.
pub(crate) fn take_lock(path: &Path, target: &Path) -> Result<File> {
    let lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .with_context(|| format!("cannot write beside {}", target.display()))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => {
            bail!("another run is writing {}; wait until it has ended, or choose another --output", target.display())
        }
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("cannot lock {}", path.display())),
    }
}
