//! A bounded buffer that consumes numbered items in order.
//!
//! Out-of-order items are buffered; the thread that delivers the next one drains the buffer. No thread only consumes.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use anyhow::Result;

use crate::cancellation::{CancellationToken, Cancelled, POLL_INTERVAL};

/// The limit of [`ReorderBuffer::new`] on buffered items. More of them hold memory without a gain in throughput.
const MAX_BUFFERED: usize = 8;

/// A consumer of type `C` that takes items of type `T` in the order of their numbers 0, 1, 2 …
///
/// A thread that has been given a number must either deliver its item or cancel the run.
///
/// ```
/// use executor::{CancellationToken, ReorderBuffer};
///
/// let (buffer, token) = (ReorderBuffer::new(String::new(), 2), CancellationToken::default());
/// let append = |text: &mut String, item: &mut char| {
///     text.push(*item);
///     Ok(())
/// };
/// assert!(buffer.deliver(1, 'b', &token, append)?.is_none(), "item 1 is buffered");
/// assert!(buffer.deliver(0, 'a', &token, append)?.is_some(), "both are consumed, and one is returned for reuse");
/// assert_eq!(buffer.into_inner().as_deref(), Some("ab"));
/// # Ok::<(), anyhow::Error>(())
/// ```
#[derive(Debug)]
pub struct ReorderBuffer<C, T> {
    state: Mutex<State<C, T>>,
    /// Notified when an item has been consumed or the consumer is free again.
    consumed: Condvar,
    max_buffered: usize,
}

#[derive(Debug)]
struct State<C, T> {
    /// `None` while a thread runs it, and for ever after it has failed.
    consumer: Option<C>,
    /// The number of the item that is consumed next or is being consumed.
    due: u64,
    /// Items delivered out of order, by number.
    buffered: BTreeMap<u64, T>,
    /// Consumed items, kept for reuse of their memory.
    spare: Vec<T>,
}

impl<C, T> ReorderBuffer<C, T> {
    /// Creates a buffer of at most one item per thread, and of at most 8 items.
    pub fn new(consumer: C, n_threads: usize) -> Self {
        Self::with_capacity(consumer, n_threads.min(MAX_BUFFERED))
    }

    /// Creates a buffer of at most `max_buffered` items; with 0 every delivery blocks until its item is due.
    pub const fn with_capacity(consumer: C, max_buffered: usize) -> Self {
        let state = State { consumer: Some(consumer), due: 0, buffered: BTreeMap::new(), spare: Vec::new() };
        Self { state: Mutex::new(state), consumed: Condvar::new(), max_buffered }
    }

    /// Delivers the item with a number. If it is due, calls `consume` for it and for the buffered items that follow;
    /// otherwise buffers it, and blocks first while the buffer is full.
    ///
    /// Returns a consumed item for reuse, if there is one.
    ///
    /// # Errors
    ///
    /// [`Cancelled`] if the run is cancelled while the call blocks, or the error of `consume`, after which nothing more is
    /// consumed.
    pub fn deliver(
        &self,
        number: u64,
        item: T,
        token: &CancellationToken,
        mut consume: impl FnMut(&mut C, &mut T) -> Result<()>,
    ) -> Result<Option<T>> {
        let mut state =
            self.wait_for(token, |state| number == state.due || state.buffered.len() < self.max_buffered)?;
        state.buffered.insert(number, item);
        // A thread that holds the consumer looks at the buffer again before it returns the consumer.
        if let Some(mut consumer) = state.consumer.take() {
            loop {
                let due = state.due;
                let Some(mut item) = state.buffered.remove(&due) else { break };
                drop(state);
                consume(&mut consumer, &mut item)?;
                state = self.lock();
                state.due += 1;
                state.spare.push(item);
                self.consumed.notify_all();
            }
            state.consumer = Some(consumer);
            self.consumed.notify_all();
        }
        Ok(state.spare.pop())
    }

    /// Blocks until all items before `number` have been consumed, then calls `visit` with the consumer.
    ///
    /// # Errors
    ///
    /// [`Cancelled`] if the run is cancelled before.
    pub fn after<R>(
        &self,
        number: u64,
        token: &CancellationToken,
        visit: impl FnOnce(&mut C) -> R,
    ) -> Result<R, Cancelled> {
        let mut state = self.wait_for(token, |state| number == state.due && state.consumer.is_some())?;
        match &mut state.consumer {
            Some(consumer) => Ok(visit(consumer)),
            None => Err(Cancelled),
        }
    }

    fn wait_for(
        &self,
        token: &CancellationToken,
        is_ready: impl Fn(&State<C, T>) -> bool,
    ) -> Result<MutexGuard<'_, State<C, T>>, Cancelled> {
        let mut state = self.lock();
        loop {
            token.check()?;
            if is_ready(&state) {
                return Ok(state);
            }
            let waited = self.consumed.wait_timeout(state, POLL_INTERVAL);
            state = waited.map_or_else(|poisoned| poisoned.into_inner().0, |(state, _)| state);
        }
    }

    /// Returns the consumer; `None` if it failed or panicked.
    pub fn into_inner(self) -> Option<C> {
        self.state.into_inner().unwrap_or_else(PoisonError::into_inner).consumer
    }

    fn lock(&self) -> MutexGuard<'_, State<C, T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
