//! Plans of `destroy`.

use aws::glue::Table;
use aws::s3::bucket_api::BucketState;
use deploy::definitions::Role;
use deploy::observe::PENDING_MANIFEST;
use ticket_schema::names::MANIFEST_FILE;

use crate::model::{Cloud, Object, Op, bucket, ops};
use crate::{interrupt_deploy, later_tickets, n_ops_until_put, render_plans};

#[test]
fn destroy_deletes_managed_resources_only() {
    let text = render_plans(
        &[
            ("empty account", |cloud| *cloud = Cloud::default()),
            ("complete deploy with results", |cloud| {
                cloud.put(Role::Results, "results/a.csv", Object::of(1));
            }),
            ("interrupted deploy", |cloud| {
                let n = n_ops_until_put(cloud, &later_tickets(), 2);
                interrupt_deploy(cloud, &later_tickets(), n);
            }),
            ("interrupted destroy", |cloud| {
                let all = ops(&cloud.plan_destroy(), 0);
                let is_first_manifest = |op: &Op| matches!(op, Op::Delete(_, key) if key == MANIFEST_FILE);
                let n = all.iter().position(is_first_manifest).unwrap();
                cloud.run_destroy(&all[..n]);
            }),
            ("unmanaged objects and table", |cloud| {
                cloud.put(Role::Raw, "tickets/mine.jsonl", Object::unmanaged(9));
                for n in 0..2000 {
                    cloud.put(Role::Curated, &format!("mine/{n:04}"), Object::unmanaged(9));
                }
                cloud.put(Role::Results, "results/a.csv", Object::of(1));
                cloud.put(Role::Results, MANIFEST_FILE, Object::unmanaged(9));
                cloud.put(Role::Results, PENDING_MANIFEST, Object::unmanaged(9));
                cloud.tables.insert("mine".into(), Table::default());
            }),
            ("no tags", |cloud| {
                for bucket in cloud.buckets.values_mut() {
                    bucket.settings.tagging = None;
                }
                cloud.workgroup.as_mut().unwrap().tags.clear();
            }),
            ("no manifests", |cloud| {
                for bucket in cloud.buckets.values_mut() {
                    bucket.objects.remove(MANIFEST_FILE);
                }
            }),
            ("inaccessible buckets", |cloud| {
                cloud.buckets.clear();
                cloud.inaccessible.insert(bucket(Role::Raw), BucketState::Inaccessible);
                cloud.inaccessible.insert(bucket(Role::Curated), BucketState::OtherRegion("us-east-1".into()));
            }),
        ],
        Cloud::plan_destroy,
    );
    insta::assert_snapshot!(text);
}
