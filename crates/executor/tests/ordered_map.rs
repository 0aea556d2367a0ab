//! Order, bounds, errors and panics of the ordered parallel map.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Result, bail};
use executor::ordered_map;

/// Squares a number after an uneven delay, so that results are completed out of order.
#[allow(clippy::unnecessary_wraps, reason = "the signature of a map")]
fn map(n_mapped: &mut u64, i: u64, buffer: &mut u64) -> Result<()> {
    std::thread::sleep(Duration::from_micros(i * 7919 % 400));
    *n_mapped += 1;
    *buffer = i * i;
    Ok(())
}

#[test]
fn results_are_consumed_in_order_and_each_state_is_returned() {
    for threads in [1, 2, 3, 16] {
        for n_items in [0, 1, 2, 500] {
            let mut consumed = Vec::new();
            let consume = |i, square: &u64| {
                consumed.push((i, *square));
                Ok(())
            };
            let states = ordered_map(0..n_items, NonZeroUsize::new(threads).unwrap(), || Ok(0), map, consume).unwrap();
            assert_eq!(consumed, (0..n_items).map(|i| (i, i * i)).collect::<Vec<_>>());
            assert_eq!((states.len(), states.iter().sum::<u64>()), (threads, n_items));
        }
    }
}

#[test]
fn a_single_thread_is_the_calling_thread() {
    let caller = std::thread::current().id();
    let here = |(): &mut (), _, (): &mut ()| {
        assert_eq!(std::thread::current().id(), caller);
        Ok(())
    };
    ordered_map(0..5, NonZeroUsize::MIN, || Ok(()), here, |_, ()| Ok(())).unwrap();
}

#[test]
fn an_error_or_a_panic_ends_the_run() {
    type Map = fn(&mut u64, u64, &mut u64) -> Result<()>;
    type Consume = fn(u64, &u64) -> Result<()>;
    let map_fails: Map = |n_mapped, i, buffer| if i == 100 { bail!("full") } else { map(n_mapped, i, buffer) };
    let map_panics: Map = |n_mapped, i, buffer| if i == 100 { panic!("oh") } else { map(n_mapped, i, buffer) };
    let consume_fails: Consume = |i, _| if i == 100 { bail!("full") } else { Ok(()) };
    let consume_panics: Consume = |i, _| if i == 100 { panic!("oh") } else { Ok(()) };
    let cases = [
        (map_fails, (|_, _| Ok(())) as Consume, "full"),
        (map_panics, |_, _| Ok(()), "panicked"),
        (map, consume_fails, "full"),
        (map, consume_panics, "panicked"),
    ];
    for threads in [1, 2, 7] {
        for (map, consume, expected) in cases {
            let mut last = None;
            let consume = |i, square: &u64| {
                consume(i, square)?;
                last = Some(i);
                Ok(())
            };
            let ended = ordered_map(0..u64::MAX, NonZeroUsize::new(threads).unwrap(), || Ok(0), map, consume);
            assert!(ended.unwrap_err().to_string().contains(expected), "{threads} threads, {expected}");
            assert!(last <= Some(99), "{last:?} was consumed after the failure");
        }
    }
}

#[test]
fn items_come_from_any_iterator() {
    let words = ["one", "two", "three"];
    let mut lengths = Vec::new();
    let map = |(): &mut (), word: &str, length: &mut usize| {
        *length = word.len();
        Ok(())
    };
    let consume = |i, length: &usize| {
        lengths.push((i, *length));
        Ok(())
    };
    ordered_map(words.into_iter(), NonZeroUsize::new(2).unwrap(), || Ok(()), map, consume).unwrap();
    assert_eq!(lengths, [(0, 3), (1, 3), (2, 5)]);
}

#[test]
fn there_are_at_most_two_buffers_per_thread() {
    static N_BUFFERS: AtomicUsize = AtomicUsize::new(0);
    struct Buffer;
    impl Default for Buffer {
        fn default() -> Self {
            N_BUFFERS.fetch_add(1, Ordering::Relaxed);
            Self
        }
    }
    for threads in [1, 2, 5] {
        N_BUFFERS.store(0, Ordering::Relaxed);
        let map = |(): &mut (), i: u64, _: &mut Buffer| {
            std::thread::sleep(Duration::from_micros(i * 7919 % 400));
            Ok(())
        };
        ordered_map(0..300, NonZeroUsize::new(threads).unwrap(), || Ok(()), map, |_, _| Ok(())).unwrap();
        let n_buffers = N_BUFFERS.load(Ordering::Relaxed);
        assert!(n_buffers <= if threads == 1 { 1 } else { 2 * threads }, "{n_buffers} buffers on {threads} threads");
    }
}
