//! Plans of buckets and their settings.

use aws::s3::bucket_api::BucketState;
use aws::s3::bucket_settings::{BucketSettings, Setting, Tag};
use deploy::definitions::Role;
use deploy::plan::Step;
use deploy::render;

use crate::model::{ACCOUNT, Cloud, bucket, set};
use crate::{CATALOG, Case, DATA, full_plan, render_plans, tickets};

#[test]
fn bucket_settings_are_compared_separately() {
    let mut text = String::new();
    for setting in Setting::ALL {
        let mut cloud = Cloud::deployed(&tickets());
        set(&mut cloud.bucket(Role::Raw).settings, setting, &BucketSettings::default());
        text += &render::text(&full_plan(&cloud));
        let plan = full_plan(&cloud);
        assert!(matches!(&plan.steps[..], [Step::SetBucket { setting: only, .. }] if *only == setting), "{plan:?}");
    }
    let cases: &[Case] = &[
        ("other encryption", |cloud| {
            let settings = &mut cloud.bucket(Role::Curated).settings;
            let encryption = settings.server_side_encryption_configuration.as_mut().unwrap();
            encryption.rules[0].apply_server_side_encryption_by_default.algorithm = "aws:kms".into();
        }),
        ("incomplete public access block", |cloud| {
            let settings = &mut cloud.bucket(Role::Results).settings;
            settings.public_access_block_configuration.as_mut().unwrap().block_public_policy = false;
        }),
        ("additional lifecycle rule", |cloud| {
            let lifecycle = &mut cloud.bucket(Role::Curated).settings.lifecycle_configuration;
            let mut rule = lifecycle.as_ref().unwrap().rules[0].clone();
            rule.id = "glacier".into();
            rule.has_other_actions = true;
            lifecycle.as_mut().unwrap().rules.push(rule);
        }),
        ("other order of rules and tags", |cloud| {
            let settings = &mut cloud.bucket(Role::Raw).settings;
            settings.lifecycle_configuration.as_mut().unwrap().rules.reverse();
            settings.tagging.as_mut().unwrap().tag_set.reverse();
        }),
        ("unmanaged tag", |cloud| {
            let tags = &mut cloud.bucket(Role::Raw).settings.tagging.as_mut().unwrap().tag_set;
            tags.push(Tag { key: "cost-centre".into(), value: "x".into() });
        }),
        ("drifted tag, and an unmanaged one", |cloud| {
            let tags = &mut cloud.bucket(Role::Raw).settings.tagging.as_mut().unwrap().tag_set;
            tags[0].value = "drifted".into();
            tags.push(Tag { key: "cost-centre".into(), value: "x".into() });
        }),
        ("no settings", |cloud| {
            cloud.bucket(Role::Raw).settings = BucketSettings::default();
        }),
    ];
    let text = text.replace(ACCOUNT, "ACCOUNT") + "\n" + &render_plans(cases, full_plan);
    insta::assert_snapshot!(text);
}

#[test]
fn inaccessible_buckets_block_the_plan() {
    fn replace(cloud: &mut Cloud, role: Role, state: BucketState) {
        cloud.buckets.remove(&bucket(role));
        cloud.inaccessible.insert(bucket(role), state);
    }
    let cases: &[Case] = &[
        ("in another region", |cloud| replace(cloud, Role::Results, BucketState::OtherRegion("us-east-1".into()))),
        ("in an unknown region", |cloud| {
            replace(cloud, Role::Results, BucketState::OtherRegion("unknown (not reported by S3)".into()));
        }),
        ("of another account", |cloud| replace(cloud, Role::Raw, BucketState::Inaccessible)),
        ("renamed", |cloud| {
            let renamed = cloud.buckets.remove(&bucket(Role::Raw)).unwrap();
            cloud.buckets.insert("bmw-aftersales-raw-renamed".into(), renamed);
        }),
        ("missing", |cloud| cloud.buckets.clear()),
    ];
    let text = render_plans(cases, full_plan)
        + "--only data\n\n"
        + &render_plans(cases, |cloud| cloud.plan(&tickets(), DATA))
        + "--only catalog\n\n"
        + &render_plans(cases, |cloud| cloud.plan(&tickets(), CATALOG));
    insta::assert_snapshot!(text);
}
