//! What is wanted on AWS: the definitions, and the data sets as their manifests describe them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use aws::catalog::Partition;
use aws::upload::{Content, Upload};
use manifest::{CuratedManifest, FileEntry, Manifest, RawManifest};
use publish::Checksum;
use ticket_schema::names::{MANIFEST_FILE, TICKETS_DIR, partition_dir};

use crate::definitions::{Definitions, Role, bucket_name};

/// Everything that is wanted.
#[derive(Clone, Debug, PartialEq)]
pub struct Desired {
    /// Buckets, workgroup and catalogue.
    pub definitions: Definitions,
    /// The data sets, in the order in which they are sent.
    pub data: Vec<DataSet>,
    /// The partitions of the curated table; `None` if the data decides nothing about them.
    pub partitions: Option<Vec<Partition>>,
    /// The ARN of whom the dashboard on QuickSight is to belong to; `None` if QuickSight isn't looked at.
    pub dashboard_owner: Option<String>,
}

/// A data set and the bucket that it belongs into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataSet {
    /// Raw or curated.
    pub role: Role,
    /// The bucket.
    pub bucket: String,
    /// Every object but the manifest, by key.
    pub objects: BTreeMap<String, Upload>,
    /// The manifest.
    pub manifest: Upload,
}

/// The two local data sets.
#[derive(Clone, Debug)]
pub struct Local {
    /// What `generate` left.
    pub raw: RawManifest,
    /// What `transform` left; `None` if Athena is to curate.
    pub curated: Option<CuratedManifest>,
}

impl Local {
    /// Reads the manifests of both data sets.
    pub fn load(raw: &Path, curated: Option<&Path>) -> Result<Self> {
        let how_to = "run `cargo run --release` (or `generate` and `transform`) first, or name it with";
        let missing = |dir: &Path, flag: &str| format!("there is no data set in {}; {how_to} {flag}", dir.display());
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

    /// Whether the curated tickets were made from exactly the raw ones.
    pub fn belong_together(&self) -> bool {
        self.curated.as_ref().is_none_or(|curated| is_made_from(curated, &self.raw))
    }
}

/// Whether the curated tickets were made from exactly these raw ones.
pub fn is_made_from(curated: &CuratedManifest, raw: &RawManifest) -> bool {
    let made_from = curated.inputs.iter().map(|input| (&input.crc64nvme, input.bytes));
    made_from.eq(raw.files.iter().map(|file| (&file.crc64nvme, file.bytes)))
}

impl Desired {
    /// Puts definitions and data together.
    pub fn new(account_id: &str, region: &str, local: &Local, raw: &Path, curated: &Path) -> Result<Self> {
        let mut data = vec![data_set(Role::Raw, account_id, raw, &local.raw)?];
        let mut partitions = None;
        if let Some(manifest) = &local.curated {
            data.push(data_set(Role::Curated, account_id, curated, manifest)?);
            partitions = Some(market_partitions(account_id, manifest));
        }
        Ok(Self { definitions: Definitions::load(account_id, region)?, data, partitions, dashboard_owner: None })
    }

    /// Wants curated tickets that are not on this machine.
    pub fn set_curated(&mut self, account_id: &str, manifest: &CuratedManifest, data: DataSet) {
        self.forget_curated();
        self.data.push(data);
        self.partitions = Some(market_partitions(account_id, manifest));
    }

    /// Wants no curated tickets any more, and no certain partitions.
    pub fn forget_curated(&mut self) {
        self.data.retain(|data| data.role != Role::Curated);
        self.partitions = None;
    }
}

fn market_partitions(account_id: &str, manifest: &CuratedManifest) -> Vec<Partition> {
    let bucket = bucket_name(Role::Curated, account_id);
    manifest.markets.keys().map(|market| market_partition(&bucket, market)).collect()
}

/// The partition of a market.
pub fn market_partition(bucket: &str, market: &str) -> Partition {
    Partition { values: vec![market.to_owned()], location: format!("s3://{bucket}/{}/", partition_dir(market)) }
}

/// The key of a file of a data set: its tickets lie below `tickets/` in both buckets.
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
