//! What every binary of the pipeline shares, so that all of them speak and behave alike.
//!
//! * [`exit`]: from a library's result to an exit code.
//! * [`messages`]: notes, warnings and progress on standard error.
//! * [`publish`]: a directory or a file that appears whole or not at all. The only place that creates files.
//! * [`checksum`]: the CRC-64/NVME by which stages recognise each other's files.
//! * [`human`]: numbers as people read them.
//! * [`threads`]: threads that share work.

pub mod checksum;
pub mod exit;
pub mod human;
pub mod messages;
pub mod publish;
pub mod threads;

pub use exit::{Outcome, run};
pub use messages::Messages;
