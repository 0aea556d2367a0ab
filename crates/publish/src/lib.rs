//! Publishes data sets and files atomically.
//!
//! * [`Staging`]: a directory that is replaced atomically; [`StagedFile`]: a file in it.
//! * [`replace_file`]: the same for one file.
//! * [`Checksum`]: CRC-64/NVME, the full-object checksum of S3.
//!
//! ```
//! use std::collections::BTreeSet;
//! use std::io::Write;
//!
//! let directory = tempfile::tempdir()?;
//! let target = directory.path().join("raw");
//! let staging = publish::Staging::begin(&target)?;
//! staging.create("part-0.jsonl")?.write_all(b"{}\n")?;
//! assert!(!target.exists());
//! staging.publish(&BTreeSet::new())?;
//! assert!(target.join("part-0.jsonl").exists());
//! # Ok::<(), anyhow::Error>(())
//! ```
//!
//! No other crate of the workspace creates files (`clippy.toml` bans it).
#![allow(clippy::disallowed_methods, reason = "this crate is where the workspace creates files")]

mod checksum;
mod direct_io;
mod interrupt;
mod lock;
mod page_aligned_buffer;
mod platform;
mod replace_file;
mod staged_file;
mod staging;

pub use checksum::Checksum;
pub use direct_io::BLOCK_BYTES;
pub use interrupt::remove_unfinished_on_interrupt;
pub use page_aligned_buffer::PageAlignedBuffer;
pub use replace_file::replace_file;
pub use staged_file::StagedFile;
pub use staging::Staging;
