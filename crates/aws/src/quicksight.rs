//! QuickSight: a data source, a data set and a dashboard, and the refreshes of the data set.
//!
//! What they are stands in `infra/quicksight` as the requests that make them, and is only handed on here. QuickSight's part of
//! the SDK has thousands of types for it, which can't be read from JSON and take minutes to compile; so the SDK's own runtime
//! sends the JSON: it signs, repeats and waits as it does for the other services.

use anyhow::Result;
use aws_config::SdkConfig;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::auth::{SigV4OperationSigningConfig, SigningOptions};
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ErrorMetadata, ProvideErrorMetadata};
use aws_smithy_runtime::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime::client::retries::classifiers::{HttpStatusCodeClassifier, TransientErrorClassifier};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, OrchestratorError};
use aws_types::SigningName;
use aws_types::region::SigningRegion;
use serde_json::Value;

use crate::athena::partition_of;
use crate::error::{AwsError, Kind, OrExplain};
use crate::session::Session;

/// The kinds of things that are kept there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AssetKind {
    /// Where tickets come from.
    DataSource,
    /// The tickets in SPICE.
    DataSet,
    /// The visuals.
    Dashboard,
}

impl AssetKind {
    /// In the order in which one needs the other.
    pub const ALL: [Self; 3] = [Self::DataSource, Self::DataSet, Self::Dashboard];

    /// In an address.
    const fn path(self) -> &'static str {
        match self {
            Self::DataSource => "data-sources",
            Self::DataSet => "data-sets",
            Self::Dashboard => "dashboards",
        }
    }

    /// As members of requests and answers begin with it.
    pub const fn member(self) -> &'static str {
        match self {
            Self::DataSource => "DataSource",
            Self::DataSet => "DataSet",
            Self::Dashboard => "Dashboard",
        }
    }

    /// For people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DataSource => "QuickSight data source",
            Self::DataSet => "QuickSight data set",
            Self::Dashboard => "QuickSight dashboard",
        }
    }
}

/// One request.
#[derive(Clone, Debug)]
struct Call {
    method: &'static str,
    path: String,
    body: Option<Value>,
}

/// QuickSight's answer to what it doesn't do.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.message().unwrap_or("no reason was given"))]
struct Refusal(ErrorMetadata);

impl ProvideErrorMetadata for Refusal {
    fn meta(&self) -> &ErrorMetadata {
        &self.0
    }
}

fn read_answer(response: &HttpResponse) -> Result<Value, OrchestratorError<Refusal>> {
    let body = response.body().bytes().unwrap_or_default();
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    if response.status().is_success() {
        return Ok(answer);
    }
    // As in `ResourceNotFoundException:http://…`.
    let code = response.headers().get("x-amzn-errortype").and_then(|code| code.split(':').next());
    let message = ["Message", "message"].iter().find_map(|name| answer[*name].as_str());
    let mut metadata = ErrorMetadata::builder();
    metadata = if let Some(code) = code { metadata.code(code) } else { metadata };
    metadata = if let Some(message) = message { metadata.message(message) } else { metadata };
    Err(OrchestratorError::operation(Refusal(metadata.build())))
}
