//! Reads JSON-Lines inputs: discovery, decompression and chunks of whole lines.
//!
//! * [`input`]: finds the input files and their manifest.
//! * [`decompress`]: decompresses and checksums an input.
//! * [`chunks`]: splits inputs into chunks of whole lines, in bounded memory.
//!
//! ```
//! use cli_support::Messages;
//! use jsonl::chunks::{Chunk, ChunkReader};
//! use jsonl::input::Inputs;
//!
//! let dir = tempfile::tempdir()?;
//! std::fs::write(dir.path().join("a.jsonl"), "{\"n\":1}\n{\"n\":2}\n")?;
//!
//! let inputs = Inputs::find(&[dir.path().to_owned()], &Messages::silent())?;
//! let (mut reader, mut chunk) = (ChunkReader::new(&inputs.sources), Chunk::default());
//! let mut n_lines = 0;
//! while reader.next(&mut chunk)? {
//!     chunk.for_each_piece(&inputs.sources, |_byte_offset, lines| {
//!         n_lines += lines.iter().filter(|byte| **byte == b'\n').count();
//!     })?;
//! }
//! assert_eq!(n_lines, 2);
//! # Ok::<(), anyhow::Error>(())
//! ```

pub mod chunks;
pub mod decompress;
pub mod input;

mod positional_reader;
mod stream_reader;
