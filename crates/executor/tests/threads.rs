//! Threads that share work: number, identity, panics.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, ThreadId};

use executor::on_threads;

#[test]
fn all_threads_run_at_once_and_the_calling_thread_is_first() {
    for n_threads in [1, 2, 7] {
        let all_started = Barrier::new(n_threads);
        let seen: Vec<ThreadId> = on_threads(n_threads, || {
            all_started.wait();
            thread::current().id()
        });
        assert_eq!((seen.len(), seen[0]), (n_threads, thread::current().id()));
        assert_eq!(seen.into_iter().collect::<HashSet<_>>().len(), n_threads);
    }
    assert_eq!(on_threads(0, || 7), [7], "the calling thread always takes part");
}

#[test]
fn a_panic_propagates_to_the_caller() {
    for panicking in 0..3 {
        let next = AtomicUsize::new(0);
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            on_threads(3, || assert_ne!(next.fetch_add(1, Ordering::Relaxed), panicking, "on purpose"))
        }));
        let message = panicked.unwrap_err();
        assert!(message.downcast_ref::<String>().unwrap().contains("on purpose"));
        assert_eq!(next.into_inner(), 3, "the other threads completed");
    }
}
