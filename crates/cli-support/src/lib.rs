//! Command-line support that all binaries share.
//!
//! * [`exit`]: exit codes.
//! * [`messages`]: notes, warnings, errors and progress on standard error.
//! * [`human`]: human-readable counts, sizes and durations.
//!
//! ```
//! use cli_support::human;
//!
//! assert_eq!(human::counted(5000, "file"), "5,000 files");
//! assert_eq!(human::parse_bytes("128MiB").map(human::bytes), Ok("134.2 MB".to_owned()));
//! ```

pub mod exit;
pub mod human;
pub mod messages;

pub use exit::{Outcome, run};
pub use messages::Messages;
