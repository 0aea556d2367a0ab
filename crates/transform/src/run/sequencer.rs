//! A value that threads access one at a time, in the order of a sequence number.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// A flag that cancels all threads of a run.
#[derive(Debug, Default)]
pub struct CancellationToken(AtomicBool);

/// The error of a thread that was cancelled. The cause is reported by the thread that failed.
#[derive(Debug, thiserror::Error)]
#[error("cancelled because another thread failed")]
pub struct Cancelled;

impl CancellationToken {
    /// Cancels the run.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Checks that the run has not been cancelled.
    ///
    /// # Errors
    ///
    /// Fails if the run has been cancelled.
    pub fn check(&self) -> Result<(), Cancelled> {
        if self.0.load(Ordering::Relaxed) { Err(Cancelled) } else { Ok(()) }
    }
}

/// The interval at which blocked threads check for cancellation, which does not wake them.
pub(crate) const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// A value that is accessed in the order 0, 1, 2 and so on. Every number must be used, or the run cancelled.
#[derive(Debug)]
pub struct Sequencer<T> {
    state: Mutex<State<T>>,
    advanced: Condvar,
}

#[derive(Debug)]
struct State<T> {
    next: u64,
    value: T,
}

impl<T> Sequencer<T> {
    /// Wraps `value`; the first number is 0.
    pub const fn new(value: T) -> Self {
        Self { state: Mutex::new(State { next: 0, value }), advanced: Condvar::new() }
    }

    /// Blocks until all lower numbers have been used, and calls `visit` with the value.
    ///
    /// # Errors
    ///
    /// Fails if the run has been cancelled.
    pub fn visit<R>(
        &self,
        number: u64,
        stop: &CancellationToken,
        visit: impl FnOnce(&mut T) -> R,
    ) -> Result<R, Cancelled> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        stop.check()?;
        while state.next != number {
            let waited = self.advanced.wait_timeout(state, POLL_INTERVAL);
            state = waited.map_or_else(|poisoned| poisoned.into_inner().0, |(state, _)| state);
            stop.check()?;
        }
        let result = visit(&mut state.value);
        state.next += 1;
        drop(state);
        self.advanced.notify_all();
        Ok(result)
    }

    /// Returns the value.
    pub fn into_inner(self) -> T {
        self.state.into_inner().unwrap_or_else(PoisonError::into_inner).value
    }
}
