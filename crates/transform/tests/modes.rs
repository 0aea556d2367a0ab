//! Write modes, deduplication and reprocessing of the quarantine.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic, and makes the files it needs")]

mod sandbox;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use manifest::{CuratedManifest, Manifest, RawManifest, RowCounts, WorldParameters};
use proptest::prelude::*;
use sandbox::{
    State, counts, files, generate_dirty_into, home_with_tickets, manifest, names, states, stderr, transform,
};
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

fn succeed(home: &TempDir, arguments: &[&str]) -> String {
    let output = transform(home, arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", stderr(&output));
    stderr(&output)
}

fn succeed_with(home: &TempDir, arguments: &[&str], code: i32) {
    let output = transform(home, arguments);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", stderr(&output));
}

fn fail(home: &TempDir, arguments: &[&str], expected: &str) {
    let output = transform(home, arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", stderr(&output));
    assert!(stderr(&output).contains(expected), "{arguments:?}: `{expected}` is not in {}", stderr(&output));
}

/// Generates the tickets of one world as of a time: all, or only those changed since an earlier time.
fn generate_at(dir: &Path, as_of: &str, changed_since: Option<&str>) {
    let mut world = WorldParameters::new(7, "2026-11-01".parse().unwrap(), 30, 2000);
    world.as_of = as_of.parse().unwrap();
    let changed_since = changed_since.map(|time| time.parse().unwrap());
    let config = generate::Config { changed_since, ..generate::Config::of(world) };
    let target = generate::Target::Directory(dir.to_owned());
    generate::run_generate(&config, target, &cli_support::Messages::silent()).unwrap();
}

#[test]
fn append_keeps_existing_parts_and_updates_the_manifest() {
    let home = home_with_tickets(2000);
    generate_dirty_into(&home.path().join("more"), 1500, 43, "0");
    succeed(&home, &[]);
    let before = files(&home.path().join("data/curated/tickets"));
    let (first, first_states) = (manifest(&home), states(&home.path().join("data/curated")));
    succeed(&home, &["--input", "more", "--mode", "append"]);

    let after = files(&home.path().join("data/curated/tickets"));
    assert!(before.iter().all(|file| after.contains(file)), "existing files are unchanged");
    assert!(after.iter().any(|(name, _)| name == "market=DE/part-1.parquet"));
    let both = manifest(&home);
    assert_eq!(both.rows, counts(3500, 3500, 0));
    assert_eq!(both.markets.values().sum::<u64>(), 3500);
    assert_eq!(both.inputs.len(), first.inputs.len() + 2);
    assert_eq!((both.world, both.expected_answers, both.as_of), (None, None, first.as_of));

    succeed(&home, &["--input", "more", "--output", "alone"]);
    let mut expected = first_states;
    expected.extend(states(&home.path().join("alone")));
    expected.sort();
    assert_eq!(states(&home.path().join("data/curated")), expected);
}

#[test]
fn append_to_an_empty_output_equals_overwrite() {
    let home = home_with_tickets(500);
    succeed(&home, &["--output", "a"]);
    succeed(&home, &["--output", "b", "--mode", "append"]);
    assert!(files(&home.path().join("a")) == files(&home.path().join("b")));
}

#[test]
fn repeated_input_is_rejected_by_checksum_unless_forced() {
    let home = home_with_tickets(1500);
    succeed(&home, &[]);
    let before = files(&home.path().join("data/curated"));
    fail(
        &home,
        &["--mode", "append"],
        "is already in the data set, as tickets_20261122_000000_0000.jsonl (1,000 lines",
    );
    // Under another name, and without a manifest that states the checksum before the file is read.
    fs::copy(sandbox::first_raw_file(&home), home.path().join("again.jsonl")).unwrap();
    fail(&home, &["--input", "again.jsonl", "--mode", "append"], "again.jsonl is already in the data set");
    assert!(files(&home.path().join("data/curated")) == before);

    succeed(&home, &["--mode", "append", "--force"]);
    assert_eq!(manifest(&home).rows, counts(3000, 3000, 0));
    succeed(&home, &["--mode", "append", "--force", "--dedupe", "latest"]);
    let kept = manifest(&home);
    assert_eq!(kept.rows, RowCounts { read: 4500, written: 1500, quarantined: 0, duplicates: 3000 });
    assert_eq!(kept.markets.values().sum::<u64>(), 1500);
    // Overwriting accepts repeated inputs.
    succeed(&home, &[]);
    assert!(files(&home.path().join("data/curated")) == before);
}

#[test]
fn daily_feed_with_deduplication_matches_a_full_load() {
    let home = tempdir().unwrap();
    let path = |name: &str| home.path().join(name);
    generate_at(&path("day0"), "2026-11-01", None);
    generate_at(&path("day1"), "2026-11-02", Some("2026-11-01"));
    generate_at(&path("day2"), "2026-11-03T12:00:00Z", Some("2026-11-02"));
    generate_at(&path("all"), "2026-11-03T12:00:00Z", None);
    succeed(&home, &["--input", "day0"]);
    for day in ["day1", "day2"] {
        succeed(&home, &["--input", day, "--mode", "append", "--dedupe", "latest"]);
    }
    succeed(&home, &["--input", "all", "--output", "full"]);
    let found = states(&path("data/curated"));
    assert!(found.len() > 2000);
    assert_eq!(found, states(&path("full")));

    let kept = manifest(&home);
    let n_lines: u64 =
        ["day0", "day1", "day2"].map(|day| RawManifest::load(&path(day)).unwrap().unwrap().rows).iter().sum();
    assert_eq!((kept.rows.read, kept.rows.written), (n_lines, found.len() as u64));
    assert!(kept.rows.balance() && kept.rows.duplicates > 0);
    assert_eq!(kept.superseded, kept.rows.duplicates, "each superseded state had been written");
    assert_eq!(kept.rows_by_market.values().copied().sum::<RowCounts>(), kept.rows);
    assert!(kept.rows_by_market.iter().all(|(market, rows)| rows.balance() && rows.written == kept.markets[market]));
    assert_eq!(kept.as_of.unwrap().to_string(), "2026-11-03T12:00:00Z");

    // One run over all feeds, in either order, yields the same states.
    for days in [["day0", "day1", "day2"], ["day2", "day0", "day1"]] {
        let output = format!("from-{}", days[0]);
        succeed(&home, &["--input", days[0], days[1], days[2], "--dedupe", "latest", "--output", &output]);
        assert_eq!(states(&path(&output)), found);
        let at_once = CuratedManifest::load(&path(&output)).unwrap().unwrap();
        assert_eq!((at_once.rows, at_once.superseded), (kept.rows, 0));
    }
}

#[test]
fn ticket_that_changes_market_is_kept_once() {
    let home = tempdir().unwrap();
    fs::write(home.path().join("a.jsonl"), lines(&[(1, "DE", 1), (2, "FR", 5)])).unwrap();
    fs::write(home.path().join("b.jsonl"), lines(&[(1, "US", 2), (2, "GB", 4)])).unwrap();
    succeed(&home, &["--input", "a.jsonl"]);
    succeed(&home, &["--input", "b.jsonl", "--mode", "append", "--dedupe", "latest"]);
    let found: Vec<(String, i64)> =
        states(&home.path().join("data/curated")).into_iter().map(|state| (state.market, state.updated_at)).collect();
    assert_eq!(found, [("US".to_owned(), 2000), ("FR".to_owned(), 5000)]);
    // The file whose only row was superseded is removed.
    let left = names(&home.path().join("data/curated"));
    assert_eq!(left, ["_manifest.json", "tickets/market=FR/part-0.parquet", "tickets/market=US/part-0.parquet"]);
}

/// Returns lines of tickets given as number, market and `updated_at` in seconds since 1970.
fn lines(tickets: &[(u64, &str, i64)]) -> String {
    let line = |(number, market, seconds): &(u64, &str, i64)| {
        let updated_at = chrono::DateTime::from_timestamp(*seconds, 0).unwrap();
        let ticket = json!({
            "ticket_id": format!("00000000-0000-4000-8000-{number:012}"),
            "created_at": "1970-01-01T00:00:00Z",
            "updated_at": updated_at.to_rfc3339(),
            "resolved_at": null,
            "severity": "P2", "status": "Open", "category": "Engine", "channel": "Phone",
            "market": market, "dealer_id": format!("DLR-{market}-001"), "customer_id": "CUST-0000000001",
            "vin_last6": "A00001", "model_series": "X5", "model_year": 2024, "sla_breached": false,
        });
        format!("{ticket}\n")
    };
    tickets.iter().map(line).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Compares with a map from ticket to latest state, for any division of the lines into runs.
    #[test]
    fn latest_state_is_kept_over_any_sequence_of_runs(
        feeds in proptest::collection::vec(
            proptest::collection::vec((0_u64..12, proptest::sample::select(&["DE", "FR", "US"][..]), 0_i64..6), 1..20),
            1..4,
        ),
    ) {
        let home = tempdir().unwrap();
        let mut expected: BTreeMap<u64, (i64, usize)> = BTreeMap::new();
        for (i, feed) in feeds.iter().enumerate() {
            // Of states with the same time, the one of the last feed is kept.
            let name = format!("{i}.jsonl");
            fs::write(home.path().join(&name), lines(feed)).unwrap();
            succeed(&home, &["--input", &name, "--mode", "append", "--dedupe", "latest", "--force"]);
            for (number, _, seconds) in feed {
                let latest = expected.entry(*number).or_insert((*seconds, i));
                *latest = (*latest).max((*seconds, i));
            }
        }
        let found = states(&home.path().join("data/curated"));
        let expected: Vec<(String, i64)> = expected
            .iter()
            .map(|(number, (seconds, _))| (format!("00000000-0000-4000-8000-{number:012}"), seconds * 1000))
            .collect();
        let found: Vec<(String, i64)> = found.into_iter().map(|state| (state.ticket_id, state.updated_at)).collect();
        prop_assert_eq!(found, expected);
        let kept = manifest(&home);
        prop_assert!(kept.rows.balance());
        prop_assert_eq!(kept.rows.read, feeds.iter().map(Vec::len).sum::<usize>() as u64);
    }
}

#[test]
fn last_of_simultaneous_states_is_kept() {
    let home = tempdir().unwrap();
    let open = lines(&[(1, "DE", 9)]);
    let waiting = open.replace("\"Open\"", "\"Waiting\"");
    fs::write(home.path().join("a.jsonl"), format!("{open}{waiting}{}", open.replace("Open", "In Progress"))).unwrap();
    fs::write(home.path().join("b.jsonl"), &waiting).unwrap();
    let status = |home: &TempDir| -> Vec<String> {
        states(&home.path().join("data/curated")).into_iter().map(|state: State| state.status).collect()
    };
    succeed(&home, &["--input", "a.jsonl", "--dedupe", "latest"]);
    assert_eq!(status(&home), ["In Progress"]);
    succeed(&home, &["--input", "b.jsonl", "--dedupe", "latest", "--mode", "append"]);
    assert_eq!(status(&home), ["Waiting"]);
}

#[test]
fn injected_duplicates_are_dropped_and_expected_answers_kept() {
    let home = tempdir().unwrap();
    let raw_dir = home.path().join("data/raw");
    generate_dirty_into(&raw_dir, 3000, 3, "5%");
    let raw = RawManifest::load(&raw_dir).unwrap().unwrap();
    assert!(raw.n_copies() > 0 && raw.n_rejected() > 0);
    let output = transform(&home, &["--dedupe", "latest"]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let kept = manifest(&home);
    assert_eq!((kept.rows.quarantined, kept.rows.duplicates), (raw.n_rejected(), raw.n_copies()));
    assert_eq!((kept.expected_answers, kept.markets), (Some(raw.expected_answers), raw.markets));
}

#[test]
fn standard_input_is_deduplicated() {
    let home = tempdir().unwrap();
    fs::write(home.path().join("in.jsonl"), lines(&[(1, "DE", 3), (1, "DE", 2), (2, "DE", 1)])).unwrap();
    let input = fs::File::open(home.path().join("in.jsonl")).unwrap();
    let output = Command::new(sandbox::BINARY)
        .current_dir(home.path())
        .args(["--input", "-", "--dedupe", "latest"])
        .stdin(Stdio::from(input))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(manifest(&home).rows, RowCounts { read: 3, written: 2, quarantined: 0, duplicates: 1 });
    assert_eq!(names(home.path()).iter().filter(|name| name.contains("partial")).count(), 0);
}

/// Creates a directory with a data set of 1,000 lines, of which three are in quarantine.
fn home_with_quarantine() -> TempDir {
    let home = home_with_tickets(1000);
    let file = sandbox::first_raw_file(&home);
    let text = fs::read_to_string(&file).unwrap();
    let mut lines: Vec<String> = text.lines().map(ToOwned::to_owned).collect();
    lines[10] = lines[10].replace("\"severity\":\"P", "\"severity\":\"p");
    lines[20] = lines[20].replace("\"sla_breached\":", "\"sla_breached\":\"\",\"x\":");
    lines[30].truncate(50);
    fs::write(home.path().join("dirty.jsonl"), lines.join("\n")).unwrap();
    let output = transform(&home, &["--input", "dirty.jsonl"]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("fix them in place and run `transform --input data/curated/_quarantine`"),
        "{}",
        stderr(&output)
    );
    home
}

/// Fixes two of the three quarantined lines.
fn fix_quarantine(home: &TempDir) {
    let rejected = home.path().join("data/curated/_quarantine/rejected.jsonl");
    let text = fs::read_to_string(&rejected).unwrap();
    let text = text
        .replace("\"severity\":\"p", "\"severity\":\"P")
        .replace("\"sla_breached\":\"\",\"x\":", "\"sla_breached\":");
    fs::write(rejected, text).unwrap();
}

#[test]
fn reprocessing_accepts_fixed_lines_and_keeps_the_others_quarantined() {
    let home = home_with_quarantine();
    let curated = home.path().join("data/curated");
    assert_eq!(manifest(&home).rows, counts(1000, 997, 3));
    fix_quarantine(&home);
    let output = transform(&home, &["--input", "data/curated/_quarantine"]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let kept = manifest(&home);
    assert_eq!(kept.rows, counts(1000, 999, 1));
    assert_eq!(kept.rows_by_market.values().copied().sum::<RowCounts>(), kept.rows);
    assert_eq!(kept.rows_by_market["unknown"], counts(1, 0, 1));
    let last = kept.inputs.last().unwrap();
    assert_eq!((last.name.as_str(), last.rows, last.taken_back), ("rejected.jsonl", counts(3, 2, 1), 3));
    assert_eq!(names(&curated.join("_quarantine")), ["_reasons.jsonl", "rejected.jsonl"]);
    assert_eq!(states(&curated).len(), 999);

    // With the last line fixed, the quarantine is removed and the tickets equal those of a clean run.
    let line = fs::read_to_string(sandbox::first_raw_file(&home)).unwrap().lines().nth(30).unwrap().to_owned();
    fs::write(curated.join("_quarantine/rejected.jsonl"), line).unwrap();
    succeed(&home, &["--input", "data/curated/_quarantine"]);
    assert_eq!(manifest(&home).rows, counts(1000, 1000, 0));
    assert!(!curated.join("_quarantine").exists());
    let found = states(&curated);
    succeed(&home, &["--output", "clean"]);
    assert_eq!(found, states(&home.path().join("clean")));
}

#[test]
fn lines_removed_from_the_quarantine_are_reported() {
    let home = home_with_quarantine();
    fix_quarantine(&home);
    let rejected = home.path().join("data/curated/_quarantine/rejected.jsonl");
    let text = fs::read_to_string(&rejected).unwrap();
    fs::write(&rejected, text.lines().take(1).collect::<String>()).unwrap();
    let messages = succeed(&home, &["--input", "data/curated/_quarantine"]);
    assert!(messages.contains("2 of 3 quarantined lines were removed from the quarantine"), "{messages}");
    assert_eq!(manifest(&home).rows, counts(998, 998, 0));
}

#[test]
fn append_keeps_the_existing_quarantine() {
    let home = home_with_quarantine();
    fs::write(home.path().join("more.jsonl"), format!("{{}}\n{}", lines(&[(1, "DE", 1)]))).unwrap();
    let quarantine = home.path().join("data/curated/_quarantine");
    let before = files(&quarantine);
    let output = transform(&home, &["--input", "more.jsonl", "--mode", "append"]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let all = names(&quarantine);
    assert_eq!(all, ["_reasons-1.jsonl", "_reasons.jsonl", "rejected-1.jsonl", "rejected.jsonl"]);
    assert!(before.iter().all(|file| files(&quarantine).contains(file)));
    assert_eq!(manifest(&home).rows, counts(1002, 998, 4));

    // A modified quarantine must be reprocessed before the next append.
    fix_quarantine(&home);
    fs::write(home.path().join("other.jsonl"), lines(&[(2, "DE", 1)])).unwrap();
    fail(&home, &["--input", "other.jsonl", "--mode", "append"], "or reprocess the quarantine first with --input");
    let output = transform(&home, &["--input", "data/curated/_quarantine"]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert_eq!(manifest(&home).rows, counts(1002, 1000, 2));
    assert_eq!(names(&quarantine), ["_reasons.jsonl", "rejected.jsonl"]);
}

#[test]
fn quarantine_cannot_overwrite_its_own_data_set() {
    let home = home_with_quarantine();
    let output = transform(&home, &["--input", "data/curated/_quarantine", "--mode", "overwrite"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("lies in the output directory"), "{}", stderr(&output));
    assert_eq!(manifest(&home).rows, counts(1000, 997, 3));
}

#[test]
fn append_to_damaged_files_is_rejected() {
    let home = home_with_tickets(500);
    succeed(&home, &[]);
    fs::write(home.path().join("more.jsonl"), lines(&[(1, "DE", 1)])).unwrap();
    let part = home.path().join("data/curated/tickets/market=DE/part-0.parquet");
    let whole = fs::read(&part).unwrap();
    for damaged in [Some(&whole[..100]), None] {
        damaged.map_or_else(|| fs::remove_file(&part).unwrap(), |bytes| fs::write(&part, bytes).unwrap());
        fail(
            &home,
            &["--input", "more.jsonl", "--mode", "append"],
            "market=DE/part-0.parquet was changed or removed after transform wrote it",
        );
    }
    succeed(&home, &["--input", "more.jsonl"]);
}

#[test]
fn error_limit_is_a_number_or_a_percentage() {
    let home = home_with_tickets(1000);
    let text = fs::read_to_string(sandbox::first_raw_file(&home)).unwrap();
    fs::write(home.path().join("dirty.jsonl"), format!("{text}{}", "{}\n".repeat(5))).unwrap();
    for (limit, expected) in [
        ("5", Some(3)),
        ("4", Some(1)),
        ("0", Some(1)),
        ("0.5%", Some(3)),
        ("0.4%", Some(1)),
        ("0%", Some(1)),
        ("100%", Some(3)),
    ] {
        let _ = fs::remove_dir_all(home.path().join("data/curated"));
        let output = transform(&home, &["--input", "dirty.jsonl", "--max-errors", limit]);
        assert_eq!(output.status.code(), expected, "{limit}: {}", stderr(&output));
        assert_eq!(home.path().join("data/curated").exists(), expected == Some(3), "{limit}");
        if expected == Some(1) {
            assert!(stderr(&output).contains("nothing was published"), "{}", stderr(&output));
        }
    }
    for wrong in ["x", "-1", "101%", "%", "1.5", "NaN%"] {
        assert_eq!(transform(&home, &["--max-errors", wrong]).status.code(), Some(2), "{wrong}");
    }
}

#[test]
fn glob_patterns_select_inputs() {
    let home = home_with_tickets(2500);
    succeed(&home, &["--output", "whole"]);
    succeed(&home, &["--input", "data/raw/*.jsonl"]);
    assert!(files(&home.path().join("data/curated/tickets")) == files(&home.path().join("whole/tickets")));
    succeed(&home, &["--input", "data/raw/tickets_*_000[01].jsonl"]);
    assert_eq!(manifest(&home).rows, counts(2000, 2000, 0));
    fail(&home, &["--input", "data/raw/*.csv"], "cannot read data/raw/*.csv");
    let output = transform(&home, &["--input", "data/raw/*_0000.jsonl", "data/raw/tickets_20261122_000000_0000.jsonl"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("is named twice"), "{}", stderr(&output));
}

#[test]
fn dry_run_writes_nothing() {
    let home = home_with_tickets(1500);
    let dry = |arguments: &[&str]| {
        let output = transform(&home, &[arguments, &["--dry-run"]].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let messages = dry(&[]);
    assert!(!home.path().join("data/curated").exists());
    for part in [
        "would read 2 inputs",
        "data/raw/tickets_20261122_000000_0001.jsonl (",
        "500 rows",
        "would create a data set in data/curated",
        "tickets/market=DE/part-0.parquet (",
    ] {
        assert!(messages.contains(part), "`{part}` is not in {messages}");
    }
    succeed(&home, &[]);
    let before = files(home.path());
    assert!(dry(&[]).contains("would replace the data set in data/curated: 1,500 tickets in 10 files"));
    assert!(dry(&["--mode", "append", "--force"]).contains("tickets/market=DE/part-1.parquet ("));
    fail(&home, &["--mode", "append", "--dry-run"], "is already in the data set");
    fail(&home, &["--input", "nothing", "--dry-run"], "cannot read nothing");
    assert!(files(home.path()) == before);
}

#[test]
fn target_file_size_splits_parts() {
    const N_TICKETS: u64 = 150_000;
    let home = tempdir().unwrap();
    // One market with more rows than a row group holds.
    let line = lines(&[(0, "DE", 1)]);
    let many: String = (0..N_TICKETS).map(|n| line.replace("-000000000000", &format!("-{n:012}"))).collect();
    fs::write(home.path().join("many.jsonl"), many).unwrap();
    succeed(&home, &["--input", "many.jsonl", "--target-file-size", "500KB"]);
    let entries = manifest(&home).files;
    let rows: Vec<u64> = entries.iter().map(|entry| entry.rows).collect();
    assert_eq!(rows.iter().sum::<u64>(), N_TICKETS);
    assert!(rows.len() == 2 && (120_000..=1 << 17).contains(&rows[0]), "{rows:?}");
    succeed(&home, &["--input", "many.jsonl"]);
    assert_eq!(manifest(&home).files.len(), 1);
}

#[test]
fn thread_count_does_not_change_the_output() {
    let home = home_with_tickets(20_000);
    succeed(&home, &["--threads", "1"]);
    let one = files(&home.path().join("data/curated"));
    for threads in ["2", "7"] {
        succeed(&home, &["--threads", threads]);
        assert!(files(&home.path().join("data/curated")) == one, "{threads} threads");
    }
    for wrong in ["0", "257", "many"] {
        assert_eq!(transform(&home, &["--threads", wrong]).status.code(), Some(2));
    }
}

#[test]
fn reconciliation_is_shown_by_market_and_by_input() {
    let home = home_with_quarantine();
    fs::write(home.path().join("more.jsonl"), lines(&[(1, "DE", 1), (1, "DE", 2)])).unwrap();
    let output = transform(&home, &["--input", "dirty.jsonl", "more.jsonl", "--dedupe", "latest"]);
    let messages = stderr(&output);
    let shown = |name: &str| -> Vec<String> {
        let line = messages
            .lines()
            .find(|line| line.trim_start().starts_with(name))
            .unwrap_or_else(|| panic!("{name}: {messages}"));
        line.trim_start()[name.len()..].split_whitespace().map(ToOwned::to_owned).collect()
    };
    assert_eq!(shown("total"), ["1,002", "=", "998", "+", "3", "+", "1"]);
    assert_eq!(shown("more.jsonl"), ["2", "=", "1", "+", "0", "+", "1"]);
    assert_eq!(shown("unknown"), ["1", "=", "0", "+", "1", "+", "0"]);
    let _: Value = serde_json::from_slice(&fs::read(home.path().join("data/curated/_manifest.json")).unwrap()).unwrap();
}

#[test]
fn append_to_a_manifest_of_an_earlier_version() {
    let home = home_with_quarantine();
    let path = home.path().join("data/curated/_manifest.json");
    let mut old: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    old.as_object_mut().unwrap().remove("rows_by_market").unwrap();
    fs::write(&path, old.to_string()).unwrap();
    fs::write(home.path().join("more.jsonl"), lines(&[(1, "DE", 1)])).unwrap();
    succeed_with(&home, &["--input", "more.jsonl", "--mode", "append"], 0);
    assert_eq!(manifest(&home).rows, counts(1001, 998, 3));
    fix_quarantine(&home);
    succeed_with(&home, &["--input", "data/curated/_quarantine"], 3);
    assert_eq!(manifest(&home).rows, counts(1001, 1000, 1));
}

/// The first pass reads a named pipe. Once it is open, a regular file replaces the pipe for the second pass.
#[cfg(unix)]
#[test]
fn input_that_changes_between_passes_is_reported() {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;

    use rustix::fs::OFlags;

    let home = tempdir().unwrap();
    let (pipe, file) = (home.path().join("tickets.jsonl"), home.path().join("changed.jsonl"));
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    fs::write(&file, lines(&[(1, "DE", 2), (1, "DE", 1)])).unwrap();
    let mut child = sandbox::spawn(&home, &["--input", "tickets.jsonl", "--dedupe", "latest"]);
    let mut written = None;
    sandbox::wait_until(&mut child, || {
        // A non-blocking open for writing fails until the pipe has a reader.
        written = fs::File::options().write(true).custom_flags(OFlags::NONBLOCK.bits() as i32).open(&pipe).ok();
        written.is_some()
    });
    fs::rename(&file, &pipe).unwrap();
    written.take().unwrap().write_all(lines(&[(1, "DE", 1), (1, "DE", 2)]).as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("tickets.jsonl changed between the two passes"), "{}", stderr(&output));
    assert!(!home.path().join("data/curated").exists());
}
