//! What went wrong at AWS, and what the person who reads it should do next.

use std::error::Error;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

/// A request that failed for good.
#[derive(Debug)]
pub struct AwsError {
    /// What kind of failure it is.
    pub kind: Kind,
    /// What was being done, as in `cannot create the bucket x`.
    doing: String,
    /// AWS's own code, as in `AccessDenied`.
    pub code: Option<String>,
    /// What AWS, or the network, said.
    message: String,
    /// What to do next, where that is better known than from the kind.
    next_step: Option<&'static str>,
}

/// What callers tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// There are no credentials at all.
    NoCredentials,
    /// They were good once.
    ExpiredCredentials,
    /// AWS doesn't know them.
    InvalidCredentials,
    /// They don't allow this.
    Denied,
    /// What was asked for isn't there.
    NotFound,
    /// What should be made is there already.
    AlreadyThere,
    /// A bucket of this name belongs to somebody else.
    NameTaken,
    /// It lies in another region.
    WrongRegion,
    /// AWS asked for patience, or failed by itself, more often than we have patience.
    Throttled,
    /// No answer came.
    Unreachable,
    /// What arrived isn't what was sent.
    Damaged,
    /// A local file isn't what its manifest says.
    Altered,
    /// Anything else.
    Other,
}

impl AwsError {
    /// An error that didn't come from the SDK.
    pub fn new(kind: Kind, doing: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kind, doing: doing.into(), code: None, message: message.into(), next_step: None }
    }

    /// What AWS said.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// For services that have one code for many things.
    pub(crate) fn message_contains(&self, text: &str) -> bool {
        self.message.contains(text)
    }

    /// Reads an SDK's error. `doing` completes the sentence `cannot …`.
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

    /// The same failure of something larger.
    #[must_use]
    pub fn doing(mut self, doing: impl Into<String>) -> Self {
        self.doing = doing.into();
        self
    }

    /// The same failure, of which it is known what to do next.
    #[must_use]
    pub(crate) const fn with_next_step(mut self, next_step: &'static str) -> Self {
        self.next_step = Some(next_step);
        self
    }

    /// What to do next, if there is something better than reading the message.
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
            Kind::Denied => {
                "give the user or role the policy that `deploy policy` prints; a new policy takes some seconds to act"
            }
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

/// What kind of failure an answer tells of, by AWS's code and the HTTP status.
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
        // The answer to a HEAD has no body that could name a code; of a request like ours, only old credentials make S3 say this.
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

/// Why a request was never answered: for want of credentials, or of a network.
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

/// The innermost cause says most: those around it only name the layers that it came through.
pub(crate) fn last_cause(error: &(dyn Error + 'static)) -> String {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    last.to_string()
}

/// Where the SDK looked for credentials in vain is of its own naming; what it says of the profile is for people.
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

/// Turns the SDK's error into ours.
pub(crate) trait ErrorContext<T> {
    /// `doing` completes the sentence `cannot …`.
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
