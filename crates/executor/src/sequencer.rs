//! A value that threads visit in numbered turns.

use std::sync::{Condvar, Mutex, PoisonError};

use crate::cancellation::{CancellationToken, Cancelled, POLL_INTERVAL};

/// A value that threads visit one at a time, in turns 0, 1, 2 … A thread that has been given a turn must either visit or
/// cancel the run.
///
/// ```
/// use executor::{CancellationToken, Sequencer};
///
/// let (log, token) = (Sequencer::new(Vec::new()), CancellationToken::default());
/// std::thread::scope(|scope| {
///     for turn in [2, 0, 1] {
///         let (log, token) = (&log, &token);
///         scope.spawn(move || log.visit(turn, token, |log| log.push(turn)));
///     }
/// });
/// assert_eq!(log.into_inner(), [0, 1, 2]);
/// ```
#[derive(Debug)]
pub struct Sequencer<T> {
    state: Mutex<State<T>>,
    visited: Condvar,
}

#[derive(Debug)]
struct State<T> {
    /// The number of the next visit.
    due: u64,
    value: T,
}

impl<T> Sequencer<T> {
    /// Creates a sequencer whose next turn is 0.
    pub const fn new(value: T) -> Self {
        Self { state: Mutex::new(State { due: 0, value }), visited: Condvar::new() }
    }

    /// Blocks until `turn` is due, then calls `visit` with the value.
    ///
    /// # Errors
    ///
    /// [`Cancelled`] if the run is cancelled before the turn is due.
    pub fn visit<R>(
        &self,
        turn: u64,
        token: &CancellationToken,
        visit: impl FnOnce(&mut T) -> R,
    ) -> Result<R, Cancelled> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        token.check()?;
        while state.due != turn {
            let waited = self.visited.wait_timeout(state, POLL_INTERVAL);
            state = waited.map_or_else(|poisoned| poisoned.into_inner().0, |(state, _)| state);
            token.check()?;
        }
        let result = visit(&mut state.value);
        state.due += 1;
        drop(state);
        self.visited.notify_all();
        Ok(result)
    }

    /// Returns the value.
    pub fn into_inner(self) -> T {
        self.state.into_inner().unwrap_or_else(PoisonError::into_inner).value
    }
}
