//! Plans of workgroup, database, tables, view and partitions.

use aws::glue::Table;
use aws::s3::bucket_settings::Tag;
use deploy::definitions::desired::Desired;
use deploy::observe::view;
use deploy::plan::{Plan, Step, plan};
use deploy::render;
use ticket_schema::names::{RAW_TABLE, TABLE, VIEW};

use crate::model::{Cloud, Tickets, definitions, ops, stored_view};
use crate::{CATALOG, full_plan, later_tickets, render_plans, tickets};

#[test]
fn catalogue_drift_is_reported_and_repaired() {
    fn table(cloud: &mut Cloud) -> &mut Table {
        cloud.tables.get_mut(TABLE).unwrap()
    }
    let text = render_plans(
        &[
            ("no workgroup", |cloud| cloud.workgroup = None),
            ("no scan limit", |cloud| {
                let configuration = &mut cloud.workgroup.as_mut().unwrap().configuration;
                configuration.bytes_scanned_cutoff_per_query = None;
            }),
            ("other engine and result settings", |cloud| {
                let configuration = &mut cloud.workgroup.as_mut().unwrap().configuration;
                configuration.engine_version.selected_engine_version = "AUTO".into();
                configuration.result_configuration.output_location = Some("s3://elsewhere/".into());
                configuration.result_configuration.encryption_configuration = None;
            }),
            ("drifted tag, and an unmanaged one", |cloud| {
                let tags = &mut cloud.workgroup.as_mut().unwrap().tags;
                tags[0].value = "drifted".into();
                tags.push(Tag { key: "team".into(), value: "x".into() });
            }),
            ("unmanaged tag", |cloud| {
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
            ("missing column", |cloud| drop(table(cloud).columns.remove(0))),
            ("additional column", |cloud| table(cloud).columns.push(("colour".into(), "string".into()))),
            ("other type", |cloud| table(cloud).columns[12].1 = "bigint".into()),
            ("other order of columns", |cloud| table(cloud).columns.swap(0, 1)),
            ("no partitioning", |cloud| table(cloud).partition_keys.clear()),
            ("other location", |cloud| table(cloud).location = Some("s3://elsewhere/".into())),
            ("other format", |cloud| {
                table(cloud).serde = Some("org.apache.hive.hcatalog.data.JsonSerDe".into());
                table(cloud).input_format = None;
            }),
            ("other table and SerDe properties", |cloud| {
                table(cloud).parameters.insert("parquet.compression".into(), "ZSTD".into());
                let raw = cloud.tables.get_mut(RAW_TABLE).unwrap();
                raw.serde_parameters.insert("ignore.malformed.json".into(), "true".into());
            }),
            ("additional table property", |cloud| {
                table(cloud).parameters.insert("transient_lastDdlTime".into(), "1".into());
            }),
            ("table with the name of the view", |cloud| {
                let table = cloud.tables[TABLE].clone();
                cloud.tables.insert(VIEW.into(), table);
            }),
            ("no view", |cloud| drop(cloud.tables.remove(VIEW))),
            ("other view", |cloud| {
                cloud.tables.insert(VIEW.into(), stored_view("CREATE OR REPLACE VIEW v AS\nSELECT 1"));
            }),
            ("other view with the same fingerprint", |cloud| {
                let stored = cloud.tables.get_mut(VIEW).unwrap();
                stored.view_text = stored_view("CREATE OR REPLACE VIEW v AS\nSELECT 1").view_text;
            }),
            ("view without fingerprint", |cloud| {
                cloud.tables.get_mut(VIEW).unwrap().parameters.remove(view::FINGERPRINT).unwrap();
            }),
            ("view stored as plain text", |cloud| {
                let text = definitions().catalog.view.split_once(" AS\n").unwrap().1.replace('\n', " ");
                let stored = Table { view_text: Some(text), ..Table::default() };
                cloud.tables.insert(VIEW.into(), stored);
            }),
            ("missing partition, additional partition, and one at another location", |cloud| {
                cloud.partitions.clear();
                cloud.partitions.insert(vec!["XX".into()], "s3://elsewhere/".into());
                cloud.partitions.insert(vec!["FR".into()], "s3://elsewhere/".into());
            }),
            ("partition locations without a trailing slash", |cloud| {
                for location in cloud.partitions.values_mut() {
                    *location = location.trim_end_matches('/').into();
                }
            }),
        ],
        full_plan,
    );
    insta::assert_snapshot!(text);
}

#[test]
fn replaced_table_gets_all_partitions() {
    let mut cloud = Cloud::deployed(&tickets());
    cloud.tables.get_mut(TABLE).unwrap().columns.clear();
    let plan = cloud.plan(&later_tickets(), CATALOG);
    assert!(
        !plan.steps.iter().any(|step| matches!(step, Step::RemovePartitions(_))),
        "the table is dropped with its partitions"
    );
    let text = render::text(&plan);
    assert!(text.contains("register DE, FR, GB"), "{text}");
    cloud.run(&ops(&plan, 0));
    assert_eq!(cloud.plan(&later_tickets(), CATALOG), Plan::default());
}

#[test]
fn unmanaged_partitions_are_kept() {
    let cloud = Cloud::deployed(&tickets());
    let desired = Desired { partitions: None, ..Tickets::new(&[("tickets_0.jsonl", 1)], &[]).desired() };
    let actual = cloud.observe(&desired, CATALOG);
    assert_eq!(actual.partitions.len(), 2);
    assert_eq!(plan(&desired, &actual, CATALOG), Plan::default());
}
