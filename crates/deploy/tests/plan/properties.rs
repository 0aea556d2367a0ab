//! Property: after any history of deploys, interrupts and changes outside `deploy`, the next complete deploy brings
//! everything in sync.

use aws::glue::Table;
use aws::s3::bucket_settings::{BucketSettings, Setting, Tag};
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

/// An event in an account.
#[derive(Clone, Debug)]
enum Event {
    /// A deploy, killed after some of what it does.
    Deploy { tickets: Tickets, killed: Index, luck: u64 },
    /// A destroy, killed after some of what it does.
    Destroy { killed: Index, luck: u64 },
    /// A change outside `deploy`.
    OtherHand { what: OtherHand, which: Index, how: u8 },
}

#[derive(Clone, Copy, Debug)]
enum OtherHand {
    DeletesOurObject,
    ReplacesOurObject,
    PutsAnObject,
    ChangesASetting,
    ChangesTheWorkgroup,
    ChangesATable,
    ChangesThePartitions,
}

/// Few contents, so that other hands often put what is wanted: 1 and 2 are of one size, 11 is of another.
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
    let refused = prop::option::of(any_content());
    (names(&["a.jsonl", "b.jsonl", "c.jsonl"]), names(&["DE", "FR", "GB"]), refused)
        .prop_map(|(raw, markets, refused)| Tickets { raw, markets, refused })
}

fn any_event() -> impl Strategy<Value = Event> {
    let deploy = (any_tickets(), any::<Index>(), any::<u64>()).prop_map(|(tickets, killed, luck)| Event::Deploy {
        tickets,
        killed,
        luck,
    });
    let destroy = (any::<Index>(), any::<u64>()).prop_map(|(killed, luck)| Event::Destroy { killed, luck });
    let what = prop::sample::select(vec![
        OtherHand::DeletesOurObject,
        OtherHand::ReplacesOurObject,
        OtherHand::PutsAnObject,
        OtherHand::PutsAnObject,
        OtherHand::ChangesASetting,
        OtherHand::ChangesTheWorkgroup,
        OtherHand::ChangesATable,
        OtherHand::ChangesThePartitions,
    ]);
    let other_hand =
        (what, any::<Index>(), any::<u8>()).prop_map(|(what, which, how)| Event::OtherHand { what, which, how });
    prop_oneof![4 => deploy, 1 => destroy, 4 => other_hand]
}

/// The keys that other hands like.
const STRANGERS: [&str; 6] = [
    "notes.txt",
    "tickets/mine.jsonl",
    "tickets/market=DE/mine.parquet",
    "tickets/a.jsonl",
    "tickets/market=FR/part-0.parquet",
    "results/mine.csv",
];

fn happens(cloud: &mut Cloud, event: &Event) {
    match event {
        Event::Deploy { tickets, killed, luck } => {
            let plan = cloud.plan(tickets, Scope::ALL);
            if plan.blockers.is_empty() {
                let all = ops(&plan, *luck);
                cloud.run(&all[..killed.index(all.len() + 1)]);
            }
        }
        Event::Destroy { killed, luck } => {
            let all = ops(&cloud.plan_destroy(), *luck);
            cloud.run_destroy(&all[..killed.index(all.len() + 1)]);
        }
        Event::OtherHand { what, which, how } => other_hand(cloud, *what, *which, *how),
    }
}

fn other_hand(cloud: &mut Cloud, what: OtherHand, which: Index, how: u8) {
    let roles: Vec<Role> = [Role::Raw, Role::Curated, Role::Results]
        .into_iter()
        .filter(|role| cloud.buckets.contains_key(&bucket(*role)))
        .collect();
    match what {
        OtherHand::DeletesOurObject
        | OtherHand::ReplacesOurObject
        | OtherHand::PutsAnObject
        | OtherHand::ChangesASetting
            if roles.is_empty() => {}
        OtherHand::DeletesOurObject | OtherHand::ReplacesOurObject => {
            let role = roles[usize::from(how) % roles.len()];
            let is_record = |key: &str| key == MANIFEST_FILE || key == PENDING_MANIFEST;
            let store = cloud.store(role);
            let ours = store.objects.iter().filter(|(key, object)| !object.is_foreign && !is_record(key));
            let ours: Vec<String> = ours.map(|(key, _)| key.clone()).collect();
            if ours.is_empty() {
                return;
            }
            let key = which.get(&ours);
            match (what, how / 3 % 3) {
                (OtherHand::DeletesOurObject, _) => drop(store.objects.remove(key)),
                (_, 0) => store.objects.get_mut(key).unwrap().crc64nvme = None,
                (_, other) => drop(store.objects.insert(key.clone(), Object::of(CONTENTS[usize::from(other)]))),
            }
        }
        OtherHand::PutsAnObject => {
            let role = roles[usize::from(how) % roles.len()];
            let contents = cloud.store(role).contents(&bucket(role), role);
            let key = *which.get(&STRANGERS);
            // Keys in the pending manifest are written, even if an unmanaged object has appeared there in the meantime.
            let is_claimed = contents.in_manifest.contains(key) || contents.in_pending_manifest.contains(key);
            let is_result = role == Role::Results && key.starts_with("results/");
            if !is_claimed && !is_result && !contents.keys.contains_key(key) {
                cloud.put(role, key, Object::foreign(CONTENTS[usize::from(how) / 3 % CONTENTS.len()]));
            }
        }
        OtherHand::ChangesASetting => {
            let role = roles[usize::from(how) % roles.len()];
            let setting = *which.get(&Setting::ALL);
            set(&mut cloud.store(role).settings, setting, &BucketSettings::default());
        }
        OtherHand::ChangesTheWorkgroup => {
            let Some(workgroup) = &mut cloud.workgroup else { return };
            match how % 4 {
                0 => workgroup.configuration.bytes_scanned_cutoff_per_query = Some(1),
                1 => workgroup.tags.clear(),
                2 => {
                    workgroup.tags.retain(|tag| tag.key != "team");
                    workgroup.tags.push(Tag { key: "team".into(), value: "x".into() });
                }
                _ => cloud.workgroup = None,
            }
        }
        OtherHand::ChangesATable => {
            let name = *which.get(&[TABLE, RAW_TABLE, VIEW]);
            match (cloud.tables.get_mut(name), how % 3) {
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
        OtherHand::ChangesThePartitions => {
            if !cloud.tables.contains_key(TABLE) {
                return;
            }
            let market = vec![(*which.get(&["DE", "FR", "XX"])).to_owned()];
            if how.is_multiple_of(2) {
                cloud.partitions.remove(&market);
            } else {
                cloud.partitions.insert(market, "s3://elsewhere/".to_owned());
            }
        }
    }
}

/// Removes objects that block the deploy, and runs it to completion.
fn settle(cloud: &mut Cloud, tickets: &Tickets, luck: u64) {
    if !cloud.plan(tickets, Scope::ALL).blockers.is_empty() {
        for store in cloud.buckets.values_mut() {
            store.objects.retain(|_, object| !object.is_foreign);
        }
    }
    let plan = cloud.plan(tickets, Scope::ALL);
    cloud.run(&ops(&plan, luck));
    is_as_wanted(cloud, tickets);
}

fn is_as_wanted(cloud: &Cloud, tickets: &Tickets) {
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
            .filter(|(key, object)| !object.is_foreign && !data.objects.contains_key(*key) && *key != MANIFEST_FILE);
        assert_eq!(others.map(|(key, _)| key).collect::<Vec<_>>(), Vec::<&String>::new(), "{}", data.bucket);
    }
    let partitions: Vec<&String> = cloud.partitions.keys().flatten().collect();
    assert_eq!(partitions, tickets.markets.keys().collect::<Vec<_>>());
}

/// A destroy runs to its end.
fn end(cloud: &mut Cloud, luck: u64) {
    cloud.run_destroy(&ops(&cloud.plan_destroy(), luck));
    assert_eq!(cloud.plan_destroy().steps, Vec::new());
    for store in cloud.buckets.values() {
        assert!(store.objects.values().all(|object| object.is_foreign), "{store:?}");
    }
    assert!(!cloud.has_database && cloud.tables.is_empty() && cloud.partitions.is_empty());
}

#[test]
fn a_deploy_killed_anywhere_is_finished_by_the_next_one() {
    for (before, killed) in [
        (None, tickets()),
        (Some(tickets()), later_tickets()),
        (Some(later_tickets()), tickets()),
        (Some(tickets()), Tickets::default()),
        (Some(Tickets { refused: Some(1), ..tickets() }), Tickets::new(&[("other.jsonl", 1)], &[("JP", 2)])),
    ] {
        let start = before.as_ref().map_or_else(Cloud::default, Cloud::with);
        let all = ops(&start.plan(&killed, Scope::ALL), 7);
        for n in 0..=all.len() {
            for next in [&killed, &tickets(), &Tickets::new(&[("third.jsonl", 3)], &[("DE", 9), ("AE", 1)])] {
                let mut cloud = start.clone();
                cloud.run(&all[..n]);
                settle(&mut cloud, next, n as u64);
            }
            let mut cloud = start.clone();
            cloud.run(&all[..n]);
            end(&mut cloud, n as u64);
            assert_eq!(cloud.buckets.values().map(|store| store.objects.len()).sum::<usize>(), 0);
        }
        assert!(all.iter().any(|op| matches!(op, Op::Put(upload) if upload.key == MANIFEST_FILE)));
    }
}

#[test]
fn a_destroy_killed_anywhere_is_finished_by_the_next_one_or_undone_by_a_deploy() {
    let mut start = Cloud::with(&tickets());
    start.put(Role::Raw, "mine", Object::foreign(1));
    start.put(Role::Results, "results/a.csv", Object::of(1));
    let all = ops(&start.plan_destroy(), 7);
    for n in 0..=all.len() {
        let mut cloud = start.clone();
        cloud.run_destroy(&all[..n]);
        settle(&mut cloud.clone(), &later_tickets(), 1);
        end(&mut cloud, 1);
        assert_eq!(cloud.buckets.keys().collect::<Vec<_>>(), [&bucket(Role::Raw)]);
        assert_eq!(cloud.keys(Role::Raw).into_iter().collect::<Vec<_>>(), ["mine"]);
    }
}

#[test]
fn what_another_hand_put_with_the_wanted_content_becomes_ours_with_the_manifest_and_not_before() {
    let mut start = Cloud::with(&Tickets::default());
    let key = part_of("FR");
    start.put(Role::Curated, &key, Object::foreign(5));
    let all = ops(&start.plan(&Tickets::new(&[("a.jsonl", 1)], &[("DE", 3), ("FR", 5)]), Scope::ALL), 7);
    let adopts = |op: &Op| matches!(op, Op::Put(upload) if upload.key == MANIFEST_FILE && upload.bucket == bucket(Role::Curated));
    let adopted = all.iter().position(adopts).unwrap();
    for n in 0..=all.len() {
        let mut cloud = start.clone();
        cloud.run(&all[..n]);
        let later = cloud.plan(&Tickets::new(&[], &[("FR", 12)]), Scope::ALL);
        end(&mut cloud, 1);
        let is_ours = n > adopted;
        assert_eq!(later.blockers.is_empty(), is_ours, "after {n}: {}", later.blockers_text());
        assert_eq!(cloud.keys(Role::Curated).contains(&key), !is_ours, "after {n}");
    }
}

#[test]
fn parts_by_themselves_are_the_whole() {
    for (start, tickets) in [
        (Cloud::default(), tickets()),
        (Cloud::with(&tickets()), later_tickets()),
        (Cloud::with(&later_tickets()), tickets()),
    ] {
        let mut cloud = start.clone();
        let mut steps = Vec::new();
        for parts in [BUCKETS, DATA, CATALOG] {
            let plan = cloud.plan(&tickets, parts);
            cloud.run(&ops(&plan, 0));
            steps.extend(plan.steps);
        }
        assert_eq!(start.plan(&tickets, Scope::ALL), Plan { steps, ..Plan::default() });
        is_as_wanted(&cloud, &tickets);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn whatever_has_happened_the_next_deploy_makes_everything_as_wanted(
        events in prop::collection::vec(any_event(), 0..12),
        last in any_tickets(),
        luck: u64,
    ) {
        let mut cloud = Cloud::default();
        for event in &events {
            happens(&mut cloud, event);
        }
        settle(&mut cloud, &last, luck);
        end(&mut cloud, luck);
    }
}
