//! Account, region, profile and endpoint. Options override the environment, which overrides `.env`.
//!
//! clap's `env` would see `.env` only through changes to the process environment, which are `unsafe`.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

use anyhow::{Context, Result, bail};
use cli_support::exit::UsageError;

/// Variable with the account number.
pub const AWS_ACCOUNT_ID: &str = "AWS_ACCOUNT_ID";
/// Variable with the region of all resources.
pub const AWS_REGION: &str = "AWS_REGION";
/// Variable with the profile in `~/.aws/config` that provides credentials.
pub const AWS_PROFILE: &str = "AWS_PROFILE";
/// Variable with the URL of an AWS-compatible endpoint.
pub const AWS_ENDPOINT_URL: &str = "AWS_ENDPOINT_URL";
/// Variable with the QuickSight user that owns the dashboard.
pub const QUICKSIGHT_USER: &str = "QUICKSIGHT_USER";

const DEFAULT_REGION: &str = "eu-central-1";
const DEFAULT_PROFILE: &str = "default";

/// Variables that contain secrets, and so must not be in a project directory.
const SECRETS: [&str; 3] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];

/// Command-line options of every tool that uses AWS.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "AWS (options override the environment, which overrides .env)")]
#[allow(clippy::doc_markdown, reason = "these comments are the help text")]
pub struct AwsArguments {
    /// AWS account number, 12 digits [default: AWS_ACCOUNT_ID]
    #[arg(long, value_name = "NUMBER", global = true)]
    pub account_id: Option<String>,

    /// AWS region of all resources [default: AWS_REGION, else eu-central-1]
    #[arg(long, value_name = "REGION", global = true)]
    pub region: Option<String>,

    /// Profile in ~/.aws/config that provides credentials [default: AWS_PROFILE, else default]
    #[arg(long, value_name = "NAME", global = true)]
    pub profile: Option<String>,

    /// URL of an AWS-compatible endpoint, such as http://127.0.0.1:4566 [default: AWS_ENDPOINT_URL, else AWS]
    #[arg(long, value_name = "URL", global = true)]
    pub endpoint_url: Option<String>,
}

/// Account, region, endpoint and credentials of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Account number, 12 digits.
    pub account_id: String,
    /// Region of all resources.
    pub region: String,
    /// Source of the credentials.
    pub profile: Profile,
    /// URL of an endpoint other than AWS.
    pub endpoint_url: Option<String>,
    /// Name or ARN of a QuickSight user, if configured.
    pub quicksight_user: Option<String>,
}

/// Source of the credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Profile {
    /// This profile only, because an option names it; credentials in the environment are ignored.
    Only(String),
    /// Credentials in the environment, else those of this profile.
    EnvironmentOr(String),
}

impl Settings {
    /// Resolves every setting. `environment` looks up a variable; `dotenv` is the path of `.env`, which may be missing.
    ///
    /// # Errors
    ///
    /// Fails with a [`UsageError`] if a setting is missing or malformed, or `.env` contains an access key or a malformed
    /// line, and with another error if `.env` exists but can't be read.
    pub fn resolve(
        arguments: &AwsArguments,
        environment: impl Fn(&str) -> Option<String>,
        dotenv: &Path,
    ) -> Result<Self> {
        let file = read_dotenv(dotenv)?;
        let configured = |name: &str| {
            let value = environment(name).filter(|value| !value.is_empty());
            value.or_else(|| file.get(name).filter(|value| !value.is_empty()).cloned())
        };
        let region =
            arguments.region.clone().or_else(|| configured(AWS_REGION)).unwrap_or_else(|| DEFAULT_REGION.to_owned());
        let profile = match &arguments.profile {
            Some(name) if name.is_empty() => bail!(UsageError("--profile needs the name of a profile".to_owned())),
            Some(name) => Profile::Only(name.clone()),
            None => Profile::EnvironmentOr(configured(AWS_PROFILE).unwrap_or_else(|| DEFAULT_PROFILE.to_owned())),
        };
        let account_id = arguments.account_id.clone().or_else(|| configured(AWS_ACCOUNT_ID));
        Ok(Self {
            account_id: checked_account_id(account_id)?,
            region: checked_region(region)?,
            profile,
            endpoint_url: checked_url(arguments.endpoint_url.clone().or_else(|| configured(AWS_ENDPOINT_URL)))?,
            quicksight_user: configured(QUICKSIGHT_USER),
        })
    }
}

fn checked_account_id(account_id: Option<String>) -> Result<String> {
    let Some(account_id) = account_id else {
        bail!(UsageError(format!(
            "the AWS account number is missing: copy .env.example to .env and fill in {AWS_ACCOUNT_ID}, or use \
             --account-id; `aws sts get-caller-identity` shows the number"
        )));
    };
    if account_id.len() != 12 || !account_id.bytes().all(|byte| byte.is_ascii_digit()) {
        bail!(UsageError(format!(
            "`{account_id}` is not an AWS account number: expected 12 digits, as in 123456789012"
        )));
    }
    Ok(account_id)
}

/// Checks the region, which becomes part of host names.
fn checked_region(region: String) -> Result<String> {
    let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if region.is_empty() || !region.bytes().all(is_name) {
        bail!(UsageError(format!("`{region}` is not an AWS region: expected a name such as {DEFAULT_REGION}")));
    }
    Ok(region)
}

fn checked_url(url: Option<String>) -> Result<Option<String>> {
    let is_url = |url: &String| {
        let host = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://")).unwrap_or_default();
        !host.is_empty() && !host.starts_with('/') && host.bytes().all(|byte| byte.is_ascii_graphic())
    };
    if let Some(url) = &url
        && !is_url(url)
    {
        bail!(UsageError(format!("`{url}` is not an endpoint: expected a URL such as http://127.0.0.1:4566")));
    }
    Ok(url)
}

fn read_dotenv(path: &Path) -> Result<BTreeMap<String, String>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut values = BTreeMap::new();
    for line in dotenvy::from_read_iter(text.as_bytes()) {
        // The error of dotenvy quotes the line, which may contain a secret.
        let Ok((name, value)) = line else {
            bail!(UsageError(format!(
                "{}: line {} can't be parsed: expected NAME=value, with quotes around a value with spaces",
                path.display(),
                malformed_line(text)
            )));
        };
        reject_secret(path, &name, &value)?;
        values.insert(name, value);
    }
    Ok(values)
}

/// Returns the number of the first line that can't be parsed.
fn malformed_line(text: &str) -> usize {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let can_be_parsed =
        |n_lines: &usize| dotenvy::from_read_iter(lines[..*n_lines].concat().as_bytes()).all(|line| line.is_ok());
    (0..lines.len()).rev().find(can_be_parsed).unwrap_or(0) + 1
}

fn reject_secret(path: &Path, name: &str, value: &str) -> Result<()> {
    let is_key_id = |word: &str| {
        word.len() == 20
            && (word.starts_with("AKIA") || word.starts_with("ASIA"))
            && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    };
    let contains_key_id = value.split(|c: char| !c.is_ascii_alphanumeric()).any(is_key_id);
    if (SECRETS.iter().any(|secret| name.eq_ignore_ascii_case(secret)) && !value.is_empty()) || contains_key_id {
        bail!(UsageError(format!(
            "{} contains an access key ({name}). Keys in a project directory end up in commits, images and backups. Remove \
             it, store it with `aws configure --profile NAME` (or better, use `aws configure sso`), and set \
             AWS_PROFILE=NAME instead",
            path.display()
        )));
    }
    Ok(())
}
