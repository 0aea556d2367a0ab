//! Plan that deletes all managed resources and keeps unmanaged ones.

use aws::s3::bucket_api::BucketState;
use aws::s3::bucket_settings::{BucketSettings, Setting};
use cli_support::human;
use ticket_schema::names::{DATABASE, MANIFEST_FILE};

use super::abbreviation::abbreviate_keys;
use super::quicksight;
use super::{Plan, Step};
use crate::definitions::{BucketDefinition, CURATION_TABLES, Definitions, Role};
use crate::observe::{Actual, Contents, PENDING_MANIFEST};

const REASON: &str = "managed by deploy";
/// Tag of managed buckets and workgroups.
const MANAGED_BY: (&str, &str) = ("managed-by", "aftersales-deploy");

/// Computes the plan: consumers of the data, the data, buckets.
pub fn plan_destroy(definitions: &Definitions, actual: &Actual) -> Plan {
    let mut plan = Plan::default();
    plan.steps
        .extend(quicksight::deletions(&definitions.quicksight, &actual.quicksight).into_iter().map(Step::QuickSight));
    catalog(&mut plan, definitions, actual);
    if let Some(workgroup) = &actual.workgroup {
        let name = definitions.workgroup.name.clone();
        if workgroup.tags.iter().any(|tag| (tag.key.as_str(), tag.value.as_str()) == MANAGED_BY) {
            plan.steps.push(Step::DeleteWorkgroup { name });
        } else {
            plan.notes.push(missing_tag(&format!("workgroup {name}")));
        }
    }
    for definition in &definitions.buckets {
        let name = &definition.name;
        match actual.buckets.get(name) {
            Some(BucketState::Exists(settings)) => {
                let empty = Contents::default();
                let contents = actual.contents.get(name).unwrap_or(&empty);
                bucket(&mut plan, definition, settings, contents);
            }
            Some(BucketState::OtherRegion(region)) => plan.notes.push(format!(
                "the bucket {name} is kept: it is in the region {region}; set that region to destroy it"
            )),
            Some(BucketState::Inaccessible) => plan.notes.push(format!(
                "the bucket {name} is kept: it belongs to another account, or the credentials don't allow access"
            )),
            Some(BucketState::Missing) | None => {}
        }
    }
    plan
}

fn catalog(plan: &mut Plan, definitions: &Definitions, actual: &Actual) {
    if !actual.has_database {
        return;
    }
    let is_managed = |name: &str| {
        name == ticket_schema::names::VIEW
            || CURATION_TABLES.contains(&name)
            || definitions.catalog.tables.iter().any(|table| table.name == name)
    };
    let (managed, unmanaged): (Vec<&String>, Vec<&String>) = actual.tables.keys().partition(|name| is_managed(name));
    // The view depends on the table and must be deleted first; the reverse order of names guarantees that.
    plan.steps.extend(managed.iter().rev().map(|name| Step::DeleteTable { name: (*name).clone() }));
    if unmanaged.is_empty() {
        plan.steps.push(Step::DeleteDatabase { name: DATABASE.to_owned() });
    } else {
        let names: Vec<&str> = unmanaged.into_iter().map(String::as_str).collect();
        plan.notes.push(format!("the database {DATABASE} is kept: it has unmanaged tables: {}", names.join(", ")));
    }
}

/// Plans the deletion of a bucket. The manifests are deleted after the data, so that the next plan recognizes managed keys
/// even after an interrupt.
fn bucket(plan: &mut Plan, definition: &BucketDefinition, settings: &BucketSettings, contents: &Contents) {
    let name = &definition.name;
    let is_managed = |key: &String| contents.in_manifest.contains(key) || contents.in_pending_manifest.contains(key);
    let is_manifest_key = |key: &String| key == MANIFEST_FILE || key == PENDING_MANIFEST;
    let is_data = |key: &&String| is_managed(key) && !is_manifest_key(key);
    // Athena writes no manifests to its results: an object with such a key is unmanaged there.
    let is_manifest = |key: &&String| is_manifest_key(key) && definition.role != Role::Results;
    let data: Vec<String> = contents.keys.keys().filter(is_data).cloned().collect();
    let manifests: Vec<String> = contents.keys.keys().filter(is_manifest).cloned().collect();
    let unmanaged = contents.keys.keys().filter(|key| !is_data(key) && !is_manifest(key));
    let unmanaged: Vec<&str> = unmanaged.map(String::as_str).collect();
    for keys in [data, manifests] {
        if !keys.is_empty() {
            plan.steps.push(Step::DeleteObjects { bucket: name.clone(), keys, reason: REASON });
        }
    }
    if !unmanaged.is_empty() {
        let n = human::counted(unmanaged.len() as u64, "unmanaged object");
        plan.notes.push(format!("the bucket {name} is kept: it contains {n} ({})", abbreviate_keys(&unmanaged)));
    } else if settings.canonical(Setting::Tagging)[MANAGED_BY.0] != MANAGED_BY.1 {
        plan.notes.push(missing_tag(&format!("bucket {name}")));
    } else {
        plan.steps.push(Step::AbortUploads { bucket: name.clone() });
        plan.steps.push(Step::DeleteBucket { bucket: name.clone() });
    }
}

fn missing_tag(resource: &str) -> String {
    let (tag, value) = MANAGED_BY;
    format!("the {resource} is kept: it has no tag {tag}={value}, so it is treated as unmanaged")
}
