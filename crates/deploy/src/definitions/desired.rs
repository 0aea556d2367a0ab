//! Desired state: the definitions, and the data sets described by their manifests.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use aws::glue::Partition;
use aws::s3::upload::{Content, Upload};
use manifest::{CuratedManifest, FileEntry, Manifest, RawManifest};
use publish::Checksum;
use ticket_schema::names::{MANIFEST_FILE, TICKETS_DIR, partition_dir};

use super::{Definitions, Role, bucket_name};

/// Desired state.
#[derive(Clone, Debug, PartialEq)]
pub struct Desired {
    /// Buckets, workgroup and catalogue.
    pub definitions: Definitions,
    /// Data sets in upload order.
    pub data: Vec<DataSet>,
    /// Partitions of the curated table; `None` if they are not managed, because there is no curated data set.
    pub partitions: Option<Vec<Partition>>,
    /// ARN of the owner of the QuickSight dashboard; `None` if QuickSight isn't managed.
    pub dashboard_owner: Option<String>,
}

/// Data set and its bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataSet {
    /// Raw or curated.
    pub role: Role,
    /// Name of the bucket.
    pub bucket: String,
    /// All objects except the manifest, by key.
    pub objects: BTreeMap<String, Upload>,
    /// Manifest.
    pub manifest: Upload,
}

/// Manifests of the local data sets.
#[derive(Clone, Debug)]
pub struct Local {
    /// Manifest written by `generate`.
    pub raw: RawManifest,
    /// Manifest written by `transform`; `None` if Athena curates.
    pub curated: Option<CuratedManifest>,
}

impl Local {
    /// Reads the manifests of both data sets.
    ///
    /// # Errors
    ///
    /// Fails if a manifest is missing or can't be read.
    pub fn load(raw: &Path, curated: Option<&Path>) -> Result<Self> {
        let missing = |dir: &Path, option: &str| {
            let remedy = "run `cargo run --release` (or `generate` and `transform`) first, or set the directory with";
            format!("there is no data set in {}; {remedy} {option}", dir.display())
        };
        let Some(raw_manifest) = RawManifest::load(raw)? else { bail!(missing(raw, "--raw")) };
        let curated = match curated {
            None => None,
            Some(dir) => match CuratedManifest::load(dir)? {
                Some(manifest) => Some(manifest),
                None => bail!(missing(dir, "--curated")),
            },
        };
        Ok(Self { raw: raw_manifest, curated })
    }

    /// Returns true if the curated data set was made from exactly this raw data set.
    pub fn is_consistent(&self) -> bool {
        self.curated.as_ref().is_none_or(|curated| is_made_from(curated, &self.raw))
    }
}

/// Returns true if `curated` was made from exactly the files of `raw`, by checksum and size.
pub fn is_made_from(curated: &CuratedManifest, raw: &RawManifest) -> bool {
    let inputs = curated.inputs.iter().map(|input| (&input.crc64nvme, input.bytes));
    inputs.eq(raw.files.iter().map(|file| (&file.crc64nvme, file.bytes)))
}

impl Desired {
    /// Combines definitions and data sets.
    ///
    /// # Errors
    ///
    /// Fails if a definition is malformed, or a manifest can't be read.
    pub fn new(account_id: &str, region: &str, local: &Local, raw: &Path, curated: &Path) -> Result<Self> {
        let mut data = vec![data_set(Role::Raw, account_id, raw, &local.raw)?];
        let mut partitions = None;
        if let Some(manifest) = &local.curated {
            data.push(data_set(Role::Curated, account_id, curated, manifest)?);
            partitions = Some(market_partitions(account_id, manifest));
        }
        Ok(Self { definitions: Definitions::load(account_id, region)?, data, partitions, dashboard_owner: None })
    }

    /// Replaces the curated data set with one in S3.
    pub fn set_curated(&mut self, account_id: &str, manifest: &CuratedManifest, data: DataSet) {
        self.remove_curated();
        self.data.push(data);
        self.partitions = Some(market_partitions(account_id, manifest));
    }

    /// Removes the curated data set, and stops managing partitions.
    pub fn remove_curated(&mut self) {
        self.data.retain(|data| data.role != Role::Curated);
        self.partitions = None;
    }
}

fn market_partitions(account_id: &str, manifest: &CuratedManifest) -> Vec<Partition> {
    let bucket = bucket_name(Role::Curated, account_id);
    manifest.markets.keys().map(|market| market_partition(&bucket, market)).collect()
}

/// Returns the partition of a market.
pub fn market_partition(bucket: &str, market: &str) -> Partition {
    Partition { values: vec![market.to_owned()], location: format!("s3://{bucket}/{}/", partition_dir(market)) }
}

/// Returns the object key of a file; ticket files have the prefix `tickets/` in both buckets.
pub fn key_of(role: Role, file: &str) -> String {
    match role {
        Role::Raw if file != MANIFEST_FILE => format!("{TICKETS_DIR}/{file}"),
        _ => file.to_owned(),
    }
}

fn data_set<M: Manifest>(role: Role, account_id: &str, dir: &Path, manifest: &M) -> Result<DataSet> {
    let bucket = bucket_name(role, account_id);
    let object = |file: &FileEntry| {
        let key = key_of(role, &file.name);
        let upload = Upload {
            bucket: bucket.clone(),
            key: key.clone(),
            content: Content::File(dir.join(&file.name)),
            bytes: file.bytes,
            crc64nvme: file.crc64nvme.clone(),
        };
        (key, upload)
    };
    let path = dir.join(MANIFEST_FILE);
    let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut checksum = Checksum::default();
    checksum.update(&text);
    let manifest_upload = Upload {
        bucket: bucket.clone(),
        key: MANIFEST_FILE.to_owned(),
        content: Content::File(path),
        bytes: checksum.n_bytes(),
        crc64nvme: checksum.to_base64(),
    };
    Ok(DataSet { role, objects: manifest.files().map(object).collect(), manifest: manifest_upload, bucket })
}
