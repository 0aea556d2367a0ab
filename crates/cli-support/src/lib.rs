//! What every binary of the pipeline shares, so that all of them speak and behave alike.
//!
//! * [`exit`]: from a library's result to an exit code.
//! * [`messages`]: notes, warnings and progress on standard error.
//! * [`human`]: numbers as people read them.

pub mod exit;
pub mod human;
pub mod messages;

pub use exit::{Outcome, run};
pub use messages::Messages;
