//! Rewritten queries give the answers of their time on an engine with a later clock.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic, and makes the files it needs")]

use kpi::as_of_rewrite::rewrite_as_of;
use kpi::catalogue::kpis;
use manifest::answer::Answer;
use query::Engine;
use test_support::lake::Lake;
use ticket_schema::Timestamp;

const AS_OF: &str = "2026-11-22T08:30:05Z";
const A_YEAR_LATER: &str = "2027-11-22";

/// Returns the answers at the time, a year later after the rewrite, and a year later without it.
fn three_answers(lake: &Lake, queries: &[String]) -> Vec<[Answer; 3]> {
    let as_of: Timestamp = AS_OF.parse().unwrap();
    let then = Engine::open(&lake.curated(), Some(as_of)).unwrap();
    let later = Engine::open(&lake.curated(), A_YEAR_LATER.parse().ok()).unwrap();
    let run = |engine: &Engine, sql: &str| engine.query(sql).unwrap_or_else(|error| panic!("{sql}: {error:#}"));
    let all = |sql: &String| [run(&then, sql), run(&later, &rewrite_as_of(sql, as_of).unwrap()), run(&later, sql)];
    queries.iter().map(all).collect()
}

#[test]
fn every_kpi_can_be_rewritten() {
    let lake = Lake::of_period(42, AS_OF, 3, 5000);
    let queries: Vec<String> = kpis().unwrap().into_iter().map(|kpi| kpi.sql).collect();
    let mut time_dependent = Vec::new();
    for (i, [expected, rewritten, later]) in three_answers(&lake, &queries).into_iter().enumerate() {
        assert_eq!(rewritten, expected, "{}", queries[i]);
        if later != expected {
            time_dependent.push(i + 1);
        }
    }
    assert_eq!(time_dependent, [1, 7, 10]);
}

#[test]
fn every_reference_to_the_view_is_rewritten() {
    let lake = Lake::of_period(1, AS_OF, 10, 50);
    let queries = [
        "SELECT MAX(hours_since_created) AS age, now() AS present FROM tickets_enriched",
        "SELECT MAX(tickets_enriched.hours_since_created) AS age FROM bmw_aftersales.\"tickets_enriched\"",
        "SELECT MAX(t.hours_since_created) AS age FROM awsdatacatalog.bmw_aftersales.tickets_enriched AS t",
        "WITH old AS (SELECT * FROM tickets_enriched WHERE days_open > 2) SELECT COUNT(*), MAX(days_open) FROM old",
        "WITH RECURSIVE days AS (SELECT 0 AS n UNION ALL SELECT n + 1 FROM days WHERE n < 9)
         SELECT n, COUNT(*) FROM days JOIN bmw_aftersales.tickets_enriched ON days_open = n GROUP BY n ORDER BY n",
        "SELECT MAX(hours_since_created) AS age FROM (SELECT * FROM tickets_enriched) AS tickets",
    ];
    for ([expected, rewritten, later], sql) in
        three_answers(&lake, &queries.map(str::to_owned)).into_iter().zip(queries)
    {
        assert_eq!(rewritten, expected, "{sql}");
        assert_ne!(later, expected, "{sql}");
    }
}
