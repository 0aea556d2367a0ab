//! Workgroups of Athena.

use anyhow::Result;
use aws_sdk_athena::types as sdk;
use serde::{Deserialize, Serialize};

use crate::error::ErrorContext;
use crate::region::partition_of;
use crate::s3::bucket_settings::Tag;
use crate::session::Session;

/// Workgroup, with the structure of the create request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Workgroup {
    /// Name.
    pub name: String,
    /// Description.
    pub description: String,
    /// Settings of its statements.
    pub configuration: Configuration,
    /// Tags.
    pub tags: Vec<Tag>,
}

/// Settings of the statements of a workgroup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Configuration {
    /// Engine version.
    pub engine_version: EngineVersion,
    /// True if clients can't override these settings.
    pub enforce_work_group_configuration: bool,
    /// True if metrics are published to `CloudWatch`.
    pub publish_cloud_watch_metrics_enabled: bool,
    /// Scan limit of a query in bytes; Athena cancels a query at this limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_scanned_cutoff_per_query: Option<i64>,
    /// Destination of results.
    pub result_configuration: ResultConfiguration,
}

/// Engine version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct EngineVersion {
    /// Name, such as `Athena engine version 3`.
    pub selected_engine_version: String,
}

/// Destination of results.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ResultConfiguration {
    /// S3 URI of a prefix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_location: Option<String>,
    /// Encryption.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption_configuration: Option<ResultEncryption>,
    /// Account that must own the bucket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_bucket_owner: Option<String>,
}

/// Encryption of results.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ResultEncryption {
    /// Option, such as `SSE_S3`.
    pub encryption_option: String,
}

impl Session {
    /// Reads a workgroup; `None` if it doesn't exist.
    ///
    /// # Errors
    ///
    /// Fails if a request fails.
    pub fn workgroup(&self, name: &str) -> Result<Option<Workgroup>> {
        let response = self.block_on(self.athena.get_work_group().work_group(name).send());
        let workgroup = match response.error_context(&format!("read the workgroup {name}")) {
            // Athena has no error code for a missing workgroup.
            Err(error) if error.message_contains("not found") => return Ok(None),
            response => response?.work_group,
        };
        let Some(workgroup) = workgroup else { return Ok(None) };
        let region = self.region();
        let arn = format!("arn:{}:athena:{region}:{}:workgroup/{name}", partition_of(region), self.account_id());
        let tags = self.block_on(self.athena.list_tags_for_resource().resource_arn(arn).send());
        let tags = tags.error_context(&format!("read the tags of the workgroup {name}"))?;
        let tag = |tag: sdk::Tag| Tag { key: tag.key.unwrap_or_default(), value: tag.value.unwrap_or_default() };
        let mut tags: Vec<Tag> = tags.tags.into_iter().flatten().map(tag).collect();
        tags.sort();
        Ok(Some(workgroup_from_sdk(workgroup, tags)))
    }

    /// Creates a workgroup.
    ///
    /// # Errors
    ///
    /// Fails if the request fails.
    pub fn create_workgroup(&self, desired: &Workgroup) -> Result<()> {
        let tag = |tag: &Tag| sdk::Tag::builder().key(&tag.key).value(&tag.value).build();
        let configuration = &desired.configuration;
        let configuration = sdk::WorkGroupConfiguration::builder()
            .engine_version(engine_version(configuration))
            .enforce_work_group_configuration(configuration.enforce_work_group_configuration)
            .publish_cloud_watch_metrics_enabled(configuration.publish_cloud_watch_metrics_enabled)
            .set_bytes_scanned_cutoff_per_query(configuration.bytes_scanned_cutoff_per_query)
            .result_configuration(
                sdk::ResultConfiguration::builder()
                    .set_output_location(configuration.result_configuration.output_location.clone())
                    .set_encryption_configuration(encryption(&configuration.result_configuration)?)
                    .set_expected_bucket_owner(configuration.result_configuration.expected_bucket_owner.clone())
                    .build(),
            )
            .build();
        let request = self.athena.create_work_group().name(&desired.name).description(&desired.description);
        let request = request.configuration(configuration).set_tags(Some(desired.tags.iter().map(tag).collect()));
        self.block_on(request.send()).error_context(&format!("create the workgroup {}", desired.name))?;
        Ok(())
    }

    /// Updates settings and tags of a workgroup.
    ///
    /// # Errors
    ///
    /// Fails if a request fails.
    pub fn update_workgroup(&self, desired: &Workgroup) -> Result<()> {
        let operation = format!("update the workgroup {}", desired.name);
        let configuration = &desired.configuration;
        let updates = sdk::WorkGroupConfigurationUpdates::builder()
            .engine_version(engine_version(configuration))
            .enforce_work_group_configuration(configuration.enforce_work_group_configuration)
            .publish_cloud_watch_metrics_enabled(configuration.publish_cloud_watch_metrics_enabled)
            .set_bytes_scanned_cutoff_per_query(configuration.bytes_scanned_cutoff_per_query)
            .result_configuration_updates(
                sdk::ResultConfigurationUpdates::builder()
                    .set_output_location(configuration.result_configuration.output_location.clone())
                    .set_encryption_configuration(encryption(&configuration.result_configuration)?)
                    .set_expected_bucket_owner(configuration.result_configuration.expected_bucket_owner.clone())
                    .build(),
            )
            .build();
        let request = self.athena.update_work_group().work_group(&desired.name).description(&desired.description);
        self.block_on(request.configuration_updates(updates).send()).error_context(&operation)?;
        let region = self.region();
        let arn =
            format!("arn:{}:athena:{region}:{}:workgroup/{}", partition_of(region), self.account_id(), desired.name);
        let tag = |tag: &Tag| sdk::Tag::builder().key(&tag.key).value(&tag.value).build();
        let request = self.athena.tag_resource().resource_arn(arn);
        self.block_on(request.set_tags(Some(desired.tags.iter().map(tag).collect())).send())
            .error_context(&operation)?;
        Ok(())
    }

    /// Deletes a workgroup with its query history. A missing one is not an error.
    ///
    /// # Errors
    ///
    /// Fails if the request fails.
    pub fn delete_workgroup(&self, name: &str) -> Result<()> {
        let request = self.athena.delete_work_group().work_group(name).recursive_delete_option(true);
        match self.block_on(request.send()).error_context(&format!("delete the workgroup {name}")) {
            Err(error) if error.message_contains("not found") => Ok(()),
            result => Ok(result.map(drop)?),
        }
    }
}

fn engine_version(configuration: &Configuration) -> sdk::EngineVersion {
    sdk::EngineVersion::builder().selected_engine_version(&configuration.engine_version.selected_engine_version).build()
}

fn encryption(results: &ResultConfiguration) -> Result<Option<sdk::EncryptionConfiguration>> {
    let Some(encryption) = &results.encryption_configuration else { return Ok(None) };
    let option = sdk::EncryptionOption::from(encryption.encryption_option.as_str());
    Ok(Some(sdk::EncryptionConfiguration::builder().encryption_option(option).build()?))
}

fn workgroup_from_sdk(workgroup: sdk::WorkGroup, tags: Vec<Tag>) -> Workgroup {
    let configuration = workgroup.configuration;
    let results = configuration.as_ref().and_then(|configuration| configuration.result_configuration.as_ref());
    let result_encryption = results.and_then(|results| results.encryption_configuration.as_ref());
    let engine = configuration.as_ref().and_then(|configuration| configuration.engine_version.as_ref());
    Workgroup {
        name: workgroup.name,
        description: workgroup.description.unwrap_or_default(),
        configuration: Configuration {
            engine_version: EngineVersion {
                selected_engine_version: engine
                    .and_then(|engine| engine.selected_engine_version.clone())
                    .unwrap_or_default(),
            },
            enforce_work_group_configuration: configuration
                .as_ref()
                .and_then(|configuration| configuration.enforce_work_group_configuration)
                .unwrap_or_default(),
            publish_cloud_watch_metrics_enabled: configuration
                .as_ref()
                .and_then(|configuration| configuration.publish_cloud_watch_metrics_enabled)
                .unwrap_or_default(),
            bytes_scanned_cutoff_per_query: configuration
                .as_ref()
                .and_then(|configuration| configuration.bytes_scanned_cutoff_per_query),
            result_configuration: ResultConfiguration {
                output_location: results.and_then(|results| results.output_location.clone()),
                encryption_configuration: result_encryption.map(|encryption| ResultEncryption {
                    encryption_option: encryption.encryption_option.as_str().to_owned(),
                }),
                expected_bucket_owner: results.and_then(|results| results.expected_bucket_owner.clone()),
            },
        },
        tags,
    }
}
