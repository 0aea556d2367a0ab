//! Plans as a pure function: snapshots over a table of states, and properties against a model of AWS.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic, and makes the files it needs")]

mod buckets;
mod catalog;
mod data;
mod destroy;
mod model;
mod properties;
mod quicksight;

use std::collections::BTreeMap;

use aws::s3::bucket_api::BucketState;
use aws::s3::upload::Content;
use deploy::definitions::Role;
use deploy::definitions::scope::Scope;
use deploy::observe::PENDING_MANIFEST;
use deploy::plan::Plan;
use deploy::render;
use model::{ACCOUNT, Bucket, Cloud, Object, Op, Tickets, bucket, ops, part_of};
use ticket_schema::names::{MANIFEST_FILE, TABLE, VIEW};

const BUCKETS: Scope = Scope { buckets: true, data: false, catalog: false };
const DATA: Scope = Scope { buckets: false, data: true, catalog: false };
const CATALOG: Scope = Scope { buckets: false, data: false, catalog: true };

/// Name of a state, and the change that leads to it after a complete deploy of [`tickets`].
type Case = (&'static str, fn(&mut Cloud));

fn tickets() -> Tickets {
    Tickets::new(&[("tickets_0.jsonl", 1), ("tickets_1.jsonl", 2)], &[("DE", 3), ("FR", 4)])
}

/// Returns a later data set: the second raw file is larger, DE is unchanged, FR has changed, GB is new.
fn later_tickets() -> Tickets {
    Tickets::new(&[("tickets_0.jsonl", 1), ("tickets_1.jsonl", 12)], &[("DE", 3), ("FR", 5), ("GB", 6)])
}

/// Renders the plan of each case.
fn render_plans(cases: &[Case], plan: impl Fn(&Cloud) -> Plan) -> String {
    let mut text = String::new();
    for (name, change) in cases {
        let mut cloud = Cloud::deployed(&tickets());
        change(&mut cloud);
        text += &format!("{name}\n{}\n", render::text(&plan(&cloud)));
    }
    text.replace(ACCOUNT, "ACCOUNT")
}

fn full_plan(cloud: &Cloud) -> Plan {
    cloud.plan(&tickets(), Scope::ALL)
}

/// Runs a deploy of these tickets that is killed after `n` operations.
fn interrupt_deploy(cloud: &mut Cloud, tickets: &Tickets, n: usize) {
    let all = ops(&cloud.plan(tickets, Scope::ALL), 0);
    cloud.run(&all[..n]);
}

/// Returns the number of operations of a deploy up to its `n`th upload.
fn n_ops_until_put(cloud: &Cloud, tickets: &Tickets, n: usize) -> usize {
    let all = ops(&cloud.plan(tickets, Scope::ALL), 0);
    let is_put = |(_, op): &(usize, &Op)| matches!(op, Op::Put(_));
    all.iter().enumerate().filter(is_put).nth(n - 1).unwrap().0 + 1
}

#[test]
fn plan_contains_only_what_is_missing() {
    let text = render_plans(
        &[
            ("empty account", |cloud| *cloud = Cloud::default()),
            ("in sync", |_| {}),
            ("first deploy killed after its first object", |cloud| {
                *cloud = Cloud::default();
                let n = n_ops_until_put(cloud, &tickets(), 2);
                interrupt_deploy(cloud, &tickets(), n);
            }),
            ("first deploy killed before the catalogue", |cloud| {
                *cloud = Cloud::default();
                let n = n_ops_until_put(cloud, &tickets(), 8);
                interrupt_deploy(cloud, &tickets(), n);
            }),
            ("two deploys of other tickets killed before their manifests", |cloud| {
                let n = n_ops_until_put(cloud, &later_tickets(), 2);
                interrupt_deploy(cloud, &later_tickets(), n);
                let n = n_ops_until_put(cloud, &Tickets::new(&[("other.jsonl", 7)], &[("JP", 8)]), 2);
                interrupt_deploy(cloud, &Tickets::new(&[("other.jsonl", 7)], &[("JP", 8)]), n);
            }),
            ("deploy of other tickets killed after the raw data", |cloud| {
                let n = n_ops_until_put(cloud, &later_tickets(), 4);
                interrupt_deploy(cloud, &later_tickets(), n);
            }),
            ("deploy killed before its last operation", |cloud| {
                cloud.put(
                    Role::Raw,
                    PENDING_MANIFEST,
                    Object { text: Some("{\"note\":\"\",\"keys\":[]}".into()), ..Object::of(1) },
                );
            }),
        ],
        full_plan,
    );
    insta::assert_snapshot!(text);
}

#[test]
fn scope_limits_the_plan_to_one_part() {
    let cases: &[Case] = &[
        ("empty account", |cloud| *cloud = Cloud::default()),
        ("drift in each part", |cloud| {
            cloud.bucket(Role::Raw).settings.tagging = None;
            cloud.bucket(Role::Raw).objects.remove("tickets/tickets_0.jsonl");
            cloud.workgroup = None;
        }),
    ];
    let mut text = String::new();
    for (name, scope) in [("buckets", BUCKETS), ("data", DATA), ("catalog", CATALOG)] {
        text += &format!("--only {name}\n\n{}", render_plans(cases, |cloud| cloud.plan(&tickets(), scope)));
    }
    insta::assert_snapshot!(text);
}

#[test]
fn status_reports_the_state_of_each_resource() {
    type Case = (&'static str, Scope, fn(&mut Cloud));
    let cases: &[Case] = &[
        ("empty account", Scope::ALL, |cloud| *cloud = Cloud::default()),
        ("in sync", Scope::ALL, |_| {}),
        ("missing objects and partitions", Scope::ALL, |cloud| {
            cloud.bucket(Role::Curated).objects.remove(&part_of("DE"));
            cloud.partitions.remove(&vec!["DE".to_owned()]);
        }),
        ("drift", Scope::ALL, |cloud| {
            cloud.bucket(Role::Raw).settings.tagging = None;
            cloud.put(Role::Raw, "tickets/tickets_0.jsonl", Object::of(9));
            cloud.tables.get_mut(TABLE).unwrap().columns.pop();
            cloud.tables.remove(VIEW);
        }),
        ("deploy killed before its last operation", DATA, |cloud| {
            cloud.put(
                Role::Raw,
                PENDING_MANIFEST,
                Object { text: Some("{\"note\":\"\",\"keys\":[]}".into()), ..Object::of(1) },
            );
        }),
        ("inaccessible bucket", BUCKETS, |cloud| {
            cloud.buckets.remove(&bucket(Role::Raw));
            cloud.inaccessible.insert(bucket(Role::Raw), BucketState::Inaccessible);
        }),
        ("unmanaged object with a desired key", DATA, |cloud| {
            cloud.bucket(Role::Raw).objects.clear();
            cloud.put(Role::Raw, "tickets/tickets_0.jsonl", Object::unmanaged(9));
        }),
        ("only the catalogue", CATALOG, |_| {}),
    ];
    let mut text = String::new();
    for (name, scope, change) in cases {
        let mut cloud = Cloud::deployed(&tickets());
        change(&mut cloud);
        let statuses = render::statuses(&tickets().desired(), &cloud.plan(&tickets(), *scope), *scope);
        text += &format!("{name}\n{}\n", render::statuses_text(&statuses));
    }
    let text = text.replace(ACCOUNT, "ACCOUNT");
    insta::assert_snapshot!(text);
}

#[test]
fn plan_of_many_objects_is_rendered_in_few_lines() {
    let raw = |content: fn(u64) -> u64| -> Tickets {
        let raw = (0..100_000).map(|n| (format!("tickets_{n:06}.jsonl"), content(n))).collect();
        Tickets { raw, ..tickets() }
    };
    let tickets = raw(|n| n);
    let small = Cloud::deployed(&self::tickets());
    let with_objects = |change: &dyn Fn(usize, Object) -> Option<Object>| -> Cloud {
        let mut cloud = small.clone();
        let objects = tickets
            .raw
            .iter()
            .enumerate()
            .filter_map(|(n, (name, content))| Some((format!("tickets/{name}"), change(n, Object::of(*content))?)));
        let manifest = tickets.desired().data[0].manifest.clone();
        let Content::Text(text) = manifest.content else { unreachable!() };
        let manifest = Object {
            bytes: manifest.bytes,
            crc64nvme: Some(manifest.crc64nvme),
            text: Some(text),
            is_unmanaged: false,
        };
        let objects = objects.chain([(MANIFEST_FILE.to_owned(), manifest)]).collect::<BTreeMap<_, _>>();
        let settings = cloud.bucket(Role::Raw).settings.clone();
        cloud.buckets.insert(bucket(Role::Raw), Bucket { settings, objects });
        cloud
    };
    let deployed = with_objects(&|_, object| Some(object));
    assert_eq!(deployed.plan(&tickets, Scope::ALL), Plan::default());

    let mut unmanaged = small.clone();
    unmanaged.bucket(Role::Raw).objects =
        tickets.raw.keys().map(|name| (format!("tickets/{name}"), Object::unmanaged(5_000_000))).collect();
    let text = [
        ("all are new", small.plan(&tickets, DATA)),
        (
            "a third is in sync, a third has changed, a third is new",
            with_objects(&|n, object| match n % 3 {
                0 => Some(object),
                1 => Some(Object { bytes: 1, ..object }),
                _ => None,
            })
            .plan(&tickets, DATA),
        ),
        ("all are stale", deployed.plan(&self::tickets(), DATA)),
        ("all are unmanaged and have desired keys", unmanaged.plan(&tickets, DATA)),
        ("all are unmanaged", unmanaged.plan(&self::tickets(), DATA)),
        ("all are destroyed", deployed.plan_destroy()),
    ]
    .map(|(name, plan)| format!("{name}\n{}\n", render::text(&plan)));
    let text = text.concat().replace(ACCOUNT, "ACCOUNT");
    insta::assert_snapshot!(text);
}
