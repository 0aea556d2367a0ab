//! Rendering of plans and resource statuses as text and JSON.

use std::collections::{BTreeMap, BTreeSet};

use aws::athena::workgroups::Workgroup;
use aws::s3::bucket_settings::Setting;
use aws::s3::upload::Upload;
use cli_support::human;
use serde::Serialize;
use serde_json::{Value, json};
use ticket_schema::names::{DATABASE, TABLE};

use crate::definitions::desired::Desired;
use crate::definitions::quicksight;
use crate::definitions::scope::Scope;
use crate::observe::differences;
use crate::plan::abbreviation::{abbreviate, abbreviate_keys};
use crate::plan::{Action, Blocker, Plan, Reason, Step};

/// Maximum number of partitions in a list.
const MAX_PARTITIONS: usize = 12;

/// Consecutive steps of one kind that concern one resource.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// Action.
    pub action: Action,
    /// Name of the resource.
    pub resource: String,
    /// Description as text.
    pub description: String,
    /// Details as JSON: actual and desired values, keys, bytes, statements.
    pub detail: Value,
}

/// Status of a defined resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ResourceStatus {
    /// Name of the resource.
    pub resource: String,
    /// One of `in sync`, `missing`, `drifted` and `blocked`; the blockers of the plan give the reason.
    pub state: &'static str,
    /// Differences from the definition.
    pub differences: Vec<String>,
}

/// Groups the steps of a plan by action and resource.
pub fn changes(plan: &Plan) -> Vec<Change> {
    group_steps(plan.steps.iter())
}

/// Groups the steps without bookkeeping, except for resources with bookkeeping only.
fn visible_changes(plan: &Plan) -> Vec<Change> {
    let is_bookkeeping = |step: &&Step| step.is_bookkeeping();
    let changed: BTreeSet<String> =
        plan.steps.iter().filter(|step| !is_bookkeeping(step)).map(Step::resource).collect();
    group_steps(plan.steps.iter().filter(|step| !is_bookkeeping(step) || !changed.contains(&step.resource())))
}

fn group_steps<'a>(steps: impl Iterator<Item = &'a Step>) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    let mut steps = steps.peekable();
    while let Some(step) = steps.next() {
        let mut group = vec![step];
        while let Some(next) = steps.next_if(|next| are_grouped(step, next)) {
            group.push(next);
        }
        changes.push(change(&group));
    }
    changes
}

/// Renders the plan as text.
pub fn text(plan: &Plan) -> String {
    let changes = visible_changes(plan);
    let mut text = String::new();
    for change in &changes {
        text += &format!("  {} {}: {}\n", change.action.symbol(), change.resource, change.description);
    }
    for note in &plan.notes {
        text += &format!("  note: {note}\n");
    }
    for blocker in &plan.blockers {
        text += &format!("  blocked: {}\n", blocker.text);
    }
    let mut counts = BTreeMap::new();
    for change in &changes {
        *counts.entry(change.action.symbol()).or_insert(0_u64) += 1;
    }
    let count = |symbol: char| counts.get(&symbol).copied().unwrap_or(0);
    if !changes.is_empty() {
        text += &format!("{} to create, {} to update, {} to delete.\n", count('+'), count('~'), count('-'));
    }
    text
}

/// Returns the status of every defined resource in scope.
pub fn statuses(desired: &Desired, plan: &Plan, scope: Scope) -> Vec<ResourceStatus> {
    let changes = visible_changes(plan);
    // A blocker of a bucket also blocks its data.
    let blocks = |blocker: &Blocker, resource: &str| {
        let in_bucket = resource.strip_prefix("data in ");
        blocker.resource == resource || in_bucket.is_some() && blocker.resource.strip_prefix("bucket ") == in_bucket
    };
    let status = |resource: String| {
        let pending: Vec<&Change> = changes.iter().filter(|change| change.resource == resource).collect();
        let state = if plan.blockers.iter().any(|blocker| blocks(blocker, &resource)) {
            "blocked"
        } else if pending.is_empty() {
            "in sync"
        } else if pending.iter().all(|change| change.action == Action::Create) {
            "missing"
        } else {
            "drifted"
        };
        // Creation needs a description only for data and partitions, which may be missing in part.
        let can_be_partial = resource.starts_with("data ") || resource.starts_with("partitions ");
        let differences = pending.into_iter().filter(|change| can_be_partial || change.action != Action::Create);
        ResourceStatus { state, differences: differences.map(|change| change.description.clone()).collect(), resource }
    };
    resources(desired, scope).into_iter().map(status).collect()
}

/// Renders the statuses as text.
pub fn statuses_text(statuses: &[ResourceStatus]) -> String {
    let mut text = String::new();
    for status in statuses {
        text += &format!("{:<9}  {}\n", status.state, status.resource);
        for difference in &status.differences {
            text += &format!("{:<9}    {difference}\n", "");
        }
    }
    text
}

fn resources(desired: &Desired, scope: Scope) -> Vec<String> {
    let definitions = &desired.definitions;
    let mut resources = Vec::new();
    if scope.buckets {
        resources.extend(definitions.buckets.iter().map(|bucket| format!("bucket {}", bucket.name)));
    }
    if scope.data {
        resources.extend(desired.data.iter().map(|data| format!("data in {}", data.bucket)));
    }
    if scope.catalog {
        resources.push(format!("workgroup {}", definitions.workgroup.name));
        resources.push(format!("database {DATABASE}"));
        resources.extend(definitions.catalog.tables.iter().map(|table| format!("table {DATABASE}.{}", table.name)));
        resources.push(format!("view {DATABASE}.{}", ticket_schema::names::VIEW));
        if desired.partitions.is_some() {
            resources.push(format!("partitions of {DATABASE}.{TABLE}"));
        }
    }
    if desired.dashboard_owner.is_some() {
        resources.extend(
            definitions.quicksight.iter().map(|resource| quicksight::resource_name(resource.kind, &resource.id)),
        );
    }
    resources
}

/// Returns true if `next` is rendered on the line of `first`.
fn are_grouped(first: &Step, next: &Step) -> bool {
    match (first, next) {
        (Step::CreateBucket { bucket }, Step::SetBucket { bucket: other, .. }) => bucket == other,
        (Step::Upload { upload, reason }, Step::Upload { upload: other, reason: other_reason }) => {
            upload.bucket == other.bucket && (*reason == Reason::New) == (*other_reason == Reason::New)
        }
        _ => false,
    }
}

fn change(group: &[&Step]) -> Change {
    let first = group[0];
    let (action, resource) = (first.action(), first.resource());
    let (description, detail) = match first {
        Step::CreateBucket { .. } => {
            let settings: Vec<&str> = group[1..].iter().filter_map(|step| step.setting_name()).collect();
            (format!("create, and set {}", settings.join(", ")), json!({ "settings": settings }))
        }
        Step::SetBucket { setting, actual, desired, .. } => {
            let desired = desired.canonical(*setting);
            let is = if *setting == Setting::Tagging { "are" } else { "is" };
            (
                format!("{} {is} {}, desired {desired}", setting.name(), or_not_set(actual)),
                json!({ "setting": setting.name(), "actual": actual, "desired": desired }),
            )
        }
        Step::WritePendingManifest { keys, .. } => (
            format!("write the pending manifest ({})", human::counted(keys.len() as u64, "key")),
            json!({ "keys": keys }),
        ),
        Step::Upload { reason, .. } => uploads(group, *reason),
        Step::DeleteObjects { keys, reason, .. } => {
            let n = human::counted(keys.len() as u64, "object");
            (format!("delete {n} ({reason}): {}", abbreviate_keys(keys)), json!({ "keys": keys, "reason": reason }))
        }
        Step::UpdateWorkgroup { actual, desired } => {
            let differences = workgroup_differences(actual, desired);
            (differences.join("; "), json!({ "differences": differences }))
        }
        Step::CreateDatabase { statement } | Step::CreateTable { statement, .. } => {
            ("create".to_owned(), json!({ "statement": statement }))
        }
        Step::ReplaceTable { differences, statement, .. } => {
            let description = format!("drop and create: {}", differences.join("; "));
            (description, json!({ "differences": differences, "statement": statement }))
        }
        Step::CreateView { statement, replaces, .. } => {
            let description = if *replaces { "its definition differs" } else { "create" };
            (description.to_owned(), json!({ "statement": statement }))
        }
        Step::AddPartitions(partitions) | Step::RemovePartitions(partitions) => {
            let names: Vec<String> = partitions.iter().map(|partition| partition.values.join("/")).collect();
            let verb = if action == Action::Delete { "unregister" } else { "register" };
            (format!("{verb} {}", abbreviate(&names, MAX_PARTITIONS)), json!({ "partitions": partitions }))
        }
        Step::QuickSight(step) => step.describe(),
        Step::AbortUploads { .. } => ("abort incomplete uploads".to_owned(), json!({})),
        Step::CreateWorkgroup(desired) => ("create".to_owned(), json!({ "definition": desired })),
        Step::DeleteBucket { .. }
        | Step::DeleteWorkgroup { .. }
        | Step::DeleteTable { .. }
        | Step::DeleteDatabase { .. } => ("delete".to_owned(), json!({})),
    };
    Change { action, resource, description, detail }
}

fn uploads(group: &[&Step], reason: Reason) -> (String, Value) {
    let objects: Vec<&Upload> = group.iter().filter_map(|step| step.upload()).collect();
    let keys: Vec<String> = objects.iter().map(|upload| upload.key.clone()).collect();
    let n_bytes: u64 = objects.iter().map(|upload| upload.bytes).sum();
    let (n, bytes) = (human::counted(keys.len() as u64, "object"), human::bytes(n_bytes));
    let adjective = if reason == Reason::New { "new" } else { "changed" };
    let description = format!("upload {n} ({adjective}), {bytes}: {}", abbreviate_keys(&keys));
    let objects: Vec<Value> = objects
        .iter()
        .map(|upload| json!({ "key": upload.key, "bytes": upload.bytes, "crc64nvme": upload.crc64nvme }))
        .collect();
    (description, json!({ "bytes": n_bytes, "objects": objects }))
}

fn or_not_set(value: &Value) -> String {
    if value.is_null() { "not set".to_owned() } else { value.to_string() }
}

/// Compares two workgroups setting by setting, tags by key.
fn workgroup_differences(actual: &Workgroup, desired: &Workgroup) -> Vec<String> {
    let value = |workgroup: &Workgroup| {
        let mut value = serde_json::to_value(workgroup).unwrap_or_default();
        value["Tags"] = workgroup.tags.iter().map(|tag| (tag.key.clone(), Value::from(tag.value.as_str()))).collect();
        value
    };
    differences::compare_all(&value(actual), &value(desired))
}
