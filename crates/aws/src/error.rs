//! Errors of AWS requests: their classification, message and next step.

use std::error::Error;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

/// Error of a request that failed after all retries.
#[derive(Debug)]
pub struct AwsError {
    /// Class of the error.
    pub kind: Kind,
    /// Failed operation; completes the sentence `cannot …`, as in `create the bucket x`.
    operation: String,
    /// Error code of AWS, such as `AccessDenied`.
    pub code: Option<String>,
    /// Message of AWS or of the network layer.
    message: String,
    /// Next step for the user, if more specific than that of the kind.
    next_step: Option<&'static str>,
}

/// Error class that callers distinguish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// No credentials found.
    NoCredentials,
    /// Expired credentials.
    ExpiredCredentials,
    /// Credentials that AWS rejects.
    InvalidCredentials,
    /// Missing permission.
    Denied,
    /// Missing resource.
    NotFound,
    /// Existing resource of the same name.
    AlreadyExists,
    /// Bucket name in use by another account.
    BucketNameTaken,
    /// Bucket in another region.
    WrongRegion,
    /// Throttling or an internal error of AWS in every attempt.
    Throttled,
    /// No response.
    Unreachable,
    /// Content corrupted in transit.
    Corrupted,
    /// Local file that doesn't match its manifest.
    FileChanged,
    /// Any other error.
    Other,
}

impl AwsError {
    /// Creates an error that the SDK didn't report. `operation` completes the sentence `cannot …`.
    pub fn new(kind: Kind, operation: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kind, operation: operation.into(), code: None, message: message.into(), next_step: None }
    }

    /// Returns the message of AWS or of the network layer.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Searches the message, for services that use one code for several errors.
    pub(crate) fn message_contains(&self, text: &str) -> bool {
        self.message.contains(text)
    }

    /// Converts an error of the SDK. `operation` completes the sentence `cannot …`.
    pub(crate) fn from_sdk<E>(operation: &str, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let code = error.code().map(str::to_owned);
        let status = error.raw_response().map(|response| response.status().as_u16());
        let kind = match error {
            SdkError::ServiceError(_) => kind_of_response(code.as_deref(), status),
            SdkError::TimeoutError(_) | SdkError::ResponseError(_) => Kind::Unreachable,
            _ => kind_of_cause(error),
        };
        let message = match (error.message(), status) {
            (Some(message), _) => message.to_owned(),
            (None, Some(status)) if matches!(error, SdkError::ServiceError(_)) => {
                format!("HTTP status {status}")
            }
            _ => without_sdk_names(root_cause(error)),
        };
        Self { kind, operation: operation.to_owned(), code, message, next_step: None }
    }

    /// Sets a next step that is more specific than that of the kind.
    #[must_use]
    pub(crate) const fn with_next_step(mut self, next_step: &'static str) -> Self {
        self.next_step = Some(next_step);
        self
    }

    /// Returns the next step for the user; empty if there is none.
    const fn next_step(&self) -> &'static str {
        if let Some(next_step) = self.next_step {
            return next_step;
        }
        match self.kind {
            Kind::NoCredentials => {
                "run `aws configure sso` or `aws configure` for the profile, or select another with --profile or \
                 AWS_PROFILE, until `aws sts get-caller-identity` succeeds"
            }
            Kind::ExpiredCredentials => {
                "log in again (`aws sso login`, or renew the session token), then run this again"
            }
            Kind::InvalidCredentials => {
                "check the keys of the profile in ~/.aws/credentials (or in the environment, which overrides it) and the \
                 system clock"
            }
            Kind::Denied => {
                "attach a policy that allows this to the user or role; a new policy takes effect after some seconds"
            }
            Kind::BucketNameTaken => {
                "bucket names are unique across AWS accounts: check that the account number is yours; if it is, contact AWS \
                 support"
            }
            Kind::WrongRegion => "set that region with --region or AWS_REGION, or empty and delete the bucket there",
            Kind::Throttled => "wait a minute and run this again; it continues where it stopped",
            Kind::Unreachable => {
                "check the network, the proxy, the region and --endpoint-url, then run this again; it continues where it \
                 stopped"
            }
            Kind::Corrupted => "run this again; if it fails again, check the disk and the network",
            Kind::FileChanged => "recreate the data set with `generate` or `transform`, then run this again",
            Kind::NotFound | Kind::AlreadyExists | Kind::Other => "",
        }
    }
}

impl std::fmt::Display for AwsError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "cannot {}: {}", self.operation, self.message.trim_end_matches('.'))?;
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

/// Classifies an error response by the error code of AWS and the HTTP status.
pub(crate) fn kind_of_response(code: Option<&str>, status: Option<u16>) -> Kind {
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
        ("BucketAlreadyExists", _) => Kind::BucketNameTaken,
        ("BucketAlreadyOwnedByYou" | "AlreadyExistsException" | "ResourceExistsException", _) => Kind::AlreadyExists,
        ("BadDigest" | "InvalidDigest" | "XAmzContentChecksumMismatch", _) => Kind::Corrupted,
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
        // The response to a HEAD request has no body and so no code. Its status is 400 only for expired credentials.
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

/// Classifies an error without a response: missing credentials or an unreachable network.
fn kind_of_cause(error: &(dyn Error + 'static)) -> Kind {
    use aws_credential_types::provider::error::CredentialsError;
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<CredentialsError>() {
            let text = root_cause(error).to_lowercase();
            return match error {
                _ if text.contains("expired") || text.contains("sso token") => Kind::ExpiredCredentials,
                _ => Kind::NoCredentials,
            };
        }
        cause = error.source();
    }
    Kind::Unreachable
}

/// Returns the innermost cause of an error; the outer ones only name layers of the SDK.
pub(crate) fn root_cause(error: &(dyn Error + 'static)) -> String {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    last.to_string()
}

/// Removes the names of the SDK's credential providers from a message, except for the part about the profile.
fn without_sdk_names(text: String) -> String {
    const NOT_ENABLED: &str = "the credential provider was not enabled";
    if text == NOT_ENABLED {
        return "no credentials were found".to_owned();
    }
    if !text.starts_with("no credentials found in chain") {
        return text;
    }
    let profile = text.lines().find_map(|line| line.trim().strip_prefix("Profile: ")?.strip_prefix(NOT_ENABLED));
    format!("no credentials were found{}", profile.unwrap_or_default())
}

/// Conversion of SDK errors.
pub(crate) trait ErrorContext<T> {
    /// Converts the error into an [`AwsError`]. `operation` completes the sentence `cannot …`.
    fn error_context(self, operation: &str) -> Result<T, AwsError>;
}

impl<T, E> ErrorContext<T> for Result<T, SdkError<E, HttpResponse>>
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    fn error_context(self, operation: &str) -> Result<T, AwsError> {
        self.map_err(|error| AwsError::from_sdk(operation, &error))
    }
}
