//! Runs work on several threads.

mod threads;

pub use threads::{can_spawn, default_threads, on_threads};
