//! Uploads of the data sets to an S3 server in this process: content, order, unmanaged objects.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic, and makes the files it needs")]

#[path = "sync/errors.rs"]
mod errors;
#[path = "sync/interrupted.rs"]
mod interrupted;
#[path = "sync/large.rs"]
mod large;
mod server;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::SystemTime;

use publish::Checksum;
use server::{ACCOUNT, CURATED, RAW, REGION, RecordedRequest, Server};
use test_support::lake::Lake;

type Objects = BTreeMap<String, Vec<u8>>;

const PENDING_MANIFEST: &str = "_manifest.pending.json";
const MANIFEST: &str = "_manifest.json";

/// Runs `deploy --only data`. Returns the exit code and the output.
fn deploy(server: &Server, lake: &Lake) -> (Option<i32>, String) {
    server.deploy(lake.dir(), &["--only", "data"], &[])
}

/// Runs `deploy --only data`, which must succeed. Returns the output.
fn deploy_ok(server: &Server, lake: &Lake) -> String {
    let (code, output) = deploy(server, lake);
    assert_eq!(code, Some(0), "{output}");
    output
}

/// Returns the desired objects of a bucket, by key.
fn desired_objects(lake: &Lake, bucket: &str) -> Objects {
    let (dir, prefix) = if bucket == RAW { ("data/raw", "tickets/") } else { ("data/curated", "") };
    let mut files = Objects::new();
    server::read_files(&lake.dir().join(dir), "", &mut files);
    let key = |name: String| if name == MANIFEST { name } else { format!("{prefix}{name}") };
    files.into_iter().map(|(name, content)| (key(name), content)).collect()
}

/// Checks that both buckets contain exactly the desired objects and these unmanaged ones.
fn assert_in_sync(server: &Server, lake: &Lake, unmanaged: &[(&str, &str)]) {
    for bucket in [RAW, CURATED] {
        let mut objects = server.objects(bucket);
        for (_, key) in unmanaged.iter().filter(|(other, _)| *other == bucket) {
            assert!(objects.remove(*key).is_some(), "{key} was deleted");
        }
        let desired = desired_objects(lake, bucket);
        assert_eq!(objects.keys().collect::<Vec<_>>(), desired.keys().collect::<Vec<_>>());
        assert!(objects == desired, "{bucket} has other contents");
    }
}

/// Returns the keys uploaded to a bucket, without the pending manifest.
fn uploaded_keys<'a>(requests: &'a [RecordedRequest], bucket: &str) -> BTreeSet<&'a str> {
    let puts = requests.iter().filter(|request| request.method == "PUT" && request.bucket() == bucket);
    puts.map(RecordedRequest::key).filter(|key| *key != PENDING_MANIFEST).collect()
}

/// Returns the keys deleted from a bucket, without the pending manifest.
fn deleted_keys<'a>(requests: &'a [RecordedRequest], bucket: &str) -> BTreeSet<&'a str> {
    let requests = requests.iter().filter(|request| request.query == "delete" && request.bucket() == bucket);
    let keys = requests.flat_map(|request| request.body.split("<Key>").skip(1));
    keys.map(|rest| rest.split('<').next().unwrap()).filter(|key| *key != PENDING_MANIFEST).collect()
}

/// Checks that every request has the expected bucket owner, and every upload a checksum.
fn assert_owner_and_checksums(requests: &[RecordedRequest]) {
    for request in requests.iter().filter(|request| request.path != "/") {
        assert_eq!(request.owner.as_deref(), Some(ACCOUNT), "{request:?}");
        assert!(request.method != "PUT" || request.crc64nvme.is_some(), "{request:?}");
    }
}

fn crc64nvme(content: &[u8]) -> String {
    let mut checksum = Checksum::default();
    checksum.update(content);
    checksum.to_base64()
}

fn each_file(dir: &Path, visit: &mut dyn FnMut(&Path)) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { each_file(&path, visit) } else { visit(&path) }
    }
}

#[test]
fn first_deploy_uploads_objects_before_the_manifest() {
    let (server, lake) = (Server::start(), Lake::new(1, 1005));
    let output = deploy_ok(&server, &lake);
    assert_in_sync(&server, &lake, &[]);
    let tickets = ["tickets_20261122_000000_0000.jsonl", "tickets_20261122_000000_0001.jsonl"];
    let raw: Vec<String> = tickets.map(|name| format!("tickets/{name}")).to_vec();
    let curated = lake.markets().into_iter().map(|market| format!("tickets/market={market}/part-0.parquet"));
    for (bucket, keys) in [(RAW, raw), (CURATED, curated.collect())] {
        let keys = [&[MANIFEST.to_owned()], &keys[..]].concat();
        assert_eq!(server.objects(bucket).into_keys().collect::<Vec<_>>(), keys);
    }
    let requests = server.take_requests();
    for bucket in [RAW, CURATED] {
        let desired = desired_objects(&lake, bucket);
        let mutations: Vec<&RecordedRequest> =
            requests.iter().filter(|request| request.is_mutation() && request.bucket() == bucket).collect();
        let position = |key: &str| mutations.iter().position(|request| request.key() == key).unwrap();
        assert_eq!((position(PENDING_MANIFEST), position(MANIFEST)), (0, desired.len()));
        assert_eq!(mutations.len(), desired.len() + 2);
        let last = mutations.last().unwrap();
        assert!(last.query == "delete" && last.body.contains(PENDING_MANIFEST), "{last:?}");
        // Each kind of request is answered before the next kind is sent.
        let (pending_manifest, manifest) = (mutations[0].answered.unwrap(), mutations[desired.len()]);
        for object in &mutations[1..desired.len()] {
            assert!(pending_manifest < object.received && object.answered.unwrap() < manifest.received, "{object:?}");
        }
        assert!(manifest.answered.unwrap() < last.received);
        for put in mutations.iter().filter(|request| request.method == "PUT" && request.key() != PENDING_MANIFEST) {
            assert_eq!(put.crc64nvme, Some(crc64nvme(&desired[put.key()])), "{put:?}");
        }
    }
    assert_owner_and_checksums(&requests);
    let uploaded: Vec<&str> = output.lines().filter(|line| line.starts_with("deploy: uploaded")).collect();
    assert_eq!(uploaded.len(), 4, "{output}");
    for line in uploaded {
        let parts: Vec<&str> = line.split(' ').collect();
        assert!(
            line.ends_with("B/s") && parts.contains(&"in") && parts.iter().any(|part| part.ends_with('B')),
            "{line}"
        );
    }
}

#[test]
fn second_deploy_changes_nothing_whatever_the_modification_times() {
    let (server, lake) = (Server::start(), Lake::new(1, 1005));
    deploy_ok(&server, &lake);
    server.take_requests();
    each_file(&lake.dir().join("data"), &mut |path| {
        fs::File::options().append(true).open(path).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
    });
    let output = deploy_ok(&server, &lake);
    assert!(output.contains("No changes. Everything is in sync.\n") && !output.contains("deploy: "), "{output}");
    let requests = server.take_requests();
    assert!(!requests.iter().any(RecordedRequest::is_mutation), "{requests:?}");
    assert_owner_and_checksums(&requests);
    let n_heads = requests.iter().filter(|request| request.method == "HEAD" && !request.key().is_empty()).count();
    assert_eq!(n_heads, desired_objects(&lake, RAW).len() + desired_objects(&lake, CURATED).len());
}

#[test]
fn another_data_set_replaces_the_first_and_unmanaged_objects_are_kept() {
    let (server, lake) = (Server::start(), Lake::new(1, 1005));
    let unmanaged = [(RAW, "notes.txt"), (RAW, "tickets/_mine"), (CURATED, "tickets/market=DE/mine.parquet")];
    for (bucket, key) in unmanaged {
        server.put(bucket, key, b"unmanaged");
    }
    let output = deploy_ok(&server, &lake);
    assert!(
        output.contains("ignoring 1 unmanaged object in ") && output.contains("tickets/market=DE/mine.parquet"),
        "{output}"
    );
    let before = [RAW, CURATED].map(|bucket| desired_objects(&lake, bucket));
    lake.replace(2, 6);
    server.take_requests();
    let (code, plan) = server.deploy(lake.dir(), &["plan", "--only", "data", "--detailed-exitcode"], &[]);
    assert!(code == Some(2) && !server.take_requests().iter().any(RecordedRequest::is_mutation), "{plan}");

    let output = deploy_ok(&server, &lake);
    assert_in_sync(&server, &lake, &unmanaged);
    assert!(output.contains("notes.txt") && output.contains("tickets/market=DE/mine.parquet"), "{output}");
    let requests = server.take_requests();
    assert_owner_and_checksums(&requests);
    for (bucket, before) in [RAW, CURATED].into_iter().zip(before) {
        let desired = desired_objects(&lake, bucket);
        let stale: BTreeSet<&str> =
            before.keys().filter(|key| !desired.contains_key(*key)).map(String::as_str).collect();
        assert!(!stale.is_empty());
        assert_eq!(deleted_keys(&requests, bucket), stale);
        assert_eq!(uploaded_keys(&requests, bucket), desired.keys().map(String::as_str).collect());
        let manifest = requests
            .iter()
            .find(|request| request.bucket() == bucket && request.key() == MANIFEST && request.is_mutation());
        let deletion = requests.iter().find(|request| request.bucket() == bucket && request.query == "delete").unwrap();
        assert!(manifest.unwrap().answered.unwrap() < deletion.received, "the old manifest lists the stale objects");
    }
    deploy_ok(&server, &lake);
    assert!(!server.take_requests().iter().any(RecordedRequest::is_mutation));
}

#[test]
fn objects_are_uploaded_only_if_their_content_differs() {
    let (server, lake) = (Server::start(), Lake::new(1, 1005));
    deploy_ok(&server, &lake);
    server.take_requests();
    let objects = server.objects(CURATED);
    let key = |market: &str| format!("tickets/market={market}/part-0.parquet");
    let mut same_size = objects[&key("DE")].clone();
    same_size[100] ^= 1;
    server.put(CURATED, &key("DE"), &same_size);
    server.put(CURATED, &key("US"), b"another size");
    server.put(CURATED, &key("GB"), &objects[&key("GB")]);
    server.remove_checksum(CURATED, &key("FR"));
    server.delete(CURATED, &key("JP"));
    deploy_ok(&server, &lake);
    assert_in_sync(&server, &lake, &[]);
    let requests = server.take_requests();
    let differing = ["DE", "US", "FR", "JP"].map(key);
    assert_eq!(uploaded_keys(&requests, CURATED), differing.iter().map(String::as_str).collect());
    assert_eq!(
        (
            uploaded_keys(&requests, RAW).len(),
            deleted_keys(&requests, RAW).len(),
            deleted_keys(&requests, CURATED).len()
        ),
        (0, 0, 0)
    );
}

type Case<'a> = (&'a str, fn(&mut Vec<u8>));

#[test]
fn files_that_do_not_match_the_manifest_are_not_uploaded() {
    let flip = |content: &mut Vec<u8>| content[100] ^= 1;
    let shrink = |content: &mut Vec<u8>| content.truncate(content.len() - 1);
    let grow = |content: &mut Vec<u8>| content.push(b'\n');
    let (raw, parquet) =
        ("data/raw/tickets_20261122_000000_0001.jsonl", "data/curated/tickets/market=DE/part-0.parquet");
    let cases: [Case; 4] = [(raw, flip), (raw, shrink), (raw, grow), (parquet, flip)];
    for (file, change) in cases {
        let (server, lake) = (Server::start(), Lake::new(1, 1005));
        let path = lake.dir().join(file);
        let mut content = fs::read(&path).unwrap();
        change(&mut content);
        fs::write(&path, content).unwrap();
        assert_rejected(&server, &lake, file);
    }
    let (server, lake) = (Server::start(), Lake::new(1, 1005));
    fs::remove_file(lake.dir().join(raw)).unwrap();
    assert_rejected(&server, &lake, raw);
}

/// Checks that the deploy fails with a next step, creates neither the object nor the manifest, and succeeds after that step.
fn assert_rejected(server: &Server, lake: &Lake, file: &str) {
    let (code, output) = deploy(server, lake);
    assert_eq!(code, Some(1), "{output}");
    assert!(output.contains(file) && output.contains("\n  next: recreate the data set"), "{output}");
    let (bucket, key) = match file.strip_prefix("data/raw/") {
        Some(name) => (RAW, format!("tickets/{name}")),
        None => (CURATED, file["data/curated/".len()..].to_owned()),
    };
    let objects = server.objects(bucket);
    assert!(!objects.contains_key(&key) && !objects.contains_key(MANIFEST), "{:?}", objects.keys());
    lake.replace(1, 1005);
    deploy_ok(server, lake);
    assert_in_sync(server, lake, &[]);
}

#[test]
fn all_pages_of_a_listing_are_read() {
    let (server, lake) = (Server::start(), Lake::new(1, 6));
    for n in 0..1001 {
        server.put(RAW, &format!("a/{n}"), b"unmanaged");
    }
    let output = deploy_ok(&server, &lake);
    assert!(output.contains("1,001 unmanaged objects"), "{output}");
    server.take_requests();
    assert!(deploy_ok(&server, &lake).contains("No changes."));
    let is_page = |request: &&RecordedRequest| request.query.starts_with("list-type=2") && request.bucket() == RAW;
    assert_eq!(server.take_requests().iter().filter(is_page).count(), 2);
}

#[test]
fn quiet_deploy_prints_nothing() {
    let (server, lake) = (Server::start(), Lake::new(1, 6));
    let deploy = || server.deploy(lake.dir(), &["--only", "data", "--quiet"], &[]);
    assert_eq!([deploy(), deploy()], [(Some(0), String::new()), (Some(0), String::new())]);
    assert_in_sync(&server, &lake, &[]);
}

#[test]
fn buckets_are_created_in_the_region_once() {
    let lake = Lake::new(1, 6);
    for region in [REGION, "us-east-1"] {
        let server = Server::without_buckets(ACCOUNT, region);
        let run = |part: &str| server.deploy(lake.dir(), &["--only", part, "--region", region], &[]);
        let (code, output) = run("data");
        assert!(code == Some(1) && output.contains("run `deploy --only buckets` first"), "{output}");
        let (code, output) = run("buckets");
        assert_eq!(code, Some(0), "{output}");
        let requests = server.take_requests();
        let settings = requests.iter().filter(|request| request.method == "PUT" && !request.query.is_empty()).count();
        assert_eq!((settings, server.objects(RAW).len()), (18, 0));
        let (_, output) = run("buckets");
        assert!(
            output.contains("No changes.") && !server.take_requests().iter().any(RecordedRequest::is_mutation),
            "{output}"
        );
        assert_eq!(run("data").0, Some(0));
        assert_in_sync(&server, &lake, &[]);
    }
}
