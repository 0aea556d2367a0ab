//! A store that costs as little as a store can: it reads what is sent, keeps its size and CRC-64/NVME, and forgets the rest.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use crc_fast::{CrcAlgorithm, Digest, checksum_combine};
use futures_util::StreamExt;
use s3s::dto::*;
use s3s::{S3, S3Request, S3Response, S3Result, s3_error};

/// Received requests.
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
struct Held {
    /// By bucket, then key.
    objects: BTreeMap<String, BTreeMap<String, Received>>,
    /// By upload, then part.
    parts: BTreeMap<String, BTreeMap<i32, Received>>,
}

#[derive(Default)]
pub(crate) struct Sink {
    held: Mutex<Held>,
    n_uploads: AtomicU64,
}

impl Sink {
    pub(crate) fn make_buckets(&self, names: &[String]) {
        self.held().objects.extend(names.iter().map(|name| (name.clone(), BTreeMap::new())));
    }

    /// All objects, as JSON.
    pub(crate) fn report(&self) -> serde_json::Value {
        let held = self.held();
        let objects = held.objects.iter().flat_map(|(bucket, objects)| {
            objects.iter().map(move |(key, object)| {
                let crc = STANDARD.encode(object.crc.to_be_bytes());
                (format!("{bucket}/{key}"), serde_json::json!([object.bytes, crc]))
            })
        });
        serde_json::Value::Object(objects.collect())
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().expect("nobody panics with it")
    }
}

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

pub(crate) struct Shared(pub(crate) Arc<Sink>);

#[async_trait::async_trait]
impl S3 for Shared {
    async fn head_bucket(&self, request: S3Request<HeadBucketInput>) -> S3Result<S3Response<HeadBucketOutput>> {
        match self.0.held().objects.get(&request.input.bucket) {
            Some(_) => Ok(S3Response::new(HeadBucketOutput::default())),
            None => Err(s3_error!(NoSuchBucket)),
        }
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let held = self.0.held();
        let objects = held.objects.get(&request.input.bucket).ok_or_else(|| s3_error!(NoSuchBucket))?;
        // Every tool finds its bucket empty.
        if !objects.is_empty() {
            return Err(s3_error!(NotImplemented));
        }
        let output = ListObjectsV2Output { key_count: Some(0), is_truncated: Some(false), ..Default::default() };
        Ok(S3Response::new(output))
    }

    async fn put_object(&self, request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        let input = request.input;
        let object = receive(input.body).await?;
        let mut held = self.0.held();
        let objects = held.objects.get_mut(&input.bucket).ok_or_else(|| s3_error!(NoSuchBucket))?;
        objects.insert(input.key, object);
        Ok(S3Response::new(PutObjectOutput { e_tag: Some(object.tag()), ..Default::default() }))
    }

    async fn delete_objects(
        &self,
        request: S3Request<DeleteObjectsInput>,
    ) -> S3Result<S3Response<DeleteObjectsOutput>> {
        let input = request.input;
        let mut held = self.0.held();
        let objects = held.objects.get_mut(&input.bucket).ok_or_else(|| s3_error!(NoSuchBucket))?;
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
        self.0.held().parts.insert(id.clone(), BTreeMap::new());
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
        let mut held = self.0.held();
        let parts = held.parts.get_mut(&input.upload_id).ok_or_else(|| s3_error!(NoSuchUpload))?;
        parts.insert(input.part_number, part);
        Ok(S3Response::new(UploadPartOutput { e_tag: Some(part.tag()), ..Default::default() }))
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let input = request.input;
        let mut held = self.0.held();
        let parts = held.parts.remove(&input.upload_id).ok_or_else(|| s3_error!(NoSuchUpload))?;
        let wanted = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
        let mut whole = Received { bytes: 0, crc: 0 };
        for (index, part) in wanted.iter().enumerate() {
            let part = part.part_number.and_then(|number| parts.get(&number)).ok_or_else(|| s3_error!(InvalidPart))?;
            whole = match index {
                0 => *part,
                _ => Received {
                    bytes: whole.bytes + part.bytes,
                    crc: checksum_combine(CrcAlgorithm::Crc64Nvme, whole.crc, part.crc, part.bytes),
                },
            };
        }
        let objects = held.objects.get_mut(&input.bucket).ok_or_else(|| s3_error!(NoSuchBucket))?;
        objects.insert(input.key.clone(), whole);
        let output = CompleteMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            e_tag: Some(whole.tag()),
            ..Default::default()
        };
        Ok(S3Response::new(output))
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        self.0.held().parts.remove(&request.input.upload_id);
        Ok(S3Response::new(AbortMultipartUploadOutput::default()))
    }
}
