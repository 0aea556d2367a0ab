//! A plan as a value: its steps, and the reasons that block it.

use std::collections::BTreeSet;

use aws::athena::Workgroup;
use aws::s3::bucket_settings::{BucketSettings, Setting};
use aws::glue::Partition;
use aws::s3::upload::Upload;
use cli_support::human;
use serde::Serialize;
use serde_json::Value;
use ticket_schema::names::{DATABASE, TABLE};

use super::quicksight::QuickSightStep;

/// Why an announcement goes.
pub(crate) const DEPLOY_COMPLETED: &str = "the deploy has ended";


/// What has to be done, in this order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// One thing after another.
    pub steps: Vec<Step>,
    /// What makes it impossible. If there is any, no step is taken.
    pub blockers: Vec<Blocker>,
    /// What a person should know.
    pub notes: Vec<String>,
}

/// What makes a plan impossible.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Blocker {
    /// What it is about, as [`Step::resource`] names it.
    pub resource: String,
    /// What is the matter, and what to do about it.
    pub text: String,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Make a bucket.
    CreateBucket {
        /// Its name.
        bucket: String,
    },
    /// Make a setting of a bucket.
    SetBucket {
        /// Its name.
        bucket: String,
        /// Which.
        setting: Setting,
        /// What it is; null if it isn't made, or the bucket is new.
        actual: Value,
        /// What it is to be.
        wanted: Box<BucketSettings>,
    },
    /// Write down which keys are about to come and go.
    WritePendingManifest {
        /// Where.
        bucket: String,
        /// Those and all earlier ones: what is ours though no manifest names it yet, or any more.
        keys: BTreeSet<String>,
    },
    /// Send an object.
    Upload {
        /// What, and where to.
        upload: Upload,
        /// Why.
        reason: Reason,
    },
    /// Delete objects of ours.
    DeleteObjects {
        /// Where.
        bucket: String,
        /// Which.
        keys: Vec<String>,
        /// Why.
        reason: &'static str,
    },
    /// Give up unfinished uploads of ours.
    AbortUploads {
        /// Where.
        bucket: String,
    },
    /// Delete an empty bucket.
    DeleteBucket {
        /// Its name.
        bucket: String,
    },
    /// Make the workgroup.
    CreateWorkgroup(Box<Workgroup>),
    /// Bring the workgroup to what is wanted.
    UpdateWorkgroup {
        /// What it is.
        actual: Box<Workgroup>,
        /// What it is to be.
        wanted: Box<Workgroup>,
    },
    /// Delete the workgroup.
    DeleteWorkgroup {
        /// Its name.
        name: String,
    },
    /// Make the database.
    CreateDatabase {
        /// The statement.
        statement: String,
    },
    /// Make a table.
    CreateTable {
        /// Its name.
        name: String,
        /// The statement.
        statement: String,
    },
    /// Drop a table's definition and make it anew.
    ReplaceTable {
        /// Its name.
        name: String,
        /// The statement.
        statement: String,
        /// What is not as wanted.
        differences: Vec<String>,
    },
    /// Make the view, or make it anew.
    CreateView {
        /// Its name.
        name: String,
        /// The statement.
        statement: String,
        /// Whether another one is there.
        replaces: bool,
    },
    /// Register partitions of the curated table.
    AddPartitions(Vec<Partition>),
    /// Unregister partitions of the curated table.
    RemovePartitions(Vec<Partition>),
    /// Delete a table's or view's definition.
    DeleteTable {
        /// Its name.
        name: String,
    },
    /// Delete the database.
    DeleteDatabase {
        /// Its name.
        name: String,
    },
    /// What is done on QuickSight, once the lake is proved.
    QuickSight(QuickSightStep),
}

/// Why an object is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It isn't there.
    New,
    /// Its size or checksum is not the wanted one.
    Changed,
    /// S3 has no CRC-64/NVME of it, so nobody knows what it is.
    Unknown,
}

impl Plan {
    /// What makes it impossible, a line each.
    pub fn blockers_text(&self) -> String {
        self.blockers.iter().map(|blocker| blocker.text.as_str()).collect::<Vec<_>>().join("\n  ")
    }

    /// Takes the steps on QuickSight out of it.
    pub(crate) fn take_quicksight_steps(&mut self) -> Vec<QuickSightStep> {
        let steps = self.steps.extract_if(.., |step| matches!(step, Step::QuickSight(_)));
        steps.filter_map(|step| if let Step::QuickSight(step) = step { Some(step) } else { None }).collect()
    }
}

/// Whether something comes, changes or goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It isn't there yet.
    Create,
    /// It is there, but not as wanted.
    Update,
    /// It goes.
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
    /// Whether something comes, changes or goes.
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

    /// What it is about.
    pub fn resource(&self) -> String {
        match self {
            Self::CreateBucket { bucket } | Self::SetBucket { bucket, .. } | Self::DeleteBucket { bucket } => {
                format!("bucket {bucket}")
            }
            Self::WritePendingManifest { bucket, .. } | Self::DeleteObjects { bucket, .. } | Self::AbortUploads { bucket } => {
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

    /// What is said when it is done.
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

    /// Whether it is only about what a deploy writes down for itself.
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
