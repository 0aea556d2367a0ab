//! Concurrent uploads to S3 with checksums that S3 verifies, and copies within S3.
//!
//! A file is verified against size and checksum of its manifest while it is sent; a file that differs never becomes an object.
//! Large files use multipart uploads, and parts that an interrupted run has uploaded are reused.

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
const BYTES_AT_A_TIME: u64 = 12 * PART_BYTES;
/// Unit of the memory budget, in bytes: a semaphore counts in u32.
const UNIT_BYTES: u64 = 1 << 10;
/// Number of concurrent uploads. Small files are bound by the latency of S3, so many are sent at once.
const FILES_AT_A_TIME: usize = 64;

/// Content to send, and the object to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// Bucket.
    pub bucket: String,
    /// Key of the object.
    pub key: String,
    /// Content to send.
    pub content: Content,
    /// Size in bytes.
    pub bytes: u64,
    /// CRC-64/NVME of the content in base64.
    pub crc64nvme: String,
}

/// Content to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A local file.
    File(PathBuf),
    /// A text in memory.
    Text(String),
    /// An existing object, copied within S3.
    Object {
        /// Bucket of the source.
        bucket: String,
        /// Key of the source.
        key: String,
    },
}

impl Session {
    /// Uploads all of them concurrently and in any order. Calls `progress` with the number of bytes of each completed file or part.
    ///
    /// # Errors
    ///
    /// Fails with the first failure: a request, a file that can't be read, or content that doesn't match its size or checksum.
    pub fn upload_all(&self, uploads: Vec<Upload>, progress: &dyn Fn(u64)) -> Result<()> {
        self.wait(async {
            let (sent, mut arrivals) = mpsc::unbounded_channel();
            let sender = Sender {
                client: self.s3.clone(),
                owner: self.account_id().to_owned(),
                memory: Arc::new(Semaphore::new(usize::try_from(BYTES_AT_A_TIME / UNIT_BYTES)?)),
                sent,
            };
            let mut waiting = uploads.into_iter();
            let mut under_way = JoinSet::new();
            loop {
                while under_way.len() < FILES_AT_A_TIME
                    && let Some(upload) = waiting.next()
                {
                    let sender = sender.clone();
                    under_way.spawn(async move { sender.send(upload).await });
                }
                tokio::select! {
                    biased;
                    Some(bytes) = arrivals.recv() => progress(bytes),
                    finished = under_way.join_next() => match finished {
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
struct Sender {
    client: Client,
    owner: String,
    memory: Arc<Semaphore>,
    sent: mpsc::UnboundedSender<u64>,
}

/// A part of a multipart upload.
#[derive(Clone, Copy, Debug)]
struct Part {
    number: i32,
    offset: u64,
    bytes: u64,
}

/// An uploaded part.
struct Arrived {
    part: Part,
    crc: u64,
    tag: String,
}

/// A part that an earlier run has uploaded.
#[derive(Clone, Debug)]
struct Earlier {
    bytes: u64,
    crc64nvme: String,
    tag: String,
}

impl Sender {
    async fn send(self, upload: Upload) -> Result<()> {
        let path = match &upload.content {
            Content::Text(text) => {
                let body = text.clone().into();
                let _room = self.memory.acquire_many(units(upload.bytes)).await?;
                return self.send_whole(&upload, body).await;
            }
            Content::Object { bucket, key } => return self.copy(&upload, bucket, key).await,
            Content::File(path) if upload.bytes < PART_BYTES => path.clone(),
            Content::File(path) => return self.send_in_parts(Arc::new(path.clone()), Arc::new(upload)).await,
        };
        let _room = self.memory.acquire_many(units(upload.bytes)).await?;
        // One byte more than expected, to detect a file that has grown.
        let body = read(&upload, Arc::new(path), 0, upload.bytes + 1).await?;
        self.send_whole(&upload, body).await
    }

    async fn send_whole(&self, upload: &Upload, body: Bytes) -> Result<()> {
        if body.len() as u64 != upload.bytes || base64_of(crc64nvme(&body)) != upload.crc64nvme {
            return Err(altered(upload).into());
        }
        let request = self.client.put_object().bucket(&upload.bucket).key(&upload.key).body(ByteStream::from(body));
        let request = request.checksum_crc64_nvme(&upload.crc64nvme).expected_bucket_owner(&self.owner);
        // Checksum and TLS protect the content, so the SHA-256 of the payload for the signature is skipped.
        request.customize().disable_payload_signing().send().await.error_context(&sending(upload))?;
        self.report(upload.bytes);
        Ok(())
    }

    async fn copy(&self, upload: &Upload, bucket: &str, key: &str) -> Result<()> {
        if upload.bytes > MAX_COPY_BYTES {
            let reason =
                format!("s3://{bucket}/{key} has {} bytes, and S3 copies at most {MAX_COPY_BYTES}", upload.bytes);
            return Err(AwsError::new(Kind::Other, sending(upload), reason).into());
        }
        let copied = copy_object(&self.client, &self.owner, (bucket, key), (&upload.bucket, &upload.key)).await?;
        if copied != upload.crc64nvme {
            let reason = format!("s3://{bucket}/{key} is no longer what it was");
            return Err(AwsError::new(Kind::Damaged, sending(upload), reason).into());
        }
        self.report(upload.bytes);
        Ok(())
    }

    async fn send_in_parts(self, path: Arc<PathBuf>, upload: Arc<Upload>) -> Result<()> {
        // A changed size is detected before the upload starts, changed content of the same size at its end.
        let length = tokio::fs::metadata(&*path).await.map_err(|error| unreadable(&upload, &path, error))?.len();
        if length != upload.bytes {
            return Err(altered(&upload).into());
        }
        let (id, earlier) = match self.unfinished(&upload).await? {
            Some(id) => (id.clone(), self.parts_there(&upload, &id).await?),
            None => (self.begin(&upload).await?, BTreeMap::new()),
        };
        let id: Arc<str> = id.into();
        let mut sending = JoinSet::new();
        for part in parts(upload.bytes) {
            let room = Arc::clone(&self.memory).acquire_many_owned(units(part.bytes)).await?;
            let (sender, path, upload, id) = (self.clone(), Arc::clone(&path), Arc::clone(&upload), Arc::clone(&id));
            let earlier = earlier.get(&part.number).cloned();
            sending.spawn(async move {
                let _room = room;
                sender.send_part(part, earlier, path, &upload, &id).await
            });
        }
        let mut arrived = Vec::new();
        while let Some(part) = sending.join_next().await {
            arrived.push(part??);
        }
        arrived.sort_by_key(|arrived| arrived.part.number);
        self.finish(&upload, &id, &arrived).await
    }

    async fn send_part(
        &self,
        part: Part,
        earlier: Option<Earlier>,
        path: Arc<PathBuf>,
        upload: &Upload,
        id: &str,
    ) -> Result<Arrived> {
        let body = read(upload, path, part.offset, part.bytes).await?;
        if body.len() as u64 != part.bytes {
            return Err(altered(upload).into());
        }
        let crc = crc64nvme(&body);
        let is_there = |earlier: &Earlier| earlier.bytes == part.bytes && earlier.crc64nvme == base64_of(crc);
        let tag = if let Some(earlier) = earlier.filter(is_there) {
            earlier.tag
        } else {
            let request = self.client.upload_part().bucket(&upload.bucket).key(&upload.key).upload_id(id);
            let request = request.part_number(part.number).body(ByteStream::from(body));
            let request = request.checksum_crc64_nvme(base64_of(crc)).expected_bucket_owner(&self.owner);
            let answer = request.customize().disable_payload_signing().send().await.error_context(&sending(upload))?;
            answer.e_tag.unwrap_or_default()
        };
        self.report(part.bytes);
        Ok(Arrived { part, crc, tag })
    }

    /// Finds the newest incomplete multipart upload of this object.
    async fn unfinished(&self, upload: &Upload) -> Result<Option<String>> {
        let request = self.client.list_multipart_uploads().bucket(&upload.bucket).prefix(&upload.key);
        let answer = request.expected_bucket_owner(&self.owner).send().await.error_context(&sending(upload))?;
        let ours = answer.uploads.into_iter().flatten().filter(|unfinished| {
            unfinished.key() == Some(upload.key.as_str())
                && unfinished.checksum_algorithm() == Some(&ChecksumAlgorithm::Crc64Nvme)
        });
        let newest =
            ours.max_by_key(|unfinished| unfinished.initiated().map(|time| (time.secs(), time.subsec_nanos())));
        Ok(newest.and_then(|unfinished| unfinished.upload_id))
    }

    async fn parts_there(&self, upload: &Upload, id: &str) -> Result<BTreeMap<i32, Earlier>> {
        let request = self.client.list_parts().bucket(&upload.bucket).key(&upload.key).upload_id(id);
        let mut pages = request.expected_bucket_owner(&self.owner).into_paginator().send();
        let mut there = BTreeMap::new();
        while let Some(page) = pages.next().await {
            for part in page.error_context(&sending(upload))?.parts.into_iter().flatten() {
                if let (Some(number), Some(crc64nvme)) = (part.part_number, part.checksum_crc64_nvme) {
                    let bytes = part.size.unwrap_or_default().unsigned_abs();
                    there.insert(number, Earlier { bytes, crc64nvme, tag: part.e_tag.unwrap_or_default() });
                }
            }
        }
        Ok(there)
    }

    async fn begin(&self, upload: &Upload) -> Result<String> {
        let request = self.client.create_multipart_upload().bucket(&upload.bucket).key(&upload.key);
        let request = request.checksum_algorithm(ChecksumAlgorithm::Crc64Nvme).checksum_type(ChecksumType::FullObject);
        let answer = request.expected_bucket_owner(&self.owner).send().await.error_context(&sending(upload))?;
        let no_id = || AwsError::new(Kind::Other, sending(upload), "S3 gave the upload no identifier");
        Ok(answer.upload_id.ok_or_else(no_id)?)
    }

    async fn finish(&self, upload: &Upload, id: &str, arrived: &[Arrived]) -> Result<()> {
        let whole = arrived.iter().fold(None, |whole, next| match whole {
            None => Some(next.crc),
            Some(crc) => Some(checksum_combine(CrcAlgorithm::Crc64Nvme, crc, next.crc, next.part.bytes)),
        });
        if whole.map(base64_of).as_ref() != Some(&upload.crc64nvme) {
            let request = self.client.abort_multipart_upload().bucket(&upload.bucket).key(&upload.key).upload_id(id);
            // A failure to abort is ignored: the changed file must be reported, and the lifecycle rule removes the parts.
            let _ = request.expected_bucket_owner(&self.owner).send().await;
            return Err(altered(upload).into());
        }
        let parts = arrived.iter().map(|arrived| {
            CompletedPart::builder()
                .part_number(arrived.part.number)
                .e_tag(&arrived.tag)
                .checksum_crc64_nvme(base64_of(arrived.crc))
                .build()
        });
        let all = CompletedMultipartUpload::builder().set_parts(Some(parts.collect())).build();
        let request = self.client.complete_multipart_upload().bucket(&upload.bucket).key(&upload.key).upload_id(id);
        let request = request.multipart_upload(all).checksum_type(ChecksumType::FullObject);
        let request = request.checksum_crc64_nvme(&upload.crc64nvme).expected_bucket_owner(&self.owner);
        request.send().await.error_context(&sending(upload))?;
        Ok(())
    }

    fn report(&self, bytes: u64) {
        // The receiver is dropped only after the run has failed.
        let _ = self.sent.send(bytes);
    }
}

/// Returns the units of the memory budget for content of this size, at most the whole budget.
fn units(bytes: u64) -> u32 {
    let units = bytes.div_ceil(UNIT_BYTES).clamp(1, BYTES_AT_A_TIME / UNIT_BYTES);
    u32::try_from(units).unwrap_or(u32::MAX)
}

/// Returns the parts of a file of `bytes`.
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

/// Converts an error of a read; a missing file counts as altered.
fn unreadable(upload: &Upload, path: &Path, error: io::Error) -> anyhow::Error {
    if error.kind() == io::ErrorKind::NotFound {
        let message = format!("{} is not there, though its manifest names it", path.display());
        return AwsError::new(Kind::Altered, sending(upload), message).into();
    }
    anyhow::Error::new(error).context(format!("cannot read {}", path.display()))
}

fn crc64nvme(bytes: &[u8]) -> u64 {
    checksum(CrcAlgorithm::Crc64Nvme, bytes)
}

fn base64_of(crc: u64) -> String {
    STANDARD.encode(crc.to_be_bytes())
}

fn sending(upload: &Upload) -> String {
    format!("upload s3://{}/{}", upload.bucket, upload.key)
}

fn altered(upload: &Upload) -> AwsError {
    let file = match &upload.content {
        Content::File(path) => path.display().to_string(),
        Content::Text(_) | Content::Object { .. } => upload.key.clone(),
    };
    AwsError::new(
        Kind::Altered,
        sending(upload),
        format!(
            "{file} is not what its manifest says ({} bytes, CRC-64/NVME {}); it was changed after it was written",
            upload.bytes, upload.crc64nvme
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::{MAX_PARTS, PART_BYTES, parts};

    #[test]
    fn parts_cover_a_file_of_any_size_and_are_never_too_many() {
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
