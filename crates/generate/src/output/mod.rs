//! Rendering on several threads, with the same bytes for any number of them.
//!
//! * [`layout`]: the files of a run, and the chunks that the worker threads render.
//! * `worker`: renders, counts and checksums a chunk while it is in the core's cache.
//! * [`compression`]: one gzip member or Zstandard frame per chunk.

pub mod compression;
pub mod layout;

mod worker;

pub use worker::{LineSelection, RenderedChunk, render_in_order};
