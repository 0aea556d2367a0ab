//! Faults on the way, and kills: what passes is waited out, what doesn't ends with advice, and the next run goes on
//! from there.

use std::thread;
use std::time::Duration;

use super::{CURATED, MANIFEST, RAW, assert_in_sync, deploy, must};
use crate::lake::Lake;
use crate::server::faults::{Fault, Rule};
use crate::server::{Seen, Server};

const SLOW_DOWN: Fault = Fault::Refused(503, "SlowDown", "Please reduce your request rate.");
const INTERNAL: Fault = Fault::Refused(500, "InternalError", "We encountered an internal error. Please try again.");
const FOREIGN: [(&str, &str); 1] = [(CURATED, "tickets/market=DE/mine.parquet")];

/// A server that holds an earlier world, and somebody's object.
fn older(lake: &Lake) -> Server {
    let server = Server::start();
    server.put(FOREIGN[0].0, FOREIGN[0].1, b"mine");
    must(&server, lake);
    server.seen();
    server
}

#[test]
fn what_passes_is_waited_out() {
    let (lake, before) = (Lake::new(1, 1005), Lake::new(2, 1005));
    let (empty, older, same) = (Server::start(), older(&before), older(&lake));
    let second = Duration::from_secs(1);
    let rules: [(&Server, Rule); 17] = [
        (&empty, Rule::new("POST", " /?", SLOW_DOWN).times(2)),
        (&empty, Rule::new("HEAD", "", INTERNAL).times(2)),
        (&empty, Rule::new("GET", "list-type=2", SLOW_DOWN).times(2)),
        (&empty, Rule::new("PUT", "market=DE", SLOW_DOWN).times(2)),
        (&empty, Rule::new("PUT", "market=", INTERNAL).times(5)),
        (&empty, Rule::new("PUT", "market=", Fault::Reset).times(5)),
        (&empty, Rule::new("PUT", "", Fault::Cut(0)).times(5)),
        (&empty, Rule::new("PUT", "market=", Fault::Slow(second))),
        (&empty, Rule::new("POST", "delete", Fault::Cut(0)).times(2)),
        (&older, Rule::new("POST", "delete", INTERNAL).times(2)),
        (&older, Rule::new("GET", "list-type=2", Fault::Cut(700)).times(2)),
        (&older, Rule::new("GET", "list-type=2", Fault::Slow(second))),
        (&older, Rule::new("GET", MANIFEST, Fault::Cut(700)).times(2)),
        (&older, Rule::new("GET", MANIFEST, Fault::Reset).times(2)),
        (&same, Rule::new("HEAD", "market=", Fault::Cut(50)).times(2)),
        (&same, Rule::new("HEAD", "market=", Fault::Reset).times(5)),
        (&same, Rule::new("HEAD", "market=DE", SLOW_DOWN).times(2)),
    ];
    thread::scope(|scope| {
        for (server, rule) in rules {
            let (server, lake) = (server.copy(), &lake);
            scope.spawn(move || {
                server.inject(rule.clone());
                let (code, said) = deploy(&server, lake);
                assert_eq!(code, Some(0), "{rule:?}: {said}");
                let foreign = if server.objects(CURATED).contains_key(FOREIGN[0].1) { &FOREIGN[..] } else { &[] };
                assert_in_sync(&server, lake, foreign);
            });
        }
    });
}

#[test]
fn what_does_not_pass_ends_with_advice_and_the_next_run_goes_on() {
    let lake = Lake::new(1, 1005);
    let cases = [
        (SLOW_DOWN, "Please reduce your request rate (SlowDown)\n  next: wait a minute and run this again"),
        (INTERNAL, "(InternalError)\n  next: wait a minute and run this again"),
        (Fault::Reset, "\n  next: check the network"),
    ];
    thread::scope(|scope| {
        for (fault, expected) in cases {
            let lake = &lake;
            scope.spawn(move || {
                let server = Server::start();
                server.inject(Rule::new("PUT", "market=DE", fault));
                let (code, said) = deploy(&server, lake);
                assert_eq!(code, Some(1), "{said}");
                assert!(said.contains(expected) && said.contains("market=DE"), "{said}");
                let of_germany = |seen: &&Seen| seen.method == "PUT" && seen.path.contains("market=DE");
                assert_eq!(server.seen().iter().filter(of_germany).count(), 8);
                assert!(!server.objects(CURATED).contains_key(MANIFEST));
                server.recover();
                must(&server, lake);
                assert_in_sync(&server, lake, &[]);
                assert!(!server.seen().iter().any(|seen| seen.is_change() && seen.bucket() == RAW), "it goes on");
            });
        }
    });
}

#[test]
fn what_is_damaged_on_its_way_is_noticed() {
    let (server, lake) = (Server::start(), Lake::new(1, 1005));
    server.inject(Rule::new("PUT", "market=DE", Fault::Damaged).times(1));
    let (code, said) = deploy(&server, &lake);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("(BadDigest)\n  next: run this again") && said.contains("market=DE"), "{said}");
    must(&server, &lake);
    assert_in_sync(&server, &lake, &[]);
}

/// A first deploy.
#[test]
fn a_first_run_killed_at_any_request_is_ended_by_the_next() {
    kill_at_each_request(&Server::start(), &Lake::new(2, 6), &[]);
}

/// A deploy that puts a world in the place of an earlier one.
#[test]
fn a_run_killed_at_any_request_loses_nothing_and_the_next_one_ends_as_if_nothing_had_been() {
    let older = older(&Lake::new(1, 1005));
    kill_at_each_request(&older, &Lake::new(2, 6), &FOREIGN);
}

/// For each request of a whole deploy: it never comes to anything, or its success isn't heard of.
fn kill_at_each_request(start: &Server, lake: &Lake, foreign: &[(&str, &str)]) {
    let uninterrupted = start.copy();
    must(&uninterrupted, lake);
    let seen = uninterrupted.seen();
    let changes: Vec<bool> = seen.iter().map(Seen::is_change).collect();
    assert!(changes.len() > 30 && changes.iter().filter(|is_change| **is_change).count() > 8);
    let mut kills: Vec<(usize, Fault)> = (0..changes.len()).map(|n| (n, Fault::KilledBefore)).collect();
    kills.extend((0..changes.len()).filter(|n| changes[*n]).map(|n| (n, Fault::KilledAfter)));
    thread::scope(|scope| {
        for kills in kills.chunks(kills.len().div_ceil(2)) {
            scope.spawn(move || {
                for (n, fault) in kills {
                    kill_and_go_on(&start.copy(), lake, foreign, *n, *fault);
                }
            });
        }
    });
}

fn kill_and_go_on(server: &Server, lake: &Lake, foreign: &[(&str, &str)], n: usize, fault: Fault) {
    let had_a_manifest = server.objects(RAW).contains_key(MANIFEST);
    server.inject(Rule::new("", "", fault).after(n).times(1));
    assert_eq!(deploy(server, lake).0, None, "request {n} was to be the last");
    for bucket in [RAW, CURATED] {
        let there = server.objects(bucket);
        let Some(manifest) = there.get(MANIFEST) else {
            assert!(!had_a_manifest, "request {n}, {fault:?}: the manifest is gone");
            continue;
        };
        let manifest: serde_json::Value = serde_json::from_slice(manifest).unwrap();
        for file in manifest["files"].as_array().unwrap() {
            let name = file["name"].as_str().unwrap();
            let key = if bucket == RAW { format!("tickets/{name}") } else { name.to_owned() };
            assert!(there.contains_key(&key), "request {n}, {fault:?}: {key} is gone");
        }
    }
    server.recover();
    must(server, lake);
    assert_in_sync(server, lake, foreign);
    if matches!(fault, Fault::KilledAfter) {
        assert!(must(server, lake).contains("No changes."));
    }
}
