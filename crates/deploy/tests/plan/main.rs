//! The plan as the pure function that it is: over a table of worlds, and with properties against a small model of AWS.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic, and makes the files it needs")]

#[path = "../lake/mod.rs"]
mod lake;
mod model;
mod properties;
mod quicksight;

use std::collections::BTreeMap;

use aws::glue::Table;
use aws::s3::bucket_api::BucketState;
use aws::s3::bucket_settings::{BucketSettings, Setting, Tag};
use deploy::definitions::Role;
use deploy::definitions::desired::{Desired, Local};
use deploy::definitions::scope::Scope;
use deploy::observe::view;
use deploy::observe::{Contents, PENDING_MANIFEST};
use deploy::plan::{Plan, Step};
use deploy::render as show;
use lake::Lake;
use model::{ACCOUNT, Cloud, Object, Store, Tickets, bucket, definitions, ops, part_of, set, stored_view};
use ticket_schema::names::{MANIFEST_FILE, RAW_TABLE, TABLE, VIEW};

const BUCKETS: Scope = Scope { buckets: true, data: false, catalog: false };
const DATA: Scope = Scope { buckets: false, data: true, catalog: false };
const CATALOG: Scope = Scope { buckets: false, data: false, catalog: true };

/// A change to an account after a complete deploy of [`tickets`].
type World = (&'static str, fn(&mut Cloud));

fn tickets() -> Tickets {
    Tickets::new(&[("tickets_0.jsonl", 1), ("tickets_1.jsonl", 2)], &[("DE", 3), ("FR", 4)])
}

/// A later data set: the second raw file is shorter, DE is as before, FR has changed, GB is new.
fn later_tickets() -> Tickets {
    Tickets::new(&[("tickets_0.jsonl", 1), ("tickets_1.jsonl", 12)], &[("DE", 3), ("FR", 5), ("GB", 6)])
}

/// Renders the plan for each world.
fn shown(worlds: &[World], plan: impl Fn(&Cloud) -> Plan) -> String {
    let mut text = String::new();
    for (name, change) in worlds {
        let mut cloud = Cloud::with(&tickets());
        change(&mut cloud);
        text += &format!("{name}\n{}\n", show::text(&plan(&cloud)));
    }
    text.replace(ACCOUNT, "ACCOUNT")
}

fn of_all(cloud: &Cloud) -> Plan {
    cloud.plan(&tickets(), Scope::ALL)
}

/// A deploy of other tickets that is killed after `n` things.
fn interrupted(cloud: &mut Cloud, tickets: &Tickets, n: usize) {
    let all = ops(&cloud.plan(tickets, Scope::ALL), 0);
    cloud.run(&all[..n]);
}

/// The number of things after which the `n`th upload of a deploy has ended.
fn n_ops_until_put(cloud: &Cloud, tickets: &Tickets, n: usize) -> usize {
    let all = ops(&cloud.plan(tickets, Scope::ALL), 0);
    let is_put = |(_, op): &(usize, &model::Op)| matches!(op, model::Op::Put(_));
    all.iter().enumerate().filter(is_put).nth(n - 1).unwrap().0 + 1
}

#[test]
fn only_what_is_missing_is_made() {
    let text = shown(
        &[
            ("an empty account", |cloud| *cloud = Cloud::default()),
            ("everything as wanted", |_| {}),
            ("a first deploy killed after its first part", |cloud| {
                *cloud = Cloud::default();
                let n = n_ops_until_put(cloud, &tickets(), 2);
                interrupted(cloud, &tickets(), n);
            }),
            ("a first deploy killed before the catalogue", |cloud| {
                *cloud = Cloud::default();
                let n = n_ops_until_put(cloud, &tickets(), 8);
                interrupted(cloud, &tickets(), n);
            }),
            ("a deploy of other tickets killed before its manifests", |cloud| {
                let n = n_ops_until_put(cloud, &later_tickets(), 2);
                interrupted(cloud, &later_tickets(), n);
                let n = n_ops_until_put(cloud, &Tickets::new(&[("other.jsonl", 7)], &[("JP", 8)]), 2);
                interrupted(cloud, &Tickets::new(&[("other.jsonl", 7)], &[("JP", 8)]), n);
            }),
            ("a deploy of other tickets that replaced the raw ones only", |cloud| {
                let n = n_ops_until_put(cloud, &later_tickets(), 4);
                interrupted(cloud, &later_tickets(), n);
            }),
            ("a deploy killed before its last thing", |cloud| {
                cloud.put(
                    Role::Raw,
                    PENDING_MANIFEST,
                    Object { text: Some("{\"note\":\"\",\"keys\":[]}".into()), ..Object::of(1) },
                );
            }),
        ],
        of_all,
    );
    insta::assert_snapshot!(text);
}

#[test]
fn each_setting_of_a_bucket_is_compared_by_itself() {
    let mut text = String::new();
    for setting in Setting::ALL {
        let mut cloud = Cloud::with(&tickets());
        set(&mut cloud.store(Role::Raw).settings, setting, &BucketSettings::default());
        text += &show::text(&of_all(&cloud));
        let plan = of_all(&cloud);
        assert!(matches!(&plan.steps[..], [Step::SetBucket { setting: found, .. }] if *found == setting), "{plan:?}");
    }
    let worlds: &[World] = &[
        ("the encryption is another", |cloud| {
            let settings = &mut cloud.store(Role::Curated).settings;
            let encryption = settings.server_side_encryption_configuration.as_mut().unwrap();
            encryption.rules[0].apply_server_side_encryption_by_default.algorithm = "aws:kms".into();
        }),
        ("something may be public", |cloud| {
            let settings = &mut cloud.store(Role::Results).settings;
            settings.public_access_block_configuration.as_mut().unwrap().block_public_policy = false;
        }),
        ("a rule of another hand", |cloud| {
            let lifecycle = &mut cloud.store(Role::Curated).settings.lifecycle_configuration;
            let mut rule = lifecycle.as_ref().unwrap().rules[0].clone();
            rule.id = "glacier".into();
            rule.has_other_actions = true;
            lifecycle.as_mut().unwrap().rules.push(rule);
        }),
        ("another order of rules and tags", |cloud| {
            let settings = &mut cloud.store(Role::Raw).settings;
            settings.lifecycle_configuration.as_mut().unwrap().rules.reverse();
            settings.tagging.as_mut().unwrap().tag_set.reverse();
        }),
        ("a tag of another hand", |cloud| {
            let tags = &mut cloud.store(Role::Raw).settings.tagging.as_mut().unwrap().tag_set;
            tags.push(Tag { key: "cost-centre".into(), value: "x".into() });
        }),
        ("a wrong tag, and one of another hand", |cloud| {
            let tags = &mut cloud.store(Role::Raw).settings.tagging.as_mut().unwrap().tag_set;
            tags[0].value = "hand".into();
            tags.push(Tag { key: "cost-centre".into(), value: "x".into() });
        }),
        ("a bucket of the same name without any setting", |cloud| {
            cloud.store(Role::Raw).settings = BucketSettings::default();
        }),
    ];
    let text = text.replace(ACCOUNT, "ACCOUNT") + "\n" + &shown(worlds, of_all);
    insta::assert_snapshot!(text);
}

#[test]
fn what_another_hand_did_to_the_catalogue_is_named_and_undone() {
    fn table(cloud: &mut Cloud) -> &mut Table {
        cloud.tables.get_mut(TABLE).unwrap()
    }
    let text = shown(
        &[
            ("no workgroup", |cloud| cloud.workgroup = None),
            ("another cutoff", |cloud| {
                let configuration = &mut cloud.workgroup.as_mut().unwrap().configuration;
                configuration.bytes_scanned_cutoff_per_query = None;
            }),
            ("another engine and other results", |cloud| {
                let configuration = &mut cloud.workgroup.as_mut().unwrap().configuration;
                configuration.engine_version.selected_engine_version = "AUTO".into();
                configuration.result_configuration.output_location = Some("s3://elsewhere/".into());
                configuration.result_configuration.encryption_configuration = None;
            }),
            ("another tag, and one more", |cloud| {
                let tags = &mut cloud.workgroup.as_mut().unwrap().tags;
                tags[0].value = "hand".into();
                tags.push(Tag { key: "team".into(), value: "x".into() });
            }),
            ("one more tag", |cloud| {
                let tag = Tag { key: "cost-centre".into(), value: "x".into() };
                cloud.workgroup.as_mut().unwrap().tags.insert(0, tag);
            }),
            ("no database", |cloud| {
                cloud.has_database = false;
                cloud.tables.clear();
                cloud.partitions.clear();
            }),
            ("no raw table", |cloud| drop(cloud.tables.remove(RAW_TABLE))),
            ("no curated table", |cloud| {
                cloud.tables.remove(TABLE);
                cloud.partitions.clear();
            }),
            ("a missing column", |cloud| drop(table(cloud).columns.remove(0))),
            ("one column more", |cloud| table(cloud).columns.push(("colour".into(), "string".into()))),
            ("another type", |cloud| table(cloud).columns[12].1 = "bigint".into()),
            ("another order of columns", |cloud| table(cloud).columns.swap(0, 1)),
            ("no partitioning", |cloud| table(cloud).partition_keys.clear()),
            ("another location", |cloud| table(cloud).location = Some("s3://elsewhere/".into())),
            ("another format", |cloud| {
                table(cloud).serde = Some("org.apache.hive.hcatalog.data.JsonSerDe".into());
                table(cloud).input_format = None;
            }),
            ("other options", |cloud| {
                table(cloud).parameters.insert("parquet.compression".into(), "ZSTD".into());
                let raw = cloud.tables.get_mut(RAW_TABLE).unwrap();
                raw.serde_parameters.insert("ignore.malformed.json".into(), "true".into());
            }),
            ("further options", |cloud| {
                table(cloud).parameters.insert("transient_lastDdlTime".into(), "1".into());
            }),
            ("a table of the view's name", |cloud| {
                let table = cloud.tables[TABLE].clone();
                cloud.tables.insert(VIEW.into(), table);
            }),
            ("no view", |cloud| drop(cloud.tables.remove(VIEW))),
            ("a view of another hand", |cloud| {
                cloud.tables.insert(VIEW.into(), stored_view("CREATE OR REPLACE VIEW v AS\nSELECT 1"));
            }),
            ("a view of another hand that kept the mark", |cloud| {
                let stored = cloud.tables.get_mut(VIEW).unwrap();
                stored.view_text = stored_view("CREATE OR REPLACE VIEW v AS\nSELECT 1").view_text;
            }),
            ("a view that was made and not marked", |cloud| {
                cloud.tables.get_mut(VIEW).unwrap().parameters.remove(view::FINGERPRINT).unwrap();
            }),
            ("a view that is stored as it was written", |cloud| {
                let text = definitions().catalog.view.split_once(" AS\n").unwrap().1.replace('\n', " ");
                let stored = Table { view_text: Some(text), ..Table::default() };
                cloud.tables.insert(VIEW.into(), stored);
            }),
            ("a partition was forgotten, one is a stray, one lies elsewhere", |cloud| {
                cloud.partitions.clear();
                cloud.partitions.insert(vec!["XX".into()], "s3://elsewhere/".into());
                cloud.partitions.insert(vec!["FR".into()], "s3://elsewhere/".into());
            }),
            ("a partition's location without its slash", |cloud| {
                for location in cloud.partitions.values_mut() {
                    *location = location.trim_end_matches('/').into();
                }
            }),
        ],
        of_all,
    );
    insta::assert_snapshot!(text);
}

#[test]
fn an_object_is_sent_by_its_content_and_what_is_not_ours_stays() {
    let text = shown(
        &[
            ("an object is gone", |cloud| drop(cloud.store(Role::Curated).objects.remove(&part_of("DE")))),
            ("an object has another size", |cloud| cloud.put(Role::Curated, &part_of("DE"), Object::of(33))),
            ("an object has another checksum", |cloud| cloud.put(Role::Curated, &part_of("DE"), Object::of(9))),
            ("S3 has no CRC-64/NVME of an object", |cloud| {
                cloud.put(Role::Curated, &part_of("DE"), Object { crc64nvme: None, ..Object::of(3) });
            }),
            ("the manifest is another of the same tickets", |cloud| {
                let manifest = cloud.store(Role::Raw).objects.get_mut(MANIFEST_FILE).unwrap();
                manifest.bytes += 1;
                manifest.text.as_mut().unwrap().push(' ');
            }),
            ("strangers among the raw tickets and elsewhere", |cloud| {
                for key in ["notes.txt", "tickets/mine.jsonl", "tickets/deep/mine.jsonl", "tickets-old/a.jsonl"] {
                    cloud.put(Role::Raw, key, Object::foreign(9));
                }
            }),
            ("strangers that Athena doesn't read", |cloud| {
                for key in ["tickets/", "tickets/_hidden", "tickets/.hidden", "_quarantine/mine.jsonl", "a"] {
                    cloud.put(Role::Raw, key, Object::foreign(9));
                }
            }),
            ("strangers among the curated tickets", |cloud| {
                for key in
                    ["tickets/readme.txt", "tickets/market=DE/part-1.parquet", "tickets/market=NO/part-0.parquet"]
                {
                    cloud.put(Role::Curated, key, Object::foreign(9));
                }
            }),
            ("an object of another hand and the wanted content", |cloud| {
                cloud.store(Role::Raw).objects.remove(MANIFEST_FILE);
                for object in cloud.store(Role::Raw).objects.values_mut() {
                    object.is_foreign = true;
                }
            }),
            ("objects of another hand in the way", |cloud| {
                let store = cloud.store(Role::Raw);
                store.objects.clear();
                store.objects.insert("tickets/tickets_0.jsonl".into(), Object::foreign(9));
                let unknown = Object { crc64nvme: None, ..Object::foreign(2) };
                store.objects.insert("tickets/tickets_1.jsonl".into(), unknown);
            }),
            ("refused lines of an earlier run", |cloud| {
                let earlier = Tickets { refused: Some(7), ..tickets() };
                cloud.deploy(&earlier);
            }),
            ("a market vanished, one is new, one has changed", |cloud| {
                let earlier = Tickets::new(&[("tickets_0.jsonl", 1), ("old.jsonl", 7)], &[("DE", 30), ("US", 8)]);
                cloud.deploy(&earlier);
            }),
        ],
        of_all,
    );
    insta::assert_snapshot!(text);
}

#[test]
fn a_bucket_out_of_reach_is_an_obstacle_that_says_what_to_do() {
    fn out_of_reach(cloud: &mut Cloud, role: Role, seen: BucketState) {
        cloud.buckets.remove(&bucket(role));
        cloud.out_of_reach.insert(bucket(role), seen);
    }
    let worlds: &[World] = &[
        ("in another region", |cloud| out_of_reach(cloud, Role::Results, BucketState::OtherRegion("us-east-1".into()))),
        ("in a region that isn't told", |cloud| {
            out_of_reach(cloud, Role::Results, BucketState::OtherRegion("that S3 doesn't name".into()));
        }),
        ("of another account", |cloud| out_of_reach(cloud, Role::Raw, BucketState::Inaccessible)),
        ("renamed", |cloud| {
            let store = cloud.buckets.remove(&bucket(Role::Raw)).unwrap();
            cloud.buckets.insert("bmw-aftersales-raw-renamed".into(), store);
        }),
        ("missing", |cloud| cloud.buckets.clear()),
    ];
    let text = shown(worlds, of_all)
        + "--only data\n\n"
        + &shown(worlds, |cloud| cloud.plan(&tickets(), DATA))
        + "--only catalog\n\n"
        + &shown(worlds, |cloud| cloud.plan(&tickets(), CATALOG));
    insta::assert_snapshot!(text);
}

#[test]
fn a_table_that_is_replaced_gets_all_its_partitions_again() {
    let mut cloud = Cloud::with(&tickets());
    cloud.tables.get_mut(TABLE).unwrap().columns.clear();
    let plan = cloud.plan(&later_tickets(), CATALOG);
    assert!(!plan.steps.iter().any(|step| matches!(step, Step::RemovePartitions(_))), "they went with the table");
    let text = show::text(&plan);
    assert!(text.contains("register DE, FR, GB"), "{text}");
    cloud.run(&ops(&plan, 0));
    assert_eq!(cloud.plan(&later_tickets(), CATALOG), Plan::default());
}

#[test]
fn only_one_part_looks_at_nothing_else() {
    let worlds: &[World] = &[
        ("an empty account", |cloud| *cloud = Cloud::default()),
        ("one thing of each part is not as wanted", |cloud| {
            cloud.store(Role::Raw).settings.tagging = None;
            cloud.store(Role::Raw).objects.remove("tickets/tickets_0.jsonl");
            cloud.workgroup = None;
        }),
    ];
    let mut text = String::new();
    for (name, parts) in [("buckets", BUCKETS), ("data", DATA), ("catalog", CATALOG)] {
        text += &format!("--only {name}\n\n{}", shown(worlds, |cloud| cloud.plan(&tickets(), parts)));
    }
    insta::assert_snapshot!(text);
}

#[test]
fn data_that_decides_nothing_about_partitions_leaves_them_alone() {
    let cloud = Cloud::with(&tickets());
    let desired = Desired { partitions: None, ..Tickets::new(&[("tickets_0.jsonl", 1)], &[]).desired() };
    let actual = cloud.observe(&desired, CATALOG);
    assert_eq!(actual.partitions.len(), 2);
    assert_eq!(deploy::plan::plan(&desired, &actual, CATALOG), Plan::default());
}

#[test]
fn status_says_of_each_thing_where_it_stands() {
    type Case = (&'static str, Scope, fn(&mut Cloud));
    let worlds: &[Case] = &[
        ("an empty account", Scope::ALL, |cloud| *cloud = Cloud::default()),
        ("everything as wanted", Scope::ALL, |_| {}),
        ("some of the data and of the partitions is missing", Scope::ALL, |cloud| {
            cloud.store(Role::Curated).objects.remove(&part_of("DE"));
            cloud.partitions.remove(&vec!["DE".to_owned()]);
        }),
        ("drift", Scope::ALL, |cloud| {
            cloud.store(Role::Raw).settings.tagging = None;
            cloud.put(Role::Raw, "tickets/tickets_0.jsonl", Object::of(9));
            cloud.tables.get_mut(TABLE).unwrap().columns.pop();
            cloud.tables.remove(VIEW);
        }),
        ("a deploy was killed at its last step", DATA, |cloud| {
            cloud.put(
                Role::Raw,
                PENDING_MANIFEST,
                Object { text: Some("{\"note\":\"\",\"keys\":[]}".into()), ..Object::of(1) },
            );
        }),
        ("a bucket out of reach", BUCKETS, |cloud| {
            cloud.buckets.remove(&bucket(Role::Raw));
            cloud.out_of_reach.insert(bucket(Role::Raw), BucketState::Inaccessible);
        }),
        ("a stranger in the way", DATA, |cloud| {
            cloud.store(Role::Raw).objects.clear();
            cloud.put(Role::Raw, "tickets/tickets_0.jsonl", Object::foreign(9));
        }),
        ("only the catalogue", CATALOG, |_| {}),
    ];
    let mut text = String::new();
    for (name, parts, change) in worlds {
        let mut cloud = Cloud::with(&tickets());
        change(&mut cloud);
        let statuses = show::statuses(&tickets().desired(), &cloud.plan(&tickets(), *parts), *parts);
        text += &format!("{name}\n{}\n", show::statuses_text(&statuses));
    }
    let text = text.replace(ACCOUNT, "ACCOUNT");
    insta::assert_snapshot!(text);
}

#[test]
fn destroy_takes_what_is_ours_and_nothing_else() {
    let text = shown(
        &[
            ("an empty account", |cloud| *cloud = Cloud::default()),
            ("everything that a deploy makes", |cloud| {
                cloud.put(Role::Results, "results/a.csv", Object::of(1));
            }),
            ("a deploy was killed halfway", |cloud| {
                let n = n_ops_until_put(cloud, &later_tickets(), 2);
                interrupted(cloud, &later_tickets(), n);
            }),
            ("a destroy was killed halfway", |cloud| {
                let all = ops(&cloud.plan_destroy(), 0);
                let is_first_manifest =
                    |op: &model::Op| matches!(op, model::Op::Delete(_, key) if key == MANIFEST_FILE);
                let n = all.iter().position(is_first_manifest).unwrap();
                cloud.run_destroy(&all[..n]);
            }),
            ("strangers", |cloud| {
                cloud.put(Role::Raw, "tickets/mine.jsonl", Object::foreign(9));
                for n in 0..2000 {
                    cloud.put(Role::Curated, &format!("mine/{n:04}"), Object::foreign(9));
                }
                cloud.put(Role::Results, "results/a.csv", Object::of(1));
                cloud.put(Role::Results, MANIFEST_FILE, Object::foreign(9));
                cloud.put(Role::Results, PENDING_MANIFEST, Object::foreign(9));
                cloud.tables.insert("mine".into(), Table::default());
            }),
            ("nothing is tagged as ours", |cloud| {
                for store in cloud.buckets.values_mut() {
                    store.settings.tagging = None;
                }
                cloud.workgroup.as_mut().unwrap().tags.clear();
            }),
            ("buckets without a manifest", |cloud| {
                for store in cloud.buckets.values_mut() {
                    store.objects.remove(MANIFEST_FILE);
                }
            }),
            ("buckets out of reach", |cloud| {
                cloud.buckets.clear();
                cloud.out_of_reach.insert(bucket(Role::Raw), BucketState::Inaccessible);
                cloud.out_of_reach.insert(bucket(Role::Curated), BucketState::OtherRegion("us-east-1".into()));
            }),
        ],
        Cloud::plan_destroy,
    );
    insta::assert_snapshot!(text);
}

#[test]
fn a_hundred_thousand_objects_are_planned_at_once_and_read_in_a_few_lines() {
    let raw = |content: fn(u64) -> u64| -> Tickets {
        let raw = (0..100_000).map(|n| (format!("tickets_{n:06}.jsonl"), content(n))).collect();
        Tickets { raw, ..tickets() }
    };
    let tickets = raw(|n| n);
    let as_wanted = Cloud::with(&self::tickets());
    let store = |change: &dyn Fn(usize, Object) -> Option<Object>| -> Cloud {
        let mut cloud = as_wanted.clone();
        let objects = tickets
            .raw
            .iter()
            .enumerate()
            .filter_map(|(n, (name, content))| Some((format!("tickets/{name}"), change(n, Object::of(*content))?)));
        let manifest = tickets.desired().data[0].manifest.clone();
        let aws::s3::upload::Content::Text(text) = manifest.content else { unreachable!() };
        let record =
            Object { bytes: manifest.bytes, crc64nvme: Some(manifest.crc64nvme), text: Some(text), is_foreign: false };
        let objects = objects.chain([(MANIFEST_FILE.to_owned(), record)]).collect::<BTreeMap<_, _>>();
        let settings = cloud.store(Role::Raw).settings.clone();
        cloud.buckets.insert(bucket(Role::Raw), Store { settings, objects });
        cloud
    };
    let all_there = store(&|_, object| Some(object));
    assert_eq!(all_there.plan(&tickets, Scope::ALL), Plan::default());

    let mut in_the_way = as_wanted.clone();
    in_the_way.store(Role::Raw).objects =
        tickets.raw.keys().map(|name| (format!("tickets/{name}"), Object::foreign(5_000_000))).collect();
    let text = [
        ("all are new", as_wanted.plan(&tickets, DATA)),
        (
            "every third is there, every third has changed",
            store(&|n, object| match n % 3 {
                0 => Some(object),
                1 => Some(Object { bytes: 1, ..object }),
                _ => None,
            })
            .plan(&tickets, DATA),
        ),
        ("all go", all_there.plan(&self::tickets(), DATA)),
        ("all are in the way", in_the_way.plan(&tickets, DATA)),
        ("all are strangers", in_the_way.plan(&self::tickets(), DATA)),
        ("all are destroyed", all_there.plan_destroy()),
    ]
    .map(|(name, plan)| format!("{name}\n{}\n", show::text(&plan)));
    let text = text.concat().replace(ACCOUNT, "ACCOUNT");
    insta::assert_snapshot!(text);
}

#[test]
fn what_looks_like_a_manifest_and_is_none_of_ours_stops_everything() {
    let read = |manifest: Option<&str>, announcement: Option<&str>| {
        let (manifest, announcement) = (manifest.map(str::as_bytes), announcement.map(str::as_bytes));
        Contents::new("b", Role::Raw, BTreeMap::new(), manifest, announcement)
    };
    for (manifest, announcement, key) in [
        (Some("mine"), None, MANIFEST_FILE),
        (Some("{}"), None, MANIFEST_FILE),
        (Some("[]"), None, MANIFEST_FILE),
        (Some("{\"files\":[1]}"), None, MANIFEST_FILE),
        (None, Some("{\"keys\":{}}"), PENDING_MANIFEST),
    ] {
        let error = read(manifest, announcement).unwrap_err().to_string();
        assert!(error.starts_with(&format!("s3://b/{key} is there, but is not one of ours; move it away")), "{error}");
    }
    let contents = read(Some("{\"format\":9,\"files\":[{\"name\":\"a.jsonl\"}],\"later\":1}"), None).unwrap();
    assert_eq!(
        contents.in_manifest.into_iter().collect::<Vec<_>>(),
        [MANIFEST_FILE, "tickets/a.jsonl"],
        "any version will do"
    );
}

#[test]
fn what_is_wanted_is_what_the_manifests_say() {
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
        let aws::s3::upload::Content::File(path) = &data.manifest.content else { unreachable!() };
        assert_eq!(data.manifest.bytes, std::fs::metadata(path).unwrap().len());
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
