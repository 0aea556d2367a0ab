//! Curation on Athena: Athena writes the valid raw tickets to a staging table; they are published when the row counts are
//! reconciled.

pub(crate) mod result;
pub(crate) mod run;
pub(crate) mod statements;
