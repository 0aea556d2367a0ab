//! Execution of a curation. Until all rows are reconciled, everything is in a staging table; an interrupted run has changed
//! nothing that readers see.

use anyhow::{Context, Result};
use aws::Session;
use cli_support::messages::ProgressUnit;
use cli_support::{Messages, human};
use kpi::query_cost::{QueryCost, dollars};
use manifest::{CuratedManifest, RawManifest};
use ticket_schema::names::{DATABASE, MANIFEST_FILE, WORKGROUP};

use super::result::{self, Refusal, Staged};
use super::statements::{Curation, Statements, cleaning, preparation};
use crate::apply::apply;
use crate::definitions::desired::{DataSet, is_made_from};
use crate::definitions::{Role, STAGING, bucket_name};
use crate::observe::ownership;

/// A curated data set in S3.
#[derive(Clone, Debug)]
pub(crate) struct Curated {
    /// Manifest.
    pub manifest: CuratedManifest,
    /// Objects.
    pub data: DataSet,
    /// Warnings about rejected lines, one for each reason.
    pub complaints: Vec<String>,
}

/// Returns the curated data set in S3, if it was made from exactly these raw tickets.
pub(crate) fn published(session: &Session, raw: &RawManifest) -> Result<Option<Curated>> {
    let bucket = bucket_name(Role::Curated, session.account_id());
    let Some(text) = session.read_object(&bucket, MANIFEST_FILE)? else { return Ok(None) };
    // A manifest of another format belongs to another data set.
    let manifest = serde_json::from_slice::<CuratedManifest>(&text).ok();
    let Some(manifest) = manifest.filter(|manifest| is_made_from(manifest, raw)) else { return Ok(None) };
    let text = String::from_utf8(text).with_context(|| format!("s3://{bucket}/{MANIFEST_FILE}"))?;
    let data = result::published(session.account_id(), &manifest, text);
    Ok(Some(Curated { manifest, data, complaints: Vec::new() }))
}

/// Runs the curation up to a data set that is ready to be published.
pub(crate) fn curate(
    session: &Session,
    raw: &RawManifest,
    curation: &Curation,
    messages: &Messages,
) -> Result<Curated> {
    let statements = Statements::load(session.account_id(), session.region())?;
    let bucket = bucket_name(Role::Curated, session.account_id());
    prepare(session, &bucket, &statements, messages)?;

    let mut usd = insert(session, curation, &statements, messages)?;
    let written = session.execute(WORKGROUP, &statements.written).context("count the curated tickets")?;
    let staged = result::staged(&bucket, &written.answer)?;
    let n_written: u64 = staged.iter().map(|file| file.rows).sum();
    let mut refusals = Vec::new();
    if n_written != raw.rows {
        for question in curation.refusals(&statements) {
            let asked = session.execute(WORKGROUP, &question).context("look for refused lines")?;
            usd += QueryCost::for_scan(asked.scanned_bytes).usd;
            refusals.extend(result::refusals(&asked.answer)?);
        }
    }
    let rows = result::account(raw, &staged, &refusals)?;
    messages.note(format!(
        "deploy: Athena curated {} of {}, for {}",
        human::count(rows.written),
        human::counted(rows.read, "line"),
        dollars(usd)
    ));
    apply(session, &cleaning(&session.table_names(DATABASE)?), messages)?;
    finish(session, raw, &staged, &refusals)
}

/// Removes what an interrupted run has left. Statements of that run that still write must end first, or their rows would be
/// counted.
fn prepare(session: &Session, bucket: &str, statements: &Statements, messages: &Messages) -> Result<()> {
    let mut contents = ownership(session, bucket, Role::Curated)?;
    if contents.announced.contains(STAGING) {
        for id in session.unfinished_statements(WORKGROUP, Curation::beginning(statements))? {
            messages.note(format!("deploy: waiting for Athena to end what an interrupted run has begun ({id})"));
            session.wait_for_statement(&id)?;
        }
        contents = ownership(session, bucket, Role::Curated)?;
    }
    let tables = session.table_names(DATABASE)?;
    apply(session, &preparation(bucket, &contents, &tables, statements), messages)
}

/// Writes all valid tickets to the staging table. Returns the cost in US dollars.
fn insert(session: &Session, curation: &Curation, statements: &Statements, messages: &Messages) -> Result<f64> {
    let inserts = curation.inserts(statements);
    let n_bytes = inserts.iter().map(|(_, bytes)| bytes).sum();
    let progress = messages.with_progress("deploy: Athena curates", n_bytes, ProgressUnit::Bytes);
    let mut usd = 0.0;
    for (statement, bytes) in &inserts {
        let executed = session.execute(WORKGROUP, statement).context("curate the raw tickets")?;
        usd += QueryCost::for_scan(executed.scanned_bytes).usd;
        progress.advance(*bytes);
    }
    Ok(usd)
}

fn finish(session: &Session, raw: &RawManifest, staged: &[Staged], refusals: &[Refusal]) -> Result<Curated> {
    let account_id = session.account_id();
    let keys: Vec<String> = staged.iter().map(|file| file.key.clone()).collect();
    let states = session.object_states_with_checksums(&bucket_name(Role::Curated, account_id), &keys)?;
    let manifest = result::manifest(raw, staged, refusals, &states)?;
    let data = result::data_set(account_id, &manifest, staged)?;
    Ok(Curated { manifest, data, complaints: result::complaints(refusals) })
}
