//! The plan that deletes all managed resources, and nothing else.

use aws::s3::bucket_api::BucketState;
use aws::s3::bucket_settings::{BucketSettings, Setting};
use cli_support::human;
use ticket_schema::names::{DATABASE, MANIFEST_FILE};

use super::quicksight;
use super::shortened::some_of;
use super::{Plan, Step};
use crate::definitions::{BucketDefinition, CURATION_TABLES, Definitions, Role};
use crate::observe::{Actual, Contents, PENDING_MANIFEST};

const REASON: &str = "ours";
/// Tag that identifies managed resources.
const MADE_BY: (&str, &str) = ("managed-by", "aftersales-deploy");

/// Computes the plan: consumers of the data first, then the data, then its buckets.
pub fn plan_destroy(definitions: &Definitions, actual: &Actual) -> Plan {
    let mut plan = Plan::default();
    plan.steps.extend(quicksight::deletions(&definitions.assets, &actual.assets).into_iter().map(Step::QuickSight));
    catalog(&mut plan, definitions, actual);
    if let Some(workgroup) = &actual.workgroup {
        let name = definitions.workgroup.name.clone();
        if workgroup.tags.iter().any(|tag| (tag.key.as_str(), tag.value.as_str()) == MADE_BY) {
            plan.steps.push(Step::DeleteWorkgroup { name });
        } else {
            plan.notes.push(stays(&format!("workgroup {name}")));
        }
    }
    for definition in &definitions.buckets {
        let name = &definition.name;
        match actual.buckets.get(name) {
            Some(BucketState::Exists(settings)) => {
                let nothing = Contents::default();
                let contents = actual.contents.get(name).unwrap_or(&nothing);
                bucket(&mut plan, definition, settings, contents);
            }
            Some(BucketState::OtherRegion(region)) => plan.notes.push(format!(
                "the bucket {name} stays: it lies in the region {region}; give that region to destroy it"
            )),
            Some(BucketState::Inaccessible) => plan.notes.push(format!(
                "the bucket {name} stays: it belongs to another account, or these credentials may not see it"
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
    let is_ours = |name: &str| {
        name == ticket_schema::names::VIEW
            || CURATION_TABLES.contains(&name)
            || definitions.catalog.tables.iter().any(|table| table.name == name)
    };
    let (ours, foreign): (Vec<&String>, Vec<&String>) = actual.tables.keys().partition(|name| is_ours(name));
    // The view depends on the table and must be deleted first; reverse order of names guarantees that.
    plan.steps.extend(ours.iter().rev().map(|name| Step::DeleteTable { name: (*name).clone() }));
    if foreign.is_empty() {
        plan.steps.push(Step::DeleteDatabase { name: DATABASE.to_owned() });
    } else {
        let names: Vec<&str> = foreign.into_iter().map(String::as_str).collect();
        plan.notes.push(format!("the database {DATABASE} stays: these tables are not ours: {}", names.join(", ")));
    }
}

/// Plans the removal of a bucket: data first, then manifest and pending manifest, so that the next plan still recognizes managed
/// keys after an interrupt.
fn bucket(plan: &mut Plan, definition: &BucketDefinition, settings: &BucketSettings, contents: &Contents) {
    let name = &definition.name;
    let is_named = |key: &String| contents.owned.contains(key) || contents.announced.contains(key);
    let is_record = |key: &String| key == MANIFEST_FILE || key == PENDING_MANIFEST;
    let is_data = |key: &&String| is_named(key) && !is_record(key);
    // Athena writes no manifests among its results: an object of that name there is unmanaged.
    let is_last = |key: &&String| is_record(key) && definition.role != Role::Results;
    let data: Vec<String> = contents.keys.keys().filter(is_data).cloned().collect();
    let last: Vec<String> = contents.keys.keys().filter(is_last).cloned().collect();
    let foreign = contents.keys.keys().filter(|key| !is_data(key) && !is_last(key));
    let foreign: Vec<&str> = foreign.map(String::as_str).collect();
    for keys in [data, last] {
        if !keys.is_empty() {
            plan.steps.push(Step::DeleteObjects { bucket: name.clone(), keys, reason: REASON });
        }
    }
    if !foreign.is_empty() {
        let n = human::counted(foreign.len() as u64, "object");
        plan.notes.push(format!("the bucket {name} stays: it holds {n} not ours ({})", some_of(&foreign)));
    } else if settings.canonical(Setting::Tagging)[MADE_BY.0] != MADE_BY.1 {
        plan.notes.push(stays(&format!("bucket {name}")));
    } else {
        plan.steps.push(Step::AbortUploads { bucket: name.clone() });
        plan.steps.push(Step::DeleteBucket { bucket: name.clone() });
    }
}

fn stays(what: &str) -> String {
    let (tag, value) = MADE_BY;
    format!("the {what} stays: it has no tag {tag}={value}, so it may not be ours")
}
