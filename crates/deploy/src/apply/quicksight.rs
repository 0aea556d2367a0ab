//! Execution of the QuickSight steps of a plan, and the refresh of the tickets in SPICE.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use aws::Session;
use aws::quicksight::resource::{QuickSightResource, ResourceKind};
use cli_support::{Messages, human};

use crate::definitions::quicksight::resource;
use crate::plan::quicksight::QuickSightStep;

/// Executes one step. Returns the id of the refresh that the request has started, if any.
pub(crate) fn apply_step(session: &Session, step: &QuickSightStep) -> Result<Option<String>> {
    match step {
        QuickSightStep::Create { asset, owner } => session.create_quicksight_resource(asset, owner),
        QuickSightStep::Update { asset, .. } => session.update_quicksight_resource(asset),
        QuickSightStep::Grant { kind, id, owner } => session.grant_quicksight_resource(*kind, id, owner).map(|()| None),
        QuickSightStep::Delete { kind, id } => session.delete_quicksight_resource(*kind, id).map(|()| None),
    }
}

/// Executes the steps, refreshes the data set in SPICE, and verifies its row count.
pub(crate) fn present(
    session: &Session,
    assets: &[QuickSightResource],
    steps: &[QuickSightStep],
    n_tickets: u64,
    messages: &Messages,
) -> Result<()> {
    let mut begun = None;
    for step in steps {
        begun = apply_step(session, step)?.or(begun);
        messages.note(format!("deploy: {} {}", step.action().past(), step.resource()));
    }
    let data_set = assets.iter().find(|asset| asset.kind == ResourceKind::DataSet).context("there is no data set")?;
    let started = Instant::now();
    let name = match begun {
        Some(name) => name,
        None => begin_refresh(session, &data_set.id)?,
    };
    messages.note("deploy: QuickSight is reading the tickets");
    let refreshed = session.await_refresh(&data_set.id, &name)?;
    if refreshed.rows != n_tickets || refreshed.dropped > 0 {
        bail!(
            "{} holds {} of {} now, and QuickSight couldn't read {}\n  next: look at the refresh in QuickSight's console, under \
             Datasets, {}",
            resource(data_set.kind, &data_set.id),
            human::count(refreshed.rows),
            human::counted(n_tickets, "ticket"),
            human::count(refreshed.dropped),
            data_set.settings["Name"]
        );
    }
    let (tickets, elapsed) = (human::counted(refreshed.rows, "ticket"), human::duration(started.elapsed()));
    messages.note(format!("deploy: refreshed {}, {tickets} in {elapsed}", resource(data_set.kind, &data_set.id)));
    Ok(())
}

fn begin_refresh(session: &Session, data_set: &str) -> Result<String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let name = format!("deploy-{}", now.as_nanos());
    session.begin_refresh(data_set, &name)?;
    Ok(name)
}
