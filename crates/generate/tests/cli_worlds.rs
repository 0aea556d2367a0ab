//! Options of the `generate` binary that select another world or another as-of time.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic, and makes the files it needs")]

mod generate_binary;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use generate_binary::{all_lines, generate, generate_ok, manifest, names, stderr};
use tempfile::{TempDir, tempdir};
use ticket_schema::Ticket;

fn tickets(dir: &Path) -> BTreeMap<uuid::Uuid, Ticket> {
    let lines = all_lines(dir);
    let lines = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let read = |line: &[u8]| serde_json::from_slice::<Ticket>(line).unwrap();
    lines.map(read).map(|ticket| (ticket.ticket_id, ticket)).collect()
}

/// Runs one world that starts on 2026-08-01, as of a given day.
fn run_at(home: &TempDir, output: &str, as_of: &str, arguments: &[&str]) {
    let world = ["--count", "3000", "--days-back", "30", "--world-start", "2026-08-01", "--as-of", as_of, "-o", output];
    let output = generate(home.path(), &[&world, arguments].concat());
    assert!(output.status.success(), "{}", stderr(&output));
}

#[test]
fn daily_feed_merges_to_a_later_snapshot() {
    let home = tempdir().unwrap();
    let dir = |name: &str| home.path().join(name);
    run_at(&home, "first", "2026-08-20", &[]);
    run_at(&home, "feed", "2026-08-21", &["--changed-since", "2026-08-20", "--batch-size", "100"]);
    run_at(&home, "second", "2026-08-21", &[]);
    let (mut first, feed, second) = (tickets(&dir("first")), tickets(&dir("feed")), tickets(&dir("second")));
    assert!(first.len() < second.len() && second.len() < 3000);
    assert!(feed.len() < second.len() / 2, "{} of {}", feed.len(), second.len());
    assert!(feed.values().any(|ticket| first.contains_key(&ticket.ticket_id)), "changed ones");
    assert!(feed.values().any(|ticket| !first.contains_key(&ticket.ticket_id)), "new ones");
    first.extend(feed.clone());
    assert!(first == second);

    let manifest = manifest(&dir("feed"));
    assert_eq!(manifest.rows, feed.len() as u64);
    assert_eq!(manifest.changed_since, Some("2026-08-20".parse().unwrap()));
    assert!(manifest.files.iter().all(|file| file.rows > 0 && file.name.contains("_since_20260820_000000_")));
    assert_eq!(names(&dir("feed")).len(), manifest.files.len() + 1);
}

#[test]
fn repeat_command_reproduces_every_kind_of_world() {
    let home = tempdir().unwrap();
    fs::write(home.path().join("own.toml"), "[severities]\nweights = { P1 = 1, P2 = 1, P3 = 1, P4 = 1 }\n").unwrap();
    for arguments in [
        "--world-start 2026-01-05 --scenario recall --scenario dealer-outage",
        "--profile realistic --compress zstd --shard 2/3",
        "--profile own.toml --changed-since 2026-11-20",
        "--dirty 3% --scenario none --compress gzip",
    ] {
        let arguments: Vec<&str> = arguments.split(' ').collect();
        generate_ok(&home, &[&["--count", "400", "-o", "a"], &arguments[..]].concat());
        let repeat = manifest(&home.path().join("a")).repeat;
        let again: Vec<&str> = repeat.split(' ').skip(1).chain(["-o", "b"]).collect();
        assert!(generate(home.path(), &again).status.success(), "{repeat}");
        let (a, b) = (manifest(&home.path().join("a")), manifest(&home.path().join("b")));
        assert!(a == b, "{repeat}");
    }
}

#[test]
fn custom_profile_replaces_sections() {
    let home = tempdir().unwrap();
    let markets =
        "[markets]\nweights = { DE = 1, US = 0, CN = 0, GB = 0, FR = 0, IT = 0, JP = 1, KR = 0, AU = 0, AE = 0 }\n";
    fs::write(home.path().join("own.toml"), markets).unwrap();
    generate_ok(&home, &["--profile", "own.toml", "--count", "300"]);
    let manifest = manifest(&home.path().join("data/raw"));
    assert_eq!(manifest.markets.keys().collect::<Vec<_>>(), ["DE", "JP"]);
    assert_eq!(manifest.world.profile.name, "own.toml");
    assert!(manifest.world.profile.crc64nvme.is_some());
}

#[test]
fn profile_errors_name_line_and_field() {
    let home = tempdir().unwrap();
    let all = "DE = 1, US = 1, CN = 1, GB = 1, FR = 1, IT = 1, JP = 1, KR = 1, AU = 1";
    for (text, expected) in [
        ("[markets\n", "line 1"),
        ("\n\n[market]\nweights = 1\n", "line 3"),
        (&format!("[markets]\nweights = {{ {all} }}\n"), "market `AE` is missing"),
        (&format!("# mine\n[markets]\nweights = {{ {all}, AE = 1, XX = 1 }}\n"), "line 3"),
        (&format!("[markets]\nweights = {{ {all}, AE = -1 }}\n"), "-1 is not a weight, from 0 to 1000000"),
        (&format!("[markets]\nweights = {{ {all}, AE = \"many\" }}\n"), "line 2"),
        (&format!("[markets]\nweight = {{ {all}, AE = 1 }}\n"), "unknown field `weight`"),
        ("[days]\nspread = 2\n", "2 is not a share, from 0 to 1"),
        ("[severities]\nweights = { P1 = 0, P2 = 0, P3 = 0, P4 = 0 }\n", "line 2"),
        ("[months]\nfactors = [1, 2, 3]\n", "line 2"),
    ] {
        fs::write(home.path().join("own.toml"), text).unwrap();
        let output = generate(home.path(), &["--profile", "own.toml"]);
        let messages = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{text}: {messages}");
        assert!(messages.contains("own.toml") && messages.contains(expected), "{text}: {messages}");
    }
    let series = [
        "1 Series",
        "2 Series Gran Coupé",
        "3 Series",
        "4 Series",
        "5 Series",
        "7 Series",
        "X1",
        "X2",
        "X3",
        "X5",
        "X6",
        "X7",
        "XM",
        "Z4",
        "M3",
        "M5",
        "i4",
        "i5",
        "i7",
        "iX",
        "iX1",
        "iX3",
    ];
    let only_i5 = series.map(|name| format!("\"{name}\" = {}", u8::from(name == "i5"))).join(", ");
    fs::write(home.path().join("own.toml"), format!("[market_series]\n[series]\nweights = {{ {only_i5} }}\n")).unwrap();
    let messages = stderr(&generate(home.path(), &["--profile", "own.toml", "--as-of", "2021-01-01"]));
    assert!(messages.contains("none of its series is on the road"), "{messages}");
    let now = generate(home.path(), &["--profile", "own.toml", "--as-of", "2026-01-01", "--count", "50", "-o", "i5"]);
    assert!(now.status.success(), "{}", stderr(&now));
    assert!(tickets(&home.path().join("i5")).values().all(|ticket| ticket.model_series.as_str() == "i5"));

    let messages = stderr(&generate(home.path(), &["--profile", "nowhere.toml"]));
    assert!(messages.contains("expected `default`, `realistic` or a TOML file"), "{messages}");
    assert!(!home.path().join("data").exists());
}

#[test]
fn scenarios_are_listed_in_the_manifest() {
    let home = tempdir().unwrap();
    generate_ok(
        &home,
        &["--count", "200", "--scenario", "dealer-outage", "--scenario", "recall", "--scenario", "recall"],
    );
    let manifest = manifest(&home.path().join("data/raw"));
    let names: Vec<&str> = manifest.scenario_effects.iter().map(|effect| effect.scenario.as_str()).collect();
    assert_eq!(names, ["dealer-outage", "recall"]);
    let output =
        generate(home.path(), &["--as-of", "2026-07-01", "--days-back", "20", "--scenario", "cold-wave", "-o", "x"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let output =
        generate(home.path(), &["--as-of", "2026-05-01", "--days-back", "20", "--scenario", "cold-wave", "-o", "y"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("needs winter"), "{}", stderr(&output));
}

#[test]
fn explain_lists_every_parameter_with_its_source() {
    let home = tempdir().unwrap();
    let text = |profile: &str| {
        let output = generate(home.path(), &["--explain", "--profile", profile]);
        assert!(output.status.success(), "{}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let default = text("default");
    assert!(default.contains("markets: contract (ticket contract) [default]\n"), "{default}");
    assert!(default.contains("  markets.weights.DE = 25\n"));
    assert!(default.contains("market_series.US: sourced (bmwblog 2024-01-04"));
    assert!(default.contains("recalls.integrated-brake-2024: sourced"));
    assert!(!default.contains("given"), "a section lacks its source");
    let realistic = text("realistic");
    assert!(realistic.contains("  markets.weights.CN = 43.8\n") && realistic.contains(" [realistic]\n"));
    assert_eq!(realistic.lines().count(), default.lines().count());
    assert!(!home.path().join("data").exists());
}

#[test]
fn contradictory_options_are_rejected() {
    let home = tempdir().unwrap();
    for (arguments, code, expected) in [
        (&["--as-of", "2026-11-22", "--changed-since", "2026-11-22"][..], 2, "nothing can have changed since"),
        (&["--changed-since", "2026-11-20", "--dirty", "1%"], 2, "cannot be used with"),
        (&["--as-of", "2026-11-22", "--world-start", "2026-12-01"], 1, "is before --world-start"),
        (&["--scenario", "flood"], 2, "possible values"),
        (&["--as-of", "2031-06-01"], 1, "last year with known holidays"),
    ] {
        let output = generate(home.path(), arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(expected), "{arguments:?}: {}", stderr(&output));
    }
    assert!(!home.path().join("data").exists());
}
