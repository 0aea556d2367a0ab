//! Execution of the QuickSight steps of a plan, and the refresh of the tickets in SPICE.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use aws::Session;
use aws::quicksight::resource::{QuickSightResource, ResourceKind};
use cli_support::{Messages, human};

use crate::definitions::quicksight::resource_name;
use crate::plan::quicksight::QuickSightStep;

/// Executes one step. Returns the id of the refresh that the request has started, if any.
pub(crate) fn apply_step(session: &Session, step: &QuickSightStep) -> Result<Option<String>> {
    match step {
        QuickSightStep::Create { resource, owner } => session.create_quicksight_resource(resource, owner),
        QuickSightStep::Update { resource, .. } => session.update_quicksight_resource(resource),
        QuickSightStep::Grant { kind, id, owner } => session.grant_quicksight_resource(*kind, id, owner).map(|()| None),
        QuickSightStep::Delete { kind, id } => session.delete_quicksight_resource(*kind, id).map(|()| None),
    }
}

/// Executes the steps, refreshes the data set in SPICE, and verifies its row count.
pub(crate) fn apply_and_refresh(
    session: &Session,
    resources: &[QuickSightResource],
    steps: &[QuickSightStep],
    n_tickets: u64,
    messages: &Messages,
) -> Result<()> {
    let mut refresh = None;
    for step in steps {
        refresh = apply_step(session, step)?.or(refresh);
        messages.note(format!("deploy: {} {}", step.action().past_participle(), step.resource()));
    }
    let data_set =
        resources.iter().find(|resource| resource.kind == ResourceKind::DataSet).context("there is no data set")?;
    let started = Instant::now();
    let refresh = match refresh {
        Some(id) => id,
        None => start_refresh(session, &data_set.id)?,
    };
    messages.note("deploy: refreshing the tickets in QuickSight");
    let result = session.wait_for_refresh(&data_set.id, &refresh)?;
    if result.rows != n_tickets || result.dropped > 0 {
        bail!(
            "{} has {} of {} after the refresh; QuickSight skipped {}\n  next: see the refresh in QuickSight's console, \
             under Datasets, {}",
            resource_name(data_set.kind, &data_set.id),
            human::count(result.rows),
            human::counted(n_tickets, "ticket"),
            human::count(result.dropped),
            data_set.settings["Name"]
        );
    }
    let (tickets, elapsed) = (human::counted(result.rows, "ticket"), human::duration(started.elapsed()));
    messages.note(format!("deploy: refreshed {}, {tickets} in {elapsed}", resource_name(data_set.kind, &data_set.id)));
    Ok(())
}

/// Starts a refresh. Returns its id.
fn start_refresh(session: &Session, data_set: &str) -> Result<String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let id = format!("deploy-{}", now.as_nanos());
    session.start_refresh(data_set, &id)?;
    Ok(id)
}
