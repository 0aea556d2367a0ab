//! Actual state on AWS of the resources in the desired state.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use aws::Session;
use aws::athena::workgroups::Workgroup;
use aws::glue::{Partition, Table};
use aws::quicksight::resource::{ExistingResource, ResourceKind};
use aws::s3::bucket_api::BucketState;
use aws::s3::objects::ObjectState;
use serde::{Deserialize, Serialize};
use ticket_schema::names::{DATABASE, MANIFEST_FILE, TABLE, VIEW};

use crate::definitions::desired::{DataSet, Desired, key_of};
use crate::definitions::scope::Scope;
use crate::definitions::{BucketDefinition, Definitions, Role};

pub(crate) mod differences;
pub(crate) mod quicksight;
pub mod tables;
pub mod view;

/// Key of the pending manifest: an object with the keys that a deploy is about to write, so that they are recognized as
/// managed even if the deploy is interrupted.
pub const PENDING_MANIFEST: &str = "_manifest.pending.json";

/// Actual state.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Actual {
    /// State of each defined bucket, by name.
    pub buckets: BTreeMap<String, BucketState>,
    /// Contents of the buckets that were listed, by bucket name.
    pub contents: BTreeMap<String, Contents>,
    /// Workgroup.
    pub workgroup: Option<Workgroup>,
    /// True if the database exists.
    pub has_database: bool,
    /// Tables and views by name.
    pub tables: BTreeMap<String, Table>,
    /// Partitions of the curated table.
    pub partitions: Vec<Partition>,
    /// QuickSight resources; empty if QuickSight isn't managed.
    pub quicksight: BTreeMap<ResourceKind, ExistingResource>,
}

/// Contents of a bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// Sizes in bytes of all objects, by key.
    pub keys: BTreeMap<String, u64>,
    /// States of the desired objects that have the desired size, by key.
    pub states: BTreeMap<String, ObjectState>,
    /// Keys in the manifest in the bucket, and the key of the manifest.
    pub in_manifest: BTreeSet<String>,
    /// Keys in the pending manifest of an interrupted deploy.
    pub in_pending_manifest: BTreeSet<String>,
}

/// Content of the pending manifest.
#[derive(Debug, Serialize, Deserialize)]
pub struct PendingManifest {
    /// Explanation for readers of the file.
    pub note: String,
    /// Managed keys that are not in the manifest yet; a key that ends in `/` stands for all keys with that prefix.
    pub keys: BTreeSet<String>,
}

/// File names in a manifest of any version.
#[derive(Deserialize)]
struct FileNames {
    files: Vec<FileName>,
    #[serde(default)]
    quarantine: Vec<FileName>,
}

#[derive(Deserialize)]
struct FileName {
    name: String,
}

/// Reads the actual state that a plan of this scope needs.
///
/// # Errors
///
/// Fails if a request fails, or a manifest in a bucket can't be parsed.
pub fn observe(session: &Session, desired: &Desired, scope: Scope) -> Result<Actual> {
    let mut actual = Actual::default();
    for definition in &desired.definitions.buckets {
        let bucket = session.bucket(&definition.name)?;
        actual.buckets.insert(definition.name.clone(), bucket);
    }
    if scope.data {
        for data in &desired.data {
            if matches!(actual.buckets.get(&data.bucket), Some(BucketState::Exists(_))) {
                actual.contents.insert(data.bucket.clone(), contents(session, data)?);
            }
        }
    }
    if scope.catalog {
        observe_catalog(session, &desired.definitions, &mut actual)?;
    }
    if desired.dashboard_owner.is_some() {
        observe_quicksight(session, &desired.definitions, &mut actual)?;
    }
    Ok(actual)
}

/// Reads the actual state that `destroy` needs.
///
/// # Errors
///
/// Fails if a request fails, or a manifest in a bucket can't be parsed.
pub fn observe_for_destroy(session: &Session, definitions: &Definitions, with_quicksight: bool) -> Result<Actual> {
    let mut actual = Actual::default();
    for definition in &definitions.buckets {
        let bucket = session.bucket(&definition.name)?;
        if matches!(bucket, BucketState::Exists(_)) {
            actual.contents.insert(definition.name.clone(), managed_contents(session, definition)?);
        }
        actual.buckets.insert(definition.name.clone(), bucket);
    }
    observe_catalog(session, definitions, &mut actual)?;
    if actual.has_database {
        for name in session.table_names(DATABASE)? {
            actual.tables.entry(name).or_default();
        }
    }
    if with_quicksight {
        observe_quicksight(session, definitions, &mut actual)?;
    }
    Ok(actual)
}

fn observe_quicksight(session: &Session, definitions: &Definitions, actual: &mut Actual) -> Result<()> {
    for resource in &definitions.quicksight {
        if let Some(existing) = session.quicksight_resource(resource.kind, &resource.id)? {
            actual.quicksight.insert(resource.kind, existing);
        }
    }
    Ok(())
}

fn observe_catalog(session: &Session, definitions: &Definitions, actual: &mut Actual) -> Result<()> {
    actual.workgroup = session.workgroup(&definitions.workgroup.name)?;
    actual.has_database = session.has_database(DATABASE)?;
    if !actual.has_database {
        return Ok(());
    }
    for name in definitions.catalog.tables.iter().map(|table| table.name.as_str()).chain([VIEW]) {
        if let Some(table) = session.table(DATABASE, name)? {
            actual.tables.insert(name.to_owned(), table);
        }
    }
    if actual.tables.contains_key(TABLE) {
        actual.partitions = session.partitions(DATABASE, TABLE)?;
    }
    Ok(())
}

/// Reads the contents of a bucket, and the states of objects that may be in sync.
fn contents(session: &Session, data: &DataSet) -> Result<Contents> {
    let mut contents = list_with_manifests(session, &data.bucket, data.role)?;
    let has_desired_size = |key: &str, bytes: u64| contents.keys.get(key) == Some(&bytes);
    let desired = data.objects.values().chain([&data.manifest]);
    let candidates = desired.filter(|object| has_desired_size(&object.key, object.bytes));
    let candidates: Vec<String> = candidates.map(|object| object.key.clone()).collect();
    contents.states = session.object_states(&data.bucket, &candidates)?;
    Ok(contents)
}

/// Reads the contents of a bucket. In the bucket for results, all objects that the workgroup has written are managed.
fn managed_contents(session: &Session, definition: &BucketDefinition) -> Result<Contents> {
    if definition.role != Role::Results {
        return list_with_manifests(session, &definition.name, definition.role);
    }
    let keys = session.list(&definition.name, "")?;
    let in_manifest = keys.keys().filter(|key| key.starts_with("results/")).cloned().collect();
    Ok(Contents { keys, in_manifest, ..Contents::default() })
}

/// Reads the complete listing of a bucket, its manifest and its pending manifest.
pub(crate) fn list_with_manifests(session: &Session, bucket: &str, role: Role) -> Result<Contents> {
    let keys = session.list(bucket, "")?;
    let read = |key: &str| if keys.contains_key(key) { session.read_object(bucket, key) } else { Ok(None) };
    let (manifest, pending_manifest) = (read(MANIFEST_FILE)?, read(PENDING_MANIFEST)?);
    Contents::new(bucket, role, keys, manifest.as_deref(), pending_manifest.as_deref())
}

impl Contents {
    /// Combines the listing of a bucket with the texts of its manifest and pending manifest.
    ///
    /// # Errors
    ///
    /// Fails if one of the texts can't be parsed.
    pub fn new(
        bucket: &str,
        role: Role,
        keys: BTreeMap<String, u64>,
        manifest: Option<&[u8]>,
        pending_manifest: Option<&[u8]>,
    ) -> Result<Self> {
        let mut contents = Self { keys, ..Self::default() };
        if let Some(text) = manifest {
            let names: FileNames =
                serde_json::from_slice(text).with_context(|| unmanaged_manifest(bucket, MANIFEST_FILE))?;
            let keys = names.files.into_iter().chain(names.quarantine).map(|file| key_of(role, &file.name));
            contents.in_manifest = keys.chain([MANIFEST_FILE.to_owned()]).collect();
        }
        if let Some(text) = pending_manifest {
            let pending: PendingManifest =
                serde_json::from_slice(text).with_context(|| unmanaged_manifest(bucket, PENDING_MANIFEST))?;
            let has_prefix = |key: &&String| pending.keys.iter().any(|it| it.ends_with('/') && key.starts_with(it));
            let with_prefix = contents.keys.keys().filter(has_prefix).cloned();
            contents.in_pending_manifest = pending.keys.iter().cloned().chain(with_prefix).collect();
        }
        Ok(contents)
    }
}

fn unmanaged_manifest(bucket: &str, key: &str) -> String {
    format!(
        "s3://{bucket}/{key} exists, but is not a manifest of deploy; move it elsewhere, so that it isn't overwritten"
    )
}
