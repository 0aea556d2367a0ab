//! Concurrent uploads to S3 with checksums that S3 verifies, and copies within S3.
//!
//! Size and checksum of a file are compared with its manifest during the upload, before the object is created. Large files
//! use multipart uploads, which reuse the parts that an interrupted run has uploaded.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload, CompletedPart};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use crc_fast::{CrcAlgorithm, checksum, checksum_combine};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use crate::error::{AwsError, ErrorContext, Kind};
use crate::s3::objects::copy_object;
use crate::session::Session;

/// Part size in bytes, and the file size from which multipart uploads are used.
const PART_BYTES: u64 = 16 << 20;
/// Maximum number of parts of an object in S3.
const MAX_PARTS: u64 = 10_000;
/// Maximum size in bytes of an object that `CopyObject` accepts.
const MAX_COPY_BYTES: u64 = 5 << 30;
/// Memory budget for content in flight, in bytes.
const MEMORY_BUDGET_BYTES: u64 = 12 * PART_BYTES;
/// Unit of the memory budget in bytes. The budget in bytes would overflow the u32 of a semaphore.
const UNIT_BYTES: u64 = 1 << 10;
/// Maximum number of concurrent uploads. It is large because the latency of S3 bounds the throughput of small files.
const MAX_CONCURRENT_UPLOADS: usize = 64;

/// Object to create, and its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// Bucket.
    pub bucket: String,
    /// Key of the object.
    pub key: String,
    /// Source of the content.
    pub content: Content,
    /// Size in bytes.
    pub bytes: u64,
    /// CRC-64/NVME of the content in base64.
    pub crc64nvme: String,
}

/// Source of the content of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Local file.
    File(PathBuf),
    /// Text in memory.
    Text(String),
    /// Existing object, copied within S3.
    Object {
        /// Bucket of the source.
        bucket: String,
        /// Key of the source.
        key: String,
    },
}

impl Session {
    /// Uploads concurrently, in any order. Calls `progress` with the size in bytes of each completed file or part.
    ///
    /// # Errors
    ///
    /// Fails at the first failed request, unreadable file, or content that doesn't match its size or checksum.
    pub fn upload_all(&self, uploads: Vec<Upload>, progress: &dyn Fn(u64)) -> Result<()> {
        self.block_on(async {
            let (completed_bytes, mut completed) = mpsc::unbounded_channel();
            let uploader = Uploader {
                client: self.s3.clone(),
                owner: self.account_id().to_owned(),
                memory: Arc::new(Semaphore::new(usize::try_from(MEMORY_BUDGET_BYTES / UNIT_BYTES)?)),
                completed_bytes,
            };
            let mut pending = uploads.into_iter();
            let mut in_flight = JoinSet::new();
            loop {
                while in_flight.len() < MAX_CONCURRENT_UPLOADS
                    && let Some(upload) = pending.next()
                {
                    let uploader = uploader.clone();
                    in_flight.spawn(async move { uploader.upload(upload).await });
                }
                tokio::select! {
                    biased;
                    Some(bytes) = completed.recv() => progress(bytes),
                    finished = in_flight.join_next() => match finished {
                        Some(result) => result??,
                        None => return Ok(()),
                    },
                }
            }
        })
    }
}

/// State shared by all uploads of a run.
#[derive(Clone)]
struct Uploader {
    client: Client,
    owner: String,
    memory: Arc<Semaphore>,
    completed_bytes: mpsc::UnboundedSender<u64>,
}

/// Part of a multipart upload.
#[derive(Clone, Copy, Debug)]
struct Part {
    number: i32,
    offset: u64,
    bytes: u64,
}

/// Uploaded part.
struct UploadedPart {
    part: Part,
    crc: u64,
    tag: String,
}

/// Part that an earlier run has uploaded.
#[derive(Clone, Debug)]
struct EarlierPart {
    bytes: u64,
    crc64nvme: String,
    tag: String,
}

impl Uploader {
    async fn upload(self, upload: Upload) -> Result<()> {
        let path = match &upload.content {
            Content::Text(text) => {
                let body = text.clone().into();
                let _permit = self.memory.acquire_many(units(upload.bytes)).await?;
                return self.put(&upload, body).await;
            }
            Content::Object { bucket, key } => return self.copy(&upload, bucket, key).await,
            Content::File(path) if upload.bytes < PART_BYTES => path.clone(),
            Content::File(path) => return self.upload_multipart(Arc::new(path.clone()), Arc::new(upload)).await,
        };
        let _permit = self.memory.acquire_many(units(upload.bytes)).await?;
        // One byte more than expected, to detect a file that has grown.
        let body = read(&upload, Arc::new(path), 0, upload.bytes + 1).await?;
        self.put(&upload, body).await
    }

    async fn put(&self, upload: &Upload, body: Bytes) -> Result<()> {
        if body.len() as u64 != upload.bytes || base64_of(crc64nvme(&body)) != upload.crc64nvme {
            return Err(file_changed(upload).into());
        }
        let request = self.client.put_object().bucket(&upload.bucket).key(&upload.key).body(ByteStream::from(body));
        let request = request.checksum_crc64_nvme(&upload.crc64nvme).expected_bucket_owner(&self.owner);
        // Checksum and TLS protect the content, so the SHA-256 of the payload for the signature is skipped.
        request.customize().disable_payload_signing().send().await.error_context(&operation(upload))?;
        self.report(upload.bytes);
        Ok(())
    }

    async fn copy(&self, upload: &Upload, bucket: &str, key: &str) -> Result<()> {
        if upload.bytes > MAX_COPY_BYTES {
            let reason =
                format!("s3://{bucket}/{key} has {} bytes, and S3 copies at most {MAX_COPY_BYTES}", upload.bytes);
            return Err(AwsError::new(Kind::Other, operation(upload), reason).into());
        }
        let copied = copy_object(&self.client, &self.owner, (bucket, key), (&upload.bucket, &upload.key)).await?;
        if copied != upload.crc64nvme {
            let reason = format!("s3://{bucket}/{key} was changed during the run");
            return Err(AwsError::new(Kind::Corrupted, operation(upload), reason).into());
        }
        self.report(upload.bytes);
        Ok(())
    }

    async fn upload_multipart(self, path: Arc<PathBuf>, upload: Arc<Upload>) -> Result<()> {
        // A changed size is detected before the upload starts, changed content of the same size at its end.
        let length = tokio::fs::metadata(&*path).await.map_err(|error| unreadable(&upload, &path, error))?.len();
        if length != upload.bytes {
            return Err(file_changed(&upload).into());
        }
        let (id, earlier) = match self.find_incomplete(&upload).await? {
            Some(id) => (id.clone(), self.list_parts(&upload, &id).await?),
            None => (self.create(&upload).await?, BTreeMap::new()),
        };
        let id: Arc<str> = id.into();
        let mut in_flight = JoinSet::new();
        for part in parts(upload.bytes) {
            let permit = Arc::clone(&self.memory).acquire_many_owned(units(part.bytes)).await?;
            let (uploader, path, upload, id) = (self.clone(), Arc::clone(&path), Arc::clone(&upload), Arc::clone(&id));
            let earlier = earlier.get(&part.number).cloned();
            in_flight.spawn(async move {
                let _permit = permit;
                uploader.upload_part(part, earlier, path, &upload, &id).await
            });
        }
        let mut uploaded = Vec::new();
        while let Some(part) = in_flight.join_next().await {
            uploaded.push(part??);
        }
        uploaded.sort_by_key(|uploaded| uploaded.part.number);
        self.complete(&upload, &id, &uploaded).await
    }

    /// Uploads a part, unless `earlier` has its content.
    async fn upload_part(
        &self,
        part: Part,
        earlier: Option<EarlierPart>,
        path: Arc<PathBuf>,
        upload: &Upload,
        id: &str,
    ) -> Result<UploadedPart> {
        let body = read(upload, path, part.offset, part.bytes).await?;
        if body.len() as u64 != part.bytes {
            return Err(file_changed(upload).into());
        }
        let crc = crc64nvme(&body);
        let is_same = |earlier: &EarlierPart| earlier.bytes == part.bytes && earlier.crc64nvme == base64_of(crc);
        let tag = if let Some(earlier) = earlier.filter(is_same) {
            earlier.tag
        } else {
            let request = self.client.upload_part().bucket(&upload.bucket).key(&upload.key).upload_id(id);
            let request = request.part_number(part.number).body(ByteStream::from(body));
            let request = request.checksum_crc64_nvme(base64_of(crc)).expected_bucket_owner(&self.owner);
            let response =
                request.customize().disable_payload_signing().send().await.error_context(&operation(upload))?;
            response.e_tag.unwrap_or_default()
        };
        self.report(part.bytes);
        Ok(UploadedPart { part, crc, tag })
    }

    /// Finds the newest incomplete multipart upload of this object.
    async fn find_incomplete(&self, upload: &Upload) -> Result<Option<String>> {
        let request = self.client.list_multipart_uploads().bucket(&upload.bucket).prefix(&upload.key);
        let response = request.expected_bucket_owner(&self.owner).send().await.error_context(&operation(upload))?;
        let incomplete = response.uploads.into_iter().flatten().filter(|it| {
            it.key() == Some(upload.key.as_str()) && it.checksum_algorithm() == Some(&ChecksumAlgorithm::Crc64Nvme)
        });
        let newest = incomplete.max_by_key(|it| it.initiated().map(|time| (time.secs(), time.subsec_nanos())));
        Ok(newest.and_then(|it| it.upload_id))
    }

    /// Lists the uploaded parts by number.
    async fn list_parts(&self, upload: &Upload, id: &str) -> Result<BTreeMap<i32, EarlierPart>> {
        let request = self.client.list_parts().bucket(&upload.bucket).key(&upload.key).upload_id(id);
        let mut pages = request.expected_bucket_owner(&self.owner).into_paginator().send();
        let mut uploaded = BTreeMap::new();
        while let Some(page) = pages.next().await {
            for part in page.error_context(&operation(upload))?.parts.into_iter().flatten() {
                if let (Some(number), Some(crc64nvme)) = (part.part_number, part.checksum_crc64_nvme) {
                    let bytes = part.size.unwrap_or_default().unsigned_abs();
                    let tag = part.e_tag.unwrap_or_default();
                    uploaded.insert(number, EarlierPart { bytes, crc64nvme, tag });
                }
            }
        }
        Ok(uploaded)
    }

    /// Creates a multipart upload. Returns its id.
    async fn create(&self, upload: &Upload) -> Result<String> {
        let request = self.client.create_multipart_upload().bucket(&upload.bucket).key(&upload.key);
        let request = request.checksum_algorithm(ChecksumAlgorithm::Crc64Nvme).checksum_type(ChecksumType::FullObject);
        let response = request.expected_bucket_owner(&self.owner).send().await.error_context(&operation(upload))?;
        let no_id = || AwsError::new(Kind::Other, operation(upload), "S3 returned no upload id");
        Ok(response.upload_id.ok_or_else(no_id)?)
    }

    /// Completes a multipart upload, or aborts it if the file has changed.
    async fn complete(&self, upload: &Upload, id: &str, uploaded: &[UploadedPart]) -> Result<()> {
        let combined = uploaded.iter().fold(None, |combined, next| match combined {
            None => Some(next.crc),
            Some(crc) => Some(checksum_combine(CrcAlgorithm::Crc64Nvme, crc, next.crc, next.part.bytes)),
        });
        if combined.map(base64_of).as_ref() != Some(&upload.crc64nvme) {
            let request = self.client.abort_multipart_upload().bucket(&upload.bucket).key(&upload.key).upload_id(id);
            // The changed file is the error to report; if the abort fails, the lifecycle rule removes the parts.
            let _ = request.expected_bucket_owner(&self.owner).send().await;
            return Err(file_changed(upload).into());
        }
        let parts = uploaded.iter().map(|uploaded| {
            CompletedPart::builder()
                .part_number(uploaded.part.number)
                .e_tag(&uploaded.tag)
                .checksum_crc64_nvme(base64_of(uploaded.crc))
                .build()
        });
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts.collect())).build();
        let request = self.client.complete_multipart_upload().bucket(&upload.bucket).key(&upload.key).upload_id(id);
        let request = request.multipart_upload(parts).checksum_type(ChecksumType::FullObject);
        let request = request.checksum_crc64_nvme(&upload.crc64nvme).expected_bucket_owner(&self.owner);
        request.send().await.error_context(&operation(upload))?;
        Ok(())
    }

    fn report(&self, bytes: u64) {
        // The receiver is dropped only after the run has failed.
        let _ = self.completed_bytes.send(bytes);
    }
}

/// Converts a size to units of the memory budget, at most the whole budget.
fn units(bytes: u64) -> u32 {
    let units = bytes.div_ceil(UNIT_BYTES).clamp(1, MEMORY_BUDGET_BYTES / UNIT_BYTES);
    u32::try_from(units).unwrap_or(u32::MAX)
}

/// Divides a file of `bytes` into parts.
fn parts(bytes: u64) -> impl Iterator<Item = Part> {
    let part_bytes = PART_BYTES.max(bytes.div_ceil(MAX_PARTS));
    (0..bytes.div_ceil(part_bytes)).map(move |index| {
        let offset = index * part_bytes;
        Part { number: index as i32 + 1, offset, bytes: part_bytes.min(bytes - offset) }
    })
}

/// Reads up to `bytes` of a file from `offset`; fewer only at the end of the file.
async fn read(upload: &Upload, path: Arc<PathBuf>, offset: u64, bytes: u64) -> Result<Bytes> {
    let opened = Arc::clone(&path);
    let read = move || -> io::Result<Vec<u8>> {
        let mut file = File::open(&*opened)?;
        file.seek(SeekFrom::Start(offset))?;
        let mut content = Vec::with_capacity(usize::try_from(bytes).unwrap_or(0));
        file.take(bytes).read_to_end(&mut content)?;
        Ok(content)
    };
    let content = tokio::task::spawn_blocking(read).await?;
    content.map(Bytes::from).map_err(|error| unreadable(upload, &path, error))
}

/// Converts an error of a read; a missing file counts as changed.
fn unreadable(upload: &Upload, path: &Path, error: io::Error) -> anyhow::Error {
    if error.kind() == io::ErrorKind::NotFound {
        let message = format!("{} is missing, but its manifest lists it", path.display());
        return AwsError::new(Kind::FileChanged, operation(upload), message).into();
    }
    anyhow::Error::new(error).context(format!("cannot read {}", path.display()))
}

fn crc64nvme(bytes: &[u8]) -> u64 {
    checksum(CrcAlgorithm::Crc64Nvme, bytes)
}

fn base64_of(crc: u64) -> String {
    STANDARD.encode(crc.to_be_bytes())
}

/// Returns the failed operation for errors.
fn operation(upload: &Upload) -> String {
    format!("upload s3://{}/{}", upload.bucket, upload.key)
}

/// Returns the error of content that doesn't match its size or checksum.
fn file_changed(upload: &Upload) -> AwsError {
    let file = match &upload.content {
        Content::File(path) => path.display().to_string(),
        Content::Text(_) | Content::Object { .. } => upload.key.clone(),
    };
    AwsError::new(
        Kind::FileChanged,
        operation(upload),
        format!(
            "{file} doesn't match its manifest ({} bytes, CRC-64/NVME {}); it was changed after it was written",
            upload.bytes, upload.crc64nvme
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::{MAX_PARTS, PART_BYTES, parts};

    #[test]
    fn parts_cover_files_of_any_size_within_the_limit_of_s3() {
        for bytes in
            [1, PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, 3 * PART_BYTES, PART_BYTES * MAX_PARTS + 1, 5 << 40]
        {
            let parts: Vec<_> = parts(bytes).collect();
            assert!(parts.len() as u64 <= MAX_PARTS);
            let end = parts.iter().fold(0, |end, part| {
                assert_eq!(part.offset, end);
                end + part.bytes
            });
            assert_eq!(end, bytes);
        }
    }
}
