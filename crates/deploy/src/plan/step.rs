//! A plan as a value: its steps, and the reasons that block it.

use std::collections::BTreeSet;

use aws::athena::workgroups::Workgroup;
use aws::glue::Partition;
use aws::s3::bucket_settings::{BucketSettings, Setting};
use aws::s3::upload::Upload;
use cli_support::human;
use serde::Serialize;
use serde_json::Value;
use ticket_schema::names::{DATABASE, TABLE};

use super::quicksight::QuickSightStep;

/// Reason for the deletion of the pending manifest.
pub(crate) const DEPLOY_COMPLETED: &str = "the deploy is complete";

/// Steps in execution order, and the reasons that block them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Steps in execution order.
    pub steps: Vec<Step>,
    /// Reasons that block the plan. If there are any, no step is executed.
    pub blockers: Vec<Blocker>,
    /// Notes for the user.
    pub notes: Vec<String>,
}

/// Reason that blocks a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Blocker {
    /// Name of the resource, as of [`Step::resource`].
    pub resource: String,
    /// Problem and next step.
    pub text: String,
}

/// Step of a plan.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Create a bucket.
    CreateBucket {
        /// Name.
        bucket: String,
    },
    /// Change a setting of a bucket.
    SetBucket {
        /// Name.
        bucket: String,
        /// Setting to change.
        setting: Setting,
        /// Actual value; null if it is not configured, or the bucket is new.
        actual: Value,
        /// Desired settings.
        desired: Box<BucketSettings>,
    },
    /// Write the pending manifest.
    WritePendingManifest {
        /// Bucket.
        bucket: String,
        /// Keys that are about to be uploaded or deleted, and those in the pending manifest of an interrupted deploy.
        keys: BTreeSet<String>,
    },
    /// Upload an object.
    Upload {
        /// Content and destination.
        upload: Upload,
        /// Reason.
        reason: Reason,
    },
    /// Delete managed objects.
    DeleteObjects {
        /// Bucket.
        bucket: String,
        /// Keys to delete.
        keys: Vec<String>,
        /// Reason.
        reason: &'static str,
    },
    /// Abort incomplete multipart uploads.
    AbortUploads {
        /// Bucket.
        bucket: String,
    },
    /// Delete an empty bucket.
    DeleteBucket {
        /// Name.
        bucket: String,
    },
    /// Create the workgroup.
    CreateWorkgroup(Box<Workgroup>),
    /// Update the workgroup.
    UpdateWorkgroup {
        /// Actual settings.
        actual: Box<Workgroup>,
        /// Desired settings.
        desired: Box<Workgroup>,
    },
    /// Delete the workgroup.
    DeleteWorkgroup {
        /// Name.
        name: String,
    },
    /// Create the database.
    CreateDatabase {
        /// Statement.
        statement: String,
    },
    /// Create a table.
    CreateTable {
        /// Name.
        name: String,
        /// Statement.
        statement: String,
    },
    /// Drop the definition of a table and create it again.
    ReplaceTable {
        /// Name.
        name: String,
        /// Statement.
        statement: String,
        /// Differences from the definition.
        differences: Vec<String>,
    },
    /// Create or replace the view.
    CreateView {
        /// Name.
        name: String,
        /// Statement.
        statement: String,
        /// True if a view or table of this name exists.
        replaces: bool,
    },
    /// Register partitions of the curated table.
    AddPartitions(Vec<Partition>),
    /// Unregister partitions of the curated table.
    RemovePartitions(Vec<Partition>),
    /// Delete the definition of a table or view.
    DeleteTable {
        /// Name.
        name: String,
    },
    /// Delete the database.
    DeleteDatabase {
        /// Name.
        name: String,
    },
    /// Change a QuickSight resource; executed after the verification on Athena.
    QuickSight(QuickSightStep),
}

/// Reason for an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The object is missing.
    New,
    /// Size or checksum differ.
    Changed,
    /// S3 has no CRC-64/NVME of the object, so its content can't be verified.
    Unknown,
}

impl Plan {
    /// Returns the blockers, a line each.
    pub fn blockers_text(&self) -> String {
        self.blockers.iter().map(|blocker| blocker.text.as_str()).collect::<Vec<_>>().join("\n  ")
    }

    /// Removes the QuickSight steps from the plan and returns them.
    pub(crate) fn take_quicksight_steps(&mut self) -> Vec<QuickSightStep> {
        let steps = self.steps.extract_if(.., |step| matches!(step, Step::QuickSight(_)));
        steps.filter_map(|step| if let Step::QuickSight(step) = step { Some(step) } else { None }).collect()
    }
}

/// Action of a step on its resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Create a missing resource.
    Create,
    /// Update a drifted resource.
    Update,
    /// Delete a resource.
    Delete,
}

impl Action {
    /// Returns the symbol in plans, as in Terraform.
    pub(crate) const fn symbol(self) -> char {
        match self {
            Self::Create => '+',
            Self::Update => '~',
            Self::Delete => '-',
        }
    }

    /// Returns the past participle for messages.
    pub(crate) const fn past_participle(self) -> &'static str {
        match self {
            Self::Create => "created",
            Self::Update => "updated",
            Self::Delete => "deleted",
        }
    }
}

impl Step {
    /// Returns the action: create, update or delete.
    pub const fn action(&self) -> Action {
        match self {
            Self::CreateBucket { .. }
            | Self::WritePendingManifest { .. }
            | Self::Upload { reason: Reason::New, .. }
            | Self::CreateWorkgroup(_)
            | Self::CreateDatabase { .. }
            | Self::CreateTable { .. }
            | Self::CreateView { replaces: false, .. }
            | Self::AddPartitions(_) => Action::Create,
            Self::SetBucket { .. }
            | Self::Upload { .. }
            | Self::UpdateWorkgroup { .. }
            | Self::ReplaceTable { .. }
            | Self::CreateView { .. } => Action::Update,
            Self::DeleteObjects { .. }
            | Self::AbortUploads { .. }
            | Self::DeleteBucket { .. }
            | Self::DeleteWorkgroup { .. }
            | Self::RemovePartitions(_)
            | Self::DeleteTable { .. }
            | Self::DeleteDatabase { .. } => Action::Delete,
            Self::QuickSight(step) => step.action(),
        }
    }

    /// Returns the name of the resource.
    pub fn resource(&self) -> String {
        match self {
            Self::CreateBucket { bucket } | Self::SetBucket { bucket, .. } | Self::DeleteBucket { bucket } => {
                format!("bucket {bucket}")
            }
            Self::WritePendingManifest { bucket, .. }
            | Self::DeleteObjects { bucket, .. }
            | Self::AbortUploads { bucket } => {
                format!("data in {bucket}")
            }
            Self::Upload { upload, .. } => format!("data in {}", upload.bucket),
            Self::CreateWorkgroup(desired) | Self::UpdateWorkgroup { desired, .. } => {
                format!("workgroup {}", desired.name)
            }
            Self::DeleteWorkgroup { name } => format!("workgroup {name}"),
            Self::CreateDatabase { .. } | Self::DeleteDatabase { .. } => format!("database {DATABASE}"),
            Self::CreateView { name, .. } => format!("view {DATABASE}.{name}"),
            Self::DeleteTable { name } if name == ticket_schema::names::VIEW => format!("view {DATABASE}.{name}"),
            Self::CreateTable { name, .. } | Self::ReplaceTable { name, .. } | Self::DeleteTable { name } => {
                format!("table {DATABASE}.{name}")
            }
            Self::AddPartitions(_) | Self::RemovePartitions(_) => format!("partitions of {DATABASE}.{TABLE}"),
            Self::QuickSight(step) => step.resource(),
        }
    }

    /// Returns the message after completion.
    pub fn completion_message(&self) -> String {
        let verb = match self {
            Self::SetBucket { .. } => "set",
            Self::AddPartitions(_) => "registered",
            Self::RemovePartitions(_) => "unregistered",
            Self::AbortUploads { .. } => "aborted incomplete uploads:",
            Self::DeleteObjects { keys, .. } => {
                return format!("deleted {} from {}", human::counted(keys.len() as u64, "object"), self.resource());
            }
            _ => self.action().past_participle(),
        };
        format!("{verb} {}", self.resource())
    }

    /// Returns true if the step only writes or deletes the pending manifest.
    pub(crate) fn is_bookkeeping(&self) -> bool {
        match self {
            Self::WritePendingManifest { .. } => true,
            Self::DeleteObjects { reason, .. } => *reason == DEPLOY_COMPLETED,
            _ => false,
        }
    }

    pub(crate) fn setting_name(&self) -> Option<&'static str> {
        if let Self::SetBucket { setting, .. } = self { Some(setting.name()) } else { None }
    }

    pub(crate) fn upload(&self) -> Option<&Upload> {
        if let Self::Upload { upload, .. } = self { Some(upload) } else { None }
    }
}
