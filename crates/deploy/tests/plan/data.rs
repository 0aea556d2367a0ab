//! Plans of objects, and the manifests that they depend on.

use std::collections::BTreeMap;
use std::fs;

use aws::s3::upload::Content;
use deploy::definitions::Role;
use deploy::definitions::desired::{Desired, Local};
use deploy::observe::{Contents, PENDING_MANIFEST};
use ticket_schema::names::MANIFEST_FILE;

use crate::model::{ACCOUNT, Object, Tickets, part_of};
use crate::{full_plan, render_plans, tickets};
use test_support::lake::Lake;

#[test]
fn objects_are_compared_by_content_and_unmanaged_ones_are_kept() {
    let text = render_plans(
        &[
            ("missing object", |cloud| drop(cloud.bucket(Role::Curated).objects.remove(&part_of("DE")))),
            ("other size", |cloud| cloud.put(Role::Curated, &part_of("DE"), Object::of(33))),
            ("other checksum", |cloud| cloud.put(Role::Curated, &part_of("DE"), Object::of(9))),
            ("no CRC-64/NVME", |cloud| {
                cloud.put(Role::Curated, &part_of("DE"), Object { crc64nvme: None, ..Object::of(3) });
            }),
            ("other manifest of the same tickets", |cloud| {
                let manifest = cloud.bucket(Role::Raw).objects.get_mut(MANIFEST_FILE).unwrap();
                manifest.bytes += 1;
                manifest.text.as_mut().unwrap().push(' ');
            }),
            ("unmanaged objects in the bucket for raw tickets", |cloud| {
                for key in ["notes.txt", "tickets/mine.jsonl", "tickets/deep/mine.jsonl", "tickets-old/a.jsonl"] {
                    cloud.put(Role::Raw, key, Object::unmanaged(9));
                }
            }),
            ("unmanaged objects that Athena doesn't read", |cloud| {
                for key in ["tickets/", "tickets/_hidden", "tickets/.hidden", "_quarantine/mine.jsonl", "a"] {
                    cloud.put(Role::Raw, key, Object::unmanaged(9));
                }
            }),
            ("unmanaged objects in the bucket for curated tickets", |cloud| {
                for key in
                    ["tickets/readme.txt", "tickets/market=DE/part-1.parquet", "tickets/market=NO/part-0.parquet"]
                {
                    cloud.put(Role::Curated, key, Object::unmanaged(9));
                }
            }),
            ("unmanaged objects with the desired content", |cloud| {
                cloud.bucket(Role::Raw).objects.remove(MANIFEST_FILE);
                for object in cloud.bucket(Role::Raw).objects.values_mut() {
                    object.is_unmanaged = true;
                }
            }),
            ("unmanaged objects with desired keys", |cloud| {
                let bucket = cloud.bucket(Role::Raw);
                bucket.objects.clear();
                bucket.objects.insert("tickets/tickets_0.jsonl".into(), Object::unmanaged(9));
                let unchecked = Object { crc64nvme: None, ..Object::unmanaged(2) };
                bucket.objects.insert("tickets/tickets_1.jsonl".into(), unchecked);
            }),
            ("quarantine of an earlier run", |cloud| {
                let earlier = Tickets { quarantined: Some(7), ..tickets() };
                cloud.deploy(&earlier);
            }),
            ("removed, new and changed markets", |cloud| {
                let earlier = Tickets::new(&[("tickets_0.jsonl", 1), ("old.jsonl", 7)], &[("DE", 30), ("US", 8)]);
                cloud.deploy(&earlier);
            }),
        ],
        full_plan,
    );
    insta::assert_snapshot!(text);
}

#[test]
fn unmanaged_manifests_are_errors() {
    let read = |manifest: Option<&str>, pending_manifest: Option<&str>| {
        let (manifest, pending_manifest) = (manifest.map(str::as_bytes), pending_manifest.map(str::as_bytes));
        Contents::new("b", Role::Raw, BTreeMap::new(), manifest, pending_manifest)
    };
    for (manifest, pending_manifest, key) in [
        (Some("unmanaged"), None, MANIFEST_FILE),
        (Some("{}"), None, MANIFEST_FILE),
        (Some("[]"), None, MANIFEST_FILE),
        (Some("{\"files\":[1]}"), None, MANIFEST_FILE),
        (None, Some("{\"keys\":{}}"), PENDING_MANIFEST),
    ] {
        let error = read(manifest, pending_manifest).unwrap_err().to_string();
        let expected = format!("s3://b/{key} exists, but is not a manifest of deploy; move it elsewhere");
        assert!(error.starts_with(&expected), "{error}");
    }
    let contents = read(Some("{\"format\":9,\"files\":[{\"name\":\"a.jsonl\"}],\"later\":1}"), None).unwrap();
    assert_eq!(
        contents.in_manifest.into_iter().collect::<Vec<_>>(),
        [MANIFEST_FILE, "tickets/a.jsonl"],
        "the version of the manifest is ignored"
    );
}

#[test]
fn desired_state_equals_the_manifests() {
    let lake = Lake::new(42, 1500);
    let (raw, curated) = (lake.dir().join("data/raw"), lake.dir().join("data/curated"));
    let local = Local::load(&raw, Some(&curated)).unwrap();
    assert!(local.is_consistent());
    let desired = Desired::new(ACCOUNT, "eu-central-1", &local, &raw, &curated).unwrap();
    let keys: Vec<&String> = desired.data[0].objects.keys().collect();
    assert_eq!(keys, ["tickets/tickets_20261122_000000_0000.jsonl", "tickets/tickets_20261122_000000_0001.jsonl"]);
    let keys: Vec<String> = desired.data[1].objects.keys().cloned().collect();
    assert_eq!(keys, lake.markets().iter().map(|market| part_of(market)).collect::<Vec<_>>());
    let partitions = desired.partitions.unwrap();
    assert_eq!(partitions[0].values, ["AE"]);
    assert_eq!(partitions[0].location, format!("s3://bmw-aftersales-curated-{ACCOUNT}/tickets/market=AE/"));
    for data in &desired.data {
        let Content::File(path) = &data.manifest.content else { unreachable!() };
        assert_eq!(data.manifest.bytes, fs::metadata(path).unwrap().len());
    }

    let raw_only = Local::load(&raw, None).unwrap();
    let desired = Desired::new(ACCOUNT, "eu-central-1", &raw_only, &raw, &curated).unwrap();
    assert_eq!((desired.data.len(), desired.partitions), (1, None));

    let other = Lake::new(7, 20);
    let mixed = Local::load(&other.dir().join("data/raw"), Some(&curated)).unwrap();
    assert!(!mixed.is_consistent());
    lake.replace(7, 20);
    assert!(Local::load(&raw, Some(&curated)).unwrap().is_consistent());
}
