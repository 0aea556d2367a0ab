//! The reorder buffer: order, bounded memory, and cancellation.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic")]

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Result, bail};
use transform::run::reorder_buffer::ReorderBuffer;
use transform::run::sequencer::{CancellationToken, Cancelled};

/// Submits the items 0, 1, 2 and so on from several threads with uneven delays. Returns the processed items as each thread sees
/// them after the last one.
fn submit_all(
    n_items: u64,
    n_threads: usize,
    buffer: &ReorderBuffer<Vec<u64>, u64>,
    process: impl Fn(&mut Vec<u64>, u64) -> Result<()> + Sync,
) -> Vec<Result<Vec<u64>>> {
    let (next, stop, process) = (AtomicU64::new(0), CancellationToken::default(), &process);
    let work = || {
        let submit = |number: u64| {
            if number % 7 == 3 {
                thread::sleep(Duration::from_micros(50 * (number % 5)));
            }
            buffer.submit(number, number, &stop, |processed, item| process(processed, *item)).map(drop)
        };
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= n_items {
                return Ok(buffer.after(n_items, &stop, |processed| processed.clone())?);
            }
            submit(number).inspect_err(|_| stop.cancel())?;
        }
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..n_threads).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn items_are_processed_once_and_in_order() {
    for (n_threads, n_buffered) in [(1, 1), (2, 2), (3, 1), (8, 8), (8, 0)] {
        let buffer = ReorderBuffer::new(Vec::new(), n_buffered);
        let seen = submit_all(2000, n_threads, &buffer, |processed, item| {
            processed.push(item);
            Ok(())
        });
        let expected: Vec<u64> = (0..2000).collect();
        assert!(seen.into_iter().all(|seen| seen.unwrap() == expected), "{n_threads} threads");
        assert!(buffer.into_inner().unwrap() == expected);
    }
}

#[test]
fn failure_cancels_all_threads() {
    let buffer = ReorderBuffer::new(Vec::new(), 2);
    let seen = submit_all(2000, 4, &buffer, |processed, item| {
        if item == 700 {
            bail!("700 is too much");
        }
        processed.push(item);
        Ok(())
    });
    let errors: Vec<_> = seen.into_iter().map(Result::unwrap_err).collect();
    let (stopped, failed): (Vec<_>, Vec<_>) = errors.iter().partition(|error| error.is::<Cancelled>());
    assert_eq!((stopped.len(), failed.len()), (3, 1));
    assert_eq!(failed[0].to_string(), "700 is too much");
    assert!(buffer.into_inner().is_none());
}

#[test]
fn buffer_is_bounded_and_items_are_reused() {
    let (buffer, stop, n_submitted) = (ReorderBuffer::new((), 3), CancellationToken::default(), AtomicUsize::new(0));
    thread::scope(|scope| {
        for number in 1..=10_u64 {
            let (buffer, stop, n_submitted) = (&buffer, &stop, &n_submitted);
            scope.spawn(move || {
                buffer.submit(number, number, stop, |(), _| Ok(())).unwrap();
                n_submitted.fetch_add(1, Ordering::SeqCst);
            });
        }
        while n_submitted.load(Ordering::SeqCst) < 3 {
            thread::sleep(Duration::from_millis(1));
        }
        thread::sleep(Duration::from_millis(50));
        assert_eq!(n_submitted.load(Ordering::SeqCst), 3, "more than three items were buffered");
        assert!(buffer.submit(0, 0, &stop, |(), _| Ok(())).unwrap().is_some());
    });
    assert_eq!(n_submitted.into_inner(), 10);
}
