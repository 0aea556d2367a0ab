//! The objects in a bucket. Every request names the account that must own the bucket.

use std::collections::BTreeMap;

use anyhow::Result;
use aws_sdk_s3::types as sdk;
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::error::{AwsError, Kind, OrExplain};
use crate::session::Session;

/// How many objects are looked at, or deleted in groups, at a time.
const N_AT_A_TIME: usize = 32;
/// The most keys in one request to delete.
const KEYS_PER_DELETE: usize = 1000;

/// What S3 knows about an object's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectState {
    /// Its size.
    pub bytes: u64,
    /// CRC-64/NVME of its whole content in base64, if S3 keeps it.
    pub crc64nvme: Option<String>,
}

impl Session {
    /// Every key in a bucket that begins with `prefix`, with its size. Complete, or an error.
    pub fn list(&self, bucket: &str, prefix: &str) -> Result<BTreeMap<String, u64>> {
        let request = self.s3.list_objects_v2().bucket(bucket).prefix(prefix).expected_bucket_owner(self.account_id());
        let mut pages = request.into_paginator().send();
        self.wait(async {
            let mut keys = BTreeMap::new();
            while let Some(page) = pages.next().await {
                let page = page.or_explain(&format!("list the bucket {bucket}"))?;
                for object in page.contents.into_iter().flatten() {
                    keys.insert(object.key.unwrap_or_default(), object.size.unwrap_or_default().unsigned_abs());
                }
            }
            Ok(keys)
        })
    }

    /// Asks S3 what it knows about the content of these objects, many at once. A missing one is left out.
    pub fn object_states(&self, bucket: &str, keys: &[String]) -> Result<BTreeMap<String, ObjectState>> {
        let head = |key: String| async move {
            let request = self.s3.head_object().bucket(bucket).key(&key).expected_bucket_owner(self.account_id());
            let answer = request.checksum_mode(sdk::ChecksumMode::Enabled).send().await;
            match answer.or_explain(&format!("look at s3://{bucket}/{key}")) {
                Ok(object) => {
                    let bytes = object.content_length.unwrap_or_default().unsigned_abs();
                    // The checksum of checksums of a multipart upload (`…-3`) says nothing about the content by itself.
                    let crc64nvme = object.checksum_crc64_nvme.filter(|checksum| !checksum.contains('-'));
                    Ok(Some((key, ObjectState { bytes, crc64nvme })))
                }
                Err(error) if error.kind == Kind::NotFound => Ok(None),
                Err(error) => Err(anyhow::Error::from(error)),
            }
        };
        let states = stream::iter(keys.iter().cloned()).map(head).buffer_unordered(N_AT_A_TIME);
        self.wait(states.try_filter_map(|state| async { Ok(state) }).try_collect())
    }

    /// A small object's content; `None` if it isn't there.
    pub fn read_object(&self, bucket: &str, key: &str) -> Result<Option<Vec<u8>>> {
        let doing = format!("read s3://{bucket}/{key}");
        let request = self.s3.get_object().bucket(bucket).key(key).expected_bucket_owner(self.account_id());
        self.wait(async {
            match request.send().await.or_explain(&doing) {
                Ok(object) => {
                    let body = object.body.collect().await;
                    let body = body.map_err(|error| AwsError::new(Kind::Unreachable, &doing, error.to_string()))?;
                    Ok(Some(body.into_bytes().to_vec()))
                }
                Err(error) if error.kind == Kind::NotFound => Ok(None),
                Err(error) => Err(error.into()),
            }
        })
    }

    /// Deletes these objects, a thousand a request. A missing one is no error.
    pub fn delete_objects(&self, bucket: &str, keys: &[String]) -> Result<()> {
        let delete = |keys: &[String]| {
            let ids = keys.iter().map(|key| sdk::ObjectIdentifier::builder().key(key).build());
            let ids = ids.collect::<Result<Vec<_>, _>>();
            async move {
                let delete = sdk::Delete::builder().set_objects(Some(ids?)).quiet(true).build()?;
                let request = self.s3.delete_objects().bucket(bucket).expected_bucket_owner(self.account_id());
                let answer = request.delete(delete).send().await.or_explain(&format!("delete objects of {bucket}"))?;
                match answer.errors().first() {
                    None => Ok(()),
                    Some(error) => Err(anyhow::Error::from(refused(bucket, error))),
                }
            }
        };
        let batches = stream::iter(keys.chunks(KEYS_PER_DELETE).map(delete)).buffer_unordered(N_AT_A_TIME);
        self.wait(batches.try_collect::<()>())
    }

    /// Gives up every unfinished multipart upload of a bucket.
    pub fn abort_uploads(&self, bucket: &str) -> Result<()> {
        let owner = self.account_id();
        self.wait(async {
            let mut pages = self.s3.list_multipart_uploads().bucket(bucket).expected_bucket_owner(owner);
            loop {
                let page =
                    pages.clone().send().await.or_explain(&format!("list the unfinished uploads of {bucket}"))?;
                for upload in page.uploads() {
                    let (Some(key), Some(id)) = (upload.key(), upload.upload_id()) else { continue };
                    let request = self.s3.abort_multipart_upload().bucket(bucket).key(key).upload_id(id);
                    let answer = request.expected_bucket_owner(owner).send().await;
                    answer.or_explain(&format!("give up an unfinished upload of s3://{bucket}/{key}"))?;
                }
                if page.is_truncated != Some(true) {
                    return Ok(());
                }
                pages = pages.set_key_marker(page.next_key_marker).set_upload_id_marker(page.next_upload_id_marker);
            }
        })
    }
}

fn refused(bucket: &str, error: &sdk::Error) -> AwsError {
    let kind = if error.code() == Some("AccessDenied") { Kind::Denied } else { Kind::Other };
    let key = error.key().unwrap_or_default();
    AwsError::new(kind, format!("delete s3://{bucket}/{key}"), error.message().unwrap_or("no reason was given"))
}
