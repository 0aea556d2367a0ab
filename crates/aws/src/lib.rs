//! Access to AWS for the tools of this workspace.
//!
//! This is the only crate that uses the AWS SDK. Its interface takes and returns plain values, blocks until the request has
//! completed, and reports errors that end in a next step for the user.
//!
//! * [`settings`]: account, region and profile, from options, the environment and `.env`.
//! * [`session`]: credentials that belong to that account, and the clients that use them.
//! * [`error`]: errors, their classes and next steps.
//! * [`s3`]: buckets, their settings, objects, and uploads.
//! * [`athena`]: workgroups, statements and their results; [`athena::running_queries`] finds those of interrupted runs.
//! * [`glue`]: databases, tables and partitions of the catalogue.
//! * [`quicksight`]: data sources, data sets and dashboards.
//!
//! ```no_run
//! use aws::{AwsArguments, Session, Settings};
//!
//! # fn main() -> anyhow::Result<()> {
//! let arguments = AwsArguments { account_id: Some("123456789012".to_owned()), ..AwsArguments::default() };
//! let settings = Settings::resolve(&arguments, |name| std::env::var(name).ok(), ".env".as_ref())?;
//! let session = Session::open(&settings)?;
//! for (key, bytes) in session.list("bmw-aftersales-raw-123456789012", "tickets/")? {
//!     println!("{key}: {bytes} bytes");
//! }
//! # Ok(())
//! # }
//! ```

pub mod athena;
pub mod error;
#[cfg(test)]
mod fake_http;
pub mod glue;
mod polling;
pub mod quicksight;
pub mod region;
mod rest;
pub mod s3;
pub mod session;
pub mod settings;

pub use error::{AwsError, Kind};
pub use session::Session;
pub use settings::{AwsArguments, Settings};
