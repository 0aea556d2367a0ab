//! The `realism` binary: verdicts on various data sets, violations of each rule, options and error messages.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic, and makes the files it needs")]

mod tickets;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use manifest::{CuratedManifest, Manifest, ProfileRef, Scenario, WorldParameters};
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};
use tickets::{
    distinct_customers, generate, generate_into, generated_tickets, independent_tickets, json_lines, transform_into,
    world,
};

const BINARY: &str = env!("CARGO_BIN_EXE_realism");

fn realism(home: &TempDir, arguments: &[&str]) -> Output {
    Command::new(BINARY).current_dir(home.path()).args(arguments).output().unwrap()
}

/// Returns the report and the exit code.
fn report(home: &TempDir, arguments: &[&str]) -> (Value, i32) {
    let output = realism(home, &[arguments, &["--format", "json", "--quiet"]].concat());
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", stderr(&output)));
    (report, output.status.code().unwrap())
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn write(home: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = home.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    path
}

fn home_with_generated(count: u64) -> TempDir {
    let home = tempdir().unwrap();
    generate_into(&home.path().join("data/raw"), count);
    home
}

/// Returns the names of the results that did not pass.
fn failed(results: &Value) -> Vec<&str> {
    let results = results.as_array().unwrap().iter();
    results.filter(|result| result["passed"] == false).map(|result| result["name"].as_str().unwrap()).collect()
}

#[test]
fn generated_tickets_pass_raw_and_curated() {
    let home = home_with_generated(3000);
    let (raw, code) = report(&home, &[]);
    assert_eq!((code, raw["passed"].as_bool()), (0, Some(true)), "{raw:#}");
    assert_eq!((&raw["n_lines"], &raw["n_tickets"]), (&json!(3000), &json!(3000)));
    assert_eq!(raw["as_of"], "2026-11-22T00:00:00Z");

    transform_into(&home.path().join("data/raw"), &home.path().join("data/curated"));
    let (curated, code) = report(&home, &["--data", "data/curated"]);
    assert_eq!((code, &curated["scores"]), (0, &raw["scores"]));
    assert_eq!((failed(&curated["rules"]), &curated["n_tickets"]), (vec![], &json!(3000)));
}

#[test]
fn generated_tickets_pass_without_a_manifest_and_from_stdin() {
    let home = home_with_generated(3000);
    fs::remove_file(home.path().join("data/raw/_manifest.json")).unwrap();
    let (without, code) = report(&home, &[]);
    assert_eq!(code, 0, "{without:#}");

    let lines = json_lines(&generated_tickets(3000));
    let path = write(&home, "all.jsonl", &lines);
    let piped = Command::new(BINARY)
        .args(["--data", "-", "--format", "json"])
        .stdin(Stdio::from(fs::File::open(path).unwrap()))
        .output()
        .unwrap();
    let piped: Value = serde_json::from_slice(&piped.stdout).unwrap();
    assert_eq!(piped["scores"], without["scores"]);
}

#[test]
fn fifty_thousand_generated_tickets_reach_every_target() {
    let home = home_with_generated(50_000);
    let (report, code) = report(&home, &[]);
    assert_eq!((code, &report["passed"]), (0, &json!(true)), "{report:#}");
    let scores = &report["scores"];
    let reached = |kind: &str, least: f64| {
        let scores = scores[kind].as_array().unwrap().iter();
        scores.filter(|score| score["score"].as_f64().unwrap() >= least).count()
    };
    // Variation between days and service centres keeps two or three columns below 0.99; the report contains its size.
    assert!(reached("columns", 0.99) >= 14, "{scores:#}");
    assert_eq!((reached("columns", 0.98), reached("pairs", 0.97)), (17, 11), "{scores:#}");
    assert_eq!(scores["chi_squares"].as_array().unwrap().len(), 3);
    let targets = scores["plausibility"].as_array().unwrap().iter().map(|metric| &metric["target"]);
    assert_eq!(targets.collect::<Vec<_>>(), [0.02, 0.08, 0.04, 0.05, 0.08, 0.002, 0.002]);
}

#[test]
fn independent_uniform_draws_satisfy_the_rules_but_fail_the_scores() {
    let home = tempdir().unwrap();
    write(&home, "uniform/tickets.jsonl", &json_lines(&independent_tickets(10_000)));
    let (report, code) = report(&home, &["--data", "uniform"]);
    assert_eq!(code, 1);
    assert_eq!(failed(&report["rules"]), Vec::<&str>::new());
    let scores = &report["scores"];
    let columns = failed(&scores["columns"]);
    for column in
        ["severity", "status", "category", "channel", "market", "model_series", "resolution", "hour", "weekday"]
    {
        assert!(columns.contains(&column), "{column} passed; failed are {columns:?}");
    }
    assert_eq!(failed(&scores["chi_squares"]), ["market", "severity", "channel"]);
    for kind in ["pairs", "plausibility"] {
        assert_eq!(failed(&scores[kind]).len(), scores[kind].as_array().unwrap().len(), "{:#}", scores[kind]);
    }
}

/// Returns the report and the exit code for a generated data set.
fn report_of(config: generate::Config, arguments: &[&str]) -> (Value, i32) {
    let home = tempdir().unwrap();
    generate(&home.path().join("data/raw"), config);
    report(&home, arguments)
}

#[test]
fn tickets_are_compared_with_their_claimed_profile() {
    let realistic = ProfileRef { name: "realistic".to_owned(), crc64nvme: None };
    let config = generate::Config::of(WorldParameters { profile: realistic, ..world(3000) });
    let (own, code) = report_of(config.clone(), &[]);
    assert_eq!((code, &own["profile"]), (0, &json!("realistic")), "{own:#}");
    let (other, code) = report_of(config, &["--profile", "default"]);
    assert_eq!((code, &other["profile"]), (1, &json!("default")));
    assert_eq!(failed(&other["scores"]["chi_squares"]), ["market"]);
}

#[test]
fn reference_worlds_include_the_claimed_scenarios() {
    let world = WorldParameters { scenarios: vec![Scenario::Recall], ..world(3000) };
    let (with, code) = report_of(generate::Config::of(world.clone()), &[]);
    assert_eq!((code, &with["scores"]["chi_squares"]), (0, &json!([])), "{with:#}");

    let home = tempdir().unwrap();
    generate(&home.path().join("recall"), generate::Config::of(world));
    generate(&home.path().join("none"), generate::Config::of(tickets::world(3000)));
    let (against_none, code) = report(&home, &["--data", "recall", "--reference", "none"]);
    assert_eq!(code, 1);
    assert!(failed(&against_none["scores"]["columns"]).contains(&"category"));
}

#[test]
fn worlds_can_extend_beyond_their_first_period() {
    let earlier = world(2000);
    let later = WorldParameters { as_of: earlier.as_of.plus_seconds(30 * 86_400), ..earlier };
    let (report, code) = report_of(generate::Config::of(later), &[]);
    assert_eq!(code, 0, "{report:#}");
    assert!(report["n_tickets"].as_u64().unwrap() > 2300);
    assert_eq!(report["scores"]["chi_squares"].as_array().unwrap().len(), 3);
}

#[test]
fn feeds_are_only_checked_against_the_rules() {
    let changed_since = Some("2026-11-10".parse().unwrap());
    let home = tempdir().unwrap();
    generate(&home.path().join("data/raw"), generate::Config { changed_since, ..generate::Config::of(world(10_000)) });
    let (raw, code) = report(&home, &[]);
    assert_eq!((code, &raw["scores"]), (0, &Value::Null));
    let why = raw["reference"].as_str().unwrap();
    assert!(why.starts_with("none: tickets that changed after 2026-11-10T00:00:00Z are a subset"), "{why}");

    transform_into(&home.path().join("data/raw"), &home.path().join("data/curated"));
    let (curated, code) = report(&home, &["--data", "data/curated"]);
    assert_eq!((code, &curated["reference"]), (0, &json!("none: the tickets are a subset of their world")));
}

#[test]
fn injected_defects_violate_rules() {
    let dirty = "0.05".parse().unwrap();
    let (report, code) = report_of(generate::Config { dirty, ..generate::Config::of(world(2000)) }, &[]);
    assert_eq!(code, 1);
    let broken = failed(&report["rules"]);
    assert!(["json", "ticket_id_unique"].iter().all(|rule| broken.contains(rule)), "{broken:?}");
    assert!(report["scores"].is_object());
}

#[test]
fn small_change_of_one_share_is_detected() {
    let home = home_with_generated(3000);
    let mut tickets = generated_tickets(3000);
    // Moves one tenth of all tickets from the dealer portal to the phone, which has the same opening hours.
    for ticket in tickets.iter_mut().filter(|ticket| ticket["channel"] == "Dealer Portal").step_by(3) {
        ticket["channel"] = json!("Phone");
    }
    write(&home, "changed/tickets.jsonl", &json_lines(&tickets));
    let (report, code) = report(&home, &["--data", "changed"]);
    assert_eq!((code, failed(&report["rules"]).len()), (1, 0));
    assert_eq!(failed(&report["scores"]["columns"]), ["channel"]);
    assert_eq!(failed(&report["scores"]["chi_squares"]), ["channel"]);
}

/// Changes one ticket of a file and expects its line to violate exactly these rules.
fn assert_violations(rules: &[&str], change: impl Fn(&mut Vec<Value>)) {
    let home = tempdir().unwrap();
    let mut tickets = distinct_customers(CHANGED);
    change(&mut tickets);
    write(&home, "tickets.jsonl", &json_lines(&tickets));
    let (report, code) = report(&home, &["--data", "tickets.jsonl"]);
    assert_eq!((failed(&report["rules"]), code), (rules.to_vec(), 1), "{report:#}");
    for rule in report["rules"].as_array().unwrap().iter().filter(|rule| rule["passed"] == false) {
        assert_eq!((&rule["n_broken"], &rule["first"]), (&json!(1), &json!("tickets.jsonl:42")), "{rule:#}");
    }
}

/// Index of the changed ticket, in line 42.
const CHANGED: usize = 41;

#[test]
fn ticket_rules_name_the_violating_line() {
    let set =
        |field: &'static str, value: Value| move |tickets: &mut Vec<Value>| tickets[CHANGED][field] = value.clone();
    assert_violations(&["fields_present"], |tickets| {
        tickets[CHANGED].as_object_mut().unwrap().remove("channel");
    });
    assert_violations(&["field_types"], set("model_year", json!("2024")));
    assert_violations(&["severity_text"], set("severity", json!("P5")));
    assert_violations(&["ticket_id_form"], set("ticket_id", json!("T-42")));
    assert_violations(&["customer_id_form"], set("customer_id", json!("alice")));
    assert_violations(&["vin_last6_form"], set("vin_last6", json!("O12345")));
    assert_violations(&["dealer_id_form"], set("dealer_id", json!("DE-3")));
    assert_violations(&["market_text", "dealer_market"], set("market", json!("CH")));
    assert_violations(&["car_sold"], set("model_series", json!("Isetta")));
    assert_violations(&["car_sold", "car_on_sale"], set("model_year", json!(2031)));
    assert_violations(&["opening_hours"], set("channel", json!("Phone")));
    assert_violations(&["dealer_market"], |tickets| {
        let elsewhere = if tickets[CHANGED]["market"] == "DE" { "DLR-FR-001" } else { "DLR-DE-001" };
        tickets[CHANGED]["dealer_id"] = json!(elsewhere);
    });
    assert_violations(&["sla_breached"], |tickets| {
        let breached = tickets[CHANGED]["sla_breached"].as_bool().unwrap();
        tickets[CHANGED]["sla_breached"] = json!(!breached);
    });
    assert_violations(&["resolved_status"], set("status", json!("Open")));
    assert_violations(&["resolved_between"], |tickets| {
        tickets[CHANGED]["resolved_at"] = tickets[CHANGED]["created_at"].clone();
        tickets[CHANGED]["sla_breached"] = json!(false);
    });
    assert_violations(&["time_form"], |tickets| {
        let time = tickets[CHANGED]["updated_at"].as_str().unwrap().replace('Z', "+00:00");
        tickets[CHANGED]["updated_at"] = json!(time);
    });
}

#[test]
fn cross_row_rules_name_the_violating_line() {
    let copy = |fields: &'static [&'static str]| {
        move |tickets: &mut Vec<Value>| {
            let other = tickets.iter().find(|ticket| ticket["market"] == tickets[CHANGED]["market"]).unwrap().clone();
            for field in fields {
                tickets[CHANGED][field] = other[field].clone();
            }
        }
    };
    assert_violations(&["ticket_id_unique"], copy(&["ticket_id"]));
    assert_violations(&["one_car", "one_car_dealer", "one_customer_dealer"], |tickets| {
        copy(&["customer_id", "vin_last6"])(tickets);
        tickets[CHANGED]["dealer_id"] = json!(format!("DLR-{}-999", tickets[CHANGED]["market"].as_str().unwrap()));
        let other_series = if tickets[CHANGED]["model_series"] == "X3" { "X1" } else { "X3" };
        let first = tickets.iter().find(|ticket| ticket["customer_id"] == tickets[CHANGED]["customer_id"]).unwrap();
        let other_series = if first["model_series"] == other_series { "5 Series" } else { other_series };
        tickets[CHANGED]["model_series"] = json!(other_series);
    });
    assert_violations(&["one_customer_market", "one_customer_dealer"], |tickets| {
        let market = tickets[CHANGED]["market"].clone();
        let elsewhere = tickets.iter().find(|ticket| ticket["market"] != market).unwrap()["customer_id"].clone();
        tickets[CHANGED]["customer_id"] = elsewhere;
    });
    assert_violations(&["one_customer_dealer"], |tickets| {
        copy(&["customer_id"])(tickets);
        tickets[CHANGED]["dealer_id"] = json!(format!("DLR-{}-999", tickets[CHANGED]["market"].as_str().unwrap()));
    });
    assert_violations(&["time_order"], |tickets| {
        // Two lines are swapped; the second one is out of order.
        tickets.swap(CHANGED - 1, CHANGED);
    });
}

#[test]
fn manifest_defines_the_period_of_valid_times() {
    let home = home_with_generated(200);
    let file = home.path().join("data/raw/tickets_20261122_000000_0000.jsonl");
    let mut tickets = generated_tickets(200);
    tickets[0]["created_at"] = json!("2026-08-01T00:00:00Z");
    tickets[0]["sla_breached"] = json!(true);
    tickets[CHANGED]["updated_at"] = json!("2026-11-22T00:00:01Z");
    fs::write(file, json_lines(&tickets)).unwrap();
    let (report, _) = report(&home, &[]);
    assert_eq!(failed(&report["rules"]), ["created_in_period", "updated_before_as_of"]);
}

#[test]
fn invalid_lines_are_counted_and_skipped() {
    let home = tempdir().unwrap();
    let mut lines: Vec<String> = json_lines(&generated_tickets(2000)).lines().map(str::to_owned).collect();
    lines[4] = "not JSON".to_owned();
    lines[9] = "[1, 2]".to_owned();
    lines[14].truncate(40);
    lines[19] = lines[19].replace("\"status\":\"", "\"status\":\"Quite ");
    lines.insert(30, String::new());
    write(&home, "tickets.jsonl", &(lines.join("\r\n") + "\r\n"));
    let (report, code) = report(&home, &["--data", "tickets.jsonl"]);
    assert_eq!((code, &report["n_lines"], &report["n_tickets"]), (1, &json!(2000), &json!(1996)));
    assert_eq!(failed(&report["rules"]), ["json", "status_text"]);
    let json = &report["rules"][0];
    assert_eq!((&json["n_broken"], &json["first"]), (&json!(3), &json!("tickets.jsonl:5")));
    assert!((json["share"].as_f64().unwrap() - 1997.0 / 2000.0).abs() < 1e-12);
    assert!(report["scores"].is_object());
}

#[test]
fn violations_in_parquet_are_located_by_row() {
    let home = tempdir().unwrap();
    let mut tickets: Vec<Value> =
        generated_tickets(200).into_iter().filter(|ticket| ticket["market"] == "DE").collect();
    tickets[9]["vin_last6"] = json!("short");
    tickets[11]["created_at"] = json!(tickets[11]["created_at"].as_str().unwrap().replace('Z', ".25Z"));
    write(&home, "raw/tickets.jsonl", &json_lines(&tickets));
    transform_into(&home.path().join("raw"), &home.path().join("curated"));
    let (report, _) = report(&home, &["--data", "curated"]);
    assert_eq!(failed(&report["rules"]), ["time_form", "vin_last6_form"]);
    let vin = report["rules"].as_array().unwrap().iter().find(|rule| rule["name"] == "vin_last6_form").unwrap();
    assert_eq!(vin["first"], "curated/tickets/market=DE/part-0.parquet, row 10");
    assert!(CuratedManifest::load(&home.path().join("curated")).unwrap().is_some());
}

#[test]
fn shards_are_compared_within_their_interval() {
    let shard = Some("2/3".parse().unwrap());
    let (report, code) = report_of(generate::Config { shard, ..generate::Config::of(world(6000)) }, &[]);
    assert_eq!((code, &report["n_tickets"]), (0, &json!(2000)), "{report:#}");
}

#[test]
fn small_data_sets_are_only_checked_against_the_rules() {
    let home = home_with_generated(999);
    let (report, code) = report(&home, &[]);
    assert_eq!((code, &report["scores"]), (0, &Value::Null));
    assert!(stdout(&realism(&home, &[])).contains("scores need at least 1000 tickets"));
}

#[test]
fn tickets_outside_any_world_fail() {
    let home = tempdir().unwrap();
    let mut tickets = generated_tickets(1200);
    tickets[0]["created_at"] = json!("1999-01-01T00:00:00Z");
    write(&home, "tickets.jsonl", &json_lines(&tickets));
    let output = realism(&home, &["--data", "tickets.jsonl"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stdout(&output).contains("Reference: none: no world of the profile matches the data"),
        "{}",
        stdout(&output)
    );
}

#[test]
fn data_set_as_reference() {
    let home = home_with_generated(2000);
    let (same, _) = report(&home, &["--reference", "data/raw"]);
    let scores =
        same["scores"]["columns"].as_array().unwrap().iter().chain(same["scores"]["pairs"].as_array().unwrap());
    assert!(scores.into_iter().all(|score| score["score"] == 1.0 && score["expected"].is_null()));

    write(&home, "uniform.jsonl", &json_lines(&independent_tickets(2000)));
    let (other, code) = report(&home, &["--reference", "uniform.jsonl"]);
    assert_eq!((code, &other["reference"]), (1, &json!("2,000 tickets of uniform.jsonl")));
    assert!(failed(&other["scores"]["columns"]).contains(&"severity"));
}

#[test]
fn formats_show_the_same_report() {
    let home = home_with_generated(1500);
    let table = stdout(&realism(&home, &["--quiet"]));
    for text in
        ["Realism of data/raw", "1,500 of 1,500 lines are tickets", "Column distributions", "Local hours", "Passed: "]
    {
        assert!(table.contains(text), "{text} is not in:\n{table}");
    }
    let markdown = stdout(&realism(&home, &["--format", "markdown"]));
    for text in ["# Realism of data/raw", "## Rules", "| ✓ | severity x status | joint shares | 0.9"] {
        assert!(markdown.contains(text), "{text} is not in:\n{markdown}");
    }
}

#[test]
fn error_messages() {
    let home = tempdir().unwrap();
    fs::create_dir(home.path().join("empty")).unwrap();
    write(&home, "blank.jsonl", "\n\n");
    write(&home, "blank2.jsonl", "{}\n");
    write(&home, "curated/tickets/market=DE/part-0.parquet", "PAR1 it is not");
    fs::create_dir_all(home.path().join("bare/tickets")).unwrap();
    for (arguments, code, message) in [
        (&["--data", "empty"][..], 1, "error: no file in empty ends in .jsonl"),
        (&["--data", "absent.jsonl"], 1, "error: cannot read absent.jsonl; run `generate` first"),
        (&["--data", "blank.jsonl"], 1, "error: no tickets in blank.jsonl"),
        (&["--data", "curated"], 1, "error: cannot read curated/tickets/market=DE/part-0.parquet as Parquet"),
        (&["--data", "bare"], 1, "error: no Parquet in bare/tickets; run `transform` first"),
        (
            &["--profile", "dull", "--data", "blank2.jsonl"],
            1,
            "error: cannot read the profile dull (expected `default`",
        ),
        (&["--format", "xml"], 2, "error: invalid value 'xml'"),
    ] {
        let output = realism(&home, arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).starts_with(message), "{arguments:?}: {}", stderr(&output));
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn result_below_its_target_is_named() {
    let home = tempdir().unwrap();
    let mut tickets = generated_tickets(100);
    tickets[7]["vin_last6"] = json!("short");
    write(&home, "tickets.jsonl", &json_lines(&tickets));
    let output = realism(&home, &["--data", "tickets.jsonl"]);
    assert_eq!(stderr(&output), "error: rule vin_last6_form is below its target\n");
    let broken = "vin_last6_form: 1 of 100 violate the rule; first at tickets.jsonl:8";
    assert!(stdout(&output).contains(broken), "{}", stdout(&output));
}

#[test]
fn help_text() {
    let help = |home: &Path| {
        let output = Command::new(BINARY).current_dir(home).env("COLUMNS", "120").arg("--help").output().unwrap();
        stdout(&output)
    };
    insta::assert_snapshot!(help(tempdir().unwrap().path()));
}
