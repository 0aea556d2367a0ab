//! A plan as people and programs read it.

use std::collections::BTreeMap;

use aws::athena::Workgroup;
use aws::upload::Upload;
use cli_support::human;
use serde::Serialize;
use serde_json::{Value, json};
use ticket_schema::names::{DATABASE, TABLE};

use crate::desired::Desired;
use crate::plan::{Plan, Reason, Step};

/// How many keys of many are named.
const KEYS_SHOWN: usize = 4;

/// Whether something comes, changes or goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It isn't there yet.
    Create,
    /// It is there, but not as wanted.
    Update,
    /// It goes.
    Delete,
}

impl Action {
    const fn mark(self) -> char {
        match self {
            Self::Create => '+',
            Self::Update => '~',
            Self::Delete => '-',
        }
    }
}

/// Steps of one kind about one thing.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// What becomes of it.
    pub action: Action,
    /// What it is about.
    pub resource: String,
    /// What exactly is done, in words.
    pub what: String,
    /// The same for programs: values before and after, keys, bytes, statements.
    pub detail: Value,
}

/// A thing that is wanted, and whether it is as wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// What it is.
    pub resource: String,
    /// `as wanted`, `missing` or `differs`.
    pub state: &'static str,
    /// How it differs.
    pub differences: Vec<String>,
}

/// The plan's steps, those of one kind about one thing taken together.
pub fn changes(plan: &Plan) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    let mut steps = plan.steps.iter().peekable();
    while let Some(step) = steps.next() {
        let mut group = vec![step];
        while let Some(next) = steps.next_if(|next| belongs_to(step, next)) {
            group.push(next);
        }
        changes.push(change(&group));
    }
    changes
}

/// The plan as a text for people.
pub fn text(plan: &Plan) -> String {
    let changes = changes(plan);
    let mut text: String = changes
        .iter()
        .map(|change| format!("  {} {}: {}\n", change.action.mark(), change.resource, change.what))
        .collect();
    for note in &plan.notes {
        text += &format!("  note: {note}\n");
    }
    for obstacle in &plan.obstacles {
        text += &format!("  impossible: {obstacle}\n");
    }
    let mut counts = BTreeMap::new();
    for change in &changes {
        *counts.entry(change.action.mark()).or_insert(0_u64) += 1;
    }
    let count = |mark: char| counts.get(&mark).copied().unwrap_or(0);
    if !changes.is_empty() {
        text += &format!("{} to create, {} to update, {} to delete.\n", count('+'), count('~'), count('-'));
    }
    text
}

/// Where everything that is wanted stands.
pub fn standings(desired: &Desired, plan: &Plan) -> Vec<Standing> {
    let changes = changes(plan);
    let standing = |resource: String| {
        let about = |change: &&Change| change.resource == resource;
        let differences: Vec<String> = changes.iter().filter(about).map(|change| change.what.clone()).collect();
        let all_create = changes.iter().filter(about).all(|change| change.action == Action::Create);
        let state = match (differences.is_empty(), all_create) {
            (true, _) => "as wanted",
            (false, true) => "missing",
            (false, false) => "differs",
        };
        Standing { state, differences: if all_create { Vec::new() } else { differences }, resource }
    };
    resources(desired).into_iter().map(standing).collect()
}

/// The standings as a text for people.
pub fn standings_text(standings: &[Standing]) -> String {
    let mut text = String::new();
    for standing in standings {
        text += &format!("{:<9}  {}\n", standing.state, standing.resource);
        for difference in &standing.differences {
            text += &format!("{:<9}    {difference}\n", "");
        }
    }
    text
}

fn resources(desired: &Desired) -> Vec<String> {
    let definitions = &desired.definitions;
    let mut resources: Vec<String> =
        definitions.buckets.iter().map(|bucket| format!("bucket {}", bucket.name)).collect();
    resources.extend(desired.data.iter().map(|data| format!("data in {}", data.bucket)));
    resources.push(format!("workgroup {}", definitions.workgroup.name));
    resources.push(format!("database {DATABASE}"));
    resources.extend(definitions.catalog.tables.iter().map(|table| format!("table {DATABASE}.{}", table.name)));
    resources.push(format!("view {DATABASE}.{}", ticket_schema::names::VIEW));
    if desired.partitions.is_some() {
        resources.push(format!("partitions of {DATABASE}.{TABLE}"));
    }
    resources
}

/// Whether `next` is shown on the line of `first`.
fn belongs_to(first: &Step, next: &Step) -> bool {
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
    let (what, detail) = match first {
        Step::CreateBucket { .. } => {
            let settings: Vec<&str> = group[1..].iter().filter_map(|step| step.setting_name()).collect();
            (format!("create, and set {}", settings.join(", ")), json!({ "settings": settings }))
        }
        Step::SetBucket { setting, actual, wanted, .. } => {
            let wanted = wanted.canonical(*setting);
            (
                format!("{} is {}, wanted {wanted}", setting.name(), or_nothing(actual)),
                json!({ "setting": setting.name(), "actual": actual, "wanted": wanted }),
            )
        }
        Step::Announce { keys, .. } => (
            format!("announce the keys that are about to be written ({})", human::count(keys.len() as u64)),
            json!({ "keys": keys }),
        ),
        Step::Upload { reason, .. } => uploads(group, *reason),
        Step::DeleteObjects { keys, reason, .. } => {
            let n = human::counted(keys.len() as u64, "object");
            (format!("{n}, {reason}: {}", some_of(keys)), json!({ "keys": keys, "reason": reason }))
        }
        Step::UpdateWorkgroup { actual, wanted } => {
            let differences = workgroup_differences(actual, wanted);
            (differences.join("; "), json!({ "differences": differences }))
        }
        Step::CreateDatabase { statement } | Step::CreateTable { statement, .. } => {
            ("create".to_owned(), json!({ "statement": statement }))
        }
        Step::ReplaceTable { differences, statement, .. } => {
            let what = format!("drop and create: {}", differences.join("; "));
            (what, json!({ "differences": differences, "statement": statement }))
        }
        Step::CreateView { statement, replaces, .. } => {
            let what = if *replaces { "its text is not the wanted one" } else { "create" };
            (what.to_owned(), json!({ "statement": statement }))
        }
        Step::AddPartitions(partitions) | Step::RemovePartitions(partitions) => {
            let names: Vec<String> = partitions.iter().map(|partition| partition.values.join("/")).collect();
            let verb = if action == Action::Delete { "unregister" } else { "register" };
            (format!("{verb} {}", names.join(", ")), json!({ "partitions": partitions }))
        }
        Step::AbortUploads { .. } => ("give up unfinished uploads".to_owned(), json!({})),
        Step::CreateWorkgroup(wanted) => ("create".to_owned(), json!({ "definition": wanted })),
        Step::DeleteBucket { .. }
        | Step::DeleteWorkgroup { .. }
        | Step::DeleteTable { .. }
        | Step::DeleteDatabase { .. } => ("delete".to_owned(), json!({})),
    };
    Change { action, resource, what, detail }
}

fn uploads(group: &[&Step], reason: Reason) -> (String, Value) {
    let objects: Vec<&Upload> = group.iter().filter_map(|step| step.upload()).collect();
    let keys: Vec<String> = objects.iter().map(|upload| upload.key.clone()).collect();
    let n_bytes: u64 = objects.iter().map(|upload| upload.bytes).sum();
    let (n, bytes) = (human::counted(keys.len() as u64, "object"), human::bytes(n_bytes));
    let adjective = if reason == Reason::New { "new" } else { "changed" };
    let what = format!("upload {n} ({adjective}), {bytes}: {}", some_of(&keys));
    let listed: Vec<Value> = objects
        .iter()
        .map(|upload| json!({ "key": upload.key, "bytes": upload.bytes, "crc64nvme": upload.crc64nvme }))
        .collect();
    (what, json!({ "bytes": n_bytes, "objects": listed }))
}

fn some_of(keys: &[String]) -> String {
    let shown = keys.iter().take(KEYS_SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    if keys.len() > KEYS_SHOWN {
        format!("{shown} and {} more", human::count((keys.len() - KEYS_SHOWN) as u64))
    } else {
        shown
    }
}

fn or_nothing(value: &Value) -> String {
    if value.is_null() { "not set".to_owned() } else { value.to_string() }
}

/// Setting by setting.
fn workgroup_differences(actual: &Workgroup, wanted: &Workgroup) -> Vec<String> {
    let flat = |workgroup: &Workgroup| {
        let mut flat = BTreeMap::new();
        flatten("", &serde_json::to_value(workgroup).unwrap_or_default(), &mut flat);
        flat
    };
    let (actual, wanted) = (flat(actual), flat(wanted));
    let names = actual.keys().chain(wanted.keys().filter(|name| !actual.contains_key(*name)));
    let shown = |value: Option<&String>| value.map_or_else(|| "not set".to_owned(), Clone::clone);
    names
        .filter(|name| actual.get(*name) != wanted.get(*name))
        .map(|name| format!("{name} is {}, wanted {}", shown(actual.get(name)), shown(wanted.get(name))))
        .collect()
}

fn flatten(name: &str, value: &Value, flat: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(map) => {
            for (inner, value) in map {
                let name = if name.is_empty() { inner.clone() } else { format!("{name}.{inner}") };
                flatten(&name, value, flat);
            }
        }
        other => drop(flat.insert(name.to_owned(), other.to_string())),
    }
}

impl Step {
    /// Whether something comes, changes or goes.
    pub const fn action(&self) -> Action {
        match self {
            Self::CreateBucket { .. }
            | Self::Announce { .. }
            | Self::Upload { reason: Reason::New, .. }
            | Self::CreateWorkgroup(_)
            | Self::CreateDatabase { .. }
            | Self::CreateTable { .. }
            | Self::CreateView { replaces: false, .. }
            | Self::AddPartitions(_) => Action::Create,
            Self::SetBucket { .. }
            | Self::Upload { .. }
            | Self::UpdateWorkgroup { .. }
            | Self::ReplaceTable { .. }
            | Self::CreateView { .. } => Action::Update,
            Self::DeleteObjects { .. }
            | Self::AbortUploads { .. }
            | Self::DeleteBucket { .. }
            | Self::DeleteWorkgroup { .. }
            | Self::RemovePartitions(_)
            | Self::DeleteTable { .. }
            | Self::DeleteDatabase { .. } => Action::Delete,
        }
    }

    /// What it is about.
    pub fn resource(&self) -> String {
        match self {
            Self::CreateBucket { bucket } | Self::SetBucket { bucket, .. } | Self::DeleteBucket { bucket } => {
                format!("bucket {bucket}")
            }
            Self::Announce { bucket, .. } | Self::DeleteObjects { bucket, .. } | Self::AbortUploads { bucket } => {
                format!("data in {bucket}")
            }
            Self::Upload { upload, .. } => format!("data in {}", upload.bucket),
            Self::CreateWorkgroup(wanted) | Self::UpdateWorkgroup { wanted, .. } => {
                format!("workgroup {}", wanted.name)
            }
            Self::DeleteWorkgroup { name } => format!("workgroup {name}"),
            Self::CreateDatabase { .. } | Self::DeleteDatabase { .. } => format!("database {DATABASE}"),
            Self::CreateTable { name, .. } | Self::ReplaceTable { name, .. } => format!("table {DATABASE}.{name}"),
            Self::CreateView { name, .. } => format!("view {DATABASE}.{name}"),
            Self::DeleteTable { name } if name == ticket_schema::names::VIEW => format!("view {DATABASE}.{name}"),
            Self::DeleteTable { name } => format!("table {DATABASE}.{name}"),
            Self::AddPartitions(_) | Self::RemovePartitions(_) => format!("partitions of {DATABASE}.{TABLE}"),
        }
    }

    /// What is said when it is done.
    pub fn done(&self) -> String {
        let verb = match self {
            Self::SetBucket { .. } => "set",
            Self::AddPartitions(_) => "registered",
            Self::RemovePartitions(_) => "unregistered",
            Self::AbortUploads { .. } => "gave up unfinished uploads:",
            Self::DeleteObjects { keys, .. } => {
                return format!("deleted {} from {}", human::counted(keys.len() as u64, "object"), self.resource());
            }
            _ => match self.action() {
                Action::Create => "created",
                Action::Update => "updated",
                Action::Delete => "deleted",
            },
        };
        format!("{verb} {}", self.resource())
    }

    fn setting_name(&self) -> Option<&'static str> {
        if let Self::SetBucket { setting, .. } = self { Some(setting.name()) } else { None }
    }

    fn upload(&self) -> Option<&Upload> {
        if let Self::Upload { upload, .. } = self { Some(upload) } else { None }
    }
}
