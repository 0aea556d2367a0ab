//! Verification of the ten KPIs against the expected answers that `generate` computed.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic, and makes the files it needs")]

use std::fs;

use cli_support::Messages;
use manifest::{CuratedManifest, Manifest};
use query::{Config, Selection, run_query};
use test_support::lake::Lake;
use ticket_schema::names::MANIFEST_FILE;

fn all(lake: &Lake) -> Config {
    Config { data: lake.curated(), as_of: None, selection: Selection::Kpis(Vec::new()), verify: true }
}

#[test]
fn every_answer_is_verified_in_edge_case_worlds() {
    for (seed, as_of, days_back, count) in [
        (42, "2026-11-22", 90, 5000),
        // One ticket, few tickets.
        (1, "2026-11-22", 90, 1),
        (2, "2026-11-22T23:59:59Z", 1, 7),
        // An as-of time within a day; a leap day; a new year; weeks that start in the previous year.
        (3, "2024-03-01T13:37:11Z", 400, 4000),
        (4, "2025-01-01T00:00:01Z", 3, 3000),
        // So many in one day that more than a hundred P1 tickets are open.
        (5, "2026-06-15T12:00:00Z", 1, 60_000),
    ] {
        let lake = Lake::of_period(seed, as_of, days_back, count);
        let report = run_query(&all(&lake)).unwrap();
        assert_eq!(report.differences(), Vec::<String>::new(), "{seed} {as_of}");
        assert_eq!(report.answers.len(), 10);
        report.verify(&Messages::silent()).unwrap();
    }
}

#[test]
fn open_p1_tickets_is_limited_to_100_rows_and_has_the_total() {
    let lake = Lake::of_period(5, "2026-06-15T12:00:00Z", 1, 60_000);
    let selection = Selection::Kpis(vec!["open_p1_tickets".into()]);
    let report = run_query(&Config { selection, ..all(&lake) }).unwrap();
    let answer = &report.answers[0].answer;
    assert_eq!(answer.rows.len(), 100);
    let manifest::answer::Cell::Integer(total) = answer.rows[0][answer.columns.len() - 1] else { panic!() };
    assert!(total > 100, "{total}");
}

#[test]
fn a_wrong_answer_is_reported() {
    let lake = Lake::new(42, 500);
    let path = lake.curated().join(MANIFEST_FILE);
    let mut manifest = CuratedManifest::load(&lake.curated()).unwrap().unwrap();
    let expected = manifest.expected_answers.as_mut().unwrap();
    expected.get_mut("tickets_by_market").unwrap().rows[0][1] = 0_u64.into();
    expected.get_mut("daily_volume").unwrap().rows.pop();
    fs::write(&path, manifest.to_json().unwrap()).unwrap();
    let report = run_query(&all(&lake)).unwrap();
    let differences = report.differences();
    assert_eq!(differences.len(), 2, "{differences:?}");
    assert!(differences[0].starts_with("daily_volume: expected 29 rows, got 30"), "{differences:?}");
    assert!(differences[1].starts_with("tickets_by_market: row 1, tickets: expected 0, got "));
    assert!(report.verify(&Messages::silent()).is_err());
}

#[test]
fn a_missing_partition_is_detected() {
    let lake = Lake::new(42, 500);
    fs::remove_dir_all(lake.curated().join("tickets/market=DE")).unwrap();
    assert!(!run_query(&all(&lake)).unwrap().differences().is_empty());
}

#[test]
fn verification_without_expected_answers_fails() {
    let lake = Lake::new(42, 500);
    let elsewhere = "2026-11-21".parse().ok();
    let error = run_query(&Config { as_of: elsewhere, ..all(&lake) }).unwrap_err().to_string();
    assert!(error.contains("counted as of 2026-11-22T00:00:00Z"), "{error}");

    fs::remove_file(lake.curated().join(MANIFEST_FILE)).unwrap();
    let error = run_query(&all(&lake)).unwrap_err().to_string();
    assert!(error.contains("give it with --as-of"), "{error}");
    let with_as_of = Config { as_of: "2026-11-22".parse().ok(), ..all(&lake) };
    let error = run_query(&with_as_of).unwrap_err().to_string();
    assert!(error.contains("no expected answers"), "{error}");
    assert!(run_query(&Config { verify: false, ..with_as_of }).is_ok());
}
