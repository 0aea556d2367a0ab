//! Objects in a bucket. Every request names the account that must own the bucket.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use aws_sdk_s3::Client;
use aws_sdk_s3::types as sdk;
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::error::{AwsError, ErrorContext, Kind, kind_of_answer, last_cause};
use crate::session::Session;

/// Number of concurrent requests that read object states or delete batches of objects.
const N_AT_A_TIME: usize = 32;
/// Maximum number of keys in one `DeleteObjects` request.
const KEYS_PER_DELETE: usize = 1000;
/// Maximum number of attempts to read an object. The SDK doesn't retry once the body has started.
const READ_ATTEMPTS: u32 = 5;
/// Delay before the second attempt; it grows linearly.
const READ_PAUSE: Duration = Duration::from_millis(200);

/// Size and checksum of an object as S3 keeps them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectState {
    /// Size in bytes.
    pub bytes: u64,
    /// CRC-64/NVME of the whole content in base64, if S3 has it.
    pub crc64nvme: Option<String>,
}

impl Session {
    /// Lists all keys in a bucket that start with `prefix`, with their sizes in bytes.
    ///
    /// # Errors
    ///
    /// Fails if any page of the listing can't be read; an incomplete listing is never returned.
    pub fn list(&self, bucket: &str, prefix: &str) -> Result<BTreeMap<String, u64>> {
        let request = self.s3.list_objects_v2().bucket(bucket).prefix(prefix).expected_bucket_owner(self.account_id());
        let mut pages = request.into_paginator().send();
        self.wait(async {
            let mut keys = BTreeMap::new();
            while let Some(page) = pages.next().await {
                let page = page.error_context(&format!("list the bucket {bucket}"))?;
                for object in page.contents.into_iter().flatten() {
                    keys.insert(object.key.unwrap_or_default(), object.size.unwrap_or_default().unsigned_abs());
                }
            }
            Ok(keys)
        })
    }

    /// Reads size and checksum of objects with concurrent HEAD requests. Missing objects are left out.
    ///
    /// # Errors
    ///
    /// Fails if a request fails for another reason than a missing object.
    pub fn object_states(&self, bucket: &str, keys: &[String]) -> Result<BTreeMap<String, ObjectState>> {
        let head = |key: String| async move {
            let request = self.s3.head_object().bucket(bucket).key(&key).expected_bucket_owner(self.account_id());
            let answer = request.checksum_mode(sdk::ChecksumMode::Enabled).send().await;
            match answer.error_context(&format!("look at s3://{bucket}/{key}")) {
                Ok(object) => {
                    let bytes = object.content_length.unwrap_or_default().unsigned_abs();
                    // A composite checksum of a multipart upload (`…-3`) can't be compared with that of the content.
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

    /// Reads size and checksum of existing objects. Where S3 has no checksum, a copy of the object onto itself makes S3 compute it.
    ///
    /// # Errors
    ///
    /// Fails if a request fails.
    pub fn object_states_with_checksums(&self, bucket: &str, keys: &[String]) -> Result<BTreeMap<String, ObjectState>> {
        let mut states = self.object_states(bucket, keys)?;
        let unknown = states.iter().filter(|(_, state)| state.crc64nvme.is_none());
        let unknown: Vec<String> = unknown.map(|(key, _)| key.clone()).collect();
        let copy = |key: String| async move {
            let place = (bucket, key.as_str());
            let crc64nvme = copy_object(&self.s3, self.account_id(), place, place).await?;
            Ok::<_, anyhow::Error>((key, crc64nvme))
        };
        let copied = stream::iter(unknown).map(copy).buffer_unordered(N_AT_A_TIME);
        let copied: Vec<_> = self.wait(copied.try_collect())?;
        for (key, crc64nvme) in copied {
            states.entry(key).and_modify(|state| state.crc64nvme = Some(crc64nvme));
        }
        Ok(states)
    }

    /// Reads a small object into memory; `None` if it doesn't exist.
    ///
    /// # Errors
    ///
    /// Fails if the request fails, or the body breaks off in every attempt.
    pub fn read_object(&self, bucket: &str, key: &str) -> Result<Option<Vec<u8>>> {
        let doing = format!("read s3://{bucket}/{key}");
        let request = self.s3.get_object().bucket(bucket).key(key).expected_bucket_owner(self.account_id());
        self.wait(async {
            let mut attempt = 1;
            loop {
                let object = match request.clone().send().await.error_context(&doing) {
                    Ok(object) => object,
                    Err(error) if error.kind == Kind::NotFound => return Ok(None),
                    Err(error) => return Err(error.into()),
                };
                match object.body.collect().await {
                    Ok(body) => return Ok(Some(body.into_bytes().to_vec())),
                    Err(_) if attempt < READ_ATTEMPTS => tokio::time::sleep(READ_PAUSE * attempt).await,
                    Err(error) => return Err(AwsError::new(Kind::Unreachable, &doing, last_cause(&error)).into()),
                }
                attempt += 1;
            }
        })
    }

    /// Deletes objects in batches of 1,000. A missing object is no error.
    ///
    /// # Errors
    ///
    /// Fails if a request fails, or S3 reports an object that it didn't delete.
    pub fn delete_objects(&self, bucket: &str, keys: &[String]) -> Result<()> {
        let delete = |keys: &[String]| {
            let ids = keys.iter().map(|key| sdk::ObjectIdentifier::builder().key(key).build());
            let ids = ids.collect::<Result<Vec<_>, _>>();
            async move {
                let delete = sdk::Delete::builder().set_objects(Some(ids?)).quiet(true).build()?;
                let request = self.s3.delete_objects().bucket(bucket).expected_bucket_owner(self.account_id());
                let answer =
                    request.delete(delete).send().await.error_context(&format!("delete objects of {bucket}"))?;
                match answer.errors().first() {
                    None => Ok(()),
                    Some(error) => Err(anyhow::Error::from(refused(bucket, error))),
                }
            }
        };
        let batches = stream::iter(keys.chunks(KEYS_PER_DELETE).map(delete)).buffer_unordered(N_AT_A_TIME);
        self.wait(batches.try_collect::<()>())
    }

    /// Aborts all incomplete multipart uploads of a bucket.
    ///
    /// # Errors
    ///
    /// Fails if a request fails.
    pub fn abort_uploads(&self, bucket: &str) -> Result<()> {
        let owner = self.account_id();
        self.wait(async {
            let mut pages = self.s3.list_multipart_uploads().bucket(bucket).expected_bucket_owner(owner);
            loop {
                let page =
                    pages.clone().send().await.error_context(&format!("list the unfinished uploads of {bucket}"))?;
                for upload in page.uploads() {
                    let (Some(key), Some(id)) = (upload.key(), upload.upload_id()) else { continue };
                    let request = self.s3.abort_multipart_upload().bucket(bucket).key(key).upload_id(id);
                    let answer = request.expected_bucket_owner(owner).send().await;
                    answer.error_context(&format!("give up an unfinished upload of s3://{bucket}/{key}"))?;
                }
                if page.is_truncated != Some(true) {
                    return Ok(());
                }
                pages = pages.set_key_marker(page.next_key_marker).set_upload_id_marker(page.next_upload_id_marker);
            }
        })
    }
}

/// Copies an object within S3; each side is a bucket and a key. Returns the CRC-64/NVME that S3 has computed of the copy.
pub(crate) async fn copy_object(
    client: &Client,
    owner: &str,
    (from_bucket, from): (&str, &str),
    (bucket, key): (&str, &str),
) -> Result<String, AwsError> {
    let doing = format!("copy s3://{from_bucket}/{from} to s3://{bucket}/{key}");
    let source = format!("{from_bucket}/{}", percent_encoded(from));
    let request = client.copy_object().copy_source(source).bucket(bucket).key(key);
    let request = request.expected_source_bucket_owner(owner).expected_bucket_owner(owner);
    // S3 rejects a copy of an object onto itself that changes nothing.
    let is_onto_itself = (from_bucket, from) == (bucket, key);
    let metadata = is_onto_itself.then_some(sdk::MetadataDirective::Replace);
    let request = request.set_metadata_directive(metadata).checksum_algorithm(sdk::ChecksumAlgorithm::Crc64Nvme);
    let copied = request.send().await.error_context(&doing)?.copy_object_result;
    let crc64nvme = copied.and_then(|copied| copied.checksum_crc64_nvme);
    crc64nvme.ok_or_else(|| AwsError::new(Kind::Other, &doing, "S3 gave no CRC-64/NVME of the copy"))
}

/// Percent-encodes a key for the header `x-amz-copy-source`.
fn percent_encoded(key: &str) -> String {
    let mut encoded = String::with_capacity(key.len());
    for byte in key.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => encoded.push(byte.into()),
            other => encoded += &format!("%{other:02X}"),
        }
    }
    encoded
}

fn refused(bucket: &str, error: &sdk::Error) -> AwsError {
    let key = error.key().unwrap_or_default();
    let message = error.message().unwrap_or("no reason was given");
    let mut refused = AwsError::new(kind_of_answer(error.code(), None), format!("delete s3://{bucket}/{key}"), message);
    refused.code = error.code().map(str::to_owned);
    refused
}

#[cfg(test)]
mod tests {
    use super::percent_encoded;

    #[test]
    fn reserved_characters_of_keys_are_percent_encoded() {
        assert_eq!(percent_encoded("a/b=C/~x_1-2.parquet"), "a/b%3DC/~x_1-2.parquet");
        assert_eq!(percent_encoded("+ é%"), "%2B%20%C3%A9%25");
    }
}
