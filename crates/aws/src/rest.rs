//! JSON requests to a service for which the workspace has no SDK crate. The SDK's runtime signs and sends them, with the
//! same retries and timeouts as for other services.

use aws_config::SdkConfig;
use aws_runtime::auth::SigV4OperationSigningConfig;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{BoxError, ErrorMetadata, ProvideErrorMetadata};
use aws_sdk_s3::primitives::SdkBody;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime::client::retries::classifiers::{HttpStatusCodeClassifier, TransientErrorClassifier};
use aws_smithy_runtime_api::client::auth::AuthSchemeOptionResolverParams;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, OrchestratorError};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::config_bag::Layer;
use aws_types::SigningName;
use aws_types::region::SigningRegion;
use serde_json::Value;

use crate::error::{AwsError, ErrorContext};
use crate::region::partition_of;

/// REST request.
#[derive(Clone, Debug)]
pub(crate) struct RestRequest {
    /// HTTP method, such as `PUT`.
    pub(crate) method: &'static str,
    /// Path and query, such as `/accounts/123456789012/dashboards`.
    pub(crate) path: String,
    /// JSON body.
    pub(crate) body: Option<Value>,
}

impl RestRequest {
    /// Creates a GET request.
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self { method: "GET", path: path.into(), body: None }
    }
}

/// Client of one service.
#[derive(Debug)]
pub(crate) struct RestClient {
    operation: Operation<RestRequest, Value, ServiceError>,
}

impl RestClient {
    /// Creates a client of `service`, the name in signatures and host names.
    pub(crate) fn new(config: &SdkConfig, service: &'static str) -> Self {
        let region = config.region().map_or_else(String::new, ToString::to_string);
        let domain = if partition_of(&region) == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
        let default_endpoint = format!("https://{service}.{region}.{domain}");
        let mut builder = Operation::builder()
            .service_name(service)
            .operation_name("Call")
            .endpoint_url(config.endpoint_url().unwrap_or(&default_endpoint))
            .retry_classifier(HttpStatusCodeClassifier::default())
            .retry_classifier(TransientErrorClassifier::<ServiceError>::new())
            .retry_classifier(AwsErrorCodeClassifier::<ServiceError>::new())
            .runtime_plugin(signing(config, service, region));
        if let Some(http_client) = config.http_client() {
            builder = builder.http_client(http_client);
        }
        if let Some(retries) = config.retry_config() {
            builder = builder.standard_retry(retries);
        }
        if let Some(timeouts) = config.timeout_config() {
            builder = builder.timeout_config(timeouts.clone());
        }
        if let Some(sleep) = config.sleep_impl() {
            builder = builder.sleep_impl(sleep);
        }
        Self { operation: builder.serializer(serialize).deserializer(deserialize).build() }
    }

    /// Sends a request and returns the JSON body of the response. `operation` completes the sentence `cannot …`.
    pub(crate) async fn send(&self, request: RestRequest, operation: &str) -> Result<Value, AwsError> {
        self.operation.invoke(request).await.error_context(operation)
    }
}

/// Returns the plugin that signs requests with Signature Version 4.
fn signing(config: &SdkConfig, service: &'static str, region: String) -> StaticRuntimePlugin {
    let region = SigningRegion::from(aws_config::Region::new(region));
    let name = SigningName::from_static(service);
    let mut layer = Layer::new("signing");
    layer.store_put(AuthSchemeOptionResolverParams::new(()));
    layer.store_put(SigV4OperationSigningConfig { region: Some(region), name: Some(name), ..Default::default() });
    let mut components = RuntimeComponentsBuilder::new("signing")
        .with_auth_scheme(SigV4AuthScheme::new())
        .with_auth_scheme_option_resolver(Some(StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID])))
        .with_identity_cache(config.identity_cache());
    if let Some(credentials) = config.credentials_provider() {
        components.set_identity_resolver(SCHEME_ID, credentials);
    }
    StaticRuntimePlugin::new().with_config(layer.freeze()).with_runtime_components(components)
}

fn serialize(request: RestRequest) -> Result<HttpRequest, BoxError> {
    let body = request.body.map_or_else(SdkBody::empty, |body| SdkBody::from(body.to_string()));
    let mut http_request = HttpRequest::new(body);
    http_request.set_method(request.method)?;
    http_request.set_uri(request.path)?;
    http_request.headers_mut().insert("content-type", "application/json");
    Ok(http_request)
}

fn deserialize(response: &HttpResponse) -> Result<Value, OrchestratorError<ServiceError>> {
    let body = response.body().bytes().unwrap_or_default();
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    if response.status().is_success() {
        return Ok(body);
    }
    // The header has the form `ResourceNotFoundException:http://…`.
    let code = response.headers().get("x-amzn-errortype").and_then(|code| code.split(':').next());
    let message = ["Message", "message"].iter().find_map(|name| body[*name].as_str());
    let mut metadata = ErrorMetadata::builder();
    if let Some(code) = code {
        metadata = metadata.code(code);
    }
    if let Some(message) = message {
        metadata = metadata.message(message);
    }
    Err(OrchestratorError::operation(ServiceError(metadata.build())))
}

/// Error response of the service.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.message().unwrap_or("AWS gave no reason"))]
struct ServiceError(ErrorMetadata);

impl ProvideErrorMetadata for ServiceError {
    fn meta(&self) -> &ErrorMetadata {
        &self.0
    }
}
