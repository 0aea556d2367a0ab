//! Classification of failed requests, and the text that users see: the failure and a next step.

use std::error::Error;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

/// A request that failed after all retries.
#[derive(Debug)]
pub struct AwsError {
    /// Class of the failure.
    pub kind: Kind,
    /// Attempted operation; completes the sentence `cannot …`, as in `create the bucket x`.
    doing: String,
    /// Error code of AWS, such as `AccessDenied`.
    pub code: Option<String>,
    /// Message of AWS or of the network layer.
    message: String,
    /// Next step for the user, if a more specific one than that of the kind is known.
    next_step: Option<&'static str>,
}

/// Classes of failures that callers distinguish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// No credentials were found.
    NoCredentials,
    /// The credentials have expired.
    ExpiredCredentials,
    /// AWS rejects the credentials.
    InvalidCredentials,
    /// The credentials don't allow the request.
    Denied,
    /// The resource doesn't exist.
    NotFound,
    /// The resource exists already.
    AlreadyThere,
    /// A bucket of this name belongs to another account.
    NameTaken,
    /// The bucket is in another region.
    WrongRegion,
    /// AWS throttled the request, or failed internally, in every attempt.
    Throttled,
    /// No response arrived.
    Unreachable,
    /// The content was corrupted in transit.
    Damaged,
    /// A local file doesn't match its manifest.
    Altered,
    /// Any other failure.
    Other,
}

impl AwsError {
    /// Creates an error that doesn't come from the SDK.
    pub fn new(kind: Kind, doing: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kind, doing: doing.into(), code: None, message: message.into(), next_step: None }
    }

    /// Returns the message of AWS.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Searches the message; needed for services that use one code for several failures.
    pub(crate) fn message_contains(&self, text: &str) -> bool {
        self.message.contains(text)
    }

    /// Converts an error of the SDK. `doing` completes the sentence `cannot …`.
    pub(crate) fn of<E>(doing: &str, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let code = error.code().map(str::to_owned);
        let status = error.raw_response().map(|response| response.status().as_u16());
        let kind = match error {
            SdkError::ServiceError(_) => kind_of_answer(code.as_deref(), status),
            SdkError::TimeoutError(_) | SdkError::ResponseError(_) => Kind::Unreachable,
            _ => kind_of_cause(error),
        };
        let message = match (error.message(), status) {
            (Some(message), _) => message.to_owned(),
            (None, Some(status)) if matches!(error, SdkError::ServiceError(_)) => {
                format!("the answer was HTTP {status}")
            }
            _ => without_sdk_names(last_cause(error)),
        };
        Self { kind, doing: doing.to_owned(), code, message, next_step: None }
    }

    /// Replaces the attempted operation, as in `cannot …`.
    #[must_use]
    pub fn doing(mut self, doing: impl Into<String>) -> Self {
        self.doing = doing.into();
        self
    }

    /// Sets a next step that is more specific than that of the kind.
    #[must_use]
    pub(crate) const fn with_next_step(mut self, next_step: &'static str) -> Self {
        self.next_step = Some(next_step);
        self
    }

    /// Returns the next step for the user; empty if the message says all there is.
    const fn next_step(&self) -> &'static str {
        if let Some(next_step) = self.next_step {
            return next_step;
        }
        match self.kind {
            Kind::NoCredentials => {
                "run `aws configure sso` or `aws configure` for the profile, or name another with --profile or AWS_PROFILE; \
                 `aws sts get-caller-identity` must work"
            }
            Kind::ExpiredCredentials => {
                "log in again (`aws sso login`, or renew the session token), then run this again"
            }
            Kind::InvalidCredentials => {
                "check the keys of the profile in ~/.aws/credentials (or in the environment, which comes first) and the \
                 machine's clock"
            }
            Kind::Denied => "give the user or role a policy that allows this; a new policy takes some seconds to act",
            Kind::NameTaken => {
                "bucket names are shared by all of AWS: check that the account number is your own; if it is, ask the bucket's \
                 owner or AWS support"
            }
            Kind::WrongRegion => "give that region with --region or AWS_REGION, or empty and delete the bucket there",
            Kind::Throttled => "wait a minute and run this again; it goes on where it stopped",
            Kind::Unreachable => {
                "check the network, a proxy, the region's name and --endpoint-url; then run this again, it goes on where it \
                 stopped"
            }
            Kind::Damaged => "run this again; if it happens again, the file or the network is not sound",
            Kind::Altered => "make the data set again with `generate` or `transform`, then run this again",
            Kind::NotFound | Kind::AlreadyThere | Kind::Other => "",
        }
    }
}

impl std::fmt::Display for AwsError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "cannot {}: {}", self.doing, self.message.trim_end_matches('.'))?;
        if let Some(code) = &self.code {
            write!(f, " ({code})")?;
        }
        match self.next_step() {
            "" => Ok(()),
            step => write!(f, "\n  next: {step}"),
        }
    }
}

impl Error for AwsError {}

/// Returns the kind of an error response, by the code of AWS and the HTTP status.
pub(crate) fn kind_of_answer(code: Option<&str>, status: Option<u16>) -> Kind {
    match (code.unwrap_or_default(), status.unwrap_or_default()) {
        ("ExpiredToken" | "ExpiredTokenException" | "RequestExpired" | "TokenRefreshRequired", _) => {
            Kind::ExpiredCredentials
        }
        (
            "InvalidAccessKeyId"
            | "InvalidClientTokenId"
            | "SignatureDoesNotMatch"
            | "InvalidSignatureException"
            | "UnrecognizedClientException"
            | "IncompleteSignature"
            | "InvalidToken"
            | "AuthFailure"
            | "RequestTimeTooSkewed",
            _,
        ) => Kind::InvalidCredentials,
        ("BucketAlreadyExists", _) => Kind::NameTaken,
        ("BucketAlreadyOwnedByYou" | "AlreadyExistsException" | "ResourceExistsException", _) => Kind::AlreadyThere,
        ("BadDigest" | "InvalidDigest" | "XAmzContentChecksumMismatch", _) => Kind::Damaged,
        ("PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException", _) | (_, 301) => {
            Kind::WrongRegion
        }
        (
            "SlowDown"
            | "Throttling"
            | "ThrottlingException"
            | "TooManyRequestsException"
            | "RequestLimitExceeded"
            | "ServiceUnavailable"
            | "InternalError",
            _,
        )
        | (_, 429 | 500..600) => Kind::Throttled,
        ("RequestTimeout", _) => Kind::Unreachable,
        // The response to a HEAD has no body and hence no code. S3 answers these requests with 400 only for expired credentials.
        ("", 400) => Kind::ExpiredCredentials,
        (code, _) if code.starts_with("NoSuch") || code.ends_with("NotFound") || code.ends_with("NotFoundError") => {
            Kind::NotFound
        }
        ("EntityNotFoundException" | "ResourceNotFoundException", _) | (_, 404) => Kind::NotFound,
        (code, status) if code.starts_with("AccessDenied") || code == "AllAccessDisabled" || status == 403 => {
            Kind::Denied
        }
        _ => Kind::Other,
    }
}

/// Returns the kind of a failure without a response: missing credentials or an unreachable network.
fn kind_of_cause(error: &(dyn Error + 'static)) -> Kind {
    use aws_credential_types::provider::error::CredentialsError;
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<CredentialsError>() {
            let text = last_cause(error).to_lowercase();
            return match error {
                _ if text.contains("expired") || text.contains("sso token") => Kind::ExpiredCredentials,
                _ => Kind::NoCredentials,
            };
        }
        cause = error.source();
    }
    Kind::Unreachable
}

/// Returns the innermost cause of an error. The outer ones only name the layers of the SDK.
pub(crate) fn last_cause(error: &(dyn Error + 'static)) -> String {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    last.to_string()
}

/// Removes the SDK's internal names of credential providers; the part about the profile stays.
fn without_sdk_names(text: String) -> String {
    const NOT_LOADED: &str = "the credential provider was not enabled";
    if text == NOT_LOADED {
        return "no credentials were found".to_owned();
    }
    if !text.starts_with("no credentials found in chain") {
        return text;
    }
    let profile = text.lines().find_map(|line| line.trim().strip_prefix("Profile: ")?.strip_prefix(NOT_LOADED));
    format!("no credentials were found{}", profile.unwrap_or_default())
}

/// Conversion of the SDK's errors.
pub(crate) trait ErrorContext<T> {
    /// Converts the error into an [`AwsError`]. `doing` completes the sentence `cannot …`.
    fn error_context(self, doing: &str) -> Result<T, AwsError>;
}

impl<T, E> ErrorContext<T> for Result<T, SdkError<E, HttpResponse>>
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    fn error_context(self, doing: &str) -> Result<T, AwsError> {
        self.map_err(|error| AwsError::of(doing, &error))
    }
}
