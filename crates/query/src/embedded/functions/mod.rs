//! What Athena's SQL has and DataFusion lacks, with Trino's semantics.
//!
//! Where DataFusion has a function of the same meaning under another name, it only gets the name. Integer division and
//! `round` are the same in both; `tests/trino_semantics.rs` shows it.

mod approx_percentile;
mod date_diff;

use datafusion::functions::datetime::to_date;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};
use datafusion::prelude::SessionContext;

/// Makes the functions known to a session.
pub fn register(context: &SessionContext) {
    context.register_udf(ScalarUDF::from(date_diff::DateDiff::new()));
    context.register_udaf(AggregateUDF::from(approx_percentile::ApproxPercentile::new()));
    // Trino: `date(x)` is an alias for CAST(x AS date).
    context.register_udf(to_date().as_ref().clone().with_aliases(["date"]));
}
