//! Publishes data sets and files atomically.
//!
//! * [`Staging`]: a directory that is replaced atomically; [`StagedFile`]: a file in it.
//! * [`replace_file`]: the same for one file.
//! * [`Checksum`]: CRC-64/NVME, the full-object checksum of S3.
//!
//! No other crate of the workspace creates files (`clippy.toml` bans it).
#![allow(clippy::disallowed_methods, reason = "this crate is where the workspace creates files")]

mod checksum;
mod disk;
mod paged_bytes;
mod staged_file;
mod staging;

pub use checksum::Checksum;
pub use disk::BLOCK_BYTES;
pub use paged_bytes::PagedBytes;
pub use staged_file::StagedFile;
pub use staging::{Staging, remove_unfinished_on_interrupt, replace_file};
