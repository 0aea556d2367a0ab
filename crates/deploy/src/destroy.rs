//! The plan that takes everything down again: what we made, and nothing else.

use aws::bucket::{BucketSettings, Setting};
use aws::buckets::Bucket;
use ticket_schema::names::{DATABASE, MANIFEST_FILE};

use crate::actual::{ANNOUNCEMENT, Actual, Contents};
use crate::definitions::{BucketDefinition, Definitions};
use crate::plan::{Plan, Step};

const REASON: &str = "destroy";

/// Makes the plan: first what reads the data, then the data, then what held it.
pub fn plan_destroy(definitions: &Definitions, actual: &Actual) -> Plan {
    let mut plan = Plan::default();
    catalog(&mut plan, definitions, actual);
    if actual.workgroup.is_some() {
        plan.steps.push(Step::DeleteWorkgroup { name: definitions.workgroup.name.clone() });
    }
    for definition in &definitions.buckets {
        if let Some(Bucket::There(settings)) = actual.buckets.get(&definition.name) {
            let nothing = Contents::default();
            let contents = actual.contents.get(&definition.name).unwrap_or(&nothing);
            bucket(&mut plan, definition, settings, contents);
        }
    }
    plan
}

fn catalog(plan: &mut Plan, definitions: &Definitions, actual: &Actual) {
    if !actual.has_database {
        return;
    }
    let is_ours = |name: &str| {
        name == ticket_schema::names::VIEW || definitions.catalog.tables.iter().any(|table| table.name == name)
    };
    let (ours, foreign): (Vec<&String>, Vec<&String>) = actual.tables.keys().partition(|name| is_ours(name));
    // The view asks the table: it goes first, and it has the later name.
    plan.steps.extend(ours.iter().rev().map(|name| Step::DeleteTable { name: (*name).clone() }));
    if foreign.is_empty() {
        plan.steps.push(Step::DeleteDatabase { name: DATABASE.to_owned() });
    } else {
        let names: Vec<&str> = foreign.into_iter().map(String::as_str).collect();
        plan.notes.push(format!("the database {DATABASE} stays: these tables are not ours: {}", names.join(", ")));
    }
}

/// Data first, then the manifest, then the leftovers: whatever interrupts it, the next plan still knows what is ours.
fn bucket(plan: &mut Plan, definition: &BucketDefinition, settings: &BucketSettings, contents: &Contents) {
    let name = &definition.name;
    let there = |key: &&String| contents.keys.contains_key(*key);
    let is_data = |key: &&String| *key != MANIFEST_FILE && *key != ANNOUNCEMENT;
    let data: Vec<String> = contents.owned.union(&contents.announced).filter(there).filter(is_data).cloned().collect();
    let last: Vec<String> = [MANIFEST_FILE, ANNOUNCEMENT]
        .into_iter()
        .filter(|key| contents.keys.contains_key(*key))
        .map(str::to_owned)
        .collect();
    let n_ours = data.len() + last.len();
    for keys in [data, last] {
        if !keys.is_empty() {
            plan.steps.push(Step::DeleteObjects { bucket: name.clone(), keys, reason: REASON });
        }
    }
    let n_foreign = contents.keys.len() - n_ours;
    if n_foreign > 0 {
        plan.notes.push(format!("the bucket {name} stays: {n_foreign} objects in it are not ours"));
    } else if settings.canonical(Setting::Tagging)["managed-by"] != "aftersales-deploy" {
        plan.notes.push(format!(
            "the bucket {name} stays: it has no tag managed-by=aftersales-deploy, so it may not be ours"
        ));
    } else {
        plan.steps.push(Step::AbortUploads { bucket: name.clone() });
        plan.steps.push(Step::DeleteBucket { bucket: name.clone() });
    }
}
