//! Work that is shared among threads is done whoever does it, and no panic is lost.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, ThreadId};

use executor::on_threads;

#[test]
fn all_threads_work_at_once_and_the_calling_one_is_first() {
    for n_threads in [1, 2, 7] {
        let all_are_there = Barrier::new(n_threads);
        let seen: Vec<ThreadId> = on_threads(n_threads, || {
            all_are_there.wait();
            thread::current().id()
        });
        assert_eq!((seen.len(), seen[0]), (n_threads, thread::current().id()));
        assert_eq!(seen.into_iter().collect::<HashSet<_>>().len(), n_threads);
    }
    assert_eq!(on_threads(0, || 7), [7], "the calling one is always there");
}

#[test]
fn a_panic_goes_on_where_the_threads_were_started() {
    for unlucky in 0..3 {
        let next = AtomicUsize::new(0);
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            on_threads(3, || assert_ne!(next.fetch_add(1, Ordering::Relaxed), unlucky, "on purpose"))
        }));
        let message = panicked.unwrap_err();
        assert!(message.downcast_ref::<String>().unwrap().contains("on purpose"));
        assert_eq!(next.into_inner(), 3, "the others went on");
    }
}
