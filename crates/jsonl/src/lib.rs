//! Reads JSON-Lines inputs: discovery, decompression and chunks of whole lines.
//!
//! * [`input`]: the files that a set of paths stands for, and their manifest.
//! * [`decompress`]: the bytes of an input, decompressed.
//! * [`chunks`]: chunks of whole lines, in bounded memory.

pub mod chunks;
pub mod decompress;
pub mod input;

mod positional_reader;
mod stream_reader;
