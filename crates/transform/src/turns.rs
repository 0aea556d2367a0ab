//! Something that many threads work on, one after the other, in an order that was given before.

use std::hint;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Tells all threads of a run that there is no use in going on.
#[derive(Debug, Default)]
pub struct Stop(AtomicBool);

/// What whoever waits is told then. The error that was the reason is reported by the thread that met it.
#[derive(Debug, thiserror::Error)]
#[error("another thread has stopped the run")]
pub struct Stopped;

impl Stop {
    /// Lets nobody wait or begin any more.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the run goes on.
    pub fn check(&self) -> Result<(), Stopped> {
        if self.0.load(Ordering::Relaxed) { Err(Stopped) } else { Ok(()) }
    }
}

/// Nobody wakes those who sleep when the run is stopped, so they look after it now and then.
pub(crate) const LOOK: Duration = Duration::from_millis(20);

/// How long a thread keeps looking before it sleeps, since being woken up takes time, too: two threads took 7 % less
/// time so, on a machine shared with others.
const PATIENCE: Duration = Duration::from_micros(300);

/// Looks again and again until there is something, but not for long.
pub fn look<R>(mut ready: impl FnMut() -> Option<R>) -> Option<R> {
    let mut found = ready();
    if found.is_none() {
        let started = Instant::now();
        while found.is_none() && started.elapsed() < PATIENCE {
            hint::spin_loop();
            found = ready();
        }
    }
    found
}

/// A value that is visited in turns 0, 1, 2 … Whoever holds a turn must take it, or stop the run.
#[derive(Debug)]
pub struct InTurn<T> {
    /// Changes only while the value is locked.
    due: AtomicU64,
    value: Mutex<T>,
    next: Condvar,
}

impl<T> InTurn<T> {
    /// Nobody has visited `value` yet.
    pub const fn new(value: T) -> Self {
        Self { due: AtomicU64::new(0), value: Mutex::new(value), next: Condvar::new() }
    }

    /// Waits until `turn` is due, and takes it.
    pub fn visit<R>(&self, turn: u64, stop: &Stop, visit: impl FnOnce(&mut T) -> R) -> Result<R, Stopped> {
        let mut value = self.wait_for(turn, stop)?;
        let result = visit(&mut value);
        self.due.store(turn + 1, Ordering::Release);
        drop(value);
        self.next.notify_all();
        Ok(result)
    }

    fn wait_for(&self, turn: u64, stop: &Stop) -> Result<MutexGuard<'_, T>, Stopped> {
        let is_due = || (self.due.load(Ordering::Acquire) == turn).then_some(());
        look(is_due);
        let mut value = self.lock();
        loop {
            stop.check()?;
            if is_due().is_some() {
                return Ok(value);
            }
            let waited = self.next.wait_timeout(value, LOOK);
            value = waited.map_or_else(|poisoned| poisoned.into_inner().0, |(value, _)| value);
        }
    }

    /// The value, when all turns are over.
    pub fn into_inner(self) -> T {
        self.value.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, T> {
        self.value.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
