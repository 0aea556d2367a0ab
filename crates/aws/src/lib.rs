//! What the tools ask of AWS. This crate alone uses the SDK: plain values go in, plain values come out, nothing is
//! asynchronous outside, and every error says what to do next.
//!
//! * [`settings`]: account, region and profile, from flags, the environment and `.env`.
//! * [`session`]: credentials that belong to that account, and the clients made with them.
//! * [`error`]: what went wrong, for people.
//! * [`bucket`]: a bucket's settings as values; [`buckets`] reads and makes them.
//! * [`objects`]: what lies in a bucket; [`upload`] sends files there.
//! * [`athena`]: the workgroup, and statements from submission to result; [`interrupted`] finds those of earlier runs.
//! * [`catalog`]: Glue's databases, tables and partitions.
//! * [`asset`]: what is kept on QuickSight as values; [`quicksight`] reads and makes it, through `rest`, for want of a small SDK.

pub mod asset;
pub mod athena;
pub mod bucket;
pub mod buckets;
pub mod catalog;
pub mod error;
pub mod interrupted;
pub mod objects;
mod polling;
pub mod quicksight;
mod rest;
#[cfg(test)]
mod scripted;
pub mod session;
pub mod settings;
pub mod upload;

pub use error::{AwsError, Kind};
pub use session::Session;
pub use settings::{AwsArguments, Settings};
