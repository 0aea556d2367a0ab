//! Steps of a plan that concern QuickSight.

use std::collections::BTreeMap;

use aws::quicksight::resource::{ExistingResource, QuickSightResource, ResourceKind};
use serde_json::{Value, json};

use super::step::Action;
use crate::definitions::quicksight::resource;
use crate::observe::quicksight::differences_of;

/// A step that concerns one resource on QuickSight.
#[derive(Clone, Debug, PartialEq)]
pub enum QuickSightStep {
    /// Create the resource.
    Create {
        /// Desired value.
        asset: QuickSightResource,
        /// ARN of the owner, a user or group.
        owner: String,
    },
    /// Update the resource.
    Update {
        /// Desired value.
        asset: QuickSightResource,
        /// Differences from the definition.
        differences: Vec<String>,
    },
    /// Grant the permissions of an owner.
    Grant {
        /// Actual value or kind.
        kind: ResourceKind,
        /// Name.
        id: String,
        /// ARN of the user or group.
        owner: String,
    },
    /// Delete the resource.
    Delete {
        /// Actual value or kind.
        kind: ResourceKind,
        /// Name.
        id: String,
    },
}

/// Plans the steps after which all resources match their definitions and belong to `owner`.
pub(crate) fn steps(
    wanted: &[QuickSightResource],
    actual: &BTreeMap<ResourceKind, ExistingResource>,
    owner: &str,
) -> Vec<QuickSightStep> {
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

/// Plans the deletion of existing resources, dependants first.
pub(crate) fn deletions(
    wanted: &[QuickSightResource],
    actual: &BTreeMap<ResourceKind, ExistingResource>,
) -> Vec<QuickSightStep> {
    let there = wanted.iter().rev().filter(|asset| actual.contains_key(&asset.kind));
    there.map(|asset| QuickSightStep::Delete { kind: asset.kind, id: asset.id.clone() }).collect()
}

impl QuickSightStep {
    /// Returns the action: create, update or delete.
    pub(crate) const fn action(&self) -> Action {
        match self {
            Self::Create { .. } => Action::Create,
            Self::Update { .. } | Self::Grant { .. } => Action::Update,
            Self::Delete { .. } => Action::Delete,
        }
    }

    /// Returns the name of the resource concerned.
    pub(crate) fn resource(&self) -> String {
        match self {
            Self::Create { asset, .. } | Self::Update { asset, .. } => resource(asset.kind, &asset.id),
            Self::Grant { kind, id, .. } | Self::Delete { kind, id } => resource(*kind, id),
        }
    }

    /// Describes the step as text and as JSON.
    pub(crate) fn told(&self) -> (String, Value) {
        match self {
            Self::Create { owner, .. } => (format!("create, for {owner}"), json!({ "owner": owner })),
            Self::Update { differences, .. } => (differences.join("; "), json!({ "differences": differences })),
            Self::Grant { owner, .. } => (format!("give it to {owner}"), json!({ "owner": owner })),
            Self::Delete { .. } => ("delete".to_owned(), json!({})),
        }
    }
}
