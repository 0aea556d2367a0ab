//! Many threads, one order: pieces are made in parallel and handed over in sequence.
//!
//! There is no thread that only hands over. Whoever finishes the piece that is due hands it over, and after it those that
//! were finished early and wait; the others lay down what they have made and go on with another buffer.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use anyhow::{Error, Result, anyhow};
use executor::on_threads;

/// Makes pieces `0..n_pieces` on up to `threads` threads, the calling one among them, and gives them to `take` in order.
///
/// Each thread has a maker of its own, from `maker`, which fills a buffer with the piece of a number; the makers are returned.
/// Buffers go round, and there are never more than two for each thread. Ends early, with the first error, if `take` fails or
/// if anything panics.
pub(crate) fn in_order<M: Send, B: Default + Send>(
    n_pieces: u64,
    threads: NonZeroUsize,
    maker: impl Fn() -> Result<M> + Sync,
    make: impl Fn(&mut M, u64, &mut B) -> Result<()> + Sync,
    take: impl FnMut(u64, &B) -> Result<()> + Send,
) -> Result<Vec<M>> {
    let n_buffers = if threads.get() == 1 { 1 } else { 2 * threads.get() };
    let turnstile = Turnstile {
        n_pieces,
        state: Mutex::new(State {
            next: 0,
            due: 0,
            free: (0..n_buffers).map(|_| B::default()).collect(),
            early: BTreeMap::new(),
            take: Some(take),
            failure: None,
        }),
        freed: Condvar::new(),
    };
    let work = || {
        let work = || {
            let mut maker = maker()?;
            turnstile.work(|i, buffer| make(&mut maker, i, buffer))?;
            Ok(maker)
        };
        let outcome = catch_unwind(AssertUnwindSafe(work));
        let outcome = outcome.unwrap_or_else(|_| Err(anyhow!("a thread that makes tickets has panicked")));
        outcome.map_err(|error| turnstile.fail(error)).ok()
    };
    let makers = on_threads(threads.get(), work);
    match turnstile.lock().failure.take() {
        Some(error) => Err(error),
        None => Ok(makers.into_iter().flatten().collect()),
    }
}

struct Turnstile<B, T> {
    n_pieces: u64,
    state: Mutex<State<B, T>>,
    /// Something that a maker without a buffer may wait for has happened.
    freed: Condvar,
}

struct State<B, T> {
    /// The next piece that nobody makes yet.
    next: u64,
    /// The next piece to be handed over.
    due: u64,
    free: Vec<B>,
    /// Finished pieces that wait for their turn.
    early: BTreeMap<u64, B>,
    /// Missing while somebody hands over.
    take: Option<T>,
    failure: Option<Error>,
}

impl<B, T: FnMut(u64, &B) -> Result<()>> Turnstile<B, T> {
    fn lock(&self) -> MutexGuard<'_, State<B, T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes pieces until there are none left, or nobody wants them any more.
    fn work(&self, mut make: impl FnMut(u64, &mut B) -> Result<()>) -> Result<()> {
        while let Some((i, mut buffer)) = self.begin() {
            make(i, &mut buffer)?;
            self.hand_over(i, buffer)?;
        }
        Ok(())
    }

    /// Waits for a buffer and gives it out with the next number.
    ///
    /// Numbers go only to those who have a buffer, so the piece that is due is always being made; the others can only wait
    /// for it, never hold it up.
    fn begin(&self) -> Option<(u64, B)> {
        let mut state = self.lock();
        loop {
            if state.failure.is_some() || state.next == self.n_pieces {
                return None;
            }
            if let Some(buffer) = state.free.pop() {
                state.next += 1;
                return Some((state.next - 1, buffer));
            }
            state = self.freed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Lays a piece down and, unless somebody else is at it, hands over all that are due.
    fn hand_over(&self, i: u64, buffer: B) -> Result<()> {
        let mut state = self.lock();
        state.early.insert(i, buffer);
        let Some(mut take) = state.take.take() else {
            return Ok(());
        };
        let mut due = state.due;
        while let Some(buffer) = state.early.remove(&due) {
            drop(state);
            take(due, &buffer)?;
            state = self.lock();
            due += 1;
            state.due = due;
            state.free.push(buffer);
            self.freed.notify_one();
        }
        state.take = Some(take);
        Ok(())
    }

    fn fail(&self, error: Error) {
        self.lock().failure.get_or_insert(error);
        self.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;
    use std::time::Duration;

    use anyhow::{Result, bail};

    use super::in_order;

    /// Pieces that take unequal times, so that they are finished in another order.
    #[allow(clippy::unnecessary_wraps, reason = "the shape of a maker")]
    fn make(n_made: &mut u64, i: u64, buffer: &mut u64) -> Result<()> {
        std::thread::sleep(Duration::from_micros(i * 7919 % 400));
        *n_made += 1;
        *buffer = i * i;
        Ok(())
    }

    #[test]
    fn pieces_come_in_order_and_each_maker_is_returned() {
        for threads in [1, 2, 3, 16] {
            for n_pieces in [0, 1, 2, 500] {
                let mut taken = Vec::new();
                let take = |i, square: &u64| {
                    taken.push((i, *square));
                    Ok(())
                };
                let makers = in_order(n_pieces, NonZeroUsize::new(threads).unwrap(), || Ok(0), make, take).unwrap();
                assert_eq!(taken, (0..n_pieces).map(|i| (i, i * i)).collect::<Vec<_>>());
                assert_eq!((makers.len(), makers.iter().sum::<u64>()), (threads, n_pieces));
            }
        }
    }

    #[test]
    fn one_thread_is_the_calling_one() {
        let caller = std::thread::current().id();
        let here = |(): &mut (), _, (): &mut ()| {
            assert_eq!(std::thread::current().id(), caller);
            Ok(())
        };
        in_order(5, NonZeroUsize::MIN, || Ok(()), here, |_, ()| Ok(())).unwrap();
    }

    #[test]
    fn an_error_or_a_panic_anywhere_ends_the_run() {
        type Make = fn(&mut u64, u64, &mut u64) -> Result<()>;
        type Take = fn(u64, &u64) -> Result<()>;
        let make_fails: Make = |n_made, i, buffer| if i == 100 { bail!("full") } else { make(n_made, i, buffer) };
        let make_panics: Make = |n_made, i, buffer| if i == 100 { panic!("oh") } else { make(n_made, i, buffer) };
        let take_fails: Take = |i, _| if i == 100 { bail!("full") } else { Ok(()) };
        let take_panics: Take = |i, _| if i == 100 { panic!("oh") } else { Ok(()) };
        let cases = [
            (make_fails, (|_, _| Ok(())) as Take, "full"),
            (make_panics, |_, _| Ok(()), "panicked"),
            (make, take_fails, "full"),
            (make, take_panics, "panicked"),
        ];
        for threads in [1, 2, 7] {
            for (make, take, expected) in cases {
                let mut last = None;
                let take = |i, square: &u64| {
                    take(i, square)?;
                    last = Some(i);
                    Ok(())
                };
                let ended = in_order(u64::MAX, NonZeroUsize::new(threads).unwrap(), || Ok(0), make, take);
                assert!(ended.unwrap_err().to_string().contains(expected), "{threads} threads, {expected}");
                assert!(last <= Some(99), "{last:?} was taken after the fault");
            }
        }
    }
}
