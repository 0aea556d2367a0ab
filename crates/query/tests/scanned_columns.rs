//! Predicted columns against those in the physical plans of the embedded engine.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic, and makes the files it needs")]

use std::collections::BTreeSet;

use kpi::catalogue::kpis;
use kpi::scanned_columns::columns_read;
use kpi::sql_text::tokenize;
use manifest::answer::Cell;
use query::Engine;
use test_support::lake::Lake;
use ticket_schema::columns::file_columns;

fn engine() -> (Lake, Engine) {
    let lake = Lake::of_period(42, "2026-11-22", 3, 500);
    let engine = Engine::open(&lake.curated(), None).unwrap();
    (lake, engine)
}

/// Returns the file columns in the projections of the plan's Parquet scans.
fn planned(engine: &Engine, sql: &str) -> BTreeSet<&'static str> {
    let rows = engine.query(&format!("EXPLAIN {sql}")).unwrap().rows;
    let Some([_, Cell::Text(plan)]) = rows.last().map(Vec::as_slice) else { panic!("{rows:?}") };
    let scans: Vec<&str> = plan.lines().filter(|line| line.trim_start().starts_with("DataSourceExec")).collect();
    assert!(!scans.is_empty(), "{plan}");
    let projections =
        scans.iter().filter_map(|scan| scan.split_once("projection=[")?.1.split_once("], file_type=parquet"));
    let names: BTreeSet<String> =
        projections.flat_map(|(columns, _)| tokenize(columns)).filter_map(|token| token.name()).collect();
    file_columns().map(|column| column.name).filter(|column| names.contains(*column)).collect()
}

#[test]
fn prediction_is_exact_for_every_kpi() {
    let (_lake, engine) = engine();
    for kpi in kpis().unwrap() {
        assert_eq!(columns_read(&kpi.sql).unwrap(), planned(&engine, &kpi.sql), "{}", kpi.name);
    }
}

#[test]
fn prediction_is_an_upper_bound_for_other_queries() {
    let (_lake, engine) = engine();
    for (sql, unread) in [
        ("SELECT * FROM tickets", &[][..]),
        ("SELECT e.* FROM tickets_enriched AS e JOIN tickets AS t ON t.vin_last6 = e.vin_last6", &[]),
        ("WITH late AS (SELECT resolution_hours AS h FROM tickets_enriched) SELECT h * h FROM late WHERE h > 3", &[]),
        ("SELECT dealer_id FROM tickets WHERE market = 'DE' AND category IN (SELECT category FROM tickets)", &[]),
        ("SELECT COUNT(DISTINCT \"model_series\") * model_year FROM tickets GROUP BY model_year", &[]),
        // Aliases that equal a column name, and columns that the outer query does not use.
        ("SELECT severity AS status FROM tickets", &["status"]),
        ("SELECT channel FROM (SELECT channel, customer_id FROM tickets) AS t", &["customer_id"]),
    ] {
        let mut expected = planned(&engine, sql);
        expected.extend(unread);
        assert_eq!(columns_read(sql).unwrap(), expected, "{sql}");
    }
}
