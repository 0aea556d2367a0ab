//! Execution of a curation. Until the row counts are reconciled, all tickets are in a staging table, so an interrupted run
//! changes nothing that is published.

use anyhow::{Context, Result};
use aws::Session;
use cli_support::messages::ProgressUnit;
use cli_support::{Messages, human};
use kpi::query_cost::{QueryCost, dollars};
use manifest::{CuratedManifest, RawManifest};
use ticket_schema::names::{DATABASE, MANIFEST_FILE, WORKGROUP};

use super::result::{self, RejectedLines, StagedFile};
use super::statements::{AthenaCuration, Statements, cleanup_plan, preparation_plan};
use crate::apply::apply;
use crate::definitions::desired::{DataSet, is_made_from};
use crate::definitions::{Role, STAGING_PREFIX, bucket_name};
use crate::observe::list_with_manifests;

/// Curated data set in S3.
#[derive(Clone, Debug)]
pub(crate) struct CuratedDataSet {
    /// Manifest.
    pub manifest: CuratedManifest,
    /// Objects.
    pub data: DataSet,
    /// Warnings about rejected lines, one for each reason.
    pub warnings: Vec<String>,
}

/// Returns the curated data set in S3, if it was made from these raw tickets.
pub(crate) fn find_published(session: &Session, raw: &RawManifest) -> Result<Option<CuratedDataSet>> {
    let bucket = bucket_name(Role::Curated, session.account_id());
    let Some(text) = session.read_object(&bucket, MANIFEST_FILE)? else { return Ok(None) };
    // A manifest of another format belongs to another data set.
    let manifest = serde_json::from_slice::<CuratedManifest>(&text).ok();
    let Some(manifest) = manifest.filter(|manifest| is_made_from(manifest, raw)) else { return Ok(None) };
    let text = String::from_utf8(text).with_context(|| format!("s3://{bucket}/{MANIFEST_FILE}"))?;
    let data = result::published_data_set(session.account_id(), &manifest, text);
    Ok(Some(CuratedDataSet { manifest, data, warnings: Vec::new() }))
}

/// Runs the curation. Returns a data set that is ready to be published.
pub(crate) fn curate(
    session: &Session,
    raw: &RawManifest,
    curation: &AthenaCuration,
    messages: &Messages,
) -> Result<CuratedDataSet> {
    let statements = Statements::load(session.account_id(), session.region())?;
    let bucket = bucket_name(Role::Curated, session.account_id());
    prepare(session, &bucket, &statements, messages)?;

    let mut usd = insert(session, curation, &statements, messages)?;
    let written = session.execute(WORKGROUP, &statements.written).context("cannot count the curated tickets")?;
    let staged = result::parse_staged(&bucket, &written.answer)?;
    let n_written: u64 = staged.iter().map(|file| file.rows).sum();
    let mut rejected = Vec::new();
    if n_written != raw.rows {
        for query in curation.rejection_queries(&statements) {
            let executed = session.execute(WORKGROUP, &query).context("cannot query the rejected lines")?;
            usd += QueryCost::for_scan(executed.scanned_bytes).usd;
            rejected.extend(result::parse_rejected(&executed.answer)?);
        }
    }
    let rows = result::reconcile(raw, &staged, &rejected)?;
    messages.note(format!(
        "deploy: Athena curated {} of {}, for {}",
        human::count(rows.written),
        human::counted(rows.read, "line"),
        dollars(usd)
    ));
    apply(session, &cleanup_plan(&session.table_names(DATABASE)?), messages)?;
    build_data_set(session, raw, &staged, &rejected)
}

/// Removes the tables and objects of an interrupted run. Statements of that run must complete first, or their rows would be
/// counted.
fn prepare(session: &Session, bucket: &str, statements: &Statements, messages: &Messages) -> Result<()> {
    let mut contents = list_with_manifests(session, bucket, Role::Curated)?;
    if contents.in_pending_manifest.contains(STAGING_PREFIX) {
        for id in session.running_statements(WORKGROUP, AthenaCuration::insert_prefix(statements))? {
            messages.note(format!("deploy: waiting for a statement of an interrupted run ({id})"));
            session.wait_for_statement(&id)?;
        }
        contents = list_with_manifests(session, bucket, Role::Curated)?;
    }
    let tables = session.table_names(DATABASE)?;
    apply(session, &preparation_plan(bucket, &contents, &tables, statements), messages)
}

/// Inserts all valid tickets into the staging table. Returns the cost in US dollars.
fn insert(session: &Session, curation: &AthenaCuration, statements: &Statements, messages: &Messages) -> Result<f64> {
    let inserts = curation.inserts(statements);
    let n_bytes = inserts.iter().map(|(_, bytes)| bytes).sum();
    let progress = messages.with_progress("deploy: Athena curates", n_bytes, ProgressUnit::Bytes);
    let mut usd = 0.0;
    for (statement, bytes) in &inserts {
        let executed = session.execute(WORKGROUP, statement).context("cannot curate the raw tickets")?;
        usd += QueryCost::for_scan(executed.scanned_bytes).usd;
        progress.advance(*bytes);
    }
    Ok(usd)
}

/// Reads sizes and checksums of the staged files, and builds the data set.
fn build_data_set(
    session: &Session,
    raw: &RawManifest,
    staged: &[StagedFile],
    rejected: &[RejectedLines],
) -> Result<CuratedDataSet> {
    let account_id = session.account_id();
    let keys: Vec<String> = staged.iter().map(|file| file.key.clone()).collect();
    let states = session.object_states_with_checksums(&bucket_name(Role::Curated, account_id), &keys)?;
    let manifest = result::manifest(raw, staged, rejected, &states)?;
    let data = result::staged_data_set(account_id, &manifest, staged)?;
    Ok(CuratedDataSet { manifest, data, warnings: result::warnings(rejected) })
}
