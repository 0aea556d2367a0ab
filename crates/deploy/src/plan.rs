//! What has to be done so that what is there becomes what is wanted: a pure function of the two. Carrying a plan out decides
//! nothing any more.

use std::collections::BTreeSet;

use aws::athena::Workgroup;
use aws::bucket::{BucketSettings, Setting};
use aws::buckets::Bucket;
use aws::catalog::Partition;
use aws::upload::Upload;
use serde_json::Value;
use ticket_schema::names::{TABLE, TICKETS_DIR, VIEW};

use crate::actual::{ANNOUNCEMENT, Actual, Contents};
use crate::ddl;
use crate::definitions::{BucketDefinition, CatalogDefinition, Role};
use crate::desired::{DataSet, Desired};
use crate::view;

/// Which parts of the whole are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts {
    /// Buckets and their settings.
    pub buckets: bool,
    /// Objects.
    pub data: bool,
    /// Workgroup, database, tables, view and partitions.
    pub catalog: bool,
}

impl Parts {
    /// All of them.
    pub const ALL: Self = Self { buckets: true, data: true, catalog: true };
}

/// What has to be done, in this order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// One thing after another.
    pub steps: Vec<Step>,
    /// What makes it impossible. If there is any, no step is taken.
    pub obstacles: Vec<String>,
    /// What a person should know.
    pub notes: Vec<String>,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Make a bucket.
    CreateBucket {
        /// Its name.
        bucket: String,
    },
    /// Make a setting of a bucket.
    SetBucket {
        /// Its name.
        bucket: String,
        /// Which.
        setting: Setting,
        /// What it is; null if it isn't made, or the bucket is new.
        actual: Value,
        /// What it is to be.
        wanted: Box<BucketSettings>,
    },
    /// Write down which keys are about to be written.
    Announce {
        /// Where.
        bucket: String,
        /// Those and all earlier ones that no manifest names yet.
        keys: BTreeSet<String>,
    },
    /// Send an object.
    Upload {
        /// What, and where to.
        upload: Upload,
        /// Why.
        reason: Reason,
    },
    /// Delete objects of ours.
    DeleteObjects {
        /// Where.
        bucket: String,
        /// Which.
        keys: Vec<String>,
        /// Why.
        reason: &'static str,
    },
    /// Give up unfinished uploads of ours.
    AbortUploads {
        /// Where.
        bucket: String,
    },
    /// Delete an empty bucket.
    DeleteBucket {
        /// Its name.
        bucket: String,
    },
    /// Make the workgroup.
    CreateWorkgroup(Box<Workgroup>),
    /// Bring the workgroup to what is wanted.
    UpdateWorkgroup {
        /// What it is.
        actual: Box<Workgroup>,
        /// What it is to be.
        wanted: Box<Workgroup>,
    },
    /// Delete the workgroup.
    DeleteWorkgroup {
        /// Its name.
        name: String,
    },
    /// Make the database.
    CreateDatabase {
        /// The statement.
        statement: String,
    },
    /// Make a table.
    CreateTable {
        /// Its name.
        name: String,
        /// The statement.
        statement: String,
    },
    /// Drop a table's definition and make it anew.
    ReplaceTable {
        /// Its name.
        name: String,
        /// The statement.
        statement: String,
        /// What is not as wanted.
        differences: Vec<String>,
    },
    /// Make the view, or make it anew.
    CreateView {
        /// Its name.
        name: String,
        /// The statement.
        statement: String,
        /// Whether another one is there.
        replaces: bool,
    },
    /// Register partitions of the curated table.
    AddPartitions(Vec<Partition>),
    /// Unregister partitions of the curated table.
    RemovePartitions(Vec<Partition>),
    /// Delete a table's or view's definition.
    DeleteTable {
        /// Its name.
        name: String,
    },
    /// Delete the database.
    DeleteDatabase {
        /// Its name.
        name: String,
    },
}

/// Why an object is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It isn't there.
    New,
    /// Its size or checksum is not the wanted one.
    Changed,
    /// S3 has no CRC-64/NVME of it, so nobody knows what it is.
    Unknown,
}

/// Makes the plan.
pub fn plan(desired: &Desired, actual: &Actual, parts: Parts) -> Plan {
    let mut plan = Plan::default();
    for definition in &desired.definitions.buckets {
        plan.bucket(definition, actual.buckets.get(&definition.name), parts);
    }
    if parts.data {
        for data in &desired.data {
            let nothing = Contents::default();
            plan.data(data, actual.contents.get(&data.bucket).unwrap_or(&nothing));
        }
    }
    if parts.catalog {
        plan.workgroup(&desired.definitions.workgroup, actual.workgroup.as_ref());
        plan.catalog(&desired.definitions.catalog, actual);
        if let Some(partitions) = &desired.partitions {
            plan.partitions(partitions, &actual.partitions);
        }
    }
    plan
}

impl Plan {
    fn bucket(&mut self, definition: &BucketDefinition, actual: Option<&Bucket>, parts: Parts) {
        let name = &definition.name;
        let nothing = BucketSettings::default();
        let settings = match actual {
            Some(Bucket::There(settings)) => settings,
            None | Some(Bucket::Missing) => {
                let is_needed =
                    parts.data && definition.role != Role::Results || parts.catalog && definition.role == Role::Results;
                if parts.buckets {
                    self.steps.push(Step::CreateBucket { bucket: name.clone() });
                } else if is_needed {
                    self.obstacles.push(format!("there is no bucket {name}; run `deploy --only buckets` first"));
                }
                &nothing
            }
            Some(Bucket::Elsewhere(region)) => {
                self.obstacles.push(format!(
                    "the bucket {name} lies in the region {region}; give that region with --region or AWS_REGION, or empty \
                     and delete the bucket there"
                ));
                return;
            }
            Some(Bucket::Closed) => {
                self.obstacles.push(format!(
                    "the bucket {name} belongs to another account, or these credentials may not see it: check the account \
                     number, and give the user or role the policy that `deploy policy` prints"
                ));
                return;
            }
        };
        if parts.buckets {
            for setting in Setting::ALL {
                let actual = settings.canonical(setting);
                if actual != definition.settings.canonical(setting) {
                    let wanted = Box::new(definition.settings.clone());
                    self.steps.push(Step::SetBucket { bucket: name.clone(), setting, actual, wanted });
                }
            }
        }
    }

    /// New parts first, then the manifest, then what is no longer wanted: a reader always finds every object that the manifest
    /// names.
    fn data(&mut self, data: &DataSet, actual: &Contents) {
        let bucket = &data.bucket;
        let sent: Vec<Step> = data.objects.values().filter_map(|object| upload(object, actual)).collect();
        let is_ours = |key: &String| actual.owned.contains(key) || actual.announced.contains(key);
        let overwritten = |step: &&Step| {
            matches!(step, Step::Upload { upload, .. }
            if actual.keys.contains_key(&upload.key) && !is_ours(&upload.key))
        };
        for step in sent.iter().filter(overwritten) {
            let Step::Upload { upload, .. } = step else { continue };
            self.obstacles.push(format!(
                "s3://{bucket}/{} is there, isn't ours, and is not what would be written; move or delete it",
                upload.key
            ));
        }
        let is_wanted = |key: &String| data.objects.contains_key(key) || *key == data.manifest.key;
        if !sent.is_empty() {
            let new = data.objects.keys().filter(|key| !actual.owned.contains(*key));
            let keys = actual.announced.iter().chain(new).cloned().collect();
            self.steps.push(Step::Announce { bucket: bucket.clone(), keys });
        }
        let is_announced = !sent.is_empty() || actual.keys.contains_key(ANNOUNCEMENT);
        self.steps.extend(sent);
        self.steps.extend(upload(&data.manifest, actual));
        let others = || actual.keys.keys().filter(|key| *key != ANNOUNCEMENT && !is_wanted(key));
        let stale: Vec<String> = others().filter(|key| is_ours(key)).cloned().collect();
        if !stale.is_empty() {
            let reason = "no longer wanted";
            self.steps.push(Step::DeleteObjects { bucket: bucket.clone(), keys: stale, reason });
        }
        if is_announced {
            let keys = vec![ANNOUNCEMENT.to_owned()];
            self.steps.push(Step::DeleteObjects { bucket: bucket.clone(), keys, reason: "the deploy has ended" });
        }
        let foreign: Vec<&str> = others().filter(|key| !is_ours(key)).map(String::as_str).collect();
        self.foreign(bucket, &foreign);
    }

    fn foreign(&mut self, bucket: &str, keys: &[&str]) {
        let Some(first) = keys.first() else { return };
        let hidden = |key: &&str| key.rsplit('/').next().is_some_and(|name| name.starts_with(['_', '.']));
        let in_the_table = keys.iter().find(|key| key.starts_with(TICKETS_DIR) && !hidden(key));
        self.notes.push(match in_the_table {
            Some(key) => format!(
                "not ours in {bucket}, and left alone: {} objects, such as {key}; below {TICKETS_DIR}/ Athena reads them as \
                 tickets",
                keys.len()
            ),
            None => format!("not ours in {bucket}, and left alone: {} objects, such as {first}", keys.len()),
        });
    }

    fn workgroup(&mut self, wanted: &Workgroup, actual: Option<&Workgroup>) {
        match actual {
            None => self.steps.push(Step::CreateWorkgroup(Box::new(wanted.clone()))),
            Some(actual) if actual != wanted => {
                let (actual, wanted) = (Box::new(actual.clone()), Box::new(wanted.clone()));
                self.steps.push(Step::UpdateWorkgroup { actual, wanted });
            }
            Some(_) => {}
        }
    }

    fn catalog(&mut self, wanted: &CatalogDefinition, actual: &Actual) {
        if !actual.has_database {
            self.steps.push(Step::CreateDatabase { statement: wanted.database.clone() });
        }
        for definition in &wanted.tables {
            let (name, statement) = (definition.name.clone(), definition.statement.clone());
            match actual.tables.get(&name).map(|table| ddl::differences(&definition.table, table)) {
                None => self.steps.push(Step::CreateTable { name, statement }),
                Some(differences) if !differences.is_empty() => {
                    self.steps.push(Step::ReplaceTable { name, statement, differences });
                }
                Some(_) => {}
            }
        }
        let stored = actual.tables.get(VIEW);
        if !stored.is_some_and(|stored| view::is_same(&wanted.view, stored)) {
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

/// The whole decision whether to send an object: by size and content, never by time.
fn upload(wanted: &Upload, actual: &Contents) -> Option<Step> {
    let reason = match (actual.keys.get(&wanted.key), actual.states.get(&wanted.key)) {
        (None, _) => Reason::New,
        (Some(bytes), _) if *bytes != wanted.bytes => Reason::Changed,
        (Some(_), None) => Reason::New,
        (Some(_), Some(state)) => match &state.crc64nvme {
            Some(crc64nvme) if *crc64nvme == wanted.crc64nvme => return None,
            Some(_) => Reason::Changed,
            None => Reason::Unknown,
        },
    };
    Some(Step::Upload { upload: wanted.clone(), reason })
}
