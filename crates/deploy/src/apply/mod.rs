//! Execution of a plan, without further decisions.

use anyhow::{Context, Result, bail};
use aws::Session;
use aws::s3::bucket_settings::Setting;
use aws::s3::upload::{Content, Upload};
use cli_support::messages::ProgressUnit;
use cli_support::{Messages, human};
use publish::Checksum;
use ticket_schema::names::{DATABASE, TABLE, WORKGROUP};

use crate::observe::{PENDING_MANIFEST, PendingManifest, view};
use crate::plan::{Plan, Step};

pub(crate) mod quicksight;

/// Note in the pending manifest.
const NOTE: &str = "Keys that deploy manages but that the manifest doesn't contain yet. deploy writes this file before the \
                    uploads and deletes it after them.";

/// Executes all steps in order and stops at the first error; the next plan continues there.
///
/// # Errors
///
/// Fails if the plan is blocked, or a step fails.
pub fn apply(session: &Session, plan: &Plan, messages: &Messages) -> Result<()> {
    if !plan.blockers.is_empty() {
        bail!("{}", plan.blockers_text());
    }
    let mut uploads: Vec<Upload> = Vec::new();
    for (n_done, step) in plan.steps.iter().enumerate() {
        if let Step::Upload { upload, .. } = step {
            uploads.push(upload.clone());
            let is_followed_by_upload =
                plan.steps.get(n_done + 1).is_some_and(|next| can_run_concurrently(upload, next));
            if !is_followed_by_upload {
                upload_all(session, std::mem::take(&mut uploads), messages)?;
            }
            continue;
        }
        apply_step(session, step, messages)?;
    }
    Ok(())
}

/// Returns true if `next` may be uploaded concurrently with `upload`. A manifest is uploaded after all objects before it.
fn can_run_concurrently(upload: &Upload, next: &Step) -> bool {
    use ticket_schema::names::MANIFEST_FILE;
    matches!(next, Step::Upload { upload: next, .. } if next.bucket == upload.bucket && next.key != MANIFEST_FILE)
}

/// Uploads objects of one bucket, with a progress bar and a message.
fn upload_all(session: &Session, uploads: Vec<Upload>, messages: &Messages) -> Result<()> {
    let n_bytes: u64 = uploads.iter().map(|upload| upload.bytes).sum();
    let objects = match uploads.as_slice() {
        [upload] => format!("s3://{}/{}", upload.bucket, upload.key),
        uploads => {
            let bucket = uploads.first().map_or("", |upload| upload.bucket.as_str());
            format!("{} to s3://{bucket}", human::counted(uploads.len() as u64, "object"))
        }
    };
    let started = std::time::Instant::now();
    let progress = messages.with_progress("deploy: uploading", n_bytes, ProgressUnit::Bytes);
    session.upload_all(uploads, &|bytes| progress.advance(bytes))?;
    drop(progress);
    let elapsed = started.elapsed();
    let rate = human::bytes((n_bytes as f64 / elapsed.as_secs_f64().max(1e-3)) as u64);
    messages.note(format!(
        "deploy: uploaded {objects}, {} in {}, {rate}/s",
        human::bytes(n_bytes),
        human::duration(elapsed)
    ));
    Ok(())
}

fn apply_step(session: &Session, step: &Step, messages: &Messages) -> Result<()> {
    match step {
        Step::CreateBucket { bucket } => session.create_bucket(bucket)?,
        Step::SetBucket { bucket, setting, desired, .. } => session.set_bucket(bucket, *setting, desired)?,
        Step::WritePendingManifest { bucket, keys } => {
            let pending_manifest = PendingManifest { note: NOTE.to_owned(), keys: keys.clone() };
            let text = serde_json::to_string_pretty(&pending_manifest)? + "\n";
            session.upload_all(vec![text_upload(bucket, PENDING_MANIFEST, text)], &|_| {})?;
            return Ok(());
        }
        Step::Upload { upload, .. } => session.upload_all(vec![upload.clone()], &|_| {})?,
        Step::DeleteObjects { bucket, keys, .. } => session.delete_objects(bucket, keys)?,
        Step::AbortUploads { bucket } => session.abort_uploads(bucket)?,
        Step::DeleteBucket { bucket } => session.delete_bucket(bucket)?,
        Step::CreateWorkgroup(desired) => session.create_workgroup(desired)?,
        Step::UpdateWorkgroup { desired, .. } => session.update_workgroup(desired)?,
        Step::DeleteWorkgroup { name } => session.delete_workgroup(name)?,
        Step::CreateDatabase { statement } | Step::CreateTable { statement, .. } => run(session, statement)?,
        Step::ReplaceTable { name, statement, .. } => {
            session.delete_table(DATABASE, name)?;
            run(session, statement)?;
        }
        Step::CreateView { name, statement, .. } => create_view(session, name, statement)?,
        Step::AddPartitions(partitions) => session.add_partitions(DATABASE, TABLE, partitions)?,
        Step::RemovePartitions(partitions) => {
            let values: Vec<_> = partitions.iter().map(|partition| partition.values.clone()).collect();
            session.remove_partitions(DATABASE, TABLE, &values)?;
        }
        Step::DeleteTable { name } => session.delete_table(DATABASE, name)?,
        Step::DeleteDatabase { name } => session.delete_database(name)?,
        Step::QuickSight(step) => drop(quicksight::apply_step(session, step)?),
    }
    // The settings of a bucket are reported once, with the last of them.
    if !matches!(step, Step::SetBucket { setting, .. } if *setting != Setting::Tagging) {
        messages.note(format!("deploy: {}", step.completion_message()));
    }
    Ok(())
}

fn run(session: &Session, statement: &str) -> Result<()> {
    session.execute(WORKGROUP, statement).map(drop)
}

/// Creates or replaces the view, and adds its fingerprint if necessary.
fn create_view(session: &Session, name: &str, statement: &str) -> Result<()> {
    run(session, statement)?;
    let stored = session.table(DATABASE, name)?.with_context(|| format!("Athena created no view {DATABASE}.{name}"))?;
    if !view::has_same_text(statement, &stored) {
        session.set_table_parameter(DATABASE, name, view::FINGERPRINT, &view::fingerprint(statement, &stored))?;
    }
    Ok(())
}

/// Creates an upload of a text in memory.
pub fn text_upload(bucket: &str, key: &str, text: String) -> Upload {
    let mut checksum = Checksum::default();
    checksum.update(text.as_bytes());
    Upload {
        bucket: bucket.to_owned(),
        key: key.to_owned(),
        bytes: checksum.n_bytes(),
        crc64nvme: checksum.to_base64(),
        content: Content::Text(text),
    }
}
