//! Credentials of the configured account, and the SDK clients that use them.

use std::time::Duration;

use anyhow::{Context, Result};
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_sdk_s3::config::SharedHttpClient;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use tokio::runtime::{Builder, Runtime};

use crate::error::{AwsError, Kind};
use crate::rest::RestClient;
use crate::settings::{Profile, Settings};

/// Maximum number of attempts of a request.
const MAX_ATTEMPTS: u32 = 8;
/// Maximum number of attempts of the first request, so that an unreachable endpoint is reported soon.
const FIRST_ATTEMPTS: u32 = 4;
/// Delay before the second attempt; it doubles each time.
const FIRST_BACKOFF: Duration = Duration::from_millis(200);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest time without a byte of the response.
const READ_TIMEOUT: Duration = Duration::from_mins(1);

/// Connection to one account in one region.
#[derive(Debug)]
pub struct Session {
    runtime: Runtime,
    account_id: String,
    region: String,
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) athena: aws_sdk_athena::Client,
    pub(crate) glue: aws_sdk_glue::Client,
    pub(crate) quicksight: RestClient,
}

impl Session {
    /// Finds credentials and checks with STS that they belong to the configured account.
    ///
    /// # Errors
    ///
    /// Fails if no credentials are found, they are invalid, or they belong to another account.
    pub fn open(settings: &Settings) -> Result<Self> {
        let runtime = start_runtime()?;
        let config = runtime.block_on(load(settings));
        let session = Self::new(&settings.account_id, &config, runtime);
        let retries = retries().with_max_attempts(FIRST_ATTEMPTS);
        let sts = aws_sdk_sts::config::Builder::from(&config).retry_config(retries).build();
        session.check_account(&aws_sdk_sts::Client::from_conf(sts), settings)?;
        Ok(session)
    }

    fn new(account_id: &str, config: &SdkConfig, runtime: Runtime) -> Self {
        // Emulators of S3 don't resolve host names of buckets.
        let is_path_style = config.endpoint_url().is_some();
        let s3 = aws_sdk_s3::config::Builder::from(config).force_path_style(is_path_style).build();
        Self {
            account_id: account_id.to_owned(),
            region: config.region().map_or_else(String::new, ToString::to_string),
            s3: aws_sdk_s3::Client::from_conf(s3),
            athena: aws_sdk_athena::Client::new(config),
            glue: aws_sdk_glue::Client::new(config),
            quicksight: RestClient::new(config, "quicksight"),
            runtime,
        }
    }

    /// Opens a session without the check of the account.
    #[cfg(test)]
    pub(crate) fn for_test(account_id: &str, configure: impl FnOnce(ConfigLoader) -> ConfigLoader) -> Self {
        let runtime = start_runtime().unwrap();
        let loader = configure(aws_config::defaults(BehaviorVersion::latest()).http_client(http_client()));
        let config = runtime.block_on(loader.retry_config(retries()).load());
        Self::new(account_id, &config, runtime)
    }

    /// Returns the account number, 12 digits.
    pub fn account_id(&self) -> &str {
        &self.account_id
    }

    /// Returns the region of all resources.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Blocks until a future completes.
    pub(crate) fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    fn check_account(&self, sts: &aws_sdk_sts::Client, settings: &Settings) -> Result<()> {
        let server = settings.endpoint_url.as_deref().unwrap_or("AWS");
        let operation = format!("get the caller identity from {server} ({})", credentials_source(&settings.profile));
        let identity =
            self.block_on(sts.get_caller_identity().send()).map_err(|error| AwsError::from_sdk(&operation, &error))?;
        let actual = identity.account().unwrap_or("none");
        if actual != self.account_id {
            return Err(AwsError::new(
                Kind::Other,
                format!("use account {}", self.account_id),
                format!(
                    "the credentials ({}) belong to account {actual}, as {}; nothing was changed\n  next: set \
                     AWS_ACCOUNT_ID={actual}, or select credentials of account {} with --profile or AWS_PROFILE",
                    credentials_source(&settings.profile),
                    identity.arn().unwrap_or("an unknown principal"),
                    self.account_id
                ),
            )
            .into());
        }
        Ok(())
    }
}

/// Formats the source of the credentials for messages.
fn credentials_source(profile: &Profile) -> String {
    match profile {
        Profile::Only(name) => format!("profile {name}"),
        Profile::EnvironmentOr(name) => format!("from the environment, else profile {name}"),
    }
}

fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(MAX_ATTEMPTS).with_initial_backoff(FIRST_BACKOFF)
}

fn start_runtime() -> Result<Runtime> {
    Builder::new_multi_thread().enable_all().build().context("cannot start the threads for AWS requests")
}

fn http_client() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https()
}

async fn load(settings: &Settings) -> SdkConfig {
    let region = Region::new(settings.region.clone());
    let http = http_client();
    let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).read_timeout(READ_TIMEOUT).build();
    let mut loader: ConfigLoader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http.clone())
        .region(region.clone())
        .timeout_config(timeouts)
        .retry_config(retries());
    if let Some(url) = &settings.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    loader = match &settings.profile {
        Profile::Only(name) => {
            let provider = ProviderConfig::default().with_http_client(http).with_region(Some(region));
            let credentials = ProfileFileCredentialsProvider::builder().configure(&provider).profile_name(name).build();
            loader.credentials_provider(credentials)
        }
        Profile::EnvironmentOr(name) => loader.profile_name(name),
    };
    loader.load().await
}
