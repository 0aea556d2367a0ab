//! Faults and kills: transient faults are retried, permanent ones reported with a next step, and the next deploy resumes.

use std::thread;
use std::time::Duration;

use super::{CURATED, MANIFEST, RAW, assert_in_sync, deploy, deploy_ok};
use crate::server::faults::{Fault, Rule};
use crate::server::{RecordedRequest, Server};
use test_support::lake::Lake;

const SLOW_DOWN: Fault = Fault::Error(503, "SlowDown", "Please reduce your request rate.");
const INTERNAL: Fault = Fault::Error(500, "InternalError", "We encountered an internal error. Please try again.");
const UNMANAGED: [(&str, &str); 1] = [(CURATED, "tickets/market=DE/mine.parquet")];

/// Starts a server with a deployed data set and an unmanaged object.
fn deployed(lake: &Lake) -> Server {
    let server = Server::start();
    server.put(UNMANAGED[0].0, UNMANAGED[0].1, b"unmanaged");
    deploy_ok(&server, lake);
    server.take_requests();
    server
}

#[test]
fn transient_faults_are_retried() {
    let (lake, older_lake) = (Lake::new(1, 1005), Lake::new(2, 1005));
    let (empty, older, same) = (Server::start(), deployed(&older_lake), deployed(&lake));
    let second = Duration::from_secs(1);
    let rules: [(&Server, Rule); 17] = [
        (&empty, Rule::new("POST", " /?", SLOW_DOWN).times(2)),
        (&empty, Rule::new("HEAD", "", INTERNAL).times(2)),
        (&empty, Rule::new("GET", "list-type=2", SLOW_DOWN).times(2)),
        (&empty, Rule::new("PUT", "market=DE", SLOW_DOWN).times(2)),
        (&empty, Rule::new("PUT", "market=", INTERNAL).times(5)),
        (&empty, Rule::new("PUT", "market=", Fault::Reset).times(5)),
        (&empty, Rule::new("PUT", "", Fault::Truncate(0)).times(5)),
        (&empty, Rule::new("PUT", "market=", Fault::Delay(second))),
        (&empty, Rule::new("POST", "delete", Fault::Truncate(0)).times(2)),
        (&older, Rule::new("POST", "delete", INTERNAL).times(2)),
        (&older, Rule::new("GET", "list-type=2", Fault::Truncate(700)).times(2)),
        (&older, Rule::new("GET", "list-type=2", Fault::Delay(second))),
        (&older, Rule::new("GET", MANIFEST, Fault::Truncate(700)).times(2)),
        (&older, Rule::new("GET", MANIFEST, Fault::Reset).times(2)),
        (&same, Rule::new("HEAD", "market=", Fault::Truncate(50)).times(2)),
        (&same, Rule::new("HEAD", "market=", Fault::Reset).times(5)),
        (&same, Rule::new("HEAD", "market=DE", SLOW_DOWN).times(2)),
    ];
    thread::scope(|scope| {
        for (server, rule) in rules {
            let (server, lake) = (server.copy(), &lake);
            scope.spawn(move || {
                server.inject_fault(rule.clone());
                let (code, output) = deploy(&server, lake);
                assert_eq!(code, Some(0), "{rule:?}: {output}");
                let unmanaged = if server.objects(CURATED).contains_key(UNMANAGED[0].1) { &UNMANAGED[..] } else { &[] };
                assert_in_sync(&server, lake, unmanaged);
            });
        }
    });
}

#[test]
fn permanent_faults_are_reported_and_the_next_deploy_resumes() {
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
                server.inject_fault(Rule::new("PUT", "market=DE", fault));
                let (code, output) = deploy(&server, lake);
                assert_eq!(code, Some(1), "{output}");
                assert!(output.contains(expected) && output.contains("market=DE"), "{output}");
                let is_attempt =
                    |request: &&RecordedRequest| request.method == "PUT" && request.path.contains("market=DE");
                assert_eq!(server.take_requests().iter().filter(is_attempt).count(), 8);
                assert!(!server.objects(CURATED).contains_key(MANIFEST));
                server.clear_faults();
                deploy_ok(&server, lake);
                assert_in_sync(&server, lake, &[]);
                assert!(
                    !server.take_requests().iter().any(|request| request.is_mutation() && request.bucket() == RAW),
                    "raw tickets are in sync"
                );
            });
        }
    });
}

#[test]
fn corruption_in_transit_is_detected() {
    let (server, lake) = (Server::start(), Lake::new(1, 1005));
    server.inject_fault(Rule::new("PUT", "market=DE", Fault::Corrupt).times(1));
    let (code, output) = deploy(&server, &lake);
    assert_eq!(code, Some(1), "{output}");
    assert!(output.contains("(BadDigest)\n  next: run this again") && output.contains("market=DE"), "{output}");
    deploy_ok(&server, &lake);
    assert_in_sync(&server, &lake, &[]);
}

#[test]
fn first_deploy_killed_at_any_request_is_completed_by_the_next() {
    kill_at_each_request(&Server::start(), &Lake::new(2, 6), &[]);
}

#[test]
fn replacement_killed_at_any_request_loses_no_object_and_is_completed_by_the_next() {
    let server = deployed(&Lake::new(1, 1005));
    kill_at_each_request(&server, &Lake::new(2, 6), &UNMANAGED);
}

/// Kills deploys before each request, and after each request that changes state.
fn kill_at_each_request(start: &Server, lake: &Lake, unmanaged: &[(&str, &str)]) {
    let uninterrupted = start.copy();
    deploy_ok(&uninterrupted, lake);
    let requests = uninterrupted.take_requests();
    let mutations: Vec<bool> = requests.iter().map(RecordedRequest::is_mutation).collect();
    assert!(mutations.len() > 30 && mutations.iter().filter(|is_mutation| **is_mutation).count() > 8);
    let mut kills: Vec<(usize, Fault)> = (0..mutations.len()).map(|n| (n, Fault::KillBefore)).collect();
    kills.extend((0..mutations.len()).filter(|n| mutations[*n]).map(|n| (n, Fault::KillAfter)));
    thread::scope(|scope| {
        for kills in kills.chunks(kills.len().div_ceil(2)) {
            scope.spawn(move || {
                for (n, fault) in kills {
                    kill_and_resume(&start.copy(), lake, unmanaged, *n, *fault);
                }
            });
        }
    });
}

/// Kills a deploy at request `n`, checks that no listed object is missing, and completes the deploy.
fn kill_and_resume(server: &Server, lake: &Lake, unmanaged: &[(&str, &str)], n: usize, fault: Fault) {
    let had_manifest = server.objects(RAW).contains_key(MANIFEST);
    server.inject_fault(Rule::new("", "", fault).after(n).times(1));
    assert_eq!(deploy(server, lake).0, None, "deploy was not killed at request {n}");
    for bucket in [RAW, CURATED] {
        let objects = server.objects(bucket);
        let Some(manifest) = objects.get(MANIFEST) else {
            assert!(!had_manifest, "request {n}, {fault:?}: the manifest is missing");
            continue;
        };
        let manifest: serde_json::Value = serde_json::from_slice(manifest).unwrap();
        for file in manifest["files"].as_array().unwrap() {
            let name = file["name"].as_str().unwrap();
            let key = if bucket == RAW { format!("tickets/{name}") } else { name.to_owned() };
            assert!(objects.contains_key(&key), "request {n}, {fault:?}: {key} is missing");
        }
    }
    server.clear_faults();
    deploy_ok(server, lake);
    assert_in_sync(server, lake, unmanaged);
    if matches!(fault, Fault::KillAfter) {
        assert!(deploy_ok(server, lake).contains("No changes."));
    }
}
