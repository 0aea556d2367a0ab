//! A bucket's settings as values, in the shapes and with the names of S3's own requests, so that a definition file reads like
//! the requests that it becomes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Everything that is set on a bucket. A setting that isn't made is `None`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct BucketSettings {
    /// Whether anything can be public.
    pub public_access_block_configuration: Option<PublicAccessBlock>,
    /// Who owns the objects.
    pub ownership_controls: Option<OwnershipControls>,
    /// How objects are encrypted.
    pub server_side_encryption_configuration: Option<Encryption>,
    /// Who may not do what.
    pub policy: Option<Value>,
    /// What goes by itself, and when.
    pub lifecycle_configuration: Option<Lifecycle>,
    /// What the bucket is for.
    pub tagging: Option<Tagging>,
}

/// Whether anything can be public.
#[allow(clippy::struct_excessive_bools, reason = "it is the shape of S3's request")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct PublicAccessBlock {
    /// Refuse new public access lists.
    pub block_public_acls: bool,
    /// Ignore old ones.
    pub ignore_public_acls: bool,
    /// Refuse a new public policy.
    pub block_public_policy: bool,
    /// Ignore an old one.
    pub restrict_public_buckets: bool,
}

/// Who owns the objects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct OwnershipControls {
    /// One rule.
    pub rules: Vec<OwnershipRule>,
}

/// Who owns the objects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct OwnershipRule {
    /// As in `BucketOwnerEnforced`.
    pub object_ownership: String,
}

/// How objects are encrypted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Encryption {
    /// One rule.
    pub rules: Vec<EncryptionRule>,
}

/// How objects are encrypted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct EncryptionRule {
    /// What an upload gets that doesn't say how.
    pub apply_server_side_encryption_by_default: EncryptionByDefault,
}

/// What an upload gets that doesn't say how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EncryptionByDefault {
    /// As in `AES256`.
    #[serde(rename = "SSEAlgorithm")]
    pub algorithm: String,
    /// The key, if it is one of KMS.
    #[serde(rename = "KMSMasterKeyID", default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// What goes by itself, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Lifecycle {
    /// The rules, ordered by their names when they come from S3.
    pub rules: Vec<LifecycleRule>,
}

/// What goes by itself, and when.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct LifecycleRule {
    /// Its name.
    #[serde(rename = "ID")]
    pub id: String,
    /// `Enabled` or `Disabled`.
    pub status: String,
    /// What it is about.
    pub filter: LifecycleFilter,
    /// When objects go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiration: Option<Expiration>,
    /// When parts of unfinished uploads go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abort_incomplete_multipart_upload: Option<AbortUploads>,
    /// Whether it does more than can be said here; never wanted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub does_more: bool,
}

/// What a rule is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct LifecycleFilter {
    /// The beginning of the keys.
    pub prefix: String,
}

/// When objects go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Expiration {
    /// Days after they came.
    pub days: i32,
}

/// When parts of unfinished uploads go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct AbortUploads {
    /// Days after the upload was begun.
    pub days_after_initiation: i32,
}

/// What the bucket is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Tagging {
    /// Each tag once.
    pub tag_set: Vec<Tag>,
}

/// A tag.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Tag {
    /// Its name.
    pub key: String,
    /// Its value.
    pub value: String,
}

/// One setting, by the name of its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Setting {
    /// Who can see it.
    PublicAccessBlock,
    /// Who owns the objects.
    OwnershipControls,
    /// How objects are encrypted.
    Encryption,
    /// Who may not do what.
    Policy,
    /// What goes by itself.
    Lifecycle,
    /// What it is for.
    Tagging,
}

impl Setting {
    /// All settings, in the order in which they are made: closed before anything else.
    pub const ALL: [Self; 6] = [
        Self::PublicAccessBlock,
        Self::OwnershipControls,
        Self::Encryption,
        Self::Policy,
        Self::Lifecycle,
        Self::Tagging,
    ];

    /// What people call it.
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
    /// These settings with the tags that other hands have given the bucket: setting tags replaces them all, and nobody asked us
    /// to take those away. AWS's own (`aws:…`) stay by themselves and can't be set.
    #[must_use]
    pub fn keeping_other_tags(&self, actual: &Self) -> Self {
        let mut kept = self.clone();
        if let (Some(wanted), Some(actual)) = (&mut kept.tagging, &actual.tagging) {
            let is_wanted = |tag: &Tag| wanted.tag_set.iter().any(|wanted| wanted.key == tag.key);
            let others = actual.tag_set.iter().filter(|tag| !tag.key.starts_with("aws:") && !is_wanted(tag));
            let others: Vec<Tag> = others.cloned().collect();
            wanted.tag_set.extend(others);
        }
        kept
    }

    /// One setting's value in its canonical form, in which equal meaning is equal text; null if it isn't made.
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
                    let ours = tags.tag_set.iter().filter(|tag| !tag.key.starts_with("aws:"));
                    ours.map(|tag| (tag.key.clone(), tag.value.clone())).collect()
                };
                to_value(self.tagging.as_ref().map(pairs).as_ref())
            }
        }
    }
}

fn to_value<T: Serialize>(value: Option<&T>) -> Value {
    value.and_then(|value| serde_json::to_value(value).ok()).unwrap_or(Value::Null)
}

/// AWS may give back a list of one as its only member, and anyone as `{"AWS": "*"}`.
fn canonical_policy(policy: Value) -> Value {
    match policy {
        Value::Array(mut list) if list.len() == 1 => canonical_policy(list.remove(0)),
        Value::Array(list) => Value::Array(list.into_iter().map(canonical_policy).collect()),
        Value::Object(map) if map.len() == 1 && map.get("AWS").is_some_and(|who| *who == "*") => "*".into(),
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
    fn a_policy_is_known_again_however_aws_writes_it() {
        let ours = json!({"Statement": [{"Principal": "*", "Action": ["s3:*"], "Resource": ["a", "b"]}]});
        let theirs = json!({"Statement": {"Principal": {"AWS": "*"}, "Resource": ["a", "b"], "Action": "s3:*"}});
        assert_eq!(policy(ours.clone()), policy(theirs));
        assert_ne!(policy(ours), policy(json!({"Statement": [{"Principal": "*", "Action": "s3:*", "Resource": "a"}]})));
    }

    #[test]
    fn tags_of_other_hands_are_kept_and_those_of_aws_are_not_sent() {
        let tagged = |pairs: &[(&str, &str)]| {
            let tag = |(key, value): &(&str, &str)| Tag { key: (*key).to_owned(), value: (*value).to_owned() };
            let tagging = Tagging { tag_set: pairs.iter().map(tag).collect() };
            BucketSettings { tagging: Some(tagging), ..BucketSettings::default() }
        };
        let wanted = tagged(&[("project", "ours")]);
        let actual = tagged(&[("aws:made", "x"), ("team", "theirs"), ("project", "other")]);
        let kept = wanted.keeping_other_tags(&actual);
        assert_eq!(kept, tagged(&[("project", "ours"), ("team", "theirs")]));
        assert_ne!(kept.canonical(Setting::Tagging), actual.canonical(Setting::Tagging));
        let settled = tagged(&[("aws:made", "x"), ("team", "theirs"), ("project", "ours")]);
        let kept = wanted.keeping_other_tags(&settled);
        assert_eq!(kept.canonical(Setting::Tagging), settled.canonical(Setting::Tagging));
    }
}
