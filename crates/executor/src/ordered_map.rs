//! A parallel map whose results are consumed in order.

use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, OnceLock, PoisonError};

use anyhow::{Error, Result, anyhow};

use crate::cancellation::CancellationToken;
use crate::reorder_buffer::ReorderBuffer;
use crate::threads::on_threads;

/// Maps the items of `source` on up to `threads` threads, the calling thread included, and consumes the results in the order
/// of the source.
///
/// * `source` runs under a lock; it is the range `0..n` or an iterator whose `next` is cheap.
/// * `new_state` creates the state of a thread. The states are returned, in no particular order.
/// * `map` fills a result buffer from an item. Buffers are reused, so they hold an earlier result at first.
/// * `consume` receives each result with its number, from 0, on the thread that has just completed the next one. It never
///   runs on two threads at once.
///
/// There are at most two result buffers per thread, and one in all on one thread.
///
/// # Errors
///
/// The first error of `new_state`, `map` or `consume`, or an error that reports a panic in one of them. Either ends the run;
/// no result after the failed one is consumed.
pub fn ordered_map<T, S: Send, B: Default + Send>(
    source: impl Iterator<Item = T> + Send,
    threads: NonZeroUsize,
    new_state: impl Fn() -> Result<S> + Sync,
    map: impl Fn(&mut S, T, &mut B) -> Result<()> + Sync,
    consume: impl FnMut(u64, &B) -> Result<()> + Send,
) -> Result<Vec<S>> {
    let source = Mutex::new((0_u64..).zip(source.fuse()));
    // Each thread fills one buffer; with as many out of order, there are two per thread.
    let reorder_buffer = ReorderBuffer::with_capacity((0, consume), threads.get());
    let token = CancellationToken::default();
    let next = || source.lock().unwrap_or_else(PoisonError::into_inner).next();
    let run = || {
        let (mut state, mut buffer) = (new_state()?, B::default());
        loop {
            token.check()?;
            let Some((number, item)) = next() else { return Ok(state) };
            map(&mut state, item, &mut buffer)?;
            let reused = reorder_buffer.deliver(number, buffer, &token, |(number, consume), buffer| {
                consume(*number, buffer)?;
                *number += 1;
                Ok(())
            })?;
            buffer = reused.unwrap_or_default();
        }
    };
    let failure = OnceLock::<Error>::new();
    let run_or_cancel = || {
        let outcome = catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| Err(anyhow!("a worker thread panicked")));
        outcome
            .map_err(|error| {
                // The cause is stored before the cancellation, so the `Cancelled` of another thread never replaces it.
                let _ = failure.set(error);
                token.cancel();
            })
            .ok()
    };
    let states = on_threads(threads.get(), run_or_cancel);
    failure.into_inner().map_or_else(|| Ok(states.into_iter().flatten().collect()), Err)
}
