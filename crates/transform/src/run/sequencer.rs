//! Something that many threads work on, one after the other, in an order that was given before.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Tells all threads of a run that there is no use in going on.
#[derive(Debug, Default)]
pub struct CancellationToken(AtomicBool);

/// What whoever waits is told then. The error that was the reason is reported by the thread that met it.
#[derive(Debug, thiserror::Error)]
#[error("another thread has stopped the run")]
pub struct Cancelled;

impl CancellationToken {
    /// Lets nobody wait or begin any more.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the run goes on.
    pub fn check(&self) -> Result<(), Cancelled> {
        if self.0.load(Ordering::Relaxed) { Err(Cancelled) } else { Ok(()) }
    }
}

/// Nobody wakes those who sleep when the run is stopped, so they look after it now and then.
pub(crate) const LOOK: Duration = Duration::from_millis(20);

/// A value that is visited in turns 0, 1, 2 … Whoever holds a turn must take it, or stop the run.
#[derive(Debug)]
pub struct Sequencer<T> {
    state: Mutex<State<T>>,
    next: Condvar,
}

#[derive(Debug)]
struct State<T> {
    due: u64,
    value: T,
}

impl<T> Sequencer<T> {
    /// Nobody has visited `value` yet.
    pub const fn new(value: T) -> Self {
        Self { state: Mutex::new(State { due: 0, value }), next: Condvar::new() }
    }

    /// Waits until `turn` is due, and takes it.
    pub fn visit<R>(
        &self,
        turn: u64,
        stop: &CancellationToken,
        visit: impl FnOnce(&mut T) -> R,
    ) -> Result<R, Cancelled> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        stop.check()?;
        while state.due != turn {
            let waited = self.next.wait_timeout(state, LOOK);
            state = waited.map_or_else(|poisoned| poisoned.into_inner().0, |(state, _)| state);
            stop.check()?;
        }
        let result = visit(&mut state.value);
        state.due += 1;
        drop(state);
        self.next.notify_all();
        Ok(result)
    }

    /// The value, when all turns are over.
    pub fn into_inner(self) -> T {
        self.state.into_inner().unwrap_or_else(PoisonError::into_inner).value
    }
}
