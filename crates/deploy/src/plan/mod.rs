//! Plan of the steps from the actual to the desired state: a pure function of both. Its execution makes no further
//! decisions.

use std::collections::BTreeSet;

use aws::athena::workgroups::Workgroup;
use aws::glue::Partition;
use aws::s3::bucket_api::BucketState;
use aws::s3::bucket_settings::{BucketSettings, Setting};
use aws::s3::upload::Upload;
use cli_support::human;
use ticket_schema::names::{TABLE, TICKETS_DIR, VIEW};

use crate::definitions::desired::{DataSet, Desired};
use crate::definitions::scope::Scope;
use crate::definitions::{BucketDefinition, CatalogDefinition, Role};
use crate::observe::{Actual, Contents, PENDING_MANIFEST, tables, view};

pub(crate) mod abbreviation;
pub mod destroy;
pub(crate) mod quicksight;
pub mod step;

pub use step::{Action, Blocker, Plan, Reason, Step};

use abbreviation::abbreviate_keys;
use step::DEPLOY_COMPLETED;

/// Computes the plan for the parts in scope.
pub fn plan(desired: &Desired, actual: &Actual, scope: Scope) -> Plan {
    let mut plan = Plan::default();
    for definition in &desired.definitions.buckets {
        plan.plan_bucket(definition, actual.buckets.get(&definition.name), scope);
    }
    if scope.data {
        for data in &desired.data {
            let is_inaccessible = matches!(
                actual.buckets.get(&data.bucket),
                Some(BucketState::OtherRegion(_) | BucketState::Inaccessible)
            );
            if !is_inaccessible {
                let empty = Contents::default();
                plan.plan_data(data, actual.contents.get(&data.bucket).unwrap_or(&empty));
            }
        }
    }
    if scope.catalog {
        plan.plan_workgroup(&desired.definitions.workgroup, actual.workgroup.as_ref());
        plan.plan_catalog(&desired.definitions.catalog, actual);
        if let Some(partitions) = &desired.partitions {
            plan.plan_partitions(partitions, &actual.partitions);
        }
    }
    if let Some(owner) = &desired.dashboard_owner {
        let steps = quicksight::steps(&desired.definitions.quicksight, &actual.quicksight, owner);
        plan.steps.extend(steps.into_iter().map(Step::QuickSight));
    }
    plan
}

impl Plan {
    fn block(&mut self, resource: String, text: String) {
        self.blockers.push(Blocker { resource, text });
    }

    fn plan_bucket(&mut self, definition: &BucketDefinition, actual: Option<&BucketState>, scope: Scope) {
        let name = &definition.name;
        let resource = format!("bucket {name}");
        let unset = BucketSettings::default();
        let settings = match actual {
            Some(BucketState::Exists(settings)) => settings,
            None | Some(BucketState::Missing) => {
                let is_needed =
                    scope.data && definition.role != Role::Results || scope.catalog && definition.role == Role::Results;
                if scope.buckets {
                    self.steps.push(Step::CreateBucket { bucket: name.clone() });
                } else if is_needed {
                    let text = format!("there is no bucket {name}; run `deploy --only buckets` first");
                    self.block(resource, text);
                }
                &unset
            }
            Some(BucketState::OtherRegion(region)) => {
                let text = format!(
                    "the bucket {name} is in the region {region}; set that region with --region or AWS_REGION, or empty and \
                     delete the bucket there"
                );
                self.block(resource, text);
                return;
            }
            Some(BucketState::Inaccessible) => {
                let text = format!(
                    "the bucket {name} belongs to another account, or the credentials don't allow access: check the account \
                     number, and attach the policy that `deploy policy` prints to the user or role"
                );
                self.block(resource, text);
                return;
            }
        };
        if scope.buckets {
            let desired = definition.settings.with_unmanaged_tags_of(settings);
            for setting in Setting::ALL {
                let actual = settings.canonical(setting);
                if actual != desired.canonical(setting) {
                    let desired = Box::new(desired.clone());
                    self.steps.push(Step::SetBucket { bucket: name.clone(), setting, actual, desired });
                }
            }
        }
    }

    /// Plans uploads in the order new objects, changed objects, manifest, deletions, so that every object in the manifest
    /// exists at any time. The pending manifest is written first, so that all keys are recognized as managed wherever the
    /// deploy is interrupted.
    fn plan_data(&mut self, data: &DataSet, actual: &Contents) {
        let bucket = &data.bucket;
        let is_managed = |key: &String| actual.in_manifest.contains(key) || actual.in_pending_manifest.contains(key);
        let is_desired = |key: &String| data.objects.contains_key(key) || *key == data.manifest.key;
        let mut uploads: Vec<(Upload, Reason)> =
            data.objects.values().filter_map(|object| Some((object.clone(), upload_reason(object, actual)?))).collect();
        uploads.sort_by_key(|(_, reason)| *reason != Reason::New);
        let manifest = upload_reason(&data.manifest, actual).map(|reason| (data.manifest.clone(), reason));
        let others = || actual.keys.keys().filter(|key| *key != PENDING_MANIFEST && !is_desired(key));
        let stale: Vec<String> = others().filter(|key| is_managed(key)).cloned().collect();

        let keys = uploads.iter().map(|(upload, _)| &upload.key);
        let overwritten = keys.filter(|key| actual.keys.contains_key(*key) && !is_managed(key));
        let overwritten: Vec<&str> = overwritten.map(String::as_str).collect();
        if !overwritten.is_empty() {
            let n = human::counted(overwritten.len() as u64, "unmanaged object");
            let text =
                format!("{n} in {bucket} would be overwritten: {}; move or delete them", abbreviate_keys(&overwritten));
            self.block(format!("data in {bucket}"), text);
        }

        // An unmanaged object with the desired content becomes managed when the manifest is written, not before.
        let new = uploads.iter().map(|(upload, _)| &upload.key).filter(|key| !actual.in_manifest.contains(*key));
        let keys: BTreeSet<String> = actual.in_pending_manifest.iter().chain(new).chain(&stale).cloned().collect();
        let is_pending_manifest_needed =
            (!uploads.is_empty() || manifest.is_some()) && keys != actual.in_pending_manifest;
        if is_pending_manifest_needed {
            self.steps.push(Step::WritePendingManifest { bucket: bucket.clone(), keys });
        }
        let uploads = uploads.into_iter().chain(manifest);
        self.steps.extend(uploads.map(|(upload, reason)| Step::Upload { upload, reason }));
        if !stale.is_empty() {
            self.steps.push(Step::DeleteObjects { bucket: bucket.clone(), keys: stale, reason: "stale" });
        }
        if is_pending_manifest_needed || actual.keys.contains_key(PENDING_MANIFEST) {
            let keys = vec![PENDING_MANIFEST.to_owned()];
            self.steps.push(Step::DeleteObjects { bucket: bucket.clone(), keys, reason: DEPLOY_COMPLETED });
        }
        let unmanaged: Vec<&str> = others().filter(|key| !is_managed(key)).map(String::as_str).collect();
        self.note_unmanaged(data, &unmanaged);
    }

    fn note_unmanaged(&mut self, data: &DataSet, keys: &[&str]) {
        if keys.is_empty() {
            return;
        }
        let n = human::counted(keys.len() as u64, "unmanaged object");
        let mut note = format!("ignoring {n} in {} ({})", data.bucket, abbreviate_keys(keys));
        let directories = ticket_directories(data);
        let read: Vec<&str> = keys.iter().copied().filter(|key| is_read_as_tickets(key, &directories)).collect();
        if read.len() == keys.len() {
            note += "; Athena reads them as tickets";
        } else if !read.is_empty() {
            note += &format!("; Athena reads as tickets: {}", abbreviate_keys(&read));
        }
        self.notes.push(note);
    }

    /// Plans the workgroup. Unmanaged tags are ignored.
    fn plan_workgroup(&mut self, desired: &Workgroup, actual: Option<&Workgroup>) {
        let Some(actual) = actual else {
            self.steps.push(Step::CreateWorkgroup(Box::new(desired.clone())));
            return;
        };
        let mut actual = actual.clone();
        actual.tags.retain(|tag| desired.tags.iter().any(|desired| desired.key == tag.key));
        if actual != *desired {
            self.steps.push(Step::UpdateWorkgroup { actual: Box::new(actual), desired: Box::new(desired.clone()) });
        }
    }

    fn plan_catalog(&mut self, desired: &CatalogDefinition, actual: &Actual) {
        if !actual.has_database {
            self.steps.push(Step::CreateDatabase { statement: desired.database.clone() });
        }
        for definition in &desired.tables {
            let (name, statement) = (definition.name.clone(), definition.statement.clone());
            match actual.tables.get(&name).map(|table| tables::differences(&definition.table, table)) {
                None => self.steps.push(Step::CreateTable { name, statement }),
                Some(differences) if !differences.is_empty() => {
                    self.steps.push(Step::ReplaceTable { name, statement, differences });
                }
                Some(_) => {}
            }
        }
        let stored = actual.tables.get(VIEW);
        if !stored.is_some_and(|stored| view::is_in_sync(&desired.view, stored)) {
            if stored.is_some_and(|stored| !view::is_replaceable(stored)) {
                self.steps.push(Step::DeleteTable { name: VIEW.to_owned() });
            }
            let (name, statement) = (VIEW.to_owned(), desired.view.clone());
            self.steps.push(Step::CreateView { name, statement, replaces: stored.is_some() });
        }
    }

    fn plan_partitions(&mut self, desired: &[Partition], actual: &[Partition]) {
        // A table that is dropped loses its partitions.
        let drops_table = |step: &Step| matches!(step, Step::ReplaceTable { name, .. } if name == TABLE);
        let actual = if self.steps.iter().any(drops_table) { &[] } else { actual };
        let missing_in = |partitions: &[Partition], partition: &Partition| {
            let normalized = |location: &str| location.trim_end_matches('/').to_owned();
            !partitions.iter().any(|other| {
                other.values == partition.values && normalized(&other.location) == normalized(&partition.location)
            })
        };
        let stale: Vec<_> = actual.iter().filter(|partition| missing_in(desired, partition)).cloned().collect();
        let new: Vec<_> = desired.iter().filter(|partition| missing_in(actual, partition)).cloned().collect();
        if !stale.is_empty() {
            self.steps.push(Step::RemovePartitions(stale));
        }
        if !new.is_empty() {
            self.steps.push(Step::AddPartitions(new));
        }
    }
}

/// Returns the directories that Athena reads: that of the raw table, or those of the partitions of the curated table.
fn ticket_directories(data: &DataSet) -> BTreeSet<&str> {
    let directories = data.objects.keys().filter_map(|key| key.rsplit_once('/')).map(|(directory, _)| directory);
    let partitions = directories.filter(|directory| directory.split('/').next() == Some(TICKETS_DIR));
    partitions.chain((data.role == Role::Raw).then_some(TICKETS_DIR)).collect()
}

/// Returns true if Athena reads the object as tickets: it is in one of the directories, not hidden, and not a directory
/// marker.
fn is_read_as_tickets(key: &str, directories: &BTreeSet<&str>) -> bool {
    let mut parent = key.rsplit_once('/');
    if parent.is_none_or(|(_, name)| name.is_empty() || name.starts_with(['_', '.'])) {
        return false;
    }
    while let Some((directory, _)) = parent {
        if directories.contains(directory) {
            return true;
        }
        parent = directory.rsplit_once('/');
    }
    false
}

/// Returns the reason to upload an object, if any, by size and checksum; timestamps are never compared.
fn upload_reason(desired: &Upload, actual: &Contents) -> Option<Reason> {
    match (actual.keys.get(&desired.key), actual.states.get(&desired.key)) {
        (Some(bytes), _) if *bytes != desired.bytes => Some(Reason::Changed),
        // Missing, or deleted after the listing.
        (None, _) | (Some(_), None) => Some(Reason::New),
        (Some(_), Some(state)) => match &state.crc64nvme {
            Some(crc64nvme) if *crc64nvme == desired.crc64nvme => None,
            Some(_) => Some(Reason::Changed),
            None => Some(Reason::Unknown),
        },
    }
}
