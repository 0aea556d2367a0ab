//! Multipart upload of a file of 40 MB in three parts.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use manifest::{FileEntry, Manifest, RawManifest};

use super::{assert_in_sync, crc64nvme, deploy, deploy_ok};
use crate::server::faults::{Fault, Rule};
use crate::server::{ACCOUNT, RAW, RecordedRequest, Server};
use test_support::lake::Lake;

const BYTES: usize = 40_000_000;
const NAME: &str = "tickets_20261122_000000_9999.jsonl";
const KEY: &str = "tickets/tickets_20261122_000000_9999.jsonl";

/// Creates a small lake, and adds one large file that isn't valid JSON Lines.
fn large_lake() -> Lake {
    let lake = Lake::new(1, 6);
    add_large_file(&lake, b'{');
    lake
}

/// Writes the large file, filled with `byte`, and adds it to the manifest.
fn add_large_file(lake: &Lake, byte: u8) {
    let mut content = vec![byte; BYTES];
    for (offset, byte) in content.iter_mut().enumerate().step_by(1 << 20) {
        *byte = (offset >> 20) as u8;
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

/// Returns the requests about the large object, sorted: `PUT 2` uploads part 2, `POST` creates or completes the upload.
fn upload_requests(requests: &[RecordedRequest]) -> Vec<String> {
    let matching = requests.iter().filter(|request| request.key() == KEY && request.method != "GET");
    let mut lines: Vec<String> = matching
        .map(|request| {
            assert_eq!(request.owner.as_deref(), Some(ACCOUNT), "{request:?}");
            assert!(request.method != "PUT" || request.crc64nvme.is_some(), "{request:?}");
            let number = request.query.split('&').find_map(|pair| pair.strip_prefix("partNumber="));
            [Some(request.method.as_str()), number].into_iter().flatten().collect::<Vec<_>>().join(" ")
        })
        .collect();
    lines.sort();
    lines
}

/// Kills a deploy after part 1 and no other part was uploaded.
fn kill_after_the_first_part(server: &Server, lake: &Lake) {
    server.inject_fault(Rule::new("PUT", "partNumber=1&", Fault::KillAfter));
    server.inject_fault(Rule::new("PUT", "partNumber=", Fault::Delay(Duration::from_mins(1))));
    assert_eq!(deploy(server, lake).0, None, "deploy was not killed");
    server.clear_faults();
    assert_eq!(server.n_incomplete_uploads(), 1);
    assert!(!server.objects(RAW).contains_key(KEY));
    server.take_requests();
}

#[test]
fn uploaded_parts_are_reused() {
    let (server, lake) = (Server::start(), large_lake());
    kill_after_the_first_part(&server, &lake);
    deploy_ok(&server, &lake);
    assert_in_sync(&server, &lake, &[]);
    assert_eq!(upload_requests(&server.take_requests()), ["POST", "PUT 2", "PUT 3"]);
    assert_eq!(server.n_incomplete_uploads(), 0);
    assert!(deploy_ok(&server, &lake).contains("No changes."));
    assert_eq!(upload_requests(&server.take_requests()), ["HEAD"]);
}

#[test]
fn parts_of_a_changed_file_are_uploaded_again() {
    let (server, lake) = (Server::start(), large_lake());
    kill_after_the_first_part(&server, &lake);
    add_large_file(&lake, b'[');
    deploy_ok(&server, &lake);
    assert_in_sync(&server, &lake, &[]);
    assert_eq!(upload_requests(&server.take_requests()), ["POST", "PUT 1", "PUT 2", "PUT 3"]);
}

#[test]
fn lost_responses_of_a_multipart_upload_are_retried() {
    let (server, lake) = (Server::start(), large_lake());
    server.inject_fault(Rule::new("PUT", "partNumber=2", Fault::Truncate(0)).times(1));
    server.inject_fault(Rule::new("POST", "uploadId", Fault::Truncate(0)).times(1));
    deploy_ok(&server, &lake);
    assert_in_sync(&server, &lake, &[]);
    assert_eq!(upload_requests(&server.take_requests()), ["POST", "POST", "POST", "PUT 1", "PUT 2", "PUT 2", "PUT 3"]);
}

#[test]
fn multipart_upload_of_a_changed_file_is_aborted() {
    let (server, lake) = (Server::start(), large_lake());
    let file = large_file(&lake);
    let assert_rejected = |expected: &[&str]| {
        let (code, output) = deploy(&server, &lake);
        assert_eq!(code, Some(1), "{output}");
        assert!(output.contains(NAME) && output.contains("recreate the data set"), "{output}");
        assert_eq!(
            (upload_requests(&server.take_requests()), server.n_incomplete_uploads()),
            (expected.iter().map(|it| (*it).into()).collect(), 0)
        );
        assert!(!server.objects(RAW).contains_key(KEY));
    };
    let mut content = fs::read(&file).unwrap();
    content[BYTES / 2] ^= 1;
    fs::write(&file, &content).unwrap();
    assert_rejected(&["DELETE", "POST", "PUT 1", "PUT 2", "PUT 3"]);
    fs::write(&file, &content[1..]).unwrap();
    assert_rejected(&[]);
    content.push(0);
    fs::write(&file, &content).unwrap();
    assert_rejected(&[]);
    fs::remove_file(&file).unwrap();
    assert_rejected(&[]);
}
