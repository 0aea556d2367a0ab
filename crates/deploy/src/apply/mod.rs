//! Execution of a plan: step by step, without further decisions.

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

const NOTE: &str = "Written by deploy before it uploads, and deleted when it has ended: objects that are its own though no \
                    manifest names them yet.";

/// Executes all steps in order and stops at the first failure; a new plan continues from there.
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
            let next_is_more = plan.steps.get(n_done + 1).is_some_and(|next| goes_together(upload, next));
            if !next_is_more {
                send(session, std::mem::take(&mut uploads), messages)?;
            }
            continue;
        }
        take(session, step, messages)?;
    }
    Ok(())
}

/// Returns true if `next` may be uploaded concurrently with `upload`. A manifest is uploaded after all objects before it.
fn goes_together(upload: &Upload, next: &Step) -> bool {
    use ticket_schema::names::MANIFEST_FILE;
    matches!(next, Step::Upload { upload: next, .. } if next.bucket == upload.bucket && next.key != MANIFEST_FILE)
}

fn send(session: &Session, uploads: Vec<Upload>, messages: &Messages) -> Result<()> {
    let n_bytes: u64 = uploads.iter().map(|upload| upload.bytes).sum();
    let what = match uploads.as_slice() {
        [only] => format!("s3://{}/{}", only.bucket, only.key),
        all => {
            let bucket = all.first().map_or("", |upload| upload.bucket.as_str());
            format!("{} to s3://{bucket}", human::counted(all.len() as u64, "object"))
        }
    };
    let started = std::time::Instant::now();
    let progress = messages.with_progress("deploy: uploading", n_bytes, ProgressUnit::Bytes);
    session.upload_all(uploads, &|bytes| progress.advance(bytes))?;
    drop(progress);
    let elapsed = started.elapsed();
    let rate = human::bytes((n_bytes as f64 / elapsed.as_secs_f64().max(1e-3)) as u64);
    messages.note(format!(
        "deploy: uploaded {what}, {} in {}, {rate}/s",
        human::bytes(n_bytes),
        human::duration(elapsed)
    ));
    Ok(())
}

fn take(session: &Session, step: &Step, messages: &Messages) -> Result<()> {
    match step {
        Step::CreateBucket { bucket } => session.create_bucket(bucket)?,
        Step::SetBucket { bucket, setting, wanted, .. } => session.set_bucket(bucket, *setting, wanted)?,
        Step::WritePendingManifest { bucket, keys } => {
            let announcement = PendingManifest { note: NOTE.to_owned(), keys: keys.clone() };
            let text = serde_json::to_string_pretty(&announcement)? + "\n";
            session.upload_all(vec![text_upload(bucket, PENDING_MANIFEST, text)], &|_| {})?;
            return Ok(());
        }
        Step::Upload { upload, .. } => session.upload_all(vec![upload.clone()], &|_| {})?,
        Step::DeleteObjects { bucket, keys, .. } => session.delete_objects(bucket, keys)?,
        Step::AbortUploads { bucket } => session.abort_uploads(bucket)?,
        Step::DeleteBucket { bucket } => session.delete_bucket(bucket)?,
        Step::CreateWorkgroup(wanted) => session.create_workgroup(wanted)?,
        Step::UpdateWorkgroup { wanted, .. } => session.update_workgroup(wanted)?,
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
        messages.note(format!("deploy: {}", step.done()));
    }
    Ok(())
}

fn run(session: &Session, statement: &str) -> Result<()> {
    session.execute(WORKGROUP, statement).map(drop)
}

fn create_view(session: &Session, name: &str, statement: &str) -> Result<()> {
    run(session, statement)?;
    let stored = session.table(DATABASE, name)?.with_context(|| format!("Athena made no view {DATABASE}.{name}"))?;
    if !view::needs_no_fingerprint(statement, &stored) {
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
