//! A file that is so large that it goes in parts: 40 MB, in three.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use manifest::{FileEntry, Manifest, RawManifest};

use super::{assert_in_sync, crc64nvme, deploy, must};
use crate::lake::Lake;
use crate::server::faults::{Fault, Rule};
use crate::server::{ACCOUNT, RAW, Seen, Server};

const BYTES: usize = 40_000_000;
const NAME: &str = "tickets_20261122_000000_9999.jsonl";
const KEY: &str = "tickets/tickets_20261122_000000_9999.jsonl";

/// A small lake, and one large file that its manifest names. What is in it is nobody's business here.
fn large_lake() -> Lake {
    let lake = Lake::new(1, 6);
    add_large_file(&lake, b'{');
    lake
}

fn add_large_file(lake: &Lake, filling: u8) {
    let mut content = vec![filling; BYTES];
    for (place, byte) in content.iter_mut().enumerate().step_by(1 << 20) {
        *byte = (place >> 20) as u8;
    }
    let raw = lake.dir().join("data/raw");
    fs::write(raw.join(NAME), &content).unwrap();
    let mut manifest = RawManifest::load(&raw).unwrap().unwrap();
    manifest.files.retain(|file| file.name != NAME);
    let (name, bytes, crc64nvme) = (NAME.to_owned(), BYTES as u64, crc64nvme(&content));
    manifest.files.push(FileEntry { name, rows: 0, bytes, crc64nvme });
    fs::write(raw.join("_manifest.json"), manifest.to_json().unwrap()).unwrap();
}

fn large_file(lake: &Lake) -> PathBuf {
    lake.dir().join("data/raw").join(NAME)
}

/// Returns the requests about the large object: `PUT 2` is its second part, `POST` starts or completes the upload.
fn about_it(seen: &[Seen]) -> Vec<String> {
    let ours = seen.iter().filter(|seen| seen.key() == KEY && seen.method != "GET");
    let mut about: Vec<String> = ours
        .map(|seen| {
            assert_eq!(seen.owner.as_deref(), Some(ACCOUNT), "{seen:?}");
            assert!(seen.method != "PUT" || seen.crc64nvme.is_some(), "{seen:?}");
            let number = seen.query.split('&').find_map(|pair| pair.strip_prefix("partNumber="));
            [Some(seen.method.as_str()), number].into_iter().flatten().collect::<Vec<_>>().join(" ")
        })
        .collect();
    about.sort();
    about
}

/// Kills the run when the first part has arrived and no other has.
fn kill_after_the_first_part(server: &Server, lake: &Lake) {
    server.inject(Rule::new("PUT", "partNumber=1&", Fault::KilledAfter));
    server.inject(Rule::new("PUT", "partNumber=", Fault::Slow(Duration::from_mins(1))));
    assert_eq!(deploy(server, lake).0, None, "it was killed");
    server.recover();
    assert_eq!(server.n_unfinished(), 1);
    assert!(!server.objects(RAW).contains_key(KEY));
    server.seen();
}

#[test]
fn parts_that_are_there_are_not_sent_again() {
    let (server, lake) = (Server::start(), large_lake());
    kill_after_the_first_part(&server, &lake);
    must(&server, &lake);
    assert_in_sync(&server, &lake, &[]);
    assert_eq!(about_it(&server.seen()), ["POST", "PUT 2", "PUT 3"]);
    assert_eq!(server.n_unfinished(), 0);
    assert!(must(&server, &lake).contains("No changes."));
    assert_eq!(about_it(&server.seen()), ["HEAD"]);
}

#[test]
fn parts_of_what_the_file_was_are_sent_anew() {
    let (server, lake) = (Server::start(), large_lake());
    kill_after_the_first_part(&server, &lake);
    add_large_file(&lake, b'[');
    must(&server, &lake);
    assert_in_sync(&server, &lake, &[]);
    assert_eq!(about_it(&server.seen()), ["POST", "PUT 1", "PUT 2", "PUT 3"]);
}

#[test]
fn an_answer_that_is_lost_on_its_way_is_asked_for_again() {
    let (server, lake) = (Server::start(), large_lake());
    server.inject(Rule::new("PUT", "partNumber=2", Fault::Cut(0)).times(1));
    server.inject(Rule::new("POST", "uploadId", Fault::Cut(0)).times(1));
    must(&server, &lake);
    assert_in_sync(&server, &lake, &[]);
    assert_eq!(about_it(&server.seen()), ["POST", "POST", "POST", "PUT 1", "PUT 2", "PUT 2", "PUT 3"]);
}

#[test]
fn a_large_file_that_was_altered_becomes_no_object_and_leaves_nothing_behind() {
    let (server, lake) = (Server::start(), large_lake());
    let file = large_file(&lake);
    let refused = |expected: &[&str]| {
        let (code, said) = deploy(&server, &lake);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(NAME) && said.contains("make the data set again"), "{said}");
        assert_eq!(
            (about_it(&server.seen()), server.n_unfinished()),
            (expected.iter().map(|it| (*it).into()).collect(), 0)
        );
        assert!(!server.objects(RAW).contains_key(KEY));
    };
    let mut content = fs::read(&file).unwrap();
    content[BYTES / 2] ^= 1;
    fs::write(&file, &content).unwrap();
    refused(&["DELETE", "POST", "PUT 1", "PUT 2", "PUT 3"]);
    fs::write(&file, &content[1..]).unwrap();
    refused(&[]);
    content.push(0);
    fs::write(&file, &content).unwrap();
    refused(&[]);
    fs::remove_file(&file).unwrap();
    refused(&[]);
}
