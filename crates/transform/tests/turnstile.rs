//! What many threads bring is taken in order, in bounded memory, and nobody waits for ever.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic")]

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Result, bail};
use transform::run::reorder_buffer::ReorderBuffer;
use transform::run::sequencer::{CancellationToken, Cancelled};

/// Has threads bring 0, 1, 2 … up to `n_things`, each after an uneven while, and gives what `take` returns.
fn bring_all(
    n_things: u64,
    n_threads: usize,
    turnstile: &ReorderBuffer<Vec<u64>, u64>,
    take: impl Fn(&mut Vec<u64>, u64) -> Result<()> + Sync,
) -> Vec<Result<Vec<u64>>> {
    let (next, stop, take) = (AtomicU64::new(0), CancellationToken::default(), &take);
    let work = || {
        let bring = |number: u64| {
            if number % 7 == 3 {
                thread::sleep(Duration::from_micros(50 * (number % 5)));
            }
            turnstile.bring(number, number, &stop, |taken, thing| take(taken, *thing)).map(drop)
        };
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= n_things {
                return Ok(turnstile.after(n_things, &stop, |taken| taken.clone())?);
            }
            bring(number).inspect_err(|_| stop.set())?;
        }
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..n_threads).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn things_are_taken_once_each_and_in_order() {
    for (n_threads, n_early) in [(1, 1), (2, 2), (3, 1), (8, 8), (8, 0)] {
        let turnstile = ReorderBuffer::new(Vec::new(), n_early);
        let seen = bring_all(2000, n_threads, &turnstile, |taken, thing| {
            taken.push(thing);
            Ok(())
        });
        let expected: Vec<u64> = (0..2000).collect();
        assert!(seen.into_iter().all(|seen| seen.unwrap() == expected), "{n_threads} threads");
        assert!(turnstile.into_inner().unwrap() == expected);
    }
}

#[test]
fn a_failure_ends_it_for_all() {
    let turnstile = ReorderBuffer::new(Vec::new(), 2);
    let seen = bring_all(2000, 4, &turnstile, |taken, thing| {
        if thing == 700 {
            bail!("700 is too much");
        }
        taken.push(thing);
        Ok(())
    });
    let errors: Vec<_> = seen.into_iter().map(Result::unwrap_err).collect();
    let (stopped, failed): (Vec<_>, Vec<_>) = errors.iter().partition(|error| error.is::<Cancelled>());
    assert_eq!((stopped.len(), failed.len()), (3, 1));
    assert_eq!(failed[0].to_string(), "700 is too much");
    assert!(turnstile.into_inner().is_none());
}

#[test]
fn no_more_than_a_few_are_laid_down_and_their_memory_goes_round() {
    let (turnstile, stop, n_laid_down) = (ReorderBuffer::new((), 3), CancellationToken::default(), AtomicUsize::new(0));
    thread::scope(|scope| {
        for number in 1..=10_u64 {
            let (turnstile, stop, n_laid_down) = (&turnstile, &stop, &n_laid_down);
            scope.spawn(move || {
                turnstile.bring(number, number, stop, |(), _| Ok(())).unwrap();
                n_laid_down.fetch_add(1, Ordering::SeqCst);
            });
        }
        while n_laid_down.load(Ordering::SeqCst) < 3 {
            thread::sleep(Duration::from_millis(1));
        }
        thread::sleep(Duration::from_millis(50));
        assert_eq!(n_laid_down.load(Ordering::SeqCst), 3, "more than three didn't wait");
        assert!(turnstile.bring(0, 0, &stop, |(), _| Ok(())).unwrap().is_some());
    });
    assert_eq!(n_laid_down.into_inner(), 10);
}
