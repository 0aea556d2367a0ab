//! Scoped threads that share work.

use std::iter;
use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::thread::{self, Builder, ScopedJoinHandle};

/// Returns the number of processors that this process may use.
pub fn default_threads() -> NonZeroUsize {
    thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

/// Runs `work` on up to `n_threads` threads, the calling thread first among them, and returns the result of each. Propagates
/// a panic of any of them.
///
/// `work` runs on fewer threads if the system refuses one (at a limit on processes or memory). It must therefore take its
/// share of the work from a common source.
///
/// ```
/// use std::sync::atomic::{AtomicU32, Ordering};
///
/// let next = AtomicU32::new(0);
/// let sums = executor::on_threads(3, || {
///     let items = std::iter::from_fn(|| Some(next.fetch_add(1, Ordering::Relaxed)).filter(|item| *item < 100));
///     items.sum::<u32>()
/// });
/// assert_eq!(sums.into_iter().sum::<u32>(), 4950);
/// ```
pub fn on_threads<R: Send>(n_threads: usize, work: impl Fn() -> R + Sync) -> Vec<R> {
    let work = &work;
    thread::scope(|scope| {
        let others: Vec<_> = (1..n_threads).map_while(|_| Builder::new().spawn_scoped(scope, work).ok()).collect();
        let own = work();
        let join = |other: ScopedJoinHandle<_>| other.join().unwrap_or_else(|panic| resume_unwind(panic));
        iter::once(own).chain(others.into_iter().map(join)).collect()
    })
}

/// Returns whether the system grants another thread now.
pub fn can_spawn() -> bool {
    Builder::new().spawn(|| ()).is_ok_and(|thread| thread.join().is_ok())
}
