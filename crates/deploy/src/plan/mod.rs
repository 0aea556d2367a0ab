//! The plan that leads from the actual to the desired state: a pure function of both. Execution makes no further decisions.

use std::collections::BTreeSet;

use aws::athena::Workgroup;
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

pub mod destroy;
pub(crate) mod quicksight;
pub(crate) mod shortened;
pub mod step;

pub use step::{Action, Blocker, Plan, Reason, Step};

use shortened::some_of;
use step::DEPLOY_COMPLETED;

/// Computes the plan.
pub fn plan(desired: &Desired, actual: &Actual, scope: Scope) -> Plan {
    let mut plan = Plan::default();
    for definition in &desired.definitions.buckets {
        plan.bucket(definition, actual.buckets.get(&definition.name), scope);
    }
    if scope.data {
        for data in &desired.data {
            let is_out_of_reach = matches!(
                actual.buckets.get(&data.bucket),
                Some(BucketState::OtherRegion(_) | BucketState::Inaccessible)
            );
            if !is_out_of_reach {
                let nothing = Contents::default();
                plan.data(data, actual.contents.get(&data.bucket).unwrap_or(&nothing));
            }
        }
    }
    if scope.catalog {
        plan.workgroup(&desired.definitions.workgroup, actual.workgroup.as_ref());
        plan.catalog(&desired.definitions.catalog, actual);
        if let Some(partitions) = &desired.partitions {
            plan.partitions(partitions, &actual.partitions);
        }
    }
    if let Some(owner) = &desired.dashboard_owner {
        let steps = quicksight::steps(&desired.definitions.assets, &actual.assets, owner);
        plan.steps.extend(steps.into_iter().map(Step::QuickSight));
    }
    plan
}

impl Plan {
    fn block(&mut self, resource: String, text: String) {
        self.blockers.push(Blocker { resource, text });
    }

    fn bucket(&mut self, definition: &BucketDefinition, actual: Option<&BucketState>, scope: Scope) {
        let name = &definition.name;
        let resource = format!("bucket {name}");
        let nothing = BucketSettings::default();
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
                &nothing
            }
            Some(BucketState::OtherRegion(region)) => {
                let text = format!(
                    "the bucket {name} lies in the region {region}; give that region with --region or AWS_REGION, or empty \
                     and delete the bucket there"
                );
                self.block(resource, text);
                return;
            }
            Some(BucketState::Inaccessible) => {
                let text = format!(
                    "the bucket {name} belongs to another account, or these credentials may not see it: check the account \
                     number, and give the user or role the policy that `deploy policy` prints"
                );
                self.block(resource, text);
                return;
            }
        };
        if scope.buckets {
            let wanted = definition.settings.keeping_other_tags(settings);
            for setting in Setting::ALL {
                let actual = settings.canonical(setting);
                if actual != wanted.canonical(setting) {
                    let wanted = Box::new(wanted.clone());
                    self.steps.push(Step::SetBucket { bucket: name.clone(), setting, actual, wanted });
                }
            }
        }
    }

    /// Plans uploads in the order new objects, changed objects, manifest, deletions: every object that the manifest lists exists at
    /// any time. The pending manifest is written first, so that all keys are recognized as managed wherever the deploy is interrupted.
    fn data(&mut self, data: &DataSet, actual: &Contents) {
        let bucket = &data.bucket;
        let is_ours = |key: &String| actual.owned.contains(key) || actual.announced.contains(key);
        let is_wanted = |key: &String| data.objects.contains_key(key) || *key == data.manifest.key;
        let mut sent: Vec<(Upload, Reason)> = data
            .objects
            .values()
            .filter_map(|object| Some((object.clone(), reason_to_send(object, actual)?)))
            .collect();
        sent.sort_by_key(|(_, reason)| *reason != Reason::New);
        let manifest = reason_to_send(&data.manifest, actual).map(|reason| (data.manifest.clone(), reason));
        let others = || actual.keys.keys().filter(|key| *key != PENDING_MANIFEST && !is_wanted(key));
        let stale: Vec<String> = others().filter(|key| is_ours(key)).cloned().collect();

        let keys = sent.iter().map(|(upload, _)| &upload.key);
        let overwritten = keys.filter(|key| actual.keys.contains_key(*key) && !is_ours(key));
        let overwritten: Vec<&str> = overwritten.map(String::as_str).collect();
        if !overwritten.is_empty() {
            let n = human::counted(overwritten.len() as u64, "object");
            let text = format!(
                "{n} in {bucket} would be overwritten though not ours: {}; move away or delete what is there",
                some_of(&overwritten)
            );
            self.block(format!("data in {bucket}"), text);
        }

        // An unmanaged object with the desired content becomes managed with the manifest, not before.
        let new = sent.iter().map(|(upload, _)| &upload.key).filter(|key| !actual.owned.contains(*key));
        let keys: BTreeSet<String> = actual.announced.iter().chain(new).chain(&stale).cloned().collect();
        let is_announced = (!sent.is_empty() || manifest.is_some()) && keys != actual.announced;
        if is_announced {
            self.steps.push(Step::WritePendingManifest { bucket: bucket.clone(), keys });
        }
        let uploads = sent.into_iter().chain(manifest);
        self.steps.extend(uploads.map(|(upload, reason)| Step::Upload { upload, reason }));
        if !stale.is_empty() {
            let reason = "no longer wanted";
            self.steps.push(Step::DeleteObjects { bucket: bucket.clone(), keys: stale, reason });
        }
        if is_announced || actual.keys.contains_key(PENDING_MANIFEST) {
            let keys = vec![PENDING_MANIFEST.to_owned()];
            self.steps.push(Step::DeleteObjects { bucket: bucket.clone(), keys, reason: DEPLOY_COMPLETED });
        }
        let foreign: Vec<&str> = others().filter(|key| !is_ours(key)).map(String::as_str).collect();
        self.foreign(data, &foreign);
    }

    fn foreign(&mut self, data: &DataSet, keys: &[&str]) {
        if keys.is_empty() {
            return;
        }
        let n = human::counted(keys.len() as u64, "object");
        let mut note = format!("not ours in {}, and left alone: {n} ({})", data.bucket, some_of(keys));
        let directories = ticket_directories(data);
        let read: Vec<&str> = keys.iter().copied().filter(|key| is_read_as_tickets(key, &directories)).collect();
        if read.len() == keys.len() {
            note += "; Athena reads them as tickets";
        } else if !read.is_empty() {
            note += &format!("; Athena reads as tickets: {}", some_of(&read));
        }
        self.notes.push(note);
    }

    /// Plans the workgroup. Unmanaged tags are ignored.
    fn workgroup(&mut self, wanted: &Workgroup, actual: Option<&Workgroup>) {
        let Some(actual) = actual else {
            self.steps.push(Step::CreateWorkgroup(Box::new(wanted.clone())));
            return;
        };
        let mut actual = actual.clone();
        actual.tags.retain(|tag| wanted.tags.iter().any(|wanted| wanted.key == tag.key));
        if actual != *wanted {
            self.steps.push(Step::UpdateWorkgroup { actual: Box::new(actual), wanted: Box::new(wanted.clone()) });
        }
    }

    fn catalog(&mut self, wanted: &CatalogDefinition, actual: &Actual) {
        if !actual.has_database {
            self.steps.push(Step::CreateDatabase { statement: wanted.database.clone() });
        }
        for definition in &wanted.tables {
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
        if !stored.is_some_and(|stored| view::is_same(&wanted.view, stored)) {
            if stored.is_some_and(|stored| !view::is_replaceable(stored)) {
                self.steps.push(Step::DeleteTable { name: VIEW.to_owned() });
            }
            let (name, statement) = (VIEW.to_owned(), wanted.view.clone());
            self.steps.push(Step::CreateView { name, statement, replaces: stored.is_some() });
        }
    }

    fn partitions(&mut self, wanted: &[Partition], actual: &[Partition]) {
        // Dropping a table's definition drops its partitions.
        let is_new = |step: &Step| matches!(step, Step::ReplaceTable { name, .. } if name == TABLE);
        let actual = if self.steps.iter().any(is_new) { &[] } else { actual };
        let missing_in = |there: &[Partition], partition: &Partition| {
            let place = |location: &str| location.trim_end_matches('/').to_owned();
            !there
                .iter()
                .any(|other| other.values == partition.values && place(&other.location) == place(&partition.location))
        };
        let stale: Vec<_> = actual.iter().filter(|partition| missing_in(wanted, partition)).cloned().collect();
        let new: Vec<_> = wanted.iter().filter(|partition| missing_in(actual, partition)).cloned().collect();
        if !stale.is_empty() {
            self.steps.push(Step::RemovePartitions(stale));
        }
        if !new.is_empty() {
            self.steps.push(Step::AddPartitions(new));
        }
    }
}

/// Returns the prefixes that Athena reads: those of the raw table and of the partitions of the curated table.
fn ticket_directories(data: &DataSet) -> BTreeSet<&str> {
    let directories = data.objects.keys().filter_map(|key| key.rsplit_once('/')).map(|(directory, _)| directory);
    let below = directories.filter(|directory| directory.split('/').next() == Some(TICKETS_DIR));
    below.chain((data.role == Role::Raw).then_some(TICKETS_DIR)).collect()
}

/// Returns true if Athena reads the object as tickets: it is below one of the prefixes, not hidden, and no directory marker.
fn is_read_as_tickets(key: &str, directories: &BTreeSet<&str>) -> bool {
    let mut above = key.rsplit_once('/');
    if above.is_none_or(|(_, name)| name.is_empty() || name.starts_with(['_', '.'])) {
        return false;
    }
    while let Some((directory, _)) = above {
        if directories.contains(directory) {
            return true;
        }
        above = directory.rsplit_once('/');
    }
    false
}

/// Decides if an object is uploaded, by size and checksum; timestamps are never compared.
fn reason_to_send(wanted: &Upload, actual: &Contents) -> Option<Reason> {
    match (actual.keys.get(&wanted.key), actual.states.get(&wanted.key)) {
        (Some(bytes), _) if *bytes != wanted.bytes => Some(Reason::Changed),
        // It was missing, or was deleted after the listing.
        (None, _) | (Some(_), None) => Some(Reason::New),
        (Some(_), Some(state)) => match &state.crc64nvme {
            Some(crc64nvme) if *crc64nvme == wanted.crc64nvme => None,
            Some(_) => Some(Reason::Changed),
            None => Some(Reason::Unknown),
        },
    }
}
