//! Cancellation of a run on all of its threads.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A flag that ends a run on all of its threads.
///
/// Blocked threads are not notified: they check the flag every 20 ms.
///
/// ```
/// let token = executor::CancellationToken::default();
/// assert!(token.check().is_ok());
/// token.cancel();
/// assert!(token.check().is_err());
/// ```
#[derive(Debug, Default)]
pub struct CancellationToken(AtomicBool);

/// The error of a thread that stopped because the run was cancelled. The thread that cancelled it reports the cause.
#[derive(Debug, thiserror::Error)]
#[error("the run was cancelled by another thread")]
pub struct Cancelled;

impl CancellationToken {
    /// Cancels the run: all later checks and blocking calls with this token fail.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Checks that the run has not been cancelled.
    ///
    /// # Errors
    ///
    /// [`Cancelled`] after a call of [`cancel`](Self::cancel) on any thread.
    pub fn check(&self) -> Result<(), Cancelled> {
        if self.0.load(Ordering::Relaxed) { Err(Cancelled) } else { Ok(()) }
    }
}

/// The interval at which blocked threads check their token, since cancellation notifies no condition variable.
pub(crate) const POLL_INTERVAL: Duration = Duration::from_millis(20);
