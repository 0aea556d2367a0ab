//! Operations of a plan.

use aws::athena::workgroups::Workgroup;
use aws::glue::Partition;
use aws::s3::bucket_settings::{BucketSettings, Setting, Tag};
use aws::s3::upload::Upload;
use deploy::apply::text_upload;
use deploy::observe::{PENDING_MANIFEST, PendingManifest};
use deploy::plan::{Plan, Step};
use ticket_schema::names::MANIFEST_FILE;

/// Atomic operation of AWS. A step consists of one or more.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    CreateBucket(String),
    Set(String, Setting, Box<BucketSettings>),
    Put(Upload),
    Delete(String, String),
    DeleteBucket(String),
    CreateWorkgroup(Box<Workgroup>),
    ConfigureWorkgroup(Box<Workgroup>),
    TagWorkgroup(Vec<Tag>),
    DeleteWorkgroup,
    CreateDatabase,
    CreateTable(String, String),
    DropTable(String),
    CreateView(String),
    SetViewFingerprint(String),
    AddPartition(Partition),
    RemovePartition(Partition),
    DeleteDatabase,
}

/// Returns the operations of a plan. Concurrent ones, and those of one request, are shuffled with `seed`.
pub(crate) fn ops(plan: &Plan, seed: u64) -> Vec<Op> {
    assert!(plan.blockers.is_empty(), "{:?}", plan.blockers);
    let mut all = Vec::new();
    let mut steps = plan.steps.iter().peekable();
    while let Some(step) = steps.next() {
        let mut batch = ops_of(step);
        if let Step::Upload { upload, .. } = step {
            let is_concurrent = |next: &&Step| {
                matches!(next, Step::Upload { upload: next, .. }
                    if next.bucket == upload.bucket && next.key != MANIFEST_FILE)
            };
            while let Some(next) = steps.next_if(is_concurrent) {
                batch.extend(ops_of(next));
            }
        }
        if matches!(step, Step::Upload { .. } | Step::DeleteObjects { .. } | Step::AddPartitions(_)) {
            shuffle(&mut batch, seed);
        }
        all.extend(batch);
    }
    all
}

fn shuffle(ops: &mut [Op], seed: u64) {
    let mut state = seed | 1;
    for i in (1..ops.len()).rev() {
        state = state.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(0x1405_7B7E_F767_814F);
        ops.swap(i, (state >> 33) as usize % (i + 1));
    }
}

fn ops_of(step: &Step) -> Vec<Op> {
    match step.clone() {
        Step::CreateBucket { bucket } => vec![Op::CreateBucket(bucket)],
        Step::SetBucket { bucket, setting, desired, .. } => vec![Op::Set(bucket, setting, desired)],
        Step::WritePendingManifest { bucket, keys } => {
            let pending_manifest = PendingManifest { note: String::new(), keys };
            vec![Op::Put(text_upload(&bucket, PENDING_MANIFEST, serde_json::to_string(&pending_manifest).unwrap()))]
        }
        Step::Upload { upload, .. } => vec![Op::Put(upload)],
        Step::DeleteObjects { bucket, keys, .. } => {
            keys.into_iter().map(|key| Op::Delete(bucket.clone(), key)).collect()
        }
        Step::AbortUploads { .. } => Vec::new(),
        Step::DeleteBucket { bucket } => vec![Op::DeleteBucket(bucket)],
        Step::CreateWorkgroup(desired) => vec![Op::CreateWorkgroup(desired)],
        Step::UpdateWorkgroup { desired, .. } => {
            let tags = desired.tags.clone();
            vec![Op::ConfigureWorkgroup(desired), Op::TagWorkgroup(tags)]
        }
        Step::DeleteWorkgroup { .. } => vec![Op::DeleteWorkgroup],
        Step::CreateDatabase { .. } => vec![Op::CreateDatabase],
        Step::CreateTable { name, statement } => vec![Op::CreateTable(name, statement)],
        Step::ReplaceTable { name, statement, .. } => {
            vec![Op::DropTable(name.clone()), Op::CreateTable(name, statement)]
        }
        Step::CreateView { statement, .. } => {
            vec![Op::CreateView(statement.clone()), Op::SetViewFingerprint(statement)]
        }
        Step::AddPartitions(partitions) => partitions.into_iter().map(Op::AddPartition).collect(),
        Step::RemovePartitions(partitions) => partitions.into_iter().map(Op::RemovePartition).collect(),
        Step::DeleteTable { name } => vec![Op::DropTable(name)],
        Step::DeleteDatabase { .. } => vec![Op::DeleteDatabase],
        Step::QuickSight(step) => panic!("unexpected step {step:?}"),
    }
}
