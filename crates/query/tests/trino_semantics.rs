//! The embedded engine follows the documented semantics of Trino, on which Athena engine version 3 is based.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic, and makes the files it needs")]

use manifest::answer::Cell;
use query::Engine;
use test_support::lake::Lake;

fn check(cases: &[(&str, Cell)]) {
    let lake = Lake::of_period(1, "2026-11-22T08:30:00Z", 10, 10);
    let engine = Engine::open(&lake.curated(), None).unwrap();
    for (expression, expected) in cases {
        let answer =
            engine.query(&format!("SELECT {expression}")).unwrap_or_else(|error| panic!("{expression}: {error:#}"));
        assert_eq!(answer.rows, [[expected.clone()]], "{expression}");
    }
}

fn rejected(sql: &[&str]) {
    let lake = Lake::of_period(1, "2026-11-22", 10, 10);
    let engine = Engine::open(&lake.curated(), None).unwrap();
    for sql in sql {
        assert!(engine.query(sql).is_err(), "{sql}");
    }
}

fn whole(n: i64) -> Cell {
    Cell::Integer(n)
}

#[test]
fn date_diff_counts_complete_units() {
    let between = |unit: &str, from: &str, to: &str, n: i64| {
        (format!("date_diff('{unit}', TIMESTAMP '{from}', TIMESTAMP '{to}')"), whole(n))
    };
    let cases = [
        // Examples of Trino's documentation.
        between("second", "2020-03-01 00:00:00", "2020-03-02 00:00:00", 86_400),
        between("minute", "2020-06-01 10:10:10", "2020-06-01 10:20:20", 10),
        // Complete units, not boundaries crossed.
        between("hour", "2026-01-01 10:59:00", "2026-01-01 11:01:00", 0),
        between("hour", "2026-01-01 10:59:00", "2026-01-01 11:59:00", 1),
        between("hour", "2026-01-01 10:59:00", "2026-01-01 11:58:59.999", 0),
        between("day", "2026-01-01 12:00:00", "2026-01-02 11:59:59", 0),
        between("week", "2026-01-01 00:00:00", "2026-01-14 23:59:59", 1),
        between("millisecond", "2026-01-01 00:00:00", "2026-01-01 00:00:01.5", 1500),
        // Truncated towards zero if the second time is earlier.
        between("hour", "2026-01-01 11:01:00", "2026-01-01 10:59:00", 0),
        between("day", "2026-01-03 00:00:00", "2026-01-01 12:00:00", -1),
        between("month", "2026-03-15 00:00:00", "2026-01-16 00:00:00", -1),
        // Months, quarters and years.
        between("month", "2026-01-15 12:00:00", "2026-02-15 11:59:59", 0),
        between("month", "2026-01-15 12:00:00", "2026-02-15 12:00:00", 1),
        between("month", "2026-01-31 00:00:00", "2026-02-28 00:00:00", 1),
        between("month", "2026-01-30 00:00:00", "2026-02-27 23:00:00", 0),
        between("month", "2024-02-29 00:00:00", "2025-02-28 00:00:00", 12),
        between("quarter", "2026-01-01 00:00:00", "2026-06-30 00:00:00", 1),
        between("year", "2024-02-29 00:00:00", "2025-02-28 00:00:00", 1),
        between("year", "2024-03-01 00:00:00", "2025-02-28 23:59:59", 0),
    ];
    let cases: Vec<(&str, Cell)> = cases.iter().map(|(sql, expected)| (sql.as_str(), expected.clone())).collect();
    check(&cases);
    check(&[
        ("date_diff('DAY', DATE '2020-03-01', DATE '2020-03-02')", whole(1)),
        ("date_diff('day', DATE '2026-11-20', current_timestamp)", whole(2)),
        ("date_diff('hour', CAST(NULL AS TIMESTAMP), current_timestamp)", Cell::Null),
        ("date_diff('hour', TIMESTAMP '2026-11-22 00:00:00', current_timestamp)", whole(8)),
    ]);
    rejected(&[
        "SELECT date_diff('fortnight', created_at, created_at) FROM tickets",
        "SELECT date_diff(created_at, created_at) FROM tickets",
        "SELECT date_diff('hour', created_at, 'later') FROM tickets",
        "SELECT date_diff('hour', 1, 2)",
    ]);
}

#[test]
fn approx_percentile_returns_an_input_value_of_its_type() {
    let of = |values: &str, q: &str| format!("(SELECT approx_percentile(x, {q}) FROM (VALUES {values}) AS t(x))");
    let cases = [
        (of("(4), (1), (3), (2)", "0.5"), whole(3)),
        (of("(1), (2), (3)", "0.5"), whole(2)),
        (of("(1), (2), (3)", "0"), whole(1)),
        (of("(1), (2), (3)", "1"), whole(3)),
        (of("(1), (NULL), (3)", "0.5"), whole(3)),
        (of("(CAST(NULL AS BIGINT))", "0.5"), Cell::Null),
        (of("(CAST(1.5 AS DOUBLE)), (CAST(2.5 AS DOUBLE))", "0.5"), Cell::Number(2.5)),
    ];
    let cases: Vec<(&str, Cell)> = cases.iter().map(|(sql, expected)| (sql.as_str(), expected.clone())).collect();
    check(&cases);
    rejected(&[
        "SELECT approx_percentile(model_year, 1.5) FROM tickets",
        "SELECT approx_percentile(model_year, -0.1) FROM tickets",
        "SELECT approx_percentile(severity, 0.5) FROM tickets",
        "SELECT approx_percentile(model_year) FROM tickets",
    ]);
}

/// The result does not depend on how the engine partitions the rows.
#[test]
fn approx_percentile_is_deterministic() {
    let lake = Lake::new(2, 5000);
    let engine = Engine::open(&lake.curated(), None).unwrap();
    let sql = "SELECT approx_percentile(resolution_hours, 0.95) FROM tickets_enriched";
    let ranked =
        "SELECT resolution_hours FROM (SELECT resolution_hours, ROW_NUMBER() OVER (ORDER BY resolution_hours) AS place,
        COUNT(*) OVER () AS n FROM tickets_enriched WHERE resolution_hours IS NOT NULL) AS ranked
        WHERE place = CAST(FLOOR(CAST(95 * n AS DOUBLE) / 100) AS BIGINT) + 1";
    let expected = engine.query(ranked).unwrap().rows;
    for _ in 0..5 {
        assert_eq!(engine.query(sql).unwrap().rows, expected);
    }
}

#[test]
fn integers_divide_to_integers_and_rounding_is_half_away_from_zero() {
    check(&[
        ("7 / 2", whole(3)),
        ("-7 / 2", whole(-3)),
        ("7 % -2", whole(1)),
        ("CAST(7 AS DOUBLE) / 2", Cell::Number(3.5)),
        ("ROUND(CAST(2.5 AS DOUBLE))", Cell::Number(3.0)),
        ("ROUND(CAST(-2.5 AS DOUBLE))", Cell::Number(-3.0)),
        ("ROUND(CAST(1.125 AS DOUBLE), 2)", Cell::Number(1.13)),
        ("ROUND(CAST(-1.125 AS DOUBLE), 2)", Cell::Number(-1.13)),
        ("ROUND(CAST(1234.5 AS DOUBLE), -2)", Cell::Number(1200.0)),
        ("ROUND(7)", whole(7)),
    ]);
    rejected(&["SELECT 1 / 0"]);
}

#[test]
fn dates_weeks_and_nulls_behave_as_on_athena() {
    check(&[
        ("DATE(TIMESTAMP '2026-11-22 23:59:59')", Cell::Text("2026-11-22".into())),
        ("DATE(date_trunc('week', TIMESTAMP '2026-11-22 12:00:00'))", Cell::Text("2026-11-16".into())),
        ("current_date", Cell::Text("2026-11-22".into())),
        ("current_date - INTERVAL '30' DAY = DATE '2026-10-23'", Cell::Boolean(true)),
        ("CAST(current_timestamp AS TIMESTAMP)", Cell::Text("2026-11-22 08:30:00".into())),
    ]);
    let lake = Lake::of_period(1, "2026-11-22", 10, 10);
    let engine = Engine::open(&lake.curated(), None).unwrap();
    for direction in ["ASC", "DESC"] {
        let answer =
            engine.query(&format!("SELECT x FROM (VALUES (1), (NULL)) AS t(x) ORDER BY x {direction}")).unwrap();
        assert_eq!(answer.rows, [[whole(1)], [Cell::Null]], "{direction}");
    }
}

#[test]
fn tables_have_the_same_names_as_on_athena() {
    let lake = Lake::of_period(1, "2026-11-22", 10, 25);
    let engine = Engine::open(&lake.curated(), None).unwrap();
    for table in ["tickets", "bmw_aftersales.tickets", "awsdatacatalog.bmw_aftersales.tickets", "tickets_enriched"] {
        assert_eq!(engine.query(&format!("SELECT COUNT(*) FROM {table}")).unwrap().rows, [[whole(25)]], "{table}");
    }
    let columns = engine.query("SELECT * FROM tickets LIMIT 1").unwrap().columns;
    assert_eq!((columns.len(), columns.last().map(String::as_str)), (15, Some("market")));
}

#[test]
fn deep_queries_run_and_very_long_ones_are_rejected() {
    let lake = Lake::of_period(1, "2026-11-22", 10, 10);
    let engine = Engine::open(&lake.curated(), None).unwrap();
    let chain = |n: usize| format!("SELECT 1{} AS n", "+1".repeat(n));
    assert_eq!(engine.query(&chain(1000)).unwrap().rows, [[whole(1001)]]);
    let error = engine.query(&chain(33_000)).unwrap_err().to_string();
    assert!(error.contains("too long"), "{error}");
}

#[test]
fn only_queries_are_allowed() {
    let lake = Lake::of_period(1, "2026-11-22", 10, 10);
    let engine = Engine::open(&lake.curated(), None).unwrap();
    let out = lake.raw().join("out.csv");
    for sql in [
        "DROP VIEW tickets_enriched",
        "DROP TABLE tickets",
        "CREATE TABLE mine AS SELECT * FROM tickets",
        "INSERT INTO tickets SELECT * FROM tickets",
        &format!("COPY tickets TO '{}'", out.display()),
        "SET datafusion.execution.batch_size = 1",
        "CREATE EXTERNAL TABLE passwd STORED AS CSV LOCATION '/etc/passwd'",
    ] {
        assert!(engine.query(sql).is_err(), "{sql}");
    }
    assert!(!out.exists());
    assert!(engine.query("SELECT COUNT(*) FROM tickets_enriched").is_ok());
}
