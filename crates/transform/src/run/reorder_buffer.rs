//! A reorder buffer: threads submit items in any order, and the items are processed in the order of their numbers.
//!
//! Out-of-order items are buffered, and the submitting thread continues. The thread that submits the next item in order processes
//! it, and after it all buffered items that follow.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use anyhow::Result;

use crate::run::sequencer::{CancellationToken, Cancelled, POLL_INTERVAL};

/// The maximum number of buffered items for any number of threads. More would only cost memory.
const MAX_BUFFERED: usize = 8;

/// A value that processes the items 0, 1, 2 and so on. Every number must be submitted, or the run cancelled.
#[derive(Debug)]
pub struct ReorderBuffer<T, I> {
    state: Mutex<State<T, I>>,
    /// Notified when an item has been processed.
    processed: Condvar,
    max_buffered: usize,
}

#[derive(Debug)]
struct State<T, I> {
    /// `None` while a thread processes an item with it.
    value: Option<T>,
    /// The number of the item that is processed next or at the moment.
    next: u64,
    /// The buffered items by number.
    buffered: BTreeMap<u64, I>,
    /// Processed items, whose memory can be reused.
    spare: Vec<I>,
}

impl<T, I> ReorderBuffer<T, I> {
    /// Creates an empty buffer. At most one item for each of `n_threads` is buffered.
    pub fn new(value: T, n_threads: usize) -> Self {
        let state = State { value: Some(value), next: 0, buffered: BTreeMap::new(), spare: Vec::new() };
        Self { state: Mutex::new(state), processed: Condvar::new(), max_buffered: n_threads.min(MAX_BUFFERED) }
    }

    /// Submits item `number`. If it is the next one and no other thread is processing, calls `process` for it and for the buffered
    /// items that follow; otherwise buffers it, and blocks first while the buffer is full. Returns a processed item for reuse, if
    /// there is one.
    ///
    /// # Errors
    ///
    /// Fails if `process` fails or the run has been cancelled.
    pub fn submit(
        &self,
        number: u64,
        item: I,
        stop: &CancellationToken,
        mut process: impl FnMut(&mut T, &mut I) -> Result<()>,
    ) -> Result<Option<I>> {
        let mut state = self.wait(stop, |state| number == state.next || state.buffered.len() < self.max_buffered)?;
        state.buffered.insert(number, item);
        // Otherwise the thread that has the value will find the item in the buffer.
        if let Some(mut value) = state.value.take() {
            loop {
                let next = state.next;
                let Some(mut item) = state.buffered.remove(&next) else { break };
                drop(state);
                process(&mut value, &mut item)?;
                state = self.lock();
                state.next += 1;
                state.spare.push(item);
                self.processed.notify_all();
            }
            state.value = Some(value);
            self.processed.notify_all();
        }
        Ok(state.spare.pop())
    }

    /// Blocks until all items below `number` have been processed, and calls `access` with the value.
    ///
    /// # Errors
    ///
    /// Fails if the run has been cancelled.
    pub fn after<R>(
        &self,
        number: u64,
        stop: &CancellationToken,
        access: impl FnOnce(&mut T) -> R,
    ) -> Result<R, Cancelled> {
        let mut state = self.wait(stop, |state| number == state.next && state.value.is_some())?;
        match &mut state.value {
            Some(value) => Ok(access(value)),
            None => Err(Cancelled),
        }
    }

    fn wait(
        &self,
        stop: &CancellationToken,
        is_ready: impl Fn(&State<T, I>) -> bool,
    ) -> Result<MutexGuard<'_, State<T, I>>, Cancelled> {
        let mut state = self.lock();
        loop {
            stop.check()?;
            if is_ready(&state) {
                return Ok(state);
            }
            let waited = self.processed.wait_timeout(state, POLL_INTERVAL);
            state = waited.map_or_else(|poisoned| poisoned.into_inner().0, |(state, _)| state);
        }
    }

    /// Returns the value; `None` if processing an item failed.
    pub fn into_inner(self) -> Option<T> {
        self.state.into_inner().unwrap_or_else(PoisonError::into_inner).value
    }

    fn lock(&self) -> MutexGuard<'_, State<T, I>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
