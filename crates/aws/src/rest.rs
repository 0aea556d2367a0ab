//! JSON requests to a service without a client crate in this workspace. The SDK's runtime signs and sends them, with the same
//! retries and timeouts as for the other services.

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

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// HTTP method, such as `PUT`.
    pub(crate) method: &'static str,
    /// Path and query, such as `/accounts/123456789012/dashboards`.
    pub(crate) path: String,
    /// JSON body.
    pub(crate) body: Option<Value>,
}

impl Call {
    /// Creates a GET request.
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self { method: "GET", path: path.into(), body: None }
    }
}

/// A client of one service.
#[derive(Debug)]
pub(crate) struct RestClient {
    operation: Operation<Call, Value, Refusal>,
}

impl RestClient {
    /// Creates a client of `service`, named as in signatures and host names.
    pub(crate) fn new(config: &SdkConfig, service: &'static str) -> Self {
        let region = config.region().map_or_else(String::new, ToString::to_string);
        let domain = if partition_of(&region) == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
        let own_endpoint = format!("https://{service}.{region}.{domain}");
        let mut builder = Operation::builder()
            .service_name(service)
            .operation_name("Call")
            .endpoint_url(config.endpoint_url().unwrap_or(&own_endpoint))
            .retry_classifier(HttpStatusCodeClassifier::default())
            .retry_classifier(TransientErrorClassifier::<Refusal>::new())
            .retry_classifier(AwsErrorCodeClassifier::<Refusal>::new())
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
        Self { operation: builder.serializer(request).deserializer(answer).build() }
    }

    /// Sends a request. `doing` completes the sentence `cannot …`.
    pub(crate) async fn send(&self, call: Call, doing: &str) -> Result<Value, AwsError> {
        self.operation.invoke(call).await.error_context(doing)
    }
}

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

fn request(call: Call) -> Result<HttpRequest, BoxError> {
    let body = call.body.map_or_else(SdkBody::empty, |body| SdkBody::from(body.to_string()));
    let mut request = HttpRequest::new(body);
    request.set_method(call.method)?;
    request.set_uri(call.path)?;
    request.headers_mut().insert("content-type", "application/json");
    Ok(request)
}

fn answer(response: &HttpResponse) -> Result<Value, OrchestratorError<Refusal>> {
    let body = response.body().bytes().unwrap_or_default();
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    if response.status().is_success() {
        return Ok(answer);
    }
    // The header has the form `ResourceNotFoundException:http://…`.
    let code = response.headers().get("x-amzn-errortype").and_then(|code| code.split(':').next());
    let message = ["Message", "message"].iter().find_map(|name| answer[*name].as_str());
    let mut metadata = ErrorMetadata::builder();
    if let Some(code) = code {
        metadata = metadata.code(code);
    }
    if let Some(message) = message {
        metadata = metadata.message(message);
    }
    Err(OrchestratorError::operation(Refusal(metadata.build())))
}

/// Error response of the service.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.message().unwrap_or("no reason was given"))]
struct Refusal(ErrorMetadata);

impl ProvideErrorMetadata for Refusal {
    fn meta(&self) -> &ErrorMetadata {
        &self.0
    }
}
