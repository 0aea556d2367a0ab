//! Threads that share work, however many of them the system grants.

use std::iter;
use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::thread::{self, Builder, ScopedJoinHandle};

/// One thread for each processor that this process may use.
pub fn default_threads() -> NonZeroUsize {
    thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

/// Does `work` on up to `n_threads` threads, the calling one always among them, and returns what each returns. A panic on any of
/// them goes on here.
///
/// Where the system refuses a thread (as it does at a limit of processes or of memory), those that are there do it all.
pub fn on_threads<R: Send>(n_threads: usize, work: impl Fn() -> R + Sync) -> Vec<R> {
    let work = &work;
    thread::scope(|scope| {
        let others: Vec<_> = (1..n_threads).map_while(|_| Builder::new().spawn_scoped(scope, work).ok()).collect();
        let own = work();
        let join = |other: ScopedJoinHandle<_>| other.join().unwrap_or_else(|panic| resume_unwind(panic));
        iter::once(own).chain(others.into_iter().map(join)).collect()
    })
}

/// Whether the system grants another thread now.
pub fn can_spawn() -> bool {
    Builder::new().spawn(|| ()).is_ok_and(|thread| thread.join().is_ok())
}
