//! Removal of staging directories when the process is interrupted.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The staging directories that an interrupt removes.
static UNFINISHED: Mutex<Vec<Unfinished>> = Mutex::new(Vec::new());

/// An unpublished data set.
pub(crate) struct Unfinished {
    pub(crate) target: PathBuf,
    pub(crate) work: PathBuf,
}

/// Locks the list of unpublished data sets. While the lock is held, an interrupt waits.
pub(crate) fn unfinished() -> MutexGuard<'static, Vec<Unfinished>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Installs a handler for Ctrl-C, SIGTERM and SIGHUP that calls `report` with the targets of unfinished runs, removes their
/// staging directories and exits with 130.
pub fn remove_unfinished_on_interrupt(report: fn(&[&Path])) {
    let installed = ctrlc::set_handler(move || {
        // The lock is held until the process exits, so that no swap happens and no file is created in a directory being
        // removed.
        let stagings = unfinished();
        report(&stagings.iter().map(|staging| staging.target.as_path()).collect::<Vec<_>>());
        for staging in stagings.iter() {
            let _ = fs::remove_dir_all(&staging.work);
        }
        std::process::exit(130);
    });
    // Without a handler an interrupt still publishes nothing; the next run cleans up.
    drop(installed);
}
