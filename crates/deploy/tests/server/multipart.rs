//! Emulation of multipart uploads. s3s-fs stores the content; this module adds listings, the checksums of parts, and the
//! checksum of the whole object, which is verified before the object is created.

use std::collections::BTreeMap;
use std::fs;

use hyper::body::Bytes;
use hyper::http::request::Parts;
use hyper::{Method, Response};
use publish::Checksum;
use s3s::Body;

use super::service::{CHECKSUM, Target, error_response, xml_response};
use super::{MAX_BODY_BYTES, State};

/// Number of parts in a page of a listing. It is 1,000 on S3; small pages test the pagination of the client.
const PARTS_PER_PAGE: usize = 2;

/// Multipart uploads of a server.
#[derive(Default)]
pub(crate) struct Uploads {
    /// Incomplete uploads by id.
    incomplete: BTreeMap<String, IncompleteUpload>,
    /// Responses to completed uploads by id: S3 repeats them if a client retries.
    completed: BTreeMap<String, Bytes>,
    n_created: usize,
}

struct IncompleteUpload {
    bucket: String,
    key: String,
    /// Sequence number, which orders the uploads by age.
    sequence: usize,
    parts: BTreeMap<usize, StoredPart>,
}

struct StoredPart {
    bytes: usize,
    crc64nvme: String,
    tag: String,
}

impl Uploads {
    pub(crate) fn n_incomplete(&self) -> usize {
        self.incomplete.len()
    }

    /// Renders the response to `ListMultipartUploads`.
    fn list(&self, target: &Target) -> String {
        let prefix = target.query("prefix").unwrap_or_default();
        let matching =
            self.incomplete.iter().filter(|(_, it)| it.bucket == target.bucket && it.key.starts_with(prefix));
        let upload = |(id, it): (&String, &IncompleteUpload)| {
            format!(
                "<Upload><Key>{}</Key><UploadId>{id}</UploadId><Initiated>2026-11-22T00:00:{:02}.000Z</Initiated>\
                 <ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType></Upload>",
                it.key, it.sequence
            )
        };
        let uploads: String = matching.map(upload).collect();
        format!("<ListMultipartUploadsResult>{uploads}<IsTruncated>false</IsTruncated></ListMultipartUploadsResult>")
    }
}

impl IncompleteUpload {
    /// Renders the response to `ListParts`.
    fn list(&self, target: &Target) -> String {
        let marker: usize = target.query("part-number-marker").map_or(0, |marker| marker.parse().unwrap());
        let page: Vec<_> = self.parts.range(marker + 1..).take(PARTS_PER_PAGE).collect();
        let part = |(number, part): &(&usize, &StoredPart)| {
            format!(
                "<Part><PartNumber>{number}</PartNumber><ETag>{}</ETag><Size>{}</Size>\
                 <ChecksumCRC64NVME>{}</ChecksumCRC64NVME></Part>",
                part.tag, part.bytes, part.crc64nvme
            )
        };
        let last = page.last().map_or(marker, |(number, _)| **number);
        let parts: String = page.iter().map(part).collect();
        let is_truncated = self.parts.range(last + 1..).next().is_some();
        format!(
            "<ListPartsResult>{parts}<NextPartNumberMarker>{last}</NextPartNumberMarker>\
             <IsTruncated>{is_truncated}</IsTruncated></ListPartsResult>"
        )
    }
}

impl State {
    /// Executes a request about a multipart upload.
    pub(crate) async fn multipart(&self, head: Parts, target: &Target, body: Bytes) -> Response<Body> {
        let error = |status, code, message| error_response(&head, status, code, message, &self.region);
        let Some(id) = target.query("uploadId") else {
            if head.method == Method::GET {
                return xml_response(200, self.emulated.lock().unwrap().uploads.list(target));
            }
            return self.create_upload(head, target, body).await;
        };
        if let Some(response) = self.emulated.lock().unwrap().uploads.completed.get(id)
            && head.method == Method::POST
        {
            return Response::new(response.clone().into());
        }
        let listing =
            self.emulated.lock().unwrap().uploads.incomplete.get(id).map(|incomplete| incomplete.list(target));
        let Some(listing) = listing else {
            return error(404, "NoSuchUpload", "The specified upload does not exist.");
        };
        match head.method {
            Method::GET => xml_response(200, listing),
            Method::PUT => self.upload_part(head, target, body, id).await,
            Method::DELETE => {
                self.emulated.lock().unwrap().uploads.incomplete.remove(id);
                self.forward(head, body).await
            }
            _ => {
                let checksum = self.checksum_of_parts(id);
                let expected = head.headers[CHECKSUM].to_str().unwrap();
                if expected != checksum {
                    return error(
                        400,
                        "BadDigest",
                        "The CRC64NVME you specified did not match the calculated checksum.",
                    );
                }
                self.complete_upload(head, target, body, id, checksum).await
            }
        }
    }

    async fn create_upload(&self, head: Parts, target: &Target, body: Bytes) -> Response<Body> {
        assert_eq!(head.headers["x-amz-checksum-algorithm"], "CRC64NVME");
        assert_eq!(head.headers["x-amz-checksum-type"], "FULL_OBJECT");
        let (head, body) = self.forward(head, body).await.into_parts();
        let bytes = collect(body).await;
        let text = String::from_utf8_lossy(&bytes);
        let (_, rest) = text.split_once("<UploadId>").unwrap();
        let id = rest.split('<').next().unwrap().to_owned();
        let uploads = &mut self.emulated.lock().unwrap().uploads;
        uploads.n_created += 1;
        let (bucket, key, parts) = (target.bucket.clone(), target.key.clone(), BTreeMap::new());
        uploads.incomplete.insert(id, IncompleteUpload { bucket, key, sequence: uploads.n_created, parts });
        Response::from_parts(head, bytes.into())
    }

    async fn upload_part(&self, head: Parts, target: &Target, body: Bytes, id: &str) -> Response<Body> {
        let number = target.query("partNumber").unwrap().parse().unwrap();
        let (bytes, crc64nvme) = (body.len(), head.headers[CHECKSUM].to_str().unwrap().to_owned());
        let response = self.forward(head, body).await;
        if response.status().is_success() {
            let tag = response.headers()["etag"].to_str().unwrap().to_owned();
            let uploads = &mut self.emulated.lock().unwrap().uploads;
            uploads.incomplete.get_mut(id).unwrap().parts.insert(number, StoredPart { bytes, crc64nvme, tag });
        }
        response
    }

    /// Computes the checksum of the whole object from the part files of s3s-fs.
    fn checksum_of_parts(&self, id: &str) -> String {
        let mut checksum = Checksum::default();
        for number in self.emulated.lock().unwrap().uploads.incomplete[id].parts.keys() {
            checksum.update(&fs::read(self.root.join(format!(".upload_id-{id}.part-{number}"))).unwrap());
        }
        checksum.to_base64()
    }

    async fn complete_upload(
        &self,
        head: Parts,
        target: &Target,
        body: Bytes,
        id: &str,
        crc64nvme: String,
    ) -> Response<Body> {
        let request = String::from_utf8_lossy(&body).into_owned();
        let is_listed = |part: &StoredPart| request.contains(part.tag.trim_matches('"'));
        if !self.emulated.lock().unwrap().uploads.incomplete[id].parts.values().all(is_listed) {
            return error_response(&head, 400, "InvalidPart", "A part's tag is wrong.", &self.region);
        }
        let (head, body) = self.forward(head, body).await.into_parts();
        let bytes = collect(body).await;
        let emulated = &mut self.emulated.lock().unwrap();
        emulated.uploads.incomplete.remove(id);
        emulated.uploads.completed.insert(id.to_owned(), bytes.clone());
        // s3s-fs would return the checksum of an earlier object, or none.
        emulated.checksums.insert(target.path(), Some(crc64nvme));
        Response::from_parts(head, bytes.into())
    }
}

async fn collect(mut body: Body) -> Bytes {
    body.store_all_limited(MAX_BODY_BYTES).await.unwrap()
}
