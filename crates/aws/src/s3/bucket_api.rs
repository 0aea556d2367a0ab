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

/// State of a bucket name as this account sees it.
#[derive(Clone, Debug, PartialEq)]
pub enum BucketState {
    /// No bucket of this name is visible.
    Missing,
    /// The bucket exists in this account and region.
    Exists(Box<BucketSettings>),
    /// The bucket exists in another region (the name of which is given), in this or possibly another account.
    OtherRegion(String),
    /// The bucket belongs to another account, or the credentials can't access it.
    Inaccessible,
}

impl Session {
    /// Reads the state of a bucket and all its settings.
    ///
    /// # Errors
    ///
    /// Fails if a request fails for another reason than those that [`BucketState`] represents.
    pub fn bucket(&self, name: &str) -> Result<BucketState> {
        let doing = format!("look at the bucket {name}");
        let request = self.s3.head_bucket().bucket(name).expected_bucket_owner(self.account_id());
        let head = match self.wait(request.send()) {
            Ok(head) => head,
            Err(error) => {
                let region = error.raw_response().and_then(|response| response.headers().get("x-amz-bucket-region"));
                let region = region.map(str::to_owned);
                let error = AwsError::of(&doing, &error);
                return match (error.kind, region) {
                    (Kind::NotFound, _) => Ok(BucketState::Missing),
                    (Kind::WrongRegion, region) => {
                        Ok(BucketState::OtherRegion(region.unwrap_or_else(|| "that S3 doesn't name".to_owned())))
                    }
                    (Kind::Denied, _) => Ok(BucketState::Inaccessible),
                    _ => Err(error.into()),
                };
            }
        };
        match head.bucket_region() {
            Some(region) if region != self.region() => Ok(BucketState::OtherRegion(region.to_owned())),
            _ => Ok(BucketState::Exists(Box::new(self.settings(name)?))),
        }
    }

    fn settings(&self, name: &str) -> Result<BucketSettings> {
        let reading = |setting: Setting| format!("read the {} of {name}", setting.name());
        let owner = self.account_id();
        self.wait(async {
            let public = self.s3.get_public_access_block().bucket(name).expected_bucket_owner(owner).send();
            let ownership = self.s3.get_bucket_ownership_controls().bucket(name).expected_bucket_owner(owner).send();
            let encryption = self.s3.get_bucket_encryption().bucket(name).expected_bucket_owner(owner).send();
            let policy = self.s3.get_bucket_policy().bucket(name).expected_bucket_owner(owner).send();
            let lifecycle =
                self.s3.get_bucket_lifecycle_configuration().bucket(name).expected_bucket_owner(owner).send();
            let tagging = self.s3.get_bucket_tagging().bucket(name).expected_bucket_owner(owner).send();
            let (public, ownership, encryption, policy, lifecycle, tagging) =
                tokio::join!(public, ownership, encryption, policy, lifecycle, tagging);
            let public = if_made(public, &reading(Setting::PublicAccessBlock))?;
            let ownership = if_made(ownership, &reading(Setting::OwnershipControls))?;
            let encryption = if_made(encryption, &reading(Setting::Encryption))?;
            let policy = if_made(policy, &reading(Setting::Policy))?.and_then(|answer| answer.policy);
            let lifecycle = if_made(lifecycle, &reading(Setting::Lifecycle))?;
            let tagging = if_made(tagging, &reading(Setting::Tagging))?;
            Ok(BucketSettings {
                public_access_block_configuration: public
                    .and_then(|answer| answer.public_access_block_configuration)
                    .map(|block| PublicAccessBlock {
                        block_public_acls: block.block_public_acls.unwrap_or_default(),
                        ignore_public_acls: block.ignore_public_acls.unwrap_or_default(),
                        block_public_policy: block.block_public_policy.unwrap_or_default(),
                        restrict_public_buckets: block.restrict_public_buckets.unwrap_or_default(),
                    }),
                ownership_controls: ownership.and_then(|answer| answer.ownership_controls).map(|controls| {
                    let rule = |rule: sdk::OwnershipControlsRule| OwnershipRule {
                        object_ownership: rule.object_ownership.as_str().to_owned(),
                    };
                    OwnershipControls { rules: controls.rules.into_iter().map(rule).collect() }
                }),
                server_side_encryption_configuration: encryption
                    .and_then(|answer| answer.server_side_encryption_configuration)
                    .map(encryption_value),
                policy: policy
                    .map(|text| serde_json::from_str(&text))
                    .transpose()
                    .with_context(|| reading(Setting::Policy))?,
                lifecycle_configuration: lifecycle
                    .and_then(|answer| answer.rules)
                    .map(|rules| Lifecycle { rules: rules.into_iter().map(lifecycle_value).collect() }),
                tagging: tagging.map(|answer| Tagging {
                    tag_set: answer.tag_set.into_iter().map(|tag| Tag { key: tag.key, value: tag.value }).collect(),
                }),
            })
        })
    }

    /// Creates a bucket. The location constraint is omitted for us-east-1, which S3 doesn't accept as one.
    ///
    /// # Errors
    ///
    /// Fails if the request fails; an existing bucket of this account is no error.
    pub fn create_bucket(&self, name: &str) -> Result<()> {
        let place = (self.region() != "us-east-1").then(|| {
            let constraint = sdk::BucketLocationConstraint::from(self.region());
            sdk::CreateBucketConfiguration::builder().location_constraint(constraint).build()
        });
        let request = self.s3.create_bucket().bucket(name).set_create_bucket_configuration(place);
        match self.wait(request.send()) {
            Ok(_) => Ok(()),
            Err(error) => match AwsError::of(&format!("create the bucket {name}"), &error) {
                // Another process of this account was faster, or the response to an earlier attempt was lost.
                error if error.kind == Kind::AlreadyThere => Ok(()),
                error => Err(error.into()),
            },
        }
    }

    /// Applies one setting of `wanted` to a bucket.
    ///
    /// # Errors
    ///
    /// Fails if the setting can't be expressed as a request, or the request fails.
    pub fn set_bucket(&self, name: &str, setting: Setting, wanted: &BucketSettings) -> Result<()> {
        let doing = format!("set the {} of {name}", setting.name());
        let owner = self.account_id();
        let s3 = &self.s3;
        match setting {
            Setting::PublicAccessBlock => {
                let block = wanted.public_access_block_configuration.unwrap_or_default();
                let block = sdk::PublicAccessBlockConfiguration::builder()
                    .block_public_acls(block.block_public_acls)
                    .ignore_public_acls(block.ignore_public_acls)
                    .block_public_policy(block.block_public_policy)
                    .restrict_public_buckets(block.restrict_public_buckets)
                    .build();
                let request = s3.put_public_access_block().bucket(name).expected_bucket_owner(owner);
                self.wait(request.public_access_block_configuration(block).send()).error_context(&doing)?;
            }
            Setting::OwnershipControls => {
                let rules = wanted.ownership_controls.iter().flat_map(|controls| &controls.rules);
                let rules = rules.map(|rule| {
                    let ownership = sdk::ObjectOwnership::from(rule.object_ownership.as_str());
                    sdk::OwnershipControlsRule::builder().object_ownership(ownership).build()
                });
                let rules = rules.collect::<Result<Vec<_>, _>>()?;
                let controls = sdk::OwnershipControls::builder().set_rules(Some(rules)).build()?;
                let request = s3.put_bucket_ownership_controls().bucket(name).expected_bucket_owner(owner);
                self.wait(request.ownership_controls(controls).send()).error_context(&doing)?;
            }
            Setting::Encryption => {
                let request = s3.put_bucket_encryption().bucket(name).expected_bucket_owner(owner);
                let request = request.server_side_encryption_configuration(encryption_request(wanted)?);
                self.wait(request.send()).error_context(&doing)?;
            }
            Setting::Policy => {
                let policy = wanted.policy.as_ref().map(ToString::to_string).unwrap_or_default();
                let request = s3.put_bucket_policy().bucket(name).expected_bucket_owner(owner);
                self.wait(request.policy(policy).send()).error_context(&doing)?;
            }
            Setting::Lifecycle => {
                let request = s3.put_bucket_lifecycle_configuration().bucket(name).expected_bucket_owner(owner);
                self.wait(request.lifecycle_configuration(lifecycle_request(wanted)?).send()).error_context(&doing)?;
            }
            Setting::Tagging => {
                let tags = wanted.tagging.iter().flat_map(|tagging| &tagging.tag_set);
                let tags = tags.map(|tag| sdk::Tag::builder().key(&tag.key).value(&tag.value).build());
                let tags = tags.collect::<Result<Vec<_>, _>>()?;
                let tagging = sdk::Tagging::builder().set_tag_set(Some(tags)).build()?;
                let request = s3.put_bucket_tagging().bucket(name).expected_bucket_owner(owner);
                self.wait(request.tagging(tagging).send()).error_context(&doing)?;
            }
        }
        Ok(())
    }

    /// Deletes an empty bucket.
    ///
    /// # Errors
    ///
    /// Fails if the request fails, for instance because the bucket isn't empty.
    pub fn delete_bucket(&self, name: &str) -> Result<()> {
        let request = self.s3.delete_bucket().bucket(name).expected_bucket_owner(self.account_id());
        match self.wait(request.send()).error_context(&format!("delete the bucket {name}")) {
            Err(error) if error.kind == Kind::NotFound => Ok(()),
            result => Ok(result.map(drop)?),
        }
    }
}

/// Maps the error of a setting that is not configured to `None`.
fn if_made<T, E>(answer: Result<T, SdkError<E, HttpResponse>>, doing: &str) -> Result<Option<T>, AwsError>
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    match answer.error_context(doing) {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.kind == Kind::NotFound && error.code.as_deref() != Some("NoSuchBucket") => Ok(None),
        Err(error) => Err(error),
    }
}

fn encryption_value(configuration: sdk::ServerSideEncryptionConfiguration) -> Encryption {
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

fn encryption_request(wanted: &BucketSettings) -> Result<sdk::ServerSideEncryptionConfiguration> {
    let mut rules = Vec::new();
    for rule in wanted.server_side_encryption_configuration.iter().flat_map(|encryption| &encryption.rules) {
        let default = &rule.apply_server_side_encryption_by_default;
        let default = sdk::ServerSideEncryptionByDefault::builder()
            .sse_algorithm(sdk::ServerSideEncryption::from(default.algorithm.as_str()))
            .set_kms_master_key_id(default.key.clone())
            .build()?;
        rules.push(sdk::ServerSideEncryptionRule::builder().apply_server_side_encryption_by_default(default).build());
    }
    Ok(sdk::ServerSideEncryptionConfiguration::builder().set_rules(Some(rules)).build()?)
}

fn lifecycle_value(rule: sdk::LifecycleRule) -> LifecycleRule {
    let filter = rule.filter.as_ref();
    let narrower = filter.is_some_and(|filter| {
        filter.tag.is_some()
            || filter.and.is_some()
            || filter.object_size_greater_than.is_some()
            || filter.object_size_less_than.is_some()
    });
    let dated = rule.expiration.as_ref().is_some_and(|expiration| {
        expiration.date.is_some() || expiration.expired_object_delete_marker.is_some_and(|marker| marker)
    });
    LifecycleRule {
        does_more: narrower
            || dated
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

fn lifecycle_request(wanted: &BucketSettings) -> Result<sdk::BucketLifecycleConfiguration> {
    let mut rules = Vec::new();
    for rule in wanted.lifecycle_configuration.iter().flat_map(|lifecycle| &lifecycle.rules) {
        let expiration = rule.expiration.map(|after| sdk::LifecycleExpiration::builder().days(after.days).build());
        let abort = rule.abort_incomplete_multipart_upload.map(|after| {
            sdk::AbortIncompleteMultipartUpload::builder().days_after_initiation(after.days_after_initiation).build()
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
