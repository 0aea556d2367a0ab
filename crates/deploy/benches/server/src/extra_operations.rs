//! Operations that `deploy` needs and s3s doesn't support: the caller identity, bucket settings (none is configured), and
//! the listing of incomplete uploads (there are none).

use s3s::route::S3Route;
use s3s::{Body, S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

use hyper::http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode, Uri};

const SETTINGS: [(&str, &str); 6] = [
    ("publicAccessBlock", "NoSuchPublicAccessBlockConfiguration"),
    ("ownershipControls", "OwnershipControlsNotFoundError"),
    ("encryption", "ServerSideEncryptionConfigurationNotFoundError"),
    ("policy", "NoSuchBucketPolicy"),
    ("lifecycle", "NoSuchLifecycleConfiguration"),
    ("tagging", "NoSuchTagSet"),
];

/// Route of these operations.
pub(crate) struct ExtraOperations {
    /// Account number in the caller identity.
    pub(crate) account: String,
}

/// Returns the name of the first query parameter.
fn first_parameter(uri: &Uri) -> &str {
    uri.query().unwrap_or_default().split(['&', '=']).next().unwrap_or_default()
}

#[async_trait::async_trait]
impl S3Route for ExtraOperations {
    fn is_match(&self, method: &Method, uri: &Uri, _: &HeaderMap, _: &mut Extensions) -> bool {
        *method == Method::POST && uri.path() == "/"
            || *method == Method::GET
                && (first_parameter(uri) == "uploads"
                    || SETTINGS.iter().any(|(setting, _)| *setting == first_parameter(uri)))
    }

    async fn call(&self, request: S3Request<Body>) -> S3Result<S3Response<Body>> {
        if let Some((_, code)) = SETTINGS.iter().find(|(setting, _)| *setting == first_parameter(&request.uri)) {
            let mut error = S3Error::new(S3ErrorCode::Custom((*code).into()));
            error.set_status_code(StatusCode::NOT_FOUND);
            return Err(error);
        }
        let body = if request.method == Method::GET {
            "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>".to_owned()
        } else {
            let account = &self.account;
            format!(
                "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
                 <Arn>arn:aws:iam::{account}:user/bench</Arn><UserId>AIDABENCH</UserId><Account>{account}</Account>\
                 </GetCallerIdentityResult></GetCallerIdentityResponse>"
            )
        };
        let mut response = S3Response::new(Body::from(body));
        response.headers.insert("content-type", HeaderValue::from_static("text/xml"));
        Ok(response)
    }
}
