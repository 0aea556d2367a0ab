//! Ordered output of chunks that are rendered in parallel.
//!
//! Out-of-order chunks are buffered; the thread that delivers the next one drains the buffer. No thread is dedicated to
//! writing.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use anyhow::{Error, Result, anyhow};
use executor::on_threads;

/// Renders chunks `0..n_chunks` on up to `threads` threads, including the calling one, and passes them to `consume` in
/// order.
///
/// Each thread owns a worker created by `worker`; all workers are returned. Buffers are recycled; there are at most two
/// per thread. Stops early with the first error if `consume` fails or any thread panics.
pub(crate) fn in_order<M: Send, B: Default + Send>(
    n_chunks: u64,
    threads: NonZeroUsize,
    worker: impl Fn() -> Result<M> + Sync,
    render: impl Fn(&mut M, u64, &mut B) -> Result<()> + Sync,
    consume: impl FnMut(u64, &B) -> Result<()> + Send,
) -> Result<Vec<M>> {
    let n_buffers = if threads.get() == 1 { 1 } else { 2 * threads.get() };
    let output = OrderedOutput {
        n_chunks,
        state: Mutex::new(State {
            next: 0,
            next_out: 0,
            free_buffers: (0..n_buffers).map(|_| B::default()).collect(),
            pending: BTreeMap::new(),
            consume: Some(consume),
            failure: None,
        }),
        buffer_freed: Condvar::new(),
    };
    let work = || {
        let work = || {
            let mut worker = worker()?;
            output.work(|i, buffer| render(&mut worker, i, buffer))?;
            Ok(worker)
        };
        let outcome = catch_unwind(AssertUnwindSafe(work));
        let outcome = outcome.unwrap_or_else(|_| Err(anyhow!("a worker thread panicked")));
        outcome.map_err(|error| output.fail(error)).ok()
    };
    let workers = on_threads(threads.get(), work);
    match output.lock().failure.take() {
        Some(error) => Err(error),
        None => Ok(workers.into_iter().flatten().collect()),
    }
}

struct OrderedOutput<B, T> {
    n_chunks: u64,
    state: Mutex<State<B, T>>,
    /// Signalled when a buffer becomes free and when the run fails.
    buffer_freed: Condvar,
}

struct State<B, T> {
    /// The next chunk to assign to a worker.
    next: u64,
    /// The next chunk to pass to `consume`.
    next_out: u64,
    free_buffers: Vec<B>,
    /// Finished chunks whose predecessors are not finished.
    pending: BTreeMap<u64, B>,
    /// `None` while a thread is draining the buffer.
    consume: Option<T>,
    failure: Option<Error>,
}

impl<B, T: FnMut(u64, &B) -> Result<()>> OrderedOutput<B, T> {
    fn lock(&self) -> MutexGuard<'_, State<B, T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Renders chunks until none is left or the run has failed.
    fn work(&self, mut render: impl FnMut(u64, &mut B) -> Result<()>) -> Result<()> {
        while let Some((i, mut buffer)) = self.claim() {
            render(i, &mut buffer)?;
            self.deliver(i, buffer)?;
        }
        Ok(())
    }

    /// Blocks until a buffer is free and returns it with the next chunk number.
    ///
    /// Deadlock freedom: a chunk number is only assigned together with a buffer, so the chunk that is next to be
    /// consumed is always being rendered.
    fn claim(&self) -> Option<(u64, B)> {
        let mut state = self.lock();
        loop {
            if state.failure.is_some() || state.next == self.n_chunks {
                return None;
            }
            if let Some(buffer) = state.free_buffers.pop() {
                state.next += 1;
                return Some((state.next - 1, buffer));
            }
            state = self.buffer_freed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Buffers a chunk and, unless another thread is draining the buffer, consumes all chunks that are next in order.
    fn deliver(&self, i: u64, buffer: B) -> Result<()> {
        let mut state = self.lock();
        state.pending.insert(i, buffer);
        let Some(mut consume) = state.consume.take() else {
            return Ok(());
        };
        let mut next_out = state.next_out;
        while let Some(buffer) = state.pending.remove(&next_out) {
            drop(state);
            consume(next_out, &buffer)?;
            state = self.lock();
            next_out += 1;
            state.next_out = next_out;
            state.free_buffers.push(buffer);
            self.buffer_freed.notify_one();
        }
        state.consume = Some(consume);
        Ok(())
    }

    fn fail(&self, error: Error) {
        self.lock().failure.get_or_insert(error);
        self.buffer_freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;
    use std::time::Duration;

    use anyhow::{Result, bail};

    use super::in_order;

    /// Renders chunks with unequal durations, so that they finish out of order.
    #[allow(clippy::unnecessary_wraps, reason = "must match the signature of `render`")]
    fn render(n_rendered: &mut u64, i: u64, buffer: &mut u64) -> Result<()> {
        std::thread::sleep(Duration::from_micros(i * 7919 % 400));
        *n_rendered += 1;
        *buffer = i * i;
        Ok(())
    }

    #[test]
    fn chunks_are_consumed_in_order_and_workers_are_returned() {
        for threads in [1, 2, 3, 16] {
            for n_chunks in [0, 1, 2, 500] {
                let mut consumed = Vec::new();
                let consume = |i, square: &u64| {
                    consumed.push((i, *square));
                    Ok(())
                };
                let workers =
                    in_order(n_chunks, NonZeroUsize::new(threads).unwrap(), || Ok(0), render, consume).unwrap();
                assert_eq!(consumed, (0..n_chunks).map(|i| (i, i * i)).collect::<Vec<_>>());
                assert_eq!((workers.len(), workers.iter().sum::<u64>()), (threads, n_chunks));
            }
        }
    }

    #[test]
    fn single_thread_runs_on_the_calling_thread() {
        let caller = std::thread::current().id();
        let here = |(): &mut (), _, (): &mut ()| {
            assert_eq!(std::thread::current().id(), caller);
            Ok(())
        };
        in_order(5, NonZeroUsize::MIN, || Ok(()), here, |_, ()| Ok(())).unwrap();
    }

    #[test]
    fn errors_and_panics_stop_the_run() {
        type Render = fn(&mut u64, u64, &mut u64) -> Result<()>;
        type Consume = fn(u64, &u64) -> Result<()>;
        let render_fails: Render =
            |n_rendered, i, buffer| if i == 100 { bail!("full") } else { render(n_rendered, i, buffer) };
        let render_panics: Render =
            |n_rendered, i, buffer| if i == 100 { panic!("oh") } else { render(n_rendered, i, buffer) };
        let consume_fails: Consume = |i, _| if i == 100 { bail!("full") } else { Ok(()) };
        let consume_panics: Consume = |i, _| if i == 100 { panic!("oh") } else { Ok(()) };
        let cases = [
            (render_fails, (|_, _| Ok(())) as Consume, "full"),
            (render_panics, |_, _| Ok(()), "panicked"),
            (render, consume_fails, "full"),
            (render, consume_panics, "panicked"),
        ];
        for threads in [1, 2, 7] {
            for (render, consume, expected) in cases {
                let mut last = None;
                let consume = |i, square: &u64| {
                    consume(i, square)?;
                    last = Some(i);
                    Ok(())
                };
                let ended = in_order(u64::MAX, NonZeroUsize::new(threads).unwrap(), || Ok(0), render, consume);
                assert!(ended.unwrap_err().to_string().contains(expected), "{threads} threads, {expected}");
                assert!(last <= Some(99), "{last:?} was consumed after the failure");
            }
        }
    }
}
