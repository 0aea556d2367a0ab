//! What S3 knows about multipart uploads and s3s-fs doesn't: which are unfinished, the checksum of each part, and that
//! of the whole object, which is compared before the object appears.

use std::collections::BTreeMap;
use std::fs;

use hyper::body::Bytes;
use hyper::http::request::Parts;
use hyper::{Method, Response};
use publish::Checksum;
use s3s::Body;

use super::service::{CHECKSUM, Target, refusal, xml};
use super::{MAX_BODY_BYTES, State};

/// Number of parts in a page of a listing. S3 has up to 1,000; a small page makes the client use pagination.
const PARTS_A_PAGE: usize = 2;

/// The uploads of a server.
#[derive(Default)]
pub(crate) struct Uploads {
    /// By their identifier.
    unfinished: BTreeMap<String, Unfinished>,
    /// Responses to completed uploads: S3 repeats them if a client retries.
    finished: BTreeMap<String, Bytes>,
    n_begun: usize,
}

struct Unfinished {
    bucket: String,
    key: String,
    begun: usize,
    parts: BTreeMap<usize, PartThere>,
}

struct PartThere {
    bytes: usize,
    crc64nvme: String,
    tag: String,
}

impl Uploads {
    pub(crate) fn n_unfinished(&self) -> usize {
        self.unfinished.len()
    }

    fn list(&self, target: &Target) -> String {
        let prefix = target.query("prefix").unwrap_or_default();
        let ours = self.unfinished.iter().filter(|(_, it)| it.bucket == target.bucket && it.key.starts_with(prefix));
        let upload = |(id, it): (&String, &Unfinished)| {
            format!(
                "<Upload><Key>{}</Key><UploadId>{id}</UploadId><Initiated>2026-11-22T00:00:{:02}.000Z</Initiated>\
                 <ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType></Upload>",
                it.key, it.begun
            )
        };
        let all: String = ours.map(upload).collect();
        format!("<ListMultipartUploadsResult>{all}<IsTruncated>false</IsTruncated></ListMultipartUploadsResult>")
    }
}

impl Unfinished {
    fn list(&self, target: &Target) -> String {
        let marker: usize = target.query("part-number-marker").map_or(0, |marker| marker.parse().unwrap());
        let page: Vec<_> = self.parts.range(marker + 1..).take(PARTS_A_PAGE).collect();
        let part = |(number, part): &(&usize, &PartThere)| {
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
    pub(crate) async fn multipart(&self, head: Parts, target: &Target, body: Bytes) -> Response<Body> {
        let refuse = |status, code, message| refusal(&head, status, code, message, &self.region);
        let Some(id) = target.query("uploadId") else {
            if head.method == Method::GET {
                return xml(200, self.gaps.lock().unwrap().uploads.list(target));
            }
            return self.begin(head, target, body).await;
        };
        if let Some(answer) = self.gaps.lock().unwrap().uploads.finished.get(id)
            && head.method == Method::POST
        {
            return Response::new(answer.clone().into());
        }
        let listing = self.gaps.lock().unwrap().uploads.unfinished.get(id).map(|unfinished| unfinished.list(target));
        let Some(listing) = listing else {
            return refuse(404, "NoSuchUpload", "The specified upload does not exist.");
        };
        match head.method {
            Method::GET => xml(200, listing),
            Method::PUT => self.part(head, target, body, id).await,
            Method::DELETE => {
                self.gaps.lock().unwrap().uploads.unfinished.remove(id);
                self.pass(head, body).await
            }
            _ => {
                let whole = self.checksum_of_parts(id);
                let expected = head.headers[CHECKSUM].to_str().unwrap();
                if expected != whole {
                    return refuse(
                        400,
                        "BadDigest",
                        "The CRC64NVME you specified did not match the calculated checksum.",
                    );
                }
                self.finish(head, target, body, id, whole).await
            }
        }
    }

    async fn begin(&self, head: Parts, target: &Target, body: Bytes) -> Response<Body> {
        assert_eq!(head.headers["x-amz-checksum-algorithm"], "CRC64NVME");
        assert_eq!(head.headers["x-amz-checksum-type"], "FULL_OBJECT");
        let (head, body) = self.pass(head, body).await.into_parts();
        let text = whole(body).await;
        let answer = String::from_utf8_lossy(&text);
        let (_, rest) = answer.split_once("<UploadId>").unwrap();
        let id = rest.split('<').next().unwrap().to_owned();
        let uploads = &mut self.gaps.lock().unwrap().uploads;
        uploads.n_begun += 1;
        let (bucket, key, parts) = (target.bucket.clone(), target.key.clone(), BTreeMap::new());
        uploads.unfinished.insert(id, Unfinished { bucket, key, begun: uploads.n_begun, parts });
        Response::from_parts(head, text.into())
    }

    async fn part(&self, head: Parts, target: &Target, body: Bytes, id: &str) -> Response<Body> {
        let number = target.query("partNumber").unwrap().parse().unwrap();
        let (bytes, crc64nvme) = (body.len(), head.headers[CHECKSUM].to_str().unwrap().to_owned());
        let response = self.pass(head, body).await;
        if response.status().is_success() {
            let tag = response.headers()["etag"].to_str().unwrap().to_owned();
            let uploads = &mut self.gaps.lock().unwrap().uploads;
            uploads.unfinished.get_mut(id).unwrap().parts.insert(number, PartThere { bytes, crc64nvme, tag });
        }
        response
    }

    /// s3s-fs keeps each part in a file.
    fn checksum_of_parts(&self, id: &str) -> String {
        let mut checksum = Checksum::default();
        for number in self.gaps.lock().unwrap().uploads.unfinished[id].parts.keys() {
            checksum.update(&fs::read(self.root.join(format!(".upload_id-{id}.part-{number}"))).unwrap());
        }
        checksum.to_base64()
    }

    async fn finish(&self, head: Parts, target: &Target, body: Bytes, id: &str, crc64nvme: String) -> Response<Body> {
        let listed = String::from_utf8_lossy(&body).into_owned();
        let is_named = |part: &PartThere| listed.contains(part.tag.trim_matches('"'));
        if !self.gaps.lock().unwrap().uploads.unfinished[id].parts.values().all(is_named) {
            return refusal(&head, 400, "InvalidPart", "A part's tag is wrong.", &self.region);
        }
        let (head, body) = self.pass(head, body).await.into_parts();
        let text = whole(body).await;
        let gaps = &mut self.gaps.lock().unwrap();
        gaps.uploads.unfinished.remove(id);
        gaps.uploads.finished.insert(id.to_owned(), text.clone());
        // s3s-fs would give that of an earlier object, or none.
        gaps.checksums.insert(target.path(), Some(crc64nvme));
        Response::from_parts(head, text.into())
    }
}

async fn whole(mut body: Body) -> Bytes {
    body.store_all_limited(MAX_BODY_BYTES).await.unwrap()
}
