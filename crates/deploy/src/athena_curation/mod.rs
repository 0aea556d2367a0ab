//! Curation on Athena: raw lines in S3 become tickets in a staging table, every row is accounted for, and only then does a data
//! set become visible.

pub(crate) mod result;
pub(crate) mod run;
pub(crate) mod statements;
