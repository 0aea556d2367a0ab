//! Property: after any sequence of deploys, interrupts and changes outside `deploy`, the next complete deploy brings all
//! resources in sync.

use aws::glue::Table;
use aws::s3::bucket_settings::{BucketSettings, Setting, Tag};
use aws::s3::upload::Upload;
use deploy::definitions::Role;
use deploy::definitions::scope::Scope;
use deploy::observe::PENDING_MANIFEST;
use deploy::plan::Plan;
use deploy::render::statuses;
use proptest::prelude::*;
use proptest::sample::{Index, subsequence};
use ticket_schema::names::{MANIFEST_FILE, RAW_TABLE, TABLE, VIEW};

use crate::model::{Cloud, Object, Op, Tickets, bucket, ops, part_of, set};
use crate::{BUCKETS, CATALOG, DATA, later_tickets, tickets};

/// Event in an account.
#[derive(Clone, Debug)]
enum Event {
    /// Deploy that is killed after some operations.
    Deploy { tickets: Tickets, killed: Index, seed: u64 },
    /// Destroy that is killed after some operations.
    Destroy { killed: Index, seed: u64 },
    /// Change outside `deploy`; `target` and `variant` select one of its kind.
    External { change: ExternalChange, target: Index, variant: u8 },
}

/// Kind of a change outside `deploy`.
#[derive(Clone, Copy, Debug)]
enum ExternalChange {
    DeleteManagedObject,
    ReplaceManagedObject,
    PutUnmanagedObject,
    ChangeSetting,
    ChangeWorkgroup,
    ChangeTable,
    ChangePartitions,
}

/// Contents of objects. There are few, so that unmanaged objects often have the desired content; 1 and 2 have the same size.
const CONTENTS: [u64; 3] = [1, 2, 11];

fn any_content() -> impl Strategy<Value = u64> {
    prop::sample::select(CONTENTS.to_vec())
}

fn any_tickets() -> impl Strategy<Value = Tickets> {
    let names = |names: &'static [&'static str]| {
        subsequence(names.to_vec(), 0..=names.len()).prop_flat_map(|names| {
            let contents = prop::collection::vec(any_content(), names.len());
            contents.prop_map(move |contents| names.iter().map(|name| (*name).to_owned()).zip(contents).collect())
        })
    };
    let quarantined = prop::option::of(any_content());
    (names(&["a.jsonl", "b.jsonl", "c.jsonl"]), names(&["DE", "FR", "GB"]), quarantined)
        .prop_map(|(raw, markets, quarantined)| Tickets { raw, markets, quarantined })
}

fn any_event() -> impl Strategy<Value = Event> {
    let deploy = (any_tickets(), any::<Index>(), any::<u64>()).prop_map(|(tickets, killed, seed)| Event::Deploy {
        tickets,
        killed,
        seed,
    });
    let destroy = (any::<Index>(), any::<u64>()).prop_map(|(killed, seed)| Event::Destroy { killed, seed });
    let change = prop::sample::select(vec![
        ExternalChange::DeleteManagedObject,
        ExternalChange::ReplaceManagedObject,
        ExternalChange::PutUnmanagedObject,
        ExternalChange::PutUnmanagedObject,
        ExternalChange::ChangeSetting,
        ExternalChange::ChangeWorkgroup,
        ExternalChange::ChangeTable,
        ExternalChange::ChangePartitions,
    ]);
    let external_change = (change, any::<Index>(), any::<u8>()).prop_map(|(change, target, variant)| Event::External {
        change,
        target,
        variant,
    });
    prop_oneof![4 => deploy, 1 => destroy, 4 => external_change]
}

/// Keys of unmanaged objects.
const UNMANAGED_KEYS: [&str; 6] = [
    "notes.txt",
    "tickets/mine.jsonl",
    "tickets/market=DE/mine.parquet",
    "tickets/a.jsonl",
    "tickets/market=FR/part-0.parquet",
    "results/mine.csv",
];

fn apply_event(cloud: &mut Cloud, event: &Event) {
    match event {
        Event::Deploy { tickets, killed, seed } => {
            let plan = cloud.plan(tickets, Scope::ALL);
            if plan.blockers.is_empty() {
                let all = ops(&plan, *seed);
                cloud.run(&all[..killed.index(all.len() + 1)]);
            }
        }
        Event::Destroy { killed, seed } => {
            let all = ops(&cloud.plan_destroy(), *seed);
            cloud.run_destroy(&all[..killed.index(all.len() + 1)]);
        }
        Event::External { change, target, variant } => apply_external_change(cloud, *change, *target, *variant),
    }
}

fn apply_external_change(cloud: &mut Cloud, change: ExternalChange, target: Index, variant: u8) {
    let roles: Vec<Role> = [Role::Raw, Role::Curated, Role::Results]
        .into_iter()
        .filter(|role| cloud.buckets.contains_key(&bucket(*role)))
        .collect();
    match change {
        ExternalChange::DeleteManagedObject
        | ExternalChange::ReplaceManagedObject
        | ExternalChange::PutUnmanagedObject
        | ExternalChange::ChangeSetting
            if roles.is_empty() => {}
        ExternalChange::DeleteManagedObject | ExternalChange::ReplaceManagedObject => {
            let role = roles[usize::from(variant) % roles.len()];
            let is_manifest = |key: &str| key == MANIFEST_FILE || key == PENDING_MANIFEST;
            let bucket = cloud.bucket(role);
            let managed = bucket.objects.iter().filter(|(key, object)| !object.is_unmanaged && !is_manifest(key));
            let managed: Vec<String> = managed.map(|(key, _)| key.clone()).collect();
            if managed.is_empty() {
                return;
            }
            let key = target.get(&managed);
            match (change, variant / 3 % 3) {
                (ExternalChange::DeleteManagedObject, _) => drop(bucket.objects.remove(key)),
                (_, 0) => bucket.objects.get_mut(key).unwrap().crc64nvme = None,
                (_, other) => drop(bucket.objects.insert(key.clone(), Object::of(CONTENTS[usize::from(other)]))),
            }
        }
        ExternalChange::PutUnmanagedObject => {
            let role = roles[usize::from(variant) % roles.len()];
            let contents = cloud.bucket(role).contents(&bucket(role), role);
            let key = *target.get(&UNMANAGED_KEYS);
            // Excludes managed keys: a deploy overwrites them even if an unmanaged object has been created in the meantime.
            let is_managed = contents.in_manifest.contains(key) || contents.in_pending_manifest.contains(key);
            let is_result = role == Role::Results && key.starts_with("results/");
            if !is_managed && !is_result && !contents.keys.contains_key(key) {
                cloud.put(role, key, Object::unmanaged(CONTENTS[usize::from(variant) / 3 % CONTENTS.len()]));
            }
        }
        ExternalChange::ChangeSetting => {
            let role = roles[usize::from(variant) % roles.len()];
            let setting = *target.get(&Setting::ALL);
            set(&mut cloud.bucket(role).settings, setting, &BucketSettings::default());
        }
        ExternalChange::ChangeWorkgroup => {
            let Some(workgroup) = &mut cloud.workgroup else { return };
            match variant % 4 {
                0 => workgroup.configuration.bytes_scanned_cutoff_per_query = Some(1),
                1 => workgroup.tags.clear(),
                2 => {
                    workgroup.tags.retain(|tag| tag.key != "team");
                    workgroup.tags.push(Tag { key: "team".into(), value: "x".into() });
                }
                _ => cloud.workgroup = None,
            }
        }
        ExternalChange::ChangeTable => {
            let name = *target.get(&[TABLE, RAW_TABLE, VIEW]);
            match (cloud.tables.get_mut(name), variant % 3) {
                (None, _) => {}
                (Some(table), 0) => *table = Table::default(),
                (Some(table), 1) => table.view_text = Some("SELECT 1".into()),
                _ => {
                    cloud.tables.remove(name);
                    if name == TABLE {
                        cloud.partitions.clear();
                    }
                }
            }
        }
        ExternalChange::ChangePartitions => {
            if !cloud.tables.contains_key(TABLE) {
                return;
            }
            let market = vec![(*target.get(&["DE", "FR", "XX"])).to_owned()];
            if variant.is_multiple_of(2) {
                cloud.partitions.remove(&market);
            } else {
                cloud.partitions.insert(market, "s3://elsewhere/".to_owned());
            }
        }
    }
}

/// Removes unmanaged objects if they block the deploy, runs the deploy to completion, and checks that all resources are in
/// sync.
fn deploy_to_completion(cloud: &mut Cloud, tickets: &Tickets, seed: u64) {
    if !cloud.plan(tickets, Scope::ALL).blockers.is_empty() {
        for bucket in cloud.buckets.values_mut() {
            bucket.objects.retain(|_, object| !object.is_unmanaged);
        }
    }
    let plan = cloud.plan(tickets, Scope::ALL);
    cloud.run(&ops(&plan, seed));
    assert_in_sync(cloud, tickets);
}

fn assert_in_sync(cloud: &Cloud, tickets: &Tickets) {
    let plan = cloud.plan(tickets, Scope::ALL);
    assert_eq!((&plan.steps, &plan.blockers), (&Vec::new(), &Vec::new()));
    let desired = tickets.desired();
    assert!(statuses(&desired, &plan, Scope::ALL).iter().all(|status| status.state == "in sync"));
    for data in &desired.data {
        let objects = &cloud.buckets[&data.bucket].objects;
        for upload in data.objects.values().chain([&data.manifest]) {
            let object = &objects[&upload.key];
            assert_eq!((object.bytes, object.crc64nvme.as_ref()), (upload.bytes, Some(&upload.crc64nvme)));
        }
        let others = objects
            .iter()
            .filter(|(key, object)| !object.is_unmanaged && !data.objects.contains_key(*key) && *key != MANIFEST_FILE);
        assert_eq!(others.map(|(key, _)| key).collect::<Vec<_>>(), Vec::<&String>::new(), "{}", data.bucket);
    }
    let partitions: Vec<&String> = cloud.partitions.keys().flatten().collect();
    assert_eq!(partitions, tickets.markets.keys().collect::<Vec<_>>());
}

/// Runs a destroy to completion, and checks that only unmanaged objects are left.
fn destroy_to_completion(cloud: &mut Cloud, seed: u64) {
    cloud.run_destroy(&ops(&cloud.plan_destroy(), seed));
    assert_eq!(cloud.plan_destroy().steps, Vec::new());
    for bucket in cloud.buckets.values() {
        assert!(bucket.objects.values().all(|object| object.is_unmanaged), "{bucket:?}");
    }
    assert!(!cloud.has_database && cloud.tables.is_empty() && cloud.partitions.is_empty());
}

#[test]
fn deploy_killed_anywhere_is_completed_by_the_next() {
    for (before, killed) in [
        (None, tickets()),
        (Some(tickets()), later_tickets()),
        (Some(later_tickets()), tickets()),
        (Some(tickets()), Tickets::default()),
        (Some(Tickets { quarantined: Some(1), ..tickets() }), Tickets::new(&[("other.jsonl", 1)], &[("JP", 2)])),
    ] {
        let start = before.as_ref().map_or_else(Cloud::default, Cloud::deployed);
        let all = ops(&start.plan(&killed, Scope::ALL), 7);
        for n in 0..=all.len() {
            for next in [&killed, &tickets(), &Tickets::new(&[("third.jsonl", 3)], &[("DE", 9), ("AE", 1)])] {
                let mut cloud = start.clone();
                cloud.run(&all[..n]);
                deploy_to_completion(&mut cloud, next, n as u64);
            }
            let mut cloud = start.clone();
            cloud.run(&all[..n]);
            destroy_to_completion(&mut cloud, n as u64);
            assert_eq!(cloud.buckets.values().map(|bucket| bucket.objects.len()).sum::<usize>(), 0);
        }
        assert!(all.iter().any(|op| matches!(op, Op::Put(upload) if upload.key == MANIFEST_FILE)));
    }
}

#[test]
fn destroy_killed_anywhere_is_completed_by_the_next_or_reverted_by_a_deploy() {
    let mut start = Cloud::deployed(&tickets());
    start.put(Role::Raw, "mine", Object::unmanaged(1));
    start.put(Role::Results, "results/a.csv", Object::of(1));
    let all = ops(&start.plan_destroy(), 7);
    for n in 0..=all.len() {
        let mut cloud = start.clone();
        cloud.run_destroy(&all[..n]);
        deploy_to_completion(&mut cloud.clone(), &later_tickets(), 1);
        destroy_to_completion(&mut cloud, 1);
        assert_eq!(cloud.buckets.keys().collect::<Vec<_>>(), [&bucket(Role::Raw)]);
        assert_eq!(cloud.keys(Role::Raw).into_iter().collect::<Vec<_>>(), ["mine"]);
    }
}

#[test]
fn unmanaged_object_with_the_desired_content_becomes_managed_with_the_manifest() {
    let mut start = Cloud::deployed(&Tickets::default());
    let key = part_of("FR");
    start.put(Role::Curated, &key, Object::unmanaged(5));
    let all = ops(&start.plan(&Tickets::new(&[("a.jsonl", 1)], &[("DE", 3), ("FR", 5)]), Scope::ALL), 7);
    let is_manifest = |upload: &Upload| upload.key == MANIFEST_FILE && upload.bucket == bucket(Role::Curated);
    let n_before = all.iter().position(|op| matches!(op, Op::Put(upload) if is_manifest(upload))).unwrap();
    for n in 0..=all.len() {
        let mut cloud = start.clone();
        cloud.run(&all[..n]);
        let later = cloud.plan(&Tickets::new(&[], &[("FR", 12)]), Scope::ALL);
        destroy_to_completion(&mut cloud, 1);
        let is_managed = n > n_before;
        assert_eq!(later.blockers.is_empty(), is_managed, "after {n}: {}", later.blockers_text());
        assert_eq!(cloud.keys(Role::Curated).contains(&key), !is_managed, "after {n}");
    }
}

#[test]
fn plans_of_all_parts_equal_the_full_plan() {
    for (start, tickets) in [
        (Cloud::default(), tickets()),
        (Cloud::deployed(&tickets()), later_tickets()),
        (Cloud::deployed(&later_tickets()), tickets()),
    ] {
        let mut cloud = start.clone();
        let mut steps = Vec::new();
        for scope in [BUCKETS, DATA, CATALOG] {
            let plan = cloud.plan(&tickets, scope);
            cloud.run(&ops(&plan, 0));
            steps.extend(plan.steps);
        }
        assert_eq!(start.plan(&tickets, Scope::ALL), Plan { steps, ..Plan::default() });
        assert_in_sync(&cloud, &tickets);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn next_deploy_brings_all_resources_in_sync_after_any_events(
        events in prop::collection::vec(any_event(), 0..12),
        last in any_tickets(),
        seed: u64,
    ) {
        let mut cloud = Cloud::default();
        for event in &events {
            apply_event(&mut cloud, event);
        }
        deploy_to_completion(&mut cloud, &last, seed);
        destroy_to_completion(&mut cloud, seed);
    }
}
