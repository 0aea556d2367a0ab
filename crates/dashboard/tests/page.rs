//! The payload of the page against the raw tickets, and the safety of its HTML.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic, and makes the files it needs")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use cli_support::Messages;
use dashboard::html::page::{Delivery, ECHARTS};
use dashboard::{Config, build};
use flate2::read::ZlibDecoder;
use manifest::{CuratedManifest, Manifest};
use proptest::prelude::*;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::tempdir;
use test_support::lake::Lake;
use ticket_schema::names::MANIFEST_FILE;
use ticket_schema::ticket::Ticket;

/// Day, market, severity and category.
type Group = (i64, String, String, String);
/// Tickets, open, breached, seconds to resolution.
type Counts = [u64; 4];

fn config(data: impl AsRef<Path>) -> Config {
    Config { data: data.as_ref().to_owned(), as_of: None }
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    text.split_once(start).unwrap().1.split_once(end).unwrap().0
}

/// Decodes the payload: the JSON document and the columns of the cube.
fn decode_payload(html: &str) -> (Value, Vec<u8>) {
    let compressed = STANDARD.decode(between(html, "id=\"payload\">", "</script>")).unwrap();
    let mut bytes = Vec::new();
    ZlibDecoder::new(&compressed[..]).read_to_end(&mut bytes).unwrap();
    let length = u32::from_le_bytes(bytes[..4].try_into().unwrap()) as usize;
    (serde_json::from_slice(&bytes[4..4 + length]).unwrap(), bytes[4 + length..].to_vec())
}

fn cube(html: &str) -> BTreeMap<Group, Counts> {
    let (document, bytes) = decode_payload(html);
    let mut rest = bytes.iter();
    let mut number = || {
        let (mut value, mut shift) = (0_u64, 0);
        loop {
            let byte = rest.next().unwrap();
            value |= u64::from(byte & 127) << shift;
            shift += 7;
            if byte & 128 == 0 {
                return value;
            }
        }
    };
    let n_cells = document["cells"].as_u64().unwrap() as usize;
    let mut column = || (0..n_cells).map(|_| number()).collect::<Vec<_>>();
    let (gaps, tickets, open, breached, seconds) = (column(), column(), column(), column(), column());
    assert!(rest.next().is_none());
    let text = |list: &str, index: u64| document[list][index as usize].as_str().unwrap().to_owned();
    let n = |list: &str| document[list].as_array().unwrap().len() as u64;
    let (n_markets, n_severities, n_categories) = (n("markets"), n("severities"), n("categories"));
    let mut key = 0;
    (0..n_cells)
        .map(|i| {
            key += gaps[i];
            let (severity, market) = (key / n_categories, key / n_categories / n_severities);
            let group = (
                document["days"][(market / n_markets) as usize].as_i64().unwrap(),
                text("markets", market % n_markets),
                text("severities", severity % n_severities),
                text("categories", key % n_categories),
            );
            key += 1;
            (group, [tickets[i], open[i], breached[i], seconds[i]])
        })
        .collect()
}

fn raw_tickets(lake: &Lake) -> Vec<Ticket> {
    let mut files: Vec<_> = fs::read_dir(lake.raw()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    let lines = files.iter().flat_map(|path| BufReader::new(fs::File::open(path).unwrap()).lines());
    lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect()
}

fn counted(tickets: &[Ticket]) -> BTreeMap<Group, Counts> {
    let mut counts = BTreeMap::<Group, Counts>::new();
    for ticket in tickets {
        let (market, severity) = (ticket.market.to_string(), ticket.severity.to_string());
        let cell = counts.entry((ticket.created_at.day(), market, severity, ticket.category.to_string())).or_default();
        let seconds = ticket.resolved_at.map(|at| (at.seconds() - ticket.created_at.seconds()) as u64);
        cell[0] += 1;
        cell[1] += u64::from(seconds.is_none());
        cell[2] += u64::from(ticket.sla_breached);
        cell[3] += seconds.unwrap_or(0);
    }
    counts
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn payload_counts_equal_the_raw_tickets(seed: u64, days_back in 1_u32..400, count in 1_u64..3000, second in 0_i64..86_400) {
        let as_of = format!("2026-03-01T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60);
        let lake = Lake::of_period(seed, &as_of, days_back, count);
        let page = build(&config(lake.curated()), Delivery::FromFile).unwrap();
        prop_assert_eq!(page.tickets, count);
        prop_assert_eq!(cube(&page.html), counted(&raw_tickets(&lake)));
    }
}

/// Returns a lake with many unresolved tickets: the period is too short to resolve them.
fn lake_with_open_tickets() -> Lake {
    Lake::of_period(42, "2025-01-03T05:06:07Z", 2, 80_000)
}

#[test]
fn payload_has_the_first_100_open_p1_tickets_per_market() {
    let lake = lake_with_open_tickets();
    let html = build(&config(lake.curated()), Delivery::FromFile).unwrap().html;
    let (document, _) = decode_payload(&html);
    let mut open: Vec<_> = raw_tickets(&lake)
        .into_iter()
        .filter(|ticket| ticket.severity.to_string() == "P1" && ticket.resolved_at.is_none())
        .collect();
    open.sort_by_key(|ticket| (ticket.created_at, ticket.ticket_id));
    assert!(open.len() > 100, "{}", open.len());
    let rows = document["open_p1"]["rows"].as_array().unwrap();
    for market in ["DE", "US", "AE"] {
        let expected: Vec<_> = open.iter().filter(|ticket| ticket.market.to_string() == market).take(100).collect();
        let listed = rows.iter().filter(|row| row[2] == market).take(100);
        assert_eq!(
            listed.map(|row| row[0].as_str().unwrap().to_owned()).collect::<Vec<_>>(),
            expected.iter().map(|ticket| ticket.ticket_id.to_string()).collect::<Vec<_>>()
        );
    }
}

#[test]
fn metadata_names_seed_and_manifest() {
    let lake = Lake::of_period(7, "2026-11-22", 30, 200);
    let (document, _) = decode_payload(&build(&config(lake.curated()), Delivery::FromFile).unwrap().html);
    let about = &document["about"];
    let manifest = fs::read(lake.curated().join(MANIFEST_FILE)).unwrap();
    assert_eq!((about["seed"].as_u64(), about["as_of"].as_str()), (Some(7), Some("2026-11-22T00:00:00Z")));
    assert_eq!(about["manifest_sha256"], sha256(&manifest));
    assert_eq!(document["definition"]["visuals"].as_array().unwrap().len(), 10);
}

#[test]
fn page_is_deterministic() {
    let lake = Lake::of_period(7, "2026-11-22", 30, 200);
    let page = || build(&config(lake.curated()), Delivery::FromFile).unwrap().html;
    assert_eq!(page(), page());
}

#[test]
fn content_security_policy_allows_only_inlined_code() {
    let lake = Lake::of_period(7, "2026-11-22", 30, 20);
    let html = build(&config(lake.curated()), Delivery::FromFile).unwrap().html;
    let policy = between(&html, "Content-Security-Policy\" content=\"", "\">");
    assert!(
        policy.starts_with("default-src 'none'; script-src 'sha256-") && !policy.contains("connect-src"),
        "{policy}"
    );
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    let scripts: Vec<&str> =
        html.split("<script>").skip(1).map(|rest| rest.split_once("</script>").unwrap().0).collect();
    assert_eq!((scripts.len(), scripts[0]), (2, ECHARTS));
    assert!(scripts.iter().all(|script| policy.contains(&hash(script))));
    assert!(policy.contains(&hash(between(&html, "<style>", "</style>"))));
    let served = build(&config(lake.curated()), Delivery::Served).unwrap().html;
    assert!(between(&served, "Content-Security-Policy\" content=\"", "\">").contains("connect-src 'self'"));
}

#[test]
fn echarts_has_its_published_checksum() {
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/echarts");
    let sums = fs::read_to_string(assets.join("SHA256SUMS")).unwrap();
    assert_eq!(sums.lines().count(), 4);
    for line in sums.lines() {
        let (sum, name) = line.split_once("  ").unwrap();
        assert_eq!(sha256(&fs::read(assets.join(name)).unwrap()), sum, "{name}");
    }
    // These texts would end the script element.
    assert!(!ECHARTS.contains("</script") && !ECHARTS.contains("<!--"));
}

#[test]
fn hostile_text_is_not_html() {
    let hostile = "</script><script>alert(1)</script><!--<img src=x onerror=alert(2)>";
    let home = tempdir().unwrap();
    let line = serde_json::json!({
        "ticket_id": "00000000-0000-4000-8000-000000000001", "created_at": "2026-11-21T08:00:00Z",
        "updated_at": "2026-11-21T08:00:00Z", "resolved_at": null, "severity": "P1", "status": "Open",
        "category": "Engine", "channel": "Phone", "market": "DE", "dealer_id": hostile, "customer_id": hostile,
        "vin_last6": "A12345", "model_series": hostile, "model_year": 2024, "sla_breached": true,
    });
    fs::write(home.path().join("hostile.jsonl"), format!("{line}\n")).unwrap();
    let curated = home.path().join("curated");
    let inputs = jsonl::input::Inputs::find(&[home.path().join("hostile.jsonl")], &Messages::silent()).unwrap();
    transform::run_transform(&transform::Config::new(&curated), inputs, &Messages::silent()).unwrap();
    let html = build(&config(&curated), Delivery::FromFile).unwrap().html;
    // Except for the payload, the page equals that of other tickets.
    let around = |html: &str| html.replacen(between(html, "id=\"payload\">", "</script>"), "", 1);
    let harmless = Lake::of_period(7, "2026-11-22", 30, 20);
    assert_eq!(around(&html), around(&build(&config(harmless.curated()), Delivery::FromFile).unwrap().html));
    let (document, _) = decode_payload(&html);
    assert_eq!((&document["open_p1"]["rows"][0][3], &document["about"]["seed"]), (&hostile.into(), &Value::Null));
}

#[test]
fn missing_partition_is_an_error() {
    let lake = Lake::new(42, 500);
    fs::remove_dir_all(lake.curated().join("tickets/market=DE")).unwrap();
    let error = build(&config(lake.curated()), Delivery::FromFile).unwrap_err().to_string();
    assert!(error.contains("but their manifest says"), "{error}");
}

#[test]
fn as_of_is_required_without_a_manifest() {
    let lake = Lake::new(42, 50);
    fs::remove_file(lake.curated().join(MANIFEST_FILE)).unwrap();
    assert!(CuratedManifest::load(&lake.curated()).unwrap().is_none());
    let error = build(&config(lake.curated()), Delivery::FromFile).unwrap_err().to_string();
    assert!(error.contains("give it with --as-of"), "{error}");
    let page =
        build(&Config { as_of: "2026-11-22".parse().ok(), ..config(lake.curated()) }, Delivery::FromFile).unwrap();
    assert_eq!((page.tickets, page.manifest_sha256), (50, None));
}

/// The largest cube of a million tickets: no two of them in the same cell.
#[test]
#[ignore = "makes a million tickets over nine years, which takes a minute"]
fn a_million_sparse_tickets_fit_in_six_megabytes() {
    let lake = Lake::of_period(1, "2026-11-22", 3300, 1_000_000);
    let page = build(&config(lake.curated()), Delivery::FromFile).unwrap();
    assert!(page.html.len() < 6_000_000, "{} bytes", page.html.len());
}
