//! Sending the data sets to S3, against a server in this process: what is sent, in which order, and what stays.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic, and makes the files it needs")]

#[path = "sync/errors.rs"]
mod errors;
#[path = "sync/interrupted.rs"]
mod interrupted;
mod lake;
#[path = "sync/large.rs"]
mod large;
mod server;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::SystemTime;

use lake::Lake;
use publish::Checksum;
use server::{ACCOUNT, CURATED, RAW, REGION, Seen, Server};

type Objects = BTreeMap<String, Vec<u8>>;

const PENDING_MANIFEST: &str = "_manifest.pending.json";
const MANIFEST: &str = "_manifest.json";

/// A run that looks at the data only.
fn deploy(server: &Server, lake: &Lake) -> (Option<i32>, String) {
    server.deploy(lake.dir(), &["--only", "data"], &[])
}

/// A run that must succeed; what it said.
fn must(server: &Server, lake: &Lake) -> String {
    let (code, said) = deploy(server, lake);
    assert_eq!(code, Some(0), "{said}");
    said
}

/// Everything that a lake's owner wants in a bucket.
fn wanted(lake: &Lake, bucket: &str) -> Objects {
    let (dir, prefix) = if bucket == RAW { ("data/raw", "tickets/") } else { ("data/curated", "") };
    let mut files = Objects::new();
    server::read_files(&lake.dir().join(dir), "", &mut files);
    let key = |name: String| if name == MANIFEST { name } else { format!("{prefix}{name}") };
    files.into_iter().map(|(name, content)| (key(name), content)).collect()
}

/// Checks that both buckets contain exactly the desired objects and these unmanaged ones.
fn assert_in_sync(server: &Server, lake: &Lake, foreign: &[(&str, &str)]) {
    for bucket in [RAW, CURATED] {
        let mut there = server.objects(bucket);
        for (_, key) in foreign.iter().filter(|(place, _)| *place == bucket) {
            assert!(there.remove(*key).is_some(), "{key} is gone");
        }
        let wanted = wanted(lake, bucket);
        assert_eq!(there.keys().collect::<Vec<_>>(), wanted.keys().collect::<Vec<_>>());
        assert!(there == wanted, "{bucket} holds other contents");
    }
}

/// Returns the keys that were uploaded to a bucket, without the pending manifest.
fn sent<'a>(seen: &'a [Seen], bucket: &str) -> BTreeSet<&'a str> {
    let puts = seen.iter().filter(|seen| seen.method == "PUT" && seen.bucket() == bucket);
    puts.map(Seen::key).filter(|key| *key != PENDING_MANIFEST).collect()
}

/// Returns the keys that were deleted from a bucket, without the pending manifest.
fn deleted<'a>(seen: &'a [Seen], bucket: &str) -> BTreeSet<&'a str> {
    let requests = seen.iter().filter(|seen| seen.query == "delete" && seen.bucket() == bucket);
    let keys = requests.flat_map(|seen| seen.body.split("<Key>").skip(1));
    keys.map(|rest| rest.split('<').next().unwrap()).filter(|key| *key != PENDING_MANIFEST).collect()
}

/// Checks that every request names the owner of the bucket, and every upload its checksum.
fn assert_careful(seen: &[Seen]) {
    for request in seen.iter().filter(|seen| seen.path != "/") {
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
fn the_first_run_sends_everything_in_an_order_that_suits_readers() {
    let (server, lake) = (Server::start(), Lake::new(1, 1005));
    let said = must(&server, &lake);
    assert_in_sync(&server, &lake, &[]);
    let tickets = ["tickets_20261122_000000_0000.jsonl", "tickets_20261122_000000_0001.jsonl"];
    let raw: Vec<String> = tickets.map(|name| format!("tickets/{name}")).to_vec();
    let curated = lake.markets().into_iter().map(|market| format!("tickets/market={market}/part-0.parquet"));
    for (bucket, keys) in [(RAW, raw), (CURATED, curated.collect())] {
        let keys = [&[MANIFEST.to_owned()], &keys[..]].concat();
        assert_eq!(server.objects(bucket).into_keys().collect::<Vec<_>>(), keys);
    }
    let seen = server.seen();
    for bucket in [RAW, CURATED] {
        let wanted = wanted(&lake, bucket);
        let changes: Vec<&Seen> = seen.iter().filter(|seen| seen.is_change() && seen.bucket() == bucket).collect();
        let place = |key: &str| changes.iter().position(|seen| seen.key() == key).unwrap();
        assert_eq!((place(PENDING_MANIFEST), place(MANIFEST)), (0, wanted.len()));
        assert_eq!(changes.len(), wanted.len() + 2);
        let end = changes.last().unwrap();
        assert!(end.query == "delete" && end.body.contains(PENDING_MANIFEST), "{end:?}");
        // Not only sent, but answered before the next kind comes.
        let (announced, manifest) = (changes[0].answered.unwrap(), changes[wanted.len()]);
        for part in &changes[1..wanted.len()] {
            assert!(announced < part.came && part.answered.unwrap() < manifest.came, "{part:?}");
        }
        assert!(manifest.answered.unwrap() < end.came);
        for put in changes.iter().filter(|seen| seen.method == "PUT" && seen.key() != PENDING_MANIFEST) {
            assert_eq!(put.crc64nvme, Some(crc64nvme(&wanted[put.key()])), "{put:?}");
        }
    }
    assert_careful(&seen);
    let uploaded: Vec<&str> = said.lines().filter(|line| line.starts_with("deploy: uploaded")).collect();
    assert_eq!(uploaded.len(), 4, "{said}");
    for line in uploaded {
        let parts: Vec<&str> = line.split(' ').collect();
        assert!(
            line.ends_with("B/s") && parts.contains(&"in") && parts.iter().any(|part| part.ends_with('B')),
            "{line}"
        );
    }
}

#[test]
fn a_second_run_only_looks_whatever_the_files_times_say() {
    let (server, lake) = (Server::start(), Lake::new(1, 1005));
    must(&server, &lake);
    server.seen();
    each_file(&lake.dir().join("data"), &mut |path| {
        fs::File::options().append(true).open(path).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
    });
    let said = must(&server, &lake);
    assert!(said.contains("No changes. Everything is in sync.\n") && !said.contains("deploy: "), "{said}");
    let seen = server.seen();
    assert!(!seen.iter().any(Seen::is_change), "{seen:?}");
    assert_careful(&seen);
    let n_looked_at = seen.iter().filter(|seen| seen.method == "HEAD" && !seen.key().is_empty()).count();
    assert_eq!(n_looked_at, wanted(&lake, RAW).len() + wanted(&lake, CURATED).len());
}

#[test]
fn another_world_takes_the_place_of_the_first_and_nobody_else_s() {
    let (server, lake) = (Server::start(), Lake::new(1, 1005));
    let foreign = [(RAW, "notes.txt"), (RAW, "tickets/_mine"), (CURATED, "tickets/market=DE/mine.parquet")];
    for (bucket, key) in foreign {
        server.put(bucket, key, b"mine");
    }
    let said = must(&server, &lake);
    assert!(said.contains("not ours") && said.contains("tickets/market=DE/mine.parquet"), "{said}");
    let before = [RAW, CURATED].map(|bucket| wanted(&lake, bucket));
    lake.replace(2, 6);
    server.seen();
    let (code, plan) = server.deploy(lake.dir(), &["plan", "--only", "data", "--detailed-exitcode"], &[]);
    assert!(code == Some(2) && !server.seen().iter().any(Seen::is_change), "{plan}");

    let said = must(&server, &lake);
    assert_in_sync(&server, &lake, &foreign);
    assert!(said.contains("notes.txt") && said.contains("tickets/market=DE/mine.parquet"), "{said}");
    let seen = server.seen();
    assert_careful(&seen);
    for (bucket, before) in [RAW, CURATED].into_iter().zip(before) {
        let now = wanted(&lake, bucket);
        let stale: BTreeSet<&str> = before.keys().filter(|key| !now.contains_key(*key)).map(String::as_str).collect();
        assert!(!stale.is_empty());
        assert_eq!(deleted(&seen, bucket), stale);
        assert_eq!(sent(&seen, bucket), now.keys().map(String::as_str).collect());
        let manifest = seen.iter().find(|seen| seen.bucket() == bucket && seen.key() == MANIFEST && seen.is_change());
        let deletion = seen.iter().find(|seen| seen.bucket() == bucket && seen.query == "delete").unwrap();
        assert!(manifest.unwrap().answered.unwrap() < deletion.came, "the old manifest names what is deleted");
    }
    must(&server, &lake);
    assert!(!server.seen().iter().any(Seen::is_change));
}

#[test]
fn only_what_differs_in_content_is_sent_again() {
    let (server, lake) = (Server::start(), Lake::new(1, 1005));
    must(&server, &lake);
    server.seen();
    let there = server.objects(CURATED);
    let key = |market: &str| format!("tickets/market={market}/part-0.parquet");
    let mut same_size = there[&key("DE")].clone();
    same_size[100] ^= 1;
    server.put(CURATED, &key("DE"), &same_size);
    server.put(CURATED, &key("US"), b"another size");
    server.put(CURATED, &key("GB"), &there[&key("GB")]);
    server.forget_checksum(CURATED, &key("FR"));
    server.delete(CURATED, &key("JP"));
    must(&server, &lake);
    assert_in_sync(&server, &lake, &[]);
    let seen = server.seen();
    let differing = ["DE", "US", "FR", "JP"].map(key);
    assert_eq!(sent(&seen, CURATED), differing.iter().map(String::as_str).collect());
    assert_eq!((sent(&seen, RAW).len(), deleted(&seen, RAW).len(), deleted(&seen, CURATED).len()), (0, 0, 0));
}

type Case<'a> = (&'a str, fn(&mut Vec<u8>));

#[test]
fn a_file_that_is_not_what_its_manifest_says_never_becomes_an_object() {
    let flip = |content: &mut Vec<u8>| content[100] ^= 1;
    let shrink = |content: &mut Vec<u8>| content.truncate(content.len() - 1);
    let grow = |content: &mut Vec<u8>| content.push(b'\n');
    let (raw, parquet) =
        ("data/raw/tickets_20261122_000000_0001.jsonl", "data/curated/tickets/market=DE/part-0.parquet");
    let cases: [Case; 4] = [(raw, flip), (raw, shrink), (raw, grow), (parquet, flip)];
    for (file, damage) in cases {
        let (server, lake) = (Server::start(), Lake::new(1, 1005));
        let path = lake.dir().join(file);
        let mut content = fs::read(&path).unwrap();
        damage(&mut content);
        fs::write(&path, content).unwrap();
        assert_refused(&server, &lake, file);
    }
    let (server, lake) = (Server::start(), Lake::new(1, 1005));
    fs::remove_file(lake.dir().join(raw)).unwrap();
    assert_refused(&server, &lake, raw);
}

fn assert_refused(server: &Server, lake: &Lake, file: &str) {
    let (code, said) = deploy(server, lake);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains(file) && said.contains("\n  next: make the data set again"), "{said}");
    let (bucket, key) = match file.strip_prefix("data/raw/") {
        Some(name) => (RAW, format!("tickets/{name}")),
        None => (CURATED, file["data/curated/".len()..].to_owned()),
    };
    let there = server.objects(bucket);
    assert!(!there.contains_key(&key) && !there.contains_key(MANIFEST), "{:?}", there.keys());
    // Made again, as the advice is, it takes one more run.
    lake.replace(1, 1005);
    must(server, lake);
    assert_in_sync(server, lake, &[]);
}

#[test]
fn a_listing_of_several_pages_is_read_to_its_end() {
    let (server, lake) = (Server::start(), Lake::new(1, 6));
    for n in 0..1001 {
        server.put(RAW, &format!("a/{n}"), b"mine");
    }
    let said = must(&server, &lake);
    assert!(said.contains("1,001 objects"), "{said}");
    server.seen();
    assert!(must(&server, &lake).contains("No changes."));
    let is_page = |seen: &&Seen| seen.query.starts_with("list-type=2") && seen.bucket() == RAW;
    assert_eq!(server.seen().iter().filter(is_page).count(), 2);
}

#[test]
fn quiet_says_nothing() {
    let (server, lake) = (Server::start(), Lake::new(1, 6));
    let quietly = || server.deploy(lake.dir(), &["--only", "data", "--quiet"], &[]);
    assert_eq!([quietly(), quietly()], [(Some(0), String::new()), (Some(0), String::new())]);
    assert_in_sync(&server, &lake, &[]);
}

#[test]
fn buckets_are_made_in_their_region_and_then_left_alone() {
    let lake = Lake::new(1, 6);
    for region in [REGION, "us-east-1"] {
        let server = Server::without_buckets(ACCOUNT, region);
        let run = |part: &str| server.deploy(lake.dir(), &["--only", part, "--region", region], &[]);
        let (code, said) = run("data");
        assert!(code == Some(1) && said.contains("run `deploy --only buckets` first"), "{said}");
        let (code, said) = run("buckets");
        assert_eq!(code, Some(0), "{said}");
        let seen = server.seen();
        let settings = seen.iter().filter(|seen| seen.method == "PUT" && !seen.query.is_empty()).count();
        assert_eq!((settings, server.objects(RAW).len()), (18, 0));
        let (_, said) = run("buckets");
        assert!(said.contains("No changes.") && !server.seen().iter().any(Seen::is_change), "{said}");
        assert_eq!(run("data").0, Some(0));
        assert_in_sync(&server, &lake, &[]);
    }
}
