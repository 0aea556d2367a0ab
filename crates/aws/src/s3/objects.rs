//! Objects in a bucket. Every request names the account that must own the bucket.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use aws_sdk_s3::Client;
use aws_sdk_s3::types as sdk;
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::error::{AwsError, ErrorContext, Kind, kind_of_response, root_cause};
use crate::session::Session;

/// Maximum number of concurrent requests that read object states or delete batches of objects.
const MAX_CONCURRENT_REQUESTS: usize = 32;
/// Maximum number of keys in one `DeleteObjects` request.
const KEYS_PER_DELETE: usize = 1000;
/// Maximum number of attempts to read an object. The SDK doesn't retry once the body has started.
const READ_ATTEMPTS: u32 = 5;
/// Delay before the second attempt; it grows linearly.
const FIRST_READ_DELAY: Duration = Duration::from_millis(200);

/// Size and checksum of an object, as stored by S3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectState {
    /// Size in bytes.
    pub bytes: u64,
    /// CRC-64/NVME of the whole content in base64, if S3 has it.
    pub crc64nvme: Option<String>,
}

impl Session {
    /// Lists all keys in a bucket that start with `prefix`, with the sizes of the objects in bytes.
    ///
    /// # Errors
    ///
    /// Fails if a page of the listing can't be read; an incomplete listing is never returned.
    pub fn list(&self, bucket: &str, prefix: &str) -> Result<BTreeMap<String, u64>> {
        let request = self.s3.list_objects_v2().bucket(bucket).prefix(prefix).expected_bucket_owner(self.account_id());
        let mut pages = request.into_paginator().send();
        self.block_on(async {
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

    /// Reads size and checksum of objects with concurrent HEAD requests. Missing objects are omitted.
    ///
    /// # Errors
    ///
    /// Fails if a request fails, except for a missing object.
    pub fn object_states(&self, bucket: &str, keys: &[String]) -> Result<BTreeMap<String, ObjectState>> {
        let head = |key: String| async move {
            let request = self.s3.head_object().bucket(bucket).key(&key).expected_bucket_owner(self.account_id());
            let response = request.checksum_mode(sdk::ChecksumMode::Enabled).send().await;
            match response.error_context(&format!("read the metadata of s3://{bucket}/{key}")) {
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
        let states = stream::iter(keys.iter().cloned()).map(head).buffer_unordered(MAX_CONCURRENT_REQUESTS);
        self.block_on(states.try_filter_map(|state| async { Ok(state) }).try_collect())
    }

    /// Reads size and checksum of existing objects. An object without a checksum is copied onto itself, so that S3 computes
    /// one.
    ///
    /// # Errors
    ///
    /// Fails if a request fails.
    pub fn object_states_with_checksums(&self, bucket: &str, keys: &[String]) -> Result<BTreeMap<String, ObjectState>> {
        let mut states = self.object_states(bucket, keys)?;
        let unchecked = states.iter().filter(|(_, state)| state.crc64nvme.is_none());
        let unchecked: Vec<String> = unchecked.map(|(key, _)| key.clone()).collect();
        let copy = |key: String| async move {
            let object = (bucket, key.as_str());
            let crc64nvme = copy_object(&self.s3, self.account_id(), object, object).await?;
            Ok::<_, anyhow::Error>((key, crc64nvme))
        };
        let copied = stream::iter(unchecked).map(copy).buffer_unordered(MAX_CONCURRENT_REQUESTS);
        let copied: Vec<_> = self.block_on(copied.try_collect())?;
        for (key, crc64nvme) in copied {
            states.entry(key).and_modify(|state| state.crc64nvme = Some(crc64nvme));
        }
        Ok(states)
    }

    /// Reads a small object into memory; `None` if it doesn't exist.
    ///
    /// # Errors
    ///
    /// Fails if the request fails, or the body is truncated in every attempt.
    pub fn read_object(&self, bucket: &str, key: &str) -> Result<Option<Vec<u8>>> {
        let operation = format!("read s3://{bucket}/{key}");
        let request = self.s3.get_object().bucket(bucket).key(key).expected_bucket_owner(self.account_id());
        self.block_on(async {
            let mut attempt = 1;
            loop {
                let object = match request.clone().send().await.error_context(&operation) {
                    Ok(object) => object,
                    Err(error) if error.kind == Kind::NotFound => return Ok(None),
                    Err(error) => return Err(error.into()),
                };
                match object.body.collect().await {
                    Ok(body) => return Ok(Some(body.into_bytes().to_vec())),
                    Err(_) if attempt < READ_ATTEMPTS => tokio::time::sleep(FIRST_READ_DELAY * attempt).await,
                    Err(error) => return Err(AwsError::new(Kind::Unreachable, &operation, root_cause(&error)).into()),
                }
                attempt += 1;
            }
        })
    }

    /// Deletes objects in batches of 1,000. A missing object is not an error.
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
                let response =
                    request.delete(delete).send().await.error_context(&format!("delete objects of {bucket}"))?;
                match response.errors().first() {
                    None => Ok(()),
                    Some(error) => Err(anyhow::Error::from(deletion_error(bucket, error))),
                }
            }
        };
        let batches = stream::iter(keys.chunks(KEYS_PER_DELETE).map(delete)).buffer_unordered(MAX_CONCURRENT_REQUESTS);
        self.block_on(batches.try_collect::<()>())
    }

    /// Aborts all incomplete multipart uploads of a bucket.
    ///
    /// # Errors
    ///
    /// Fails if a request fails.
    pub fn abort_uploads(&self, bucket: &str) -> Result<()> {
        let owner = self.account_id();
        self.block_on(async {
            let mut pages = self.s3.list_multipart_uploads().bucket(bucket).expected_bucket_owner(owner);
            loop {
                let page =
                    pages.clone().send().await.error_context(&format!("list the incomplete uploads of {bucket}"))?;
                for upload in page.uploads() {
                    let (Some(key), Some(id)) = (upload.key(), upload.upload_id()) else { continue };
                    let request = self.s3.abort_multipart_upload().bucket(bucket).key(key).upload_id(id);
                    let response = request.expected_bucket_owner(owner).send().await;
                    response.error_context(&format!("abort an incomplete upload of s3://{bucket}/{key}"))?;
                }
                if page.is_truncated != Some(true) {
                    return Ok(());
                }
                pages = pages.set_key_marker(page.next_key_marker).set_upload_id_marker(page.next_upload_id_marker);
            }
        })
    }
}

/// Copies an object within S3; source and destination are a bucket and a key. Returns the CRC-64/NVME that S3 has computed
/// of the copy.
pub(crate) async fn copy_object(
    client: &Client,
    owner: &str,
    (source_bucket, source_key): (&str, &str),
    (bucket, key): (&str, &str),
) -> Result<String, AwsError> {
    let operation = format!("copy s3://{source_bucket}/{source_key} to s3://{bucket}/{key}");
    let source = format!("{source_bucket}/{}", percent_encoded(source_key));
    let request = client.copy_object().copy_source(source).bucket(bucket).key(key);
    let request = request.expected_source_bucket_owner(owner).expected_bucket_owner(owner);
    // S3 rejects a copy of an object onto itself that changes neither content nor metadata.
    let is_onto_itself = (source_bucket, source_key) == (bucket, key);
    let metadata = is_onto_itself.then_some(sdk::MetadataDirective::Replace);
    let request = request.set_metadata_directive(metadata).checksum_algorithm(sdk::ChecksumAlgorithm::Crc64Nvme);
    let copied = request.send().await.error_context(&operation)?.copy_object_result;
    let crc64nvme = copied.and_then(|copied| copied.checksum_crc64_nvme);
    crc64nvme.ok_or_else(|| AwsError::new(Kind::Other, &operation, "S3 returned no CRC-64/NVME of the copy"))
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

/// Converts an error that S3 reports for one object of a batch.
fn deletion_error(bucket: &str, error: &sdk::Error) -> AwsError {
    let kind = kind_of_response(error.code(), None);
    let operation = format!("delete s3://{bucket}/{}", error.key().unwrap_or_default());
    let mut converted = AwsError::new(kind, operation, error.message().unwrap_or("S3 gave no reason"));
    converted.code = error.code().map(str::to_owned);
    converted
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
