//! Order, bounds and cancellation of the reorder buffer.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic")]

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Result, bail};
use executor::{CancellationToken, Cancelled, ReorderBuffer};

/// Delivers items 0, 1, 2 … up to `n_items` on several threads after uneven delays, and returns what each thread saw at the
/// end.
fn deliver_all(
    n_items: u64,
    n_threads: usize,
    buffer: &ReorderBuffer<Vec<u64>, u64>,
    consume: impl Fn(&mut Vec<u64>, u64) -> Result<()> + Sync,
) -> Vec<Result<Vec<u64>>> {
    let (next, token, consume) = (AtomicU64::new(0), CancellationToken::default(), &consume);
    let work = || {
        let deliver = |number: u64| {
            if number % 7 == 3 {
                thread::sleep(Duration::from_micros(50 * (number % 5)));
            }
            buffer.deliver(number, number, &token, |consumed, item| consume(consumed, *item)).map(drop)
        };
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= n_items {
                return Ok(buffer.after(n_items, &token, |consumed| consumed.clone())?);
            }
            deliver(number).inspect_err(|_| token.cancel())?;
        }
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..n_threads).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn items_are_consumed_once_each_and_in_order() {
    for (n_threads, n_buffered) in [(1, 1), (2, 2), (3, 1), (8, 8), (8, 0)] {
        let buffer = ReorderBuffer::new(Vec::new(), n_buffered);
        let seen = deliver_all(2000, n_threads, &buffer, |consumed, item| {
            consumed.push(item);
            Ok(())
        });
        let expected: Vec<u64> = (0..2000).collect();
        assert!(seen.into_iter().all(|seen| seen.unwrap() == expected), "{n_threads} threads");
        assert!(buffer.into_inner().unwrap() == expected);
    }
}

#[test]
fn a_failed_consumer_cancels_all_threads() {
    let buffer = ReorderBuffer::new(Vec::new(), 2);
    let seen = deliver_all(2000, 4, &buffer, |consumed, item| {
        if item == 700 {
            bail!("item 700 is invalid");
        }
        consumed.push(item);
        Ok(())
    });
    let errors: Vec<_> = seen.into_iter().map(Result::unwrap_err).collect();
    let (cancelled, failed): (Vec<_>, Vec<_>) = errors.iter().partition(|error| error.is::<Cancelled>());
    assert_eq!((cancelled.len(), failed.len()), (3, 1));
    assert_eq!(failed[0].to_string(), "item 700 is invalid");
    assert!(buffer.into_inner().is_none());
}

#[test]
fn buffered_items_are_bounded_and_reused() {
    let (buffer, token, n_delivered) = (ReorderBuffer::new((), 3), CancellationToken::default(), AtomicUsize::new(0));
    thread::scope(|scope| {
        for number in 1..=10_u64 {
            let (buffer, token, n_delivered) = (&buffer, &token, &n_delivered);
            scope.spawn(move || {
                buffer.deliver(number, number, token, |(), _| Ok(())).unwrap();
                n_delivered.fetch_add(1, Ordering::SeqCst);
            });
        }
        while n_delivered.load(Ordering::SeqCst) < 3 {
            thread::sleep(Duration::from_millis(1));
        }
        thread::sleep(Duration::from_millis(50));
        assert_eq!(n_delivered.load(Ordering::SeqCst), 3, "at most three items are buffered");
        assert!(buffer.deliver(0, 0, &token, |(), _| Ok(())).unwrap().is_some());
    });
    assert_eq!(n_delivered.into_inner(), 10);
}
