//! Something that takes what many threads make, in the order of a number, though it is ready in any order.
//!
//! Nobody waits for those before him, and nobody only takes: who is early lays down what he has, and who brings what is due has
//! it taken, and after it all that waits behind it.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use anyhow::Result;

use crate::run::sequencer::{CancellationToken, Cancelled, LOOK};

/// More things than these never wait, however many threads there are: they would only take memory.
const MAX_EARLY: usize = 8;

/// A value that takes things 0, 1, 2 … Whoever has a number must bring the thing, or stop the run.
#[derive(Debug)]
pub struct ReorderBuffer<T, L> {
    state: Mutex<State<T, L>>,
    /// Something has been taken.
    taken: Condvar,
    max_early: usize,
}

#[derive(Debug)]
struct State<T, L> {
    /// Missing while somebody has it take something.
    value: Option<T>,
    /// The number of what is taken next, or is being taken.
    due: u64,
    /// What was laid down.
    early: BTreeMap<u64, L>,
    /// What has been taken, for its memory.
    spare: Vec<L>,
}

impl<T, L> ReorderBuffer<T, L> {
    /// Nothing has been taken yet. Where one thread is slow, no more than one thing for each of `n_threads` is laid down.
    pub fn new(value: T, n_threads: usize) -> Self {
        let state = State { value: Some(value), due: 0, early: BTreeMap::new(), spare: Vec::new() };
        Self { state: Mutex::new(state), taken: Condvar::new(), max_early: n_threads.min(MAX_EARLY) }
    }

    /// Brings the thing of a number, and calls `take` for it and for those behind it, if they are due and nobody else is at it.
    /// Returns a thing that has been taken, if there is one that nobody uses.
    pub fn bring(
        &self,
        number: u64,
        thing: L,
        stop: &CancellationToken,
        mut take: impl FnMut(&mut T, &mut L) -> Result<()>,
    ) -> Result<Option<L>> {
        let mut state = self.wait(stop, |state| number == state.due || state.early.len() < self.max_early)?;
        state.early.insert(number, thing);
        // Whoever has the value will find what has just been laid down.
        if let Some(mut value) = state.value.take() {
            loop {
                let due = state.due;
                let Some(mut thing) = state.early.remove(&due) else { break };
                drop(state);
                take(&mut value, &mut thing)?;
                state = self.lock();
                state.due += 1;
                state.spare.push(thing);
                self.taken.notify_all();
            }
            state.value = Some(value);
            self.taken.notify_all();
        }
        Ok(state.spare.pop())
    }

    /// Waits until all things before a number have been taken, and looks at the value.
    pub fn after<R>(
        &self,
        number: u64,
        stop: &CancellationToken,
        look: impl FnOnce(&mut T) -> R,
    ) -> Result<R, Cancelled> {
        let mut state = self.wait(stop, |state| number == state.due && state.value.is_some())?;
        match &mut state.value {
            Some(value) => Ok(look(value)),
            None => Err(Cancelled),
        }
    }

    fn wait(
        &self,
        stop: &CancellationToken,
        is_ready: impl Fn(&State<T, L>) -> bool,
    ) -> Result<MutexGuard<'_, State<T, L>>, Cancelled> {
        let mut state = self.lock();
        loop {
            stop.check()?;
            if is_ready(&state) {
                return Ok(state);
            }
            let waited = self.taken.wait_timeout(state, LOOK);
            state = waited.map_or_else(|poisoned| poisoned.into_inner().0, |(state, _)| state);
        }
    }

    /// The value, when everything has been taken; `None` if it has failed to take something.
    pub fn into_inner(self) -> Option<T> {
        self.state.into_inner().unwrap_or_else(PoisonError::into_inner).value
    }

    fn lock(&self) -> MutexGuard<'_, State<T, L>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
