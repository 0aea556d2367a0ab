//! Steps of a plan that concern QuickSight.

use std::collections::BTreeMap;

use aws::quicksight::resource::{QuickSightResource, ResourceKind, ExistingResource};
use serde_json::{Value, json};

use super::step::Action;
use crate::definitions::quicksight::resource;
use crate::observe::quicksight::differences_of;

/// One thing to do about one of them.
#[derive(Clone, Debug, PartialEq)]
pub enum QuickSightStep {
    /// Make it.
    Create {
        /// What it is to be.
        asset: QuickSightResource,
        /// The ARN of the user or group whom it will belong to.
        owner: String,
    },
    /// Bring it to what is wanted.
    Update {
        /// What it is to be.
        asset: QuickSightResource,
        /// What is not as wanted.
        differences: Vec<String>,
    },
    /// Make a user or group its owner.
    Grant {
        /// What it is.
        kind: ResourceKind,
        /// Its name.
        id: String,
        /// The ARN of the user or group.
        owner: String,
    },
    /// Delete it.
    Delete {
        /// What it is.
        kind: ResourceKind,
        /// Its name.
        id: String,
    },
}

/// What has to be done so that all of them are as wanted and belong to `owner`.
pub(crate) fn steps(wanted: &[QuickSightResource], actual: &BTreeMap<ResourceKind, ExistingResource>, owner: &str) -> Vec<QuickSightStep> {
    let mut steps = Vec::new();
    for asset in wanted {
        let Some(found) = actual.get(&asset.kind) else {
            steps.push(QuickSightStep::Create { asset: asset.clone(), owner: owner.to_owned() });
            continue;
        };
        let differences = differences_of(asset, found);
        if !differences.is_empty() {
            steps.push(QuickSightStep::Update { asset: asset.clone(), differences });
        }
        if !found.is_owned_by(asset.kind, owner) {
            steps.push(QuickSightStep::Grant { kind: asset.kind, id: asset.id.clone(), owner: owner.to_owned() });
        }
    }
    steps
}

/// What takes down those that are there: first what shows, then what is shown.
pub(crate) fn deletions(wanted: &[QuickSightResource], actual: &BTreeMap<ResourceKind, ExistingResource>) -> Vec<QuickSightStep> {
    let there = wanted.iter().rev().filter(|asset| actual.contains_key(&asset.kind));
    there.map(|asset| QuickSightStep::Delete { kind: asset.kind, id: asset.id.clone() }).collect()
}

impl QuickSightStep {
    /// Whether something comes, changes or goes.
    pub(crate) const fn action(&self) -> Action {
        match self {
            Self::Create { .. } => Action::Create,
            Self::Update { .. } | Self::Grant { .. } => Action::Update,
            Self::Delete { .. } => Action::Delete,
        }
    }

    /// What it is about.
    pub(crate) fn resource(&self) -> String {
        match self {
            Self::Create { asset, .. } | Self::Update { asset, .. } => resource(asset.kind, &asset.id),
            Self::Grant { kind, id, .. } | Self::Delete { kind, id } => resource(*kind, id),
        }
    }

    /// What exactly is done, in words and for programs.
    pub(crate) fn told(&self) -> (String, Value) {
        match self {
            Self::Create { owner, .. } => (format!("create, for {owner}"), json!({ "owner": owner })),
            Self::Update { differences, .. } => (differences.join("; "), json!({ "differences": differences })),
            Self::Grant { owner, .. } => (format!("give it to {owner}"), json!({ "owner": owner })),
            Self::Delete { .. } => ("delete".to_owned(), json!({})),
        }
    }
}
