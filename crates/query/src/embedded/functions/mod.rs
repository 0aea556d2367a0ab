//! SQL functions of Athena that DataFusion lacks, with Trino's semantics.
//!
//! Functions that DataFusion has under another name get an alias. Integer division and `round` agree in both engines;
//! `tests/trino_semantics.rs` tests this.

mod approx_percentile;
mod date_diff;

use datafusion::functions::datetime::to_date;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};
use datafusion::prelude::SessionContext;

/// Registers the functions with a session.
pub fn register(context: &SessionContext) {
    context.register_udf(ScalarUDF::from(date_diff::DateDiff::new()));
    context.register_udaf(AggregateUDF::from(approx_percentile::ApproxPercentile::new()));
    // Trino: `date(x)` is an alias for CAST(x AS date).
    context.register_udf(to_date().as_ref().clone().with_aliases(["date"]));
}
