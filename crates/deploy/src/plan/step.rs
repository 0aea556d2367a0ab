//! A plan as a value: its steps, and the reasons that block it.

use std::collections::BTreeSet;

use aws::athena::Workgroup;
use aws::glue::Partition;
use aws::s3::bucket_settings::{BucketSettings, Setting};
use aws::s3::upload::Upload;
use cli_support::human;
use serde::Serialize;
use serde_json::Value;
use ticket_schema::names::{DATABASE, TABLE};

use super::quicksight::QuickSightStep;

/// Reason why the pending manifest is deleted.
pub(crate) const DEPLOY_COMPLETED: &str = "the deploy has ended";

/// Steps in execution order, and reasons that block them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Steps in execution order.
    pub steps: Vec<Step>,
    /// Reasons that block the plan; if there are any, no step is executed.
    pub blockers: Vec<Blocker>,
    /// Notes for the user.
    pub notes: Vec<String>,
}

/// A reason that blocks a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Blocker {
    /// Resource, named as by [`Step::resource`].
    pub resource: String,
    /// Problem and remedy.
    pub text: String,
}

/// A step of a plan.
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
        /// Keys or setting concerned.
        setting: Setting,
        /// Actual value; null if it is not configured, or the bucket is new.
        actual: Value,
        /// Desired value.
        wanted: Box<BucketSettings>,
    },
    /// Write the pending manifest with the keys that are about to be uploaded or deleted.
    WritePendingManifest {
        /// Bucket.
        bucket: String,
        /// These keys and those of an interrupted deploy: managed keys that the manifest doesn't list yet, or no longer lists.
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
        /// Keys or setting concerned.
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
        /// Actual value or kind.
        actual: Box<Workgroup>,
        /// Desired value.
        wanted: Box<Workgroup>,
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
    /// Change a resource on QuickSight; executed after Athena's answers are verified.
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
    pub(crate) const fn mark(self) -> char {
        match self {
            Self::Create => '+',
            Self::Update => '~',
            Self::Delete => '-',
        }
    }

    pub(crate) const fn past(self) -> &'static str {
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

    /// Returns the name of the resource concerned.
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
            Self::CreateWorkgroup(wanted) | Self::UpdateWorkgroup { wanted, .. } => {
                format!("workgroup {}", wanted.name)
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
    pub fn done(&self) -> String {
        let verb = match self {
            Self::SetBucket { .. } => "set",
            Self::AddPartitions(_) => "registered",
            Self::RemovePartitions(_) => "unregistered",
            Self::AbortUploads { .. } => "gave up unfinished uploads:",
            Self::DeleteObjects { keys, .. } => {
                return format!("deleted {} from {}", human::counted(keys.len() as u64, "object"), self.resource());
            }
            _ => self.action().past(),
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
