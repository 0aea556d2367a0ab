//! Requests that read and change buckets and their settings.

use anyhow::{Context, Result};
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::types as sdk;

use crate::error::{AwsError, ErrorContext, Kind};
use crate::s3::bucket_settings::{
    AbortUploads, BucketSettings, Encryption, EncryptionByDefault, EncryptionRule, Expiration, Lifecycle,
    LifecycleFilter, LifecycleRule, OwnershipControls, OwnershipRule, PublicAccessBlock, Setting, Tag, Tagging,
};
use crate::session::Session;

/// State of a bucket name, as visible to this account.
#[derive(Clone, Debug, PartialEq)]
pub enum BucketState {
    /// No visible bucket of this name.
    Missing,
    /// Bucket in this account and region.
    Exists(Box<BucketSettings>),
    /// Bucket in another region, with the region's name; in this or another account.
    OtherRegion(String),
    /// Bucket of another account, or one that the credentials can't access.
    Inaccessible,
}

impl Session {
    /// Reads the state of a bucket and all its settings.
    ///
    /// # Errors
    ///
    /// Fails if a request fails for a reason that [`BucketState`] doesn't represent.
    pub fn bucket(&self, name: &str) -> Result<BucketState> {
        let operation = format!("read the bucket {name}");
        let request = self.s3.head_bucket().bucket(name).expected_bucket_owner(self.account_id());
        let head = match self.block_on(request.send()) {
            Ok(head) => head,
            Err(error) => {
                let region = error.raw_response().and_then(|response| response.headers().get("x-amz-bucket-region"));
                let region = region.map(str::to_owned);
                let error = AwsError::from_sdk(&operation, &error);
                return match (error.kind, region) {
                    (Kind::NotFound, _) => Ok(BucketState::Missing),
                    (Kind::WrongRegion, region) => Ok(BucketState::OtherRegion(
                        region.unwrap_or_else(|| "unknown (not reported by S3)".to_owned()),
                    )),
                    (Kind::Denied, _) => Ok(BucketState::Inaccessible),
                    _ => Err(error.into()),
                };
            }
        };
        match head.bucket_region() {
            Some(region) if region != self.region() => Ok(BucketState::OtherRegion(region.to_owned())),
            _ => Ok(BucketState::Exists(Box::new(self.bucket_settings(name)?))),
        }
    }

    fn bucket_settings(&self, name: &str) -> Result<BucketSettings> {
        let operation = |setting: Setting| format!("read the {} of {name}", setting.name());
        let owner = self.account_id();
        self.block_on(async {
            let public_access_block =
                self.s3.get_public_access_block().bucket(name).expected_bucket_owner(owner).send();
            let ownership = self.s3.get_bucket_ownership_controls().bucket(name).expected_bucket_owner(owner).send();
            let encryption = self.s3.get_bucket_encryption().bucket(name).expected_bucket_owner(owner).send();
            let policy = self.s3.get_bucket_policy().bucket(name).expected_bucket_owner(owner).send();
            let lifecycle =
                self.s3.get_bucket_lifecycle_configuration().bucket(name).expected_bucket_owner(owner).send();
            let tagging = self.s3.get_bucket_tagging().bucket(name).expected_bucket_owner(owner).send();
            let (public_access_block, ownership, encryption, policy, lifecycle, tagging) =
                tokio::join!(public_access_block, ownership, encryption, policy, lifecycle, tagging);
            let public_access_block =
                none_if_not_configured(public_access_block, &operation(Setting::PublicAccessBlock))?;
            let ownership = none_if_not_configured(ownership, &operation(Setting::OwnershipControls))?;
            let encryption = none_if_not_configured(encryption, &operation(Setting::Encryption))?;
            let policy =
                none_if_not_configured(policy, &operation(Setting::Policy))?.and_then(|response| response.policy);
            let lifecycle = none_if_not_configured(lifecycle, &operation(Setting::Lifecycle))?;
            let tagging = none_if_not_configured(tagging, &operation(Setting::Tagging))?;
            Ok(BucketSettings {
                public_access_block_configuration: public_access_block
                    .and_then(|response| response.public_access_block_configuration)
                    .map(|block| PublicAccessBlock {
                        block_public_acls: block.block_public_acls.unwrap_or_default(),
                        ignore_public_acls: block.ignore_public_acls.unwrap_or_default(),
                        block_public_policy: block.block_public_policy.unwrap_or_default(),
                        restrict_public_buckets: block.restrict_public_buckets.unwrap_or_default(),
                    }),
                ownership_controls: ownership.and_then(|response| response.ownership_controls).map(|controls| {
                    let rule = |rule: sdk::OwnershipControlsRule| OwnershipRule {
                        object_ownership: rule.object_ownership.as_str().to_owned(),
                    };
                    OwnershipControls { rules: controls.rules.into_iter().map(rule).collect() }
                }),
                server_side_encryption_configuration: encryption
                    .and_then(|response| response.server_side_encryption_configuration)
                    .map(encryption_from_sdk),
                policy: policy
                    .map(|text| serde_json::from_str(&text))
                    .transpose()
                    .with_context(|| format!("cannot {}", operation(Setting::Policy)))?,
                lifecycle_configuration: lifecycle
                    .and_then(|response| response.rules)
                    .map(|rules| Lifecycle { rules: rules.into_iter().map(lifecycle_rule_from_sdk).collect() }),
                tagging: tagging.map(|response| Tagging {
                    tag_set: response.tag_set.into_iter().map(|tag| Tag { key: tag.key, value: tag.value }).collect(),
                }),
            })
        })
    }

    /// Creates a bucket. For us-east-1, the location constraint is omitted because S3 rejects it.
    ///
    /// # Errors
    ///
    /// Fails if the request fails; an existing bucket of this account is not an error.
    pub fn create_bucket(&self, name: &str) -> Result<()> {
        let configuration = (self.region() != "us-east-1").then(|| {
            let constraint = sdk::BucketLocationConstraint::from(self.region());
            sdk::CreateBucketConfiguration::builder().location_constraint(constraint).build()
        });
        let request = self.s3.create_bucket().bucket(name).set_create_bucket_configuration(configuration);
        match self.block_on(request.send()) {
            Ok(_) => Ok(()),
            Err(error) => match AwsError::from_sdk(&format!("create the bucket {name}"), &error) {
                // Created by another process of this account, or by an earlier attempt whose response was lost.
                error if error.kind == Kind::AlreadyExists => Ok(()),
                error => Err(error.into()),
            },
        }
    }

    /// Applies one setting of `desired` to a bucket.
    ///
    /// # Errors
    ///
    /// Fails if the request can't be built, or fails.
    pub fn set_bucket(&self, name: &str, setting: Setting, desired: &BucketSettings) -> Result<()> {
        let operation = format!("set the {} of {name}", setting.name());
        let owner = self.account_id();
        let s3 = &self.s3;
        match setting {
            Setting::PublicAccessBlock => {
                let block = desired.public_access_block_configuration.unwrap_or_default();
                let block = sdk::PublicAccessBlockConfiguration::builder()
                    .block_public_acls(block.block_public_acls)
                    .ignore_public_acls(block.ignore_public_acls)
                    .block_public_policy(block.block_public_policy)
                    .restrict_public_buckets(block.restrict_public_buckets)
                    .build();
                let request = s3.put_public_access_block().bucket(name).expected_bucket_owner(owner);
                self.block_on(request.public_access_block_configuration(block).send()).error_context(&operation)?;
            }
            Setting::OwnershipControls => {
                let rules = desired.ownership_controls.iter().flat_map(|controls| &controls.rules);
                let rules = rules.map(|rule| {
                    let ownership = sdk::ObjectOwnership::from(rule.object_ownership.as_str());
                    sdk::OwnershipControlsRule::builder().object_ownership(ownership).build()
                });
                let rules = rules.collect::<Result<Vec<_>, _>>()?;
                let controls = sdk::OwnershipControls::builder().set_rules(Some(rules)).build()?;
                let request = s3.put_bucket_ownership_controls().bucket(name).expected_bucket_owner(owner);
                self.block_on(request.ownership_controls(controls).send()).error_context(&operation)?;
            }
            Setting::Encryption => {
                let request = s3.put_bucket_encryption().bucket(name).expected_bucket_owner(owner);
                let request = request.server_side_encryption_configuration(encryption_to_sdk(desired)?);
                self.block_on(request.send()).error_context(&operation)?;
            }
            Setting::Policy => {
                let policy = desired.policy.as_ref().map(ToString::to_string).unwrap_or_default();
                let request = s3.put_bucket_policy().bucket(name).expected_bucket_owner(owner);
                self.block_on(request.policy(policy).send()).error_context(&operation)?;
            }
            Setting::Lifecycle => {
                let request = s3.put_bucket_lifecycle_configuration().bucket(name).expected_bucket_owner(owner);
                self.block_on(request.lifecycle_configuration(lifecycle_to_sdk(desired)?).send())
                    .error_context(&operation)?;
            }
            Setting::Tagging => {
                let tags = desired.tagging.iter().flat_map(|tagging| &tagging.tag_set);
                let tags = tags.map(|tag| sdk::Tag::builder().key(&tag.key).value(&tag.value).build());
                let tags = tags.collect::<Result<Vec<_>, _>>()?;
                let tagging = sdk::Tagging::builder().set_tag_set(Some(tags)).build()?;
                let request = s3.put_bucket_tagging().bucket(name).expected_bucket_owner(owner);
                self.block_on(request.tagging(tagging).send()).error_context(&operation)?;
            }
        }
        Ok(())
    }

    /// Deletes an empty bucket. A missing one is not an error.
    ///
    /// # Errors
    ///
    /// Fails if the request fails, for example because the bucket isn't empty.
    pub fn delete_bucket(&self, name: &str) -> Result<()> {
        let request = self.s3.delete_bucket().bucket(name).expected_bucket_owner(self.account_id());
        match self.block_on(request.send()).error_context(&format!("delete the bucket {name}")) {
            Err(error) if error.kind == Kind::NotFound => Ok(()),
            result => Ok(result.map(drop)?),
        }
    }
}

/// Maps the error of a setting that is not configured to `None`.
fn none_if_not_configured<T, E>(
    response: Result<T, SdkError<E, HttpResponse>>,
    operation: &str,
) -> Result<Option<T>, AwsError>
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    match response.error_context(operation) {
        Ok(response) => Ok(Some(response)),
        Err(error) if error.kind == Kind::NotFound && error.code.as_deref() != Some("NoSuchBucket") => Ok(None),
        Err(error) => Err(error),
    }
}

fn encryption_from_sdk(configuration: sdk::ServerSideEncryptionConfiguration) -> Encryption {
    let rule = |rule: sdk::ServerSideEncryptionRule| {
        let default = rule.apply_server_side_encryption_by_default;
        EncryptionRule {
            apply_server_side_encryption_by_default: EncryptionByDefault {
                algorithm: default.as_ref().map_or("none", |default| default.sse_algorithm.as_str()).to_owned(),
                key: default.and_then(|default| default.kms_master_key_id),
            },
        }
    };
    Encryption { rules: configuration.rules.into_iter().map(rule).collect() }
}

fn encryption_to_sdk(desired: &BucketSettings) -> Result<sdk::ServerSideEncryptionConfiguration> {
    let mut rules = Vec::new();
    for rule in desired.server_side_encryption_configuration.iter().flat_map(|encryption| &encryption.rules) {
        let default = &rule.apply_server_side_encryption_by_default;
        let default = sdk::ServerSideEncryptionByDefault::builder()
            .sse_algorithm(sdk::ServerSideEncryption::from(default.algorithm.as_str()))
            .set_kms_master_key_id(default.key.clone())
            .build()?;
        rules.push(sdk::ServerSideEncryptionRule::builder().apply_server_side_encryption_by_default(default).build());
    }
    Ok(sdk::ServerSideEncryptionConfiguration::builder().set_rules(Some(rules)).build()?)
}

fn lifecycle_rule_from_sdk(rule: sdk::LifecycleRule) -> LifecycleRule {
    let filter = rule.filter.as_ref();
    let has_other_filter = filter.is_some_and(|filter| {
        filter.tag.is_some()
            || filter.and.is_some()
            || filter.object_size_greater_than.is_some()
            || filter.object_size_less_than.is_some()
    });
    let has_other_expiration = rule.expiration.as_ref().is_some_and(|expiration| {
        expiration.date.is_some() || expiration.expired_object_delete_marker.is_some_and(|marker| marker)
    });
    LifecycleRule {
        has_other_actions: has_other_filter
            || has_other_expiration
            || rule.transitions.as_ref().is_some_and(|transitions| !transitions.is_empty())
            || rule.noncurrent_version_transitions.as_ref().is_some_and(|transitions| !transitions.is_empty())
            || rule.noncurrent_version_expiration.is_some(),
        id: rule.id.unwrap_or_default(),
        status: rule.status.as_str().to_owned(),
        filter: LifecycleFilter { prefix: rule.filter.and_then(|filter| filter.prefix).unwrap_or_default() },
        expiration: rule.expiration.and_then(|expiration| expiration.days).map(|days| Expiration { days }),
        abort_incomplete_multipart_upload: rule
            .abort_incomplete_multipart_upload
            .and_then(|abort| abort.days_after_initiation)
            .map(|days_after_initiation| AbortUploads { days_after_initiation }),
    }
}

fn lifecycle_to_sdk(desired: &BucketSettings) -> Result<sdk::BucketLifecycleConfiguration> {
    let mut rules = Vec::new();
    for rule in desired.lifecycle_configuration.iter().flat_map(|lifecycle| &lifecycle.rules) {
        let expiration = rule.expiration.map(|it| sdk::LifecycleExpiration::builder().days(it.days).build());
        let abort = rule.abort_incomplete_multipart_upload.map(|it| {
            sdk::AbortIncompleteMultipartUpload::builder().days_after_initiation(it.days_after_initiation).build()
        });
        let built = sdk::LifecycleRule::builder()
            .id(&rule.id)
            .status(sdk::ExpirationStatus::from(rule.status.as_str()))
            .filter(sdk::LifecycleRuleFilter::builder().prefix(&rule.filter.prefix).build())
            .set_expiration(expiration)
            .set_abort_incomplete_multipart_upload(abort)
            .build()?;
        rules.push(built);
    }
    Ok(sdk::BucketLifecycleConfiguration::builder().set_rules(Some(rules)).build()?)
}
