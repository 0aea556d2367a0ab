//! Actual state on AWS, as far as it is relevant to the desired state.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use aws::Session;
use aws::athena::Workgroup;
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

/// Key of the pending manifest: an object that lists the keys a deploy is about to write, so that they are recognized as managed
/// even if that deploy is interrupted.
pub const PENDING_MANIFEST: &str = "_manifest.pending.json";

/// The actual state.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Actual {
    /// State of each defined bucket, by name.
    pub buckets: BTreeMap<String, BucketState>,
    /// Contents of the buckets that were listed, by bucket name.
    pub contents: BTreeMap<String, Contents>,
    /// The workgroup.
    pub workgroup: Option<Workgroup>,
    /// True if the database exists.
    pub has_database: bool,
    /// Tables and views by name.
    pub tables: BTreeMap<String, Table>,
    /// The partitions of the curated table.
    pub partitions: Vec<Partition>,
    /// Resources on QuickSight; empty if QuickSight isn't managed.
    pub assets: BTreeMap<ResourceKind, ExistingResource>,
}

/// Contents of a bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// Size in bytes by key, for every object.
    pub keys: BTreeMap<String, u64>,
    /// Checksums of the desired objects that have the expected size.
    pub states: BTreeMap<String, ObjectState>,
    /// Keys listed in the manifest in the bucket.
    pub owned: BTreeSet<String>,
    /// Keys listed in the pending manifest of an interrupted deploy.
    pub announced: BTreeSet<String>,
}

/// Content of the pending manifest.
#[derive(Debug, Serialize, Deserialize)]
pub struct PendingManifest {
    /// Explanation for readers of the file.
    pub note: String,
    /// Managed keys that no manifest lists yet; a key that ends in `/` stands for all keys with that prefix.
    pub keys: BTreeSet<String>,
}

/// The file names of a manifest of any version.
#[derive(Deserialize)]
struct Owner {
    files: Vec<OwnedFile>,
    #[serde(default)]
    quarantine: Vec<OwnedFile>,
}

#[derive(Deserialize)]
struct OwnedFile {
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

/// Reads the actual state that a destroy needs, that of QuickSight only on request.
///
/// # Errors
///
/// Fails if a request fails, or a manifest in a bucket can't be parsed.
pub fn observe_all(session: &Session, definitions: &Definitions, with_quicksight: bool) -> Result<Actual> {
    let mut actual = Actual::default();
    for definition in &definitions.buckets {
        let bucket = session.bucket(&definition.name)?;
        if matches!(bucket, BucketState::Exists(_)) {
            actual.contents.insert(definition.name.clone(), owned_contents(session, definition)?);
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
    for asset in &definitions.assets {
        if let Some(found) = session.quicksight_resource(asset.kind, &asset.id)? {
            actual.assets.insert(asset.kind, found);
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

fn contents(session: &Session, data: &DataSet) -> Result<Contents> {
    let mut contents = ownership(session, &data.bucket, data.role)?;
    let is_candidate = |key: &str, bytes: u64| contents.keys.get(key) == Some(&bytes);
    let wanted = data.objects.values().chain([&data.manifest]);
    let candidates: Vec<String> =
        wanted.filter(|object| is_candidate(&object.key, object.bytes)).map(|object| object.key.clone()).collect();
    contents.states = session.object_states(&data.bucket, &candidates)?;
    Ok(contents)
}

/// Lists a bucket and its managed keys. In the bucket for results, all objects written by the workgroup are managed.
fn owned_contents(session: &Session, definition: &BucketDefinition) -> Result<Contents> {
    if definition.role != Role::Results {
        return ownership(session, &definition.name, definition.role);
    }
    let keys = session.list(&definition.name, "")?;
    let owned = keys.keys().filter(|key| key.starts_with("results/")).cloned().collect();
    Ok(Contents { keys, owned, ..Contents::default() })
}

/// Reads the complete listing of a bucket, and the managed keys according to its manifests.
pub(crate) fn ownership(session: &Session, bucket: &str, role: Role) -> Result<Contents> {
    let keys = session.list(bucket, "")?;
    let read = |key: &str| if keys.contains_key(key) { session.read_object(bucket, key) } else { Ok(None) };
    let (manifest, announcement) = (read(MANIFEST_FILE)?, read(PENDING_MANIFEST)?);
    Contents::new(bucket, role, keys, manifest.as_deref(), announcement.as_deref())
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
        announcement: Option<&[u8]>,
    ) -> Result<Self> {
        let mut contents = Self { keys, ..Self::default() };
        if let Some(text) = manifest {
            let owner: Owner = serde_json::from_slice(text).with_context(|| not_ours(bucket, MANIFEST_FILE))?;
            let files = owner.files.into_iter().chain(owner.quarantine);
            contents.owned = files.map(|file| key_of(role, &file.name)).chain([MANIFEST_FILE.to_owned()]).collect();
        }
        if let Some(text) = announcement {
            let announcement: PendingManifest =
                serde_json::from_slice(text).with_context(|| not_ours(bucket, PENDING_MANIFEST))?;
            let is_below = |key: &&String| announcement.keys.iter().any(|it| it.ends_with('/') && key.starts_with(it));
            let below = contents.keys.keys().filter(is_below).cloned();
            contents.announced = announcement.keys.iter().cloned().chain(below).collect();
        }
        Ok(contents)
    }
}

fn not_ours(bucket: &str, key: &str) -> String {
    format!(
        "s3://{bucket}/{key} is there, but is not one of ours; move it away, so that nothing of yours is overwritten"
    )
}
