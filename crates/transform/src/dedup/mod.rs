//! Deduplication: one state is kept of each ticket.

pub mod index;
pub mod rewrite;
pub mod stored_rows;
pub mod superseded_rows;
