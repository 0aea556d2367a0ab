//! The KPIs: their SQL, the answers they must give and their cost on Athena.
//!
//! * [`catalogue`]: the ten KPIs of `queries/sample_queries.sql`; [`sql_text`] splits SQL into tokens and statements.
//! * [`verify`]: compares an answer with the expected one.
//! * [`as_of_rewrite`]: fixes the present in the text of a query.
//! * [`scanned_columns`]: the columns that a query reads; [`query_cost`]: its price on Athena.

pub mod as_of_rewrite;
pub mod catalogue;
pub mod query_cost;
pub mod scanned_columns;
pub mod sql_text;
pub mod verify;
