//! Execution of requests. Most are forwarded to s3s-fs. Operations that it doesn't support are emulated from the
//! documentation of AWS: the caller identity of STS, owners, regions and settings of buckets, missing buckets, and
//! verification of checksums before an object is overwritten. See [`super::multipart`] for multipart uploads.

use std::collections::BTreeMap;

use hyper::body::Bytes;
use hyper::http::request::Parts;
use hyper::{Method, Request, Response};
use publish::Checksum;
use s3s::Body;

use super::multipart::Uploads;
use super::{KEY_ID, State, decoded};

/// Query parameters of the bucket settings, and the error codes of settings that are not configured.
const SETTINGS: [(&str, &str); 6] = [
    ("publicAccessBlock", "NoSuchPublicAccessBlockConfiguration"),
    ("ownershipControls", "OwnershipControlsNotFoundError"),
    ("encryption", "ServerSideEncryptionConfigurationNotFoundError"),
    ("policy", "NoSuchBucketPolicy"),
    ("lifecycle", "NoSuchLifecycleConfiguration"),
    ("tagging", "NoSuchTagSet"),
];

pub(crate) const CHECKSUM: &str = "x-amz-checksum-crc64nvme";

/// State that s3s-fs doesn't store.
#[derive(Default)]
pub(crate) struct EmulatedState {
    /// Request bodies of the bucket settings, by bucket and query parameter; S3 returns the same documents.
    settings: BTreeMap<(String, &'static str), Bytes>,
    /// Checksums that replace those of s3s-fs, by path; `None` for an object without a checksum.
    pub(crate) checksums: BTreeMap<String, Option<String>>,
    /// Multipart uploads.
    pub(crate) uploads: Uploads,
}

/// Bucket, key and query of a request.
pub(crate) struct Target {
    pub(crate) bucket: String,
    pub(crate) key: String,
    query: BTreeMap<String, String>,
}

impl Target {
    fn of(head: &Parts) -> Self {
        let path = decoded(head.uri.path());
        let (bucket, key) = path[1..].split_once('/').unwrap_or((&path[1..], ""));
        let pairs = head.uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value))
        };
        Self { bucket: bucket.to_owned(), key: key.to_owned(), query: pairs.map(pair).collect() }
    }

    pub(crate) fn path(&self) -> String {
        format!("/{}/{}", self.bucket, self.key)
    }

    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }
}

impl State {
    pub(crate) async fn execute(&self, head: Parts, body: Bytes) -> Response<Body> {
        let target = Target::of(&head);
        let error = |status, code, message| error_response(&head, status, code, message, &self.region);
        if target.bucket.is_empty() {
            return self.caller_identity(&head);
        }
        let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
        let exists = self.root.join(&target.bucket).is_dir();
        let is_create = head.method == Method::PUT && target.key.is_empty() && target.query.is_empty();
        match (exists, is_create) {
            (false, true) if !self.is_location(&body) => {
                return error(400, "IllegalLocationConstraintException", "The location constraint is incompatible.");
            }
            (true, true) => return error(409, "BucketAlreadyOwnedByYou", "You already own it."),
            (false, false) => return error(404, "NoSuchBucket", "The specified bucket does not exist"),
            _ => {}
        }
        if header("x-amz-expected-bucket-owner").is_some_and(|owner| owner != self.account) {
            return error(403, "AccessDenied", "Access Denied");
        }
        if let Some(expected) = header(CHECKSUM)
            && head.method == Method::PUT
        {
            let mut checksum = Checksum::default();
            checksum.update(&body);
            if checksum.to_base64() != expected {
                return error(400, "BadDigest", "The CRC64NVME you specified did not match the calculated checksum.");
            }
        }
        if let Some((name, missing)) = SETTINGS.into_iter().find(|(name, _)| target.query(name).is_some()) {
            let settings = &mut self.emulated.lock().unwrap().settings;
            let key = (target.bucket, name);
            return match (&head.method, settings.get(&key)) {
                (&Method::GET, Some(text)) => Response::new(text.clone().into()),
                (&Method::GET, None) => error(404, missing, "It is not set."),
                _ => {
                    settings.insert(key, body);
                    Response::new(Body::empty())
                }
            };
        }
        if target.query("uploads").is_some() || target.query("uploadId").is_some() {
            return self.multipart(head, &target, body).await;
        }
        let with_checksum = header("x-amz-checksum-mode") == Some("ENABLED");
        let method = head.method.clone();
        let mut response = self.forward(head, body).await;
        if target.key.is_empty() {
            response.headers_mut().insert("x-amz-bucket-region", self.region.parse().unwrap());
        } else if method == Method::HEAD {
            let checksum = self.emulated.lock().unwrap().checksums.get(&target.path()).cloned();
            if let Some(Some(checksum)) = &checksum {
                response.headers_mut().insert(CHECKSUM, checksum.parse().unwrap());
            }
            if checksum == Some(None) || !with_checksum {
                response.headers_mut().remove(CHECKSUM);
            }
        } else if method == Method::PUT && response.status().is_success() {
            self.emulated.lock().unwrap().checksums.remove(&target.path());
        }
        response
    }

    /// Forwards a request to s3s.
    pub(crate) async fn forward(&self, head: Parts, body: Bytes) -> Response<Body> {
        self.s3.call(Request::from_parts(head, body.into())).await.unwrap()
    }

    /// Checks the location constraint of a create request; it must be absent for us-east-1.
    fn is_location(&self, body: &[u8]) -> bool {
        if self.region == "us-east-1" { body.is_empty() } else { String::from_utf8_lossy(body).contains(&self.region) }
    }

    /// Responds to STS's `GetCallerIdentity`, the only request that isn't for S3.
    fn caller_identity(&self, head: &Parts) -> Response<Body> {
        if head.headers.contains_key("x-amz-target") {
            return error_response(head, 400, "UnknownOperationException", "This server is S3 only.", &self.region);
        }
        let signature = head.headers["authorization"].to_str().unwrap();
        if !signature.contains(&format!("Credential={KEY_ID}/")) {
            let message = "The security token included in the request is invalid.";
            return error_response(head, 403, "InvalidClientTokenId", message, &self.region);
        }
        let account = &self.account;
        xml_response(
            200,
            format!(
                "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
                 <GetCallerIdentityResult><Arn>arn:aws:iam::{account}:user/someone</Arn><UserId>AIDAEXAMPLE</UserId>\
                 <Account>{account}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
            ),
        )
    }
}

/// Returns a response with an XML body.
pub(crate) fn xml_response(status: u16, text: String) -> Response<Body> {
    Response::builder().status(status).header("content-type", "application/xml").body(text.into()).unwrap()
}

/// Returns an error response in the format of the requested service.
pub(crate) fn error_response(head: &Parts, status: u16, code: &str, message: &str, region: &str) -> Response<Body> {
    let error = format!("<Code>{code}</Code><Message>{message}</Message>");
    let mut response = if head.headers.contains_key("x-amz-target") {
        let text = format!("{{\"__type\": \"{code}\", \"message\": \"{message}\"}}");
        Response::builder().header("content-type", "application/x-amz-json-1.1").body(text.into()).unwrap()
    } else if head.uri.path() == "/" {
        xml_response(status, format!("<ErrorResponse><Error><Type>Sender</Type>{error}</Error></ErrorResponse>"))
    } else {
        xml_response(status, format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>{error}</Error>"))
    };
    *response.status_mut() = status.try_into().unwrap();
    response.headers_mut().insert("x-amz-bucket-region", region.parse().unwrap());
    response
}
