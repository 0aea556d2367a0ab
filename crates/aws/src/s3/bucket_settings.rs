//! Settings of a bucket as values, with the structure and names of S3's requests.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// All settings of a bucket; `None` for a setting that is not configured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct BucketSettings {
    /// Public access block.
    pub public_access_block_configuration: Option<PublicAccessBlock>,
    /// Object ownership.
    pub ownership_controls: Option<OwnershipControls>,
    /// Default encryption.
    pub server_side_encryption_configuration: Option<Encryption>,
    /// Bucket policy.
    pub policy: Option<Value>,
    /// Lifecycle rules.
    pub lifecycle_configuration: Option<Lifecycle>,
    /// Tags.
    pub tagging: Option<Tagging>,
}

/// Public access block.
#[allow(clippy::struct_excessive_bools, reason = "the structure of S3's request")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct PublicAccessBlock {
    /// Rejection of new public ACLs.
    pub block_public_acls: bool,
    /// No effect of existing public ACLs.
    pub ignore_public_acls: bool,
    /// Rejection of a new public bucket policy.
    pub block_public_policy: bool,
    /// Restricted access under an existing public policy.
    pub restrict_public_buckets: bool,
}

/// Object ownership.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct OwnershipControls {
    /// Exactly one rule.
    pub rules: Vec<OwnershipRule>,
}

/// Rule of the object ownership.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct OwnershipRule {
    /// Mode, such as `BucketOwnerEnforced`.
    pub object_ownership: String,
}

/// Default encryption.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Encryption {
    /// Exactly one rule.
    pub rules: Vec<EncryptionRule>,
}

/// Rule of the default encryption.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct EncryptionRule {
    /// Encryption of uploads that don't specify one.
    pub apply_server_side_encryption_by_default: EncryptionByDefault,
}

/// Encryption of uploads that don't specify one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EncryptionByDefault {
    /// Algorithm, such as `AES256`.
    #[serde(rename = "SSEAlgorithm")]
    pub algorithm: String,
    /// KMS key, if any.
    #[serde(rename = "KMSMasterKeyID", default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// Lifecycle rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Lifecycle {
    /// Rules, in any order.
    pub rules: Vec<LifecycleRule>,
}

/// Lifecycle rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct LifecycleRule {
    /// Name.
    #[serde(rename = "ID")]
    pub id: String,
    /// `Enabled` or `Disabled`.
    pub status: String,
    /// Objects that the rule applies to.
    pub filter: LifecycleFilter,
    /// Expiration of objects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiration: Option<Expiration>,
    /// Removal of incomplete multipart uploads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abort_incomplete_multipart_upload: Option<AbortUploads>,
    /// True if the rule has filters or actions that this type can't represent; false in a definition.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_other_actions: bool,
}

/// Filter of a lifecycle rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct LifecycleFilter {
    /// Prefix of the keys.
    pub prefix: String,
}

/// Expiration of objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Expiration {
    /// Age in days.
    pub days: i32,
}

/// Removal of incomplete multipart uploads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct AbortUploads {
    /// Days since the upload was initiated.
    pub days_after_initiation: i32,
}

/// Tags.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Tagging {
    /// Tags with unique keys.
    pub tag_set: Vec<Tag>,
}

/// Tag.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Tag {
    /// Name.
    pub key: String,
    /// Value.
    pub value: String,
}

/// Name of a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Setting {
    /// Public access block.
    PublicAccessBlock,
    /// Object ownership.
    OwnershipControls,
    /// Default encryption.
    Encryption,
    /// Bucket policy.
    Policy,
    /// Lifecycle rules.
    Lifecycle,
    /// Tags.
    Tagging,
}

impl Setting {
    /// All settings in order of application: public access is blocked first.
    pub const ALL: [Self; 6] = [
        Self::PublicAccessBlock,
        Self::OwnershipControls,
        Self::Encryption,
        Self::Policy,
        Self::Lifecycle,
        Self::Tagging,
    ];

    /// Returns the name of the setting for messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PublicAccessBlock => "public access block",
            Self::OwnershipControls => "object ownership",
            Self::Encryption => "encryption",
            Self::Policy => "policy",
            Self::Lifecycle => "lifecycle",
            Self::Tagging => "tags",
        }
    }
}

impl BucketSettings {
    /// Adds the unmanaged tags of `actual` to these settings, because `PutBucketTagging` replaces all tags. Tags of AWS
    /// (`aws:…`) are omitted: they can be neither set nor removed.
    #[must_use]
    pub fn with_unmanaged_tags_of(&self, actual: &Self) -> Self {
        let mut merged = self.clone();
        if let (Some(desired), Some(actual)) = (&mut merged.tagging, &actual.tagging) {
            let is_desired = |tag: &Tag| desired.tag_set.iter().any(|desired| desired.key == tag.key);
            let unmanaged = actual.tag_set.iter().filter(|tag| !tag.key.starts_with("aws:") && !is_desired(tag));
            let unmanaged: Vec<Tag> = unmanaged.cloned().collect();
            desired.tag_set.extend(unmanaged);
        }
        merged
    }

    /// Returns the canonical form of a setting, in which equivalent values are equal; null if it is not configured.
    pub fn canonical(&self, setting: Setting) -> Value {
        match setting {
            Setting::PublicAccessBlock => to_value(self.public_access_block_configuration.as_ref()),
            Setting::OwnershipControls => to_value(self.ownership_controls.as_ref()),
            Setting::Encryption => to_value(self.server_side_encryption_configuration.as_ref()),
            Setting::Policy => self.policy.clone().map_or(Value::Null, canonical_policy),
            Setting::Lifecycle => {
                let mut rules = self.lifecycle_configuration.clone();
                if let Some(lifecycle) = &mut rules {
                    lifecycle.rules.sort();
                }
                to_value(rules.as_ref())
            }
            Setting::Tagging => {
                let pairs = |tags: &Tagging| -> BTreeMap<String, String> {
                    let user_tags = tags.tag_set.iter().filter(|tag| !tag.key.starts_with("aws:"));
                    user_tags.map(|tag| (tag.key.clone(), tag.value.clone())).collect()
                };
                to_value(self.tagging.as_ref().map(pairs).as_ref())
            }
        }
    }
}

fn to_value<T: Serialize>(value: Option<&T>) -> Value {
    value.and_then(|value| serde_json::to_value(value).ok()).unwrap_or(Value::Null)
}

/// Normalizes a policy: AWS may return a list of one element as that element, and the principal `*` as `{"AWS": "*"}`.
fn canonical_policy(policy: Value) -> Value {
    match policy {
        Value::Array(mut list) if list.len() == 1 => canonical_policy(list.remove(0)),
        Value::Array(list) => Value::Array(list.into_iter().map(canonical_policy).collect()),
        Value::Object(map) if map.len() == 1 && map.get("AWS").is_some_and(|principal| *principal == "*") => "*".into(),
        Value::Object(map) => map.into_iter().map(|(name, value)| (name, canonical_policy(value))).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::{BucketSettings, Setting, Tag, Tagging};
    use serde_json::json;

    fn policy(policy: serde_json::Value) -> serde_json::Value {
        BucketSettings { policy: Some(policy), ..BucketSettings::default() }.canonical(Setting::Policy)
    }

    #[test]
    fn equivalent_policies_have_the_same_canonical_form() {
        let defined = json!({"Statement": [{"Principal": "*", "Action": ["s3:*"], "Resource": ["a", "b"]}]});
        let returned = json!({"Statement": {"Principal": {"AWS": "*"}, "Resource": ["a", "b"], "Action": "s3:*"}});
        assert_eq!(policy(defined.clone()), policy(returned));
        assert_ne!(
            policy(defined),
            policy(json!({"Statement": [{"Principal": "*", "Action": "s3:*", "Resource": "a"}]}))
        );
    }

    #[test]
    fn unmanaged_tags_are_kept_and_aws_tags_are_not_sent() {
        let tagged = |pairs: &[(&str, &str)]| {
            let tag = |(key, value): &(&str, &str)| Tag { key: (*key).to_owned(), value: (*value).to_owned() };
            let tagging = Tagging { tag_set: pairs.iter().map(tag).collect() };
            BucketSettings { tagging: Some(tagging), ..BucketSettings::default() }
        };
        let desired = tagged(&[("project", "desired")]);
        let actual = tagged(&[("aws:created", "x"), ("team", "unmanaged"), ("project", "drifted")]);
        let merged = desired.with_unmanaged_tags_of(&actual);
        assert_eq!(merged, tagged(&[("project", "desired"), ("team", "unmanaged")]));
        assert_ne!(merged.canonical(Setting::Tagging), actual.canonical(Setting::Tagging));
        let in_sync = tagged(&[("aws:created", "x"), ("team", "unmanaged"), ("project", "desired")]);
        let merged = desired.with_unmanaged_tags_of(&in_sync);
        assert_eq!(merged.canonical(Setting::Tagging), in_sync.canonical(Setting::Tagging));
    }
}
