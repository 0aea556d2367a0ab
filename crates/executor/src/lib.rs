//! Runs work on several threads and consumes the results in order.
//!
//! * [`ordered_map`]: maps the items of a source in parallel and consumes the results in the source's order.
//! * [`ReorderBuffer`]: consumes items in the order of their numbers, whatever order they are delivered in.
//! * [`Sequencer`]: a value that threads visit in numbered turns.
//! * [`CancellationToken`]: ends a run on all of its threads.
//! * [`on_threads`]: the threads themselves; the calling thread is one of them.
//!
//! All of them tolerate a system that refuses to start threads: fewer threads do the same work.
//!
//! ```
//! use std::num::NonZeroUsize;
//!
//! let mut squares = Vec::new();
//! let states = executor::ordered_map(
//!     0..100_u64,
//!     NonZeroUsize::new(4).unwrap(),
//!     || Ok(0), // the state of a thread: the number of items that it has mapped
//!     |n_mapped, item, square| {
//!         *n_mapped += 1;
//!         *square = item * item;
//!         Ok(())
//!     },
//!     |_number, square: &u64| {
//!         squares.push(*square);
//!         Ok(())
//!     },
//! )?;
//! assert_eq!(squares[..4], [0, 1, 4, 9]);
//! assert_eq!(states.into_iter().sum::<u64>(), 100);
//! # Ok::<(), anyhow::Error>(())
//! ```

mod cancellation;
mod ordered_map;
mod reorder_buffer;
mod sequencer;
mod threads;

pub use cancellation::{CancellationToken, Cancelled};
pub use ordered_map::ordered_map;
pub use reorder_buffer::ReorderBuffer;
pub use sequencer::Sequencer;
pub use threads::{can_spawn, default_threads, on_threads};
