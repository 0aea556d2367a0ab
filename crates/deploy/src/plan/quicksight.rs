//! QuickSight steps of a plan.

use std::collections::BTreeMap;

use aws::quicksight::resource::{ExistingResource, QuickSightResource, ResourceKind};
use serde_json::{Value, json};

use super::step::Action;
use crate::definitions::quicksight::resource_name;
use crate::observe::quicksight::resource_differences;

/// Step that changes one QuickSight resource.
#[derive(Clone, Debug, PartialEq)]
pub enum QuickSightStep {
    /// Create the resource.
    Create {
        /// Definition.
        resource: QuickSightResource,
        /// ARN of the owner, a user or group.
        owner: String,
    },
    /// Update the resource.
    Update {
        /// Definition.
        resource: QuickSightResource,
        /// Differences from the definition.
        differences: Vec<String>,
    },
    /// Grant the permissions of an owner.
    Grant {
        /// Kind of the resource.
        kind: ResourceKind,
        /// Id of the resource.
        id: String,
        /// ARN of the user or group.
        owner: String,
    },
    /// Delete the resource.
    Delete {
        /// Kind of the resource.
        kind: ResourceKind,
        /// Id of the resource.
        id: String,
    },
}

/// Plans the steps that bring all resources in sync with their definitions, owned by `owner`.
pub(crate) fn steps(
    desired: &[QuickSightResource],
    actual: &BTreeMap<ResourceKind, ExistingResource>,
    owner: &str,
) -> Vec<QuickSightStep> {
    let mut steps = Vec::new();
    for resource in desired {
        let Some(existing) = actual.get(&resource.kind) else {
            steps.push(QuickSightStep::Create { resource: resource.clone(), owner: owner.to_owned() });
            continue;
        };
        let differences = resource_differences(resource, existing);
        if !differences.is_empty() {
            steps.push(QuickSightStep::Update { resource: resource.clone(), differences });
        }
        if !existing.is_owned_by(resource.kind, owner) {
            steps.push(QuickSightStep::Grant { kind: resource.kind, id: resource.id.clone(), owner: owner.to_owned() });
        }
    }
    steps
}

/// Plans the deletion of existing resources, dependants first.
pub(crate) fn deletions(
    desired: &[QuickSightResource],
    actual: &BTreeMap<ResourceKind, ExistingResource>,
) -> Vec<QuickSightStep> {
    let existing = desired.iter().rev().filter(|resource| actual.contains_key(&resource.kind));
    existing.map(|resource| QuickSightStep::Delete { kind: resource.kind, id: resource.id.clone() }).collect()
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

    /// Returns the name of the resource.
    pub(crate) fn resource(&self) -> String {
        match self {
            Self::Create { resource, .. } | Self::Update { resource, .. } => resource_name(resource.kind, &resource.id),
            Self::Grant { kind, id, .. } | Self::Delete { kind, id } => resource_name(*kind, id),
        }
    }

    /// Describes the step as text and as JSON.
    pub(crate) fn describe(&self) -> (String, Value) {
        match self {
            Self::Create { owner, .. } => (format!("create, owned by {owner}"), json!({ "owner": owner })),
            Self::Update { differences, .. } => (differences.join("; "), json!({ "differences": differences })),
            Self::Grant { owner, .. } => (format!("grant ownership to {owner}"), json!({ "owner": owner })),
            Self::Delete { .. } => ("delete".to_owned(), json!({})),
        }
    }
}
