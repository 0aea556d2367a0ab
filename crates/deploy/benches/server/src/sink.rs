//! Store with minimal cost: it keeps size and CRC-64/NVME of each object and discards the content.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use crc_fast::{CrcAlgorithm, Digest, checksum_combine};
use futures_util::StreamExt;
use s3s::dto::*;
use s3s::{S3, S3Request, S3Response, S3Result, s3_error};

/// Size and checksum of received content.
#[derive(Clone, Copy)]
struct Received {
    bytes: u64,
    crc: u64,
}

impl Received {
    fn tag(self) -> ETag {
        ETag::Strong(format!("{:032x}", self.crc))
    }
}

#[derive(Default)]
struct Contents {
    /// Objects by bucket and key.
    objects: BTreeMap<String, BTreeMap<String, Received>>,
    /// Parts by upload id and number.
    parts: BTreeMap<String, BTreeMap<i32, Received>>,
}

/// The store.
#[derive(Default)]
pub(crate) struct Sink {
    contents: Mutex<Contents>,
    n_uploads: AtomicU64,
}

impl Sink {
    pub(crate) fn create_buckets(&self, names: &[String]) {
        self.contents().objects.extend(names.iter().map(|name| (name.clone(), BTreeMap::new())));
    }

    /// Returns all objects as JSON: size and checksum by `bucket/key`.
    pub(crate) fn report(&self) -> serde_json::Value {
        let contents = self.contents();
        let objects = contents.objects.iter().flat_map(|(bucket, objects)| {
            objects.iter().map(move |(key, object)| {
                let crc = STANDARD.encode(object.crc.to_be_bytes());
                (format!("{bucket}/{key}"), serde_json::json!([object.bytes, crc]))
            })
        });
        serde_json::Value::Object(objects.collect())
    }

    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().expect("no thread panics while it holds the lock")
    }
}

/// Reads a body and computes its checksum.
async fn receive(body: Option<StreamingBlob>) -> S3Result<Received> {
    let mut body = body.ok_or_else(|| s3_error!(IncompleteBody))?;
    let mut digest = Digest::new(CrcAlgorithm::Crc64Nvme);
    let mut bytes = 0;
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|error| s3_error!(InternalError, "{error}"))?;
        digest.update(&chunk);
        bytes += chunk.len() as u64;
    }
    Ok(Received { bytes, crc: digest.finalize() })
}

/// Implementation of the S3 API on a shared store.
pub(crate) struct Shared(pub(crate) Arc<Sink>);

#[async_trait::async_trait]
impl S3 for Shared {
    async fn head_bucket(&self, request: S3Request<HeadBucketInput>) -> S3Result<S3Response<HeadBucketOutput>> {
        match self.0.contents().objects.get(&request.input.bucket) {
            Some(_) => Ok(S3Response::new(HeadBucketOutput::default())),
            None => Err(s3_error!(NoSuchBucket)),
        }
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let contents = self.0.contents();
        let objects = contents.objects.get(&request.input.bucket).ok_or_else(|| s3_error!(NoSuchBucket))?;
        // The tools list the bucket only while it is empty.
        if !objects.is_empty() {
            return Err(s3_error!(NotImplemented));
        }
        let output = ListObjectsV2Output { key_count: Some(0), is_truncated: Some(false), ..Default::default() };
        Ok(S3Response::new(output))
    }

    async fn put_object(&self, request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        let input = request.input;
        let object = receive(input.body).await?;
        let mut contents = self.0.contents();
        let objects = contents.objects.get_mut(&input.bucket).ok_or_else(|| s3_error!(NoSuchBucket))?;
        objects.insert(input.key, object);
        Ok(S3Response::new(PutObjectOutput { e_tag: Some(object.tag()), ..Default::default() }))
    }

    async fn delete_objects(
        &self,
        request: S3Request<DeleteObjectsInput>,
    ) -> S3Result<S3Response<DeleteObjectsOutput>> {
        let input = request.input;
        let mut contents = self.0.contents();
        let objects = contents.objects.get_mut(&input.bucket).ok_or_else(|| s3_error!(NoSuchBucket))?;
        for object in input.delete.objects {
            objects.remove(&object.key);
        }
        Ok(S3Response::new(DeleteObjectsOutput::default()))
    }

    async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        let CreateMultipartUploadInput { bucket, key, .. } = request.input;
        let id = format!("upload-{}", self.0.n_uploads.fetch_add(1, Ordering::Relaxed));
        self.0.contents().parts.insert(id.clone(), BTreeMap::new());
        let output = CreateMultipartUploadOutput {
            bucket: Some(bucket),
            key: Some(key),
            upload_id: Some(id),
            ..Default::default()
        };
        Ok(S3Response::new(output))
    }

    async fn upload_part(&self, request: S3Request<UploadPartInput>) -> S3Result<S3Response<UploadPartOutput>> {
        let input = request.input;
        let part = receive(input.body).await?;
        let mut contents = self.0.contents();
        let parts = contents.parts.get_mut(&input.upload_id).ok_or_else(|| s3_error!(NoSuchUpload))?;
        parts.insert(input.part_number, part);
        Ok(S3Response::new(UploadPartOutput { e_tag: Some(part.tag()), ..Default::default() }))
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let input = request.input;
        let mut contents = self.0.contents();
        let parts = contents.parts.remove(&input.upload_id).ok_or_else(|| s3_error!(NoSuchUpload))?;
        let completed = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
        let mut combined = Received { bytes: 0, crc: 0 };
        for (index, part) in completed.iter().enumerate() {
            let part = part.part_number.and_then(|number| parts.get(&number)).ok_or_else(|| s3_error!(InvalidPart))?;
            combined = match index {
                0 => *part,
                _ => Received {
                    bytes: combined.bytes + part.bytes,
                    crc: checksum_combine(CrcAlgorithm::Crc64Nvme, combined.crc, part.crc, part.bytes),
                },
            };
        }
        let objects = contents.objects.get_mut(&input.bucket).ok_or_else(|| s3_error!(NoSuchBucket))?;
        objects.insert(input.key.clone(), combined);
        let output = CompleteMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            e_tag: Some(combined.tag()),
            ..Default::default()
        };
        Ok(S3Response::new(output))
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        self.0.contents().parts.remove(&request.input.upload_id);
        Ok(S3Response::new(AbortMultipartUploadOutput::default()))
    }
}
