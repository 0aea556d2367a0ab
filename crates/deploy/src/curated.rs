//! From Athena's answers to a curated data set: every row accounted for, and a manifest like transform's. Pure functions.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use aws::objects::ObjectState;
use aws::upload::{Content, Upload};
use cli_support::human;
use ticket_schema::answer::{Answer, Cell};
use ticket_schema::columns::PARTITION_COLUMN;
use ticket_schema::manifest::{
    CuratedManifest, CuratedStage, FORMAT, FileEntry, InputEntry, Manifest, RawManifest, RowCounts, Tool,
};
use ticket_schema::names::{MANIFEST_FILE, TICKETS_DIR};

use crate::apply::text_upload;
use crate::definitions::{Role, bucket_name};
use crate::desired::{DataSet, key_of};

/// A file that Athena has written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Staged {
    /// Its partition.
    pub market: String,
    /// Its key in the curated bucket.
    pub key: String,
    /// The tickets in it.
    pub rows: u64,
}

/// Lines of one raw file that were refused for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The file's address.
    pub file: String,
    /// The reason, as a sentence.
    pub fault: String,
    /// How many there are.
    pub lines: u64,
    /// The beginning of one of them.
    pub example: String,
}

/// Reads the answer to [`crate::curation::Statements::written`].
pub fn staged(bucket: &str, answer: &Answer) -> Result<Vec<Staged>> {
    let prefix = format!("s3://{bucket}/");
    let mut staged = Vec::new();
    for row in &answer.rows {
        let [Cell::Text(market), Cell::Text(address), rows] = row.as_slice() else { bail!(unexpected(row)) };
        let key = address.strip_prefix(&prefix).with_context(|| unexpected(row))?;
        staged.push(Staged { market: market.clone(), key: key.to_owned(), rows: count(rows)? });
    }
    staged.sort();
    Ok(staged)
}

/// Reads the answers to [`crate::curation::Curation::refusals`].
pub fn refusals(answer: &Answer) -> Result<Vec<Refusal>> {
    let refusal = |row: &Vec<Cell>| {
        let [Cell::Text(file), Cell::Text(fault), lines, example] = row.as_slice() else { bail!(unexpected(row)) };
        // A line that is only \N comes as NULL.
        let example = if let Cell::Text(text) = example { text.clone() } else { "\\N".to_owned() };
        Ok(Refusal { file: file.clone(), fault: fault.clone(), lines: count(lines)?, example })
    };
    answer.rows.iter().map(refusal).collect()
}

fn count(cell: &Cell) -> Result<u64> {
    let Cell::Integer(n) = cell else { bail!("Athena counted {cell:?}") };
    Ok(u64::try_from(*n)?)
}

fn unexpected(row: &[Cell]) -> String {
    format!("Athena answered {row:?}, which isn't what was asked for")
}

/// What became of the lines: read are those that the raw manifest counts. Fails if they are not all accounted for.
pub fn account(raw: &RawManifest, staged: &[Staged], refusals: &[Refusal]) -> Result<RowCounts> {
    let written = staged.iter().map(|file| file.rows).sum();
    let quarantined = refusals.iter().map(|refusal| refusal.lines).sum();
    let rows = RowCounts { read: raw.rows, written, quarantined };
    ensure!(
        rows.balance(),
        "rows are lost: the raw manifest counts {}, but Athena wrote {written} and refused {quarantined}; nothing was published. \
         Run it again; if that doesn't help, the raw tickets in S3 are not what the manifest describes",
        raw.rows
    );
    ensure!(
        written > 0,
        "Athena refused every line, so nothing was published:\n  {}",
        complaints(refusals).join("\n  ")
    );
    Ok(rows)
}

/// Each reason with the number of its lines and one of them.
pub fn complaints(refusals: &[Refusal]) -> Vec<String> {
    let mut by_fault: BTreeMap<&str, (u64, &Refusal)> = BTreeMap::new();
    for refusal in refusals {
        by_fault.entry(&refusal.fault).or_insert((0, refusal)).0 += refusal.lines;
    }
    let complaint = |(fault, (lines, first)): (&str, (u64, &Refusal))| {
        let example: String = first.example.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
        format!("{} refused: {fault}; one in {}: {example}", human::counted(lines, "line"), first.file)
    };
    by_fault.into_iter().map(complaint).collect()
}

/// The manifest of what was staged. `states` is what S3 knows of each staged key.
pub fn manifest(
    raw: &RawManifest,
    staged: &[Staged],
    refusals: &[Refusal],
    states: &BTreeMap<String, ObjectState>,
) -> Result<CuratedManifest> {
    let rows = account(raw, staged, refusals)?;
    let is_exact = rows.quarantined == 0;
    let mut markets: BTreeMap<String, u64> = BTreeMap::new();
    let mut files = Vec::new();
    for (file, name) in staged.iter().zip(names(staged)) {
        let state = states.get(&file.key);
        let crc64nvme = state.and_then(|state| state.crc64nvme.clone());
        let (state, crc64nvme) = state.zip(crc64nvme).with_context(|| format!("{} is gone again", file.key))?;
        files.push(FileEntry { name, rows: file.rows, bytes: state.bytes, crc64nvme });
        *markets.entry(file.market.clone()).or_default() += file.rows;
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(CuratedManifest {
        format: FORMAT,
        stage: CuratedStage::Curated,
        tool: Tool { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        as_of: Some(raw.world.as_of),
        world: is_exact.then_some(raw.world),
        rows,
        markets,
        inputs: inputs(raw, refusals),
        files,
        quarantine: Vec::new(),
        // Manifests of shards that were joined by hand have none.
        expected_answers: (is_exact && !raw.expected_answers.is_empty()).then(|| raw.expected_answers.clone()),
    })
}

/// What staged files are called once they are published, as transform calls its own: another run's files take the places of these.
fn names(staged: &[Staged]) -> impl Iterator<Item = String> {
    let mut n_before: BTreeMap<&str, usize> = BTreeMap::new();
    staged.iter().map(move |file| {
        let n = n_before.entry(&file.market).or_default();
        *n += 1;
        format!("{TICKETS_DIR}/{PARTITION_COLUMN}={}/part-{}.parquet", file.market, *n - 1)
    })
}

fn inputs(raw: &RawManifest, refusals: &[Refusal]) -> Vec<InputEntry> {
    let mut refused: BTreeMap<&str, u64> = BTreeMap::new();
    for refusal in refusals {
        let key = refusal.file.splitn(4, '/').last().unwrap_or_default();
        *refused.entry(key).or_default() += refusal.lines;
    }
    let input = |file: &FileEntry| {
        let quarantined = refused.get(key_of(Role::Raw, &file.name).as_str()).copied().unwrap_or(0);
        let rows = RowCounts { read: file.rows, written: file.rows.saturating_sub(quarantined), quarantined };
        InputEntry { name: file.name.clone(), bytes: file.bytes, crc64nvme: file.crc64nvme.clone(), rows }
    };
    raw.files.iter().map(input).collect()
}

/// The data set as it is wanted: S3 copies each staged object to where its tickets are read.
pub fn data_set(account_id: &str, manifest: &CuratedManifest, staged: &[Staged]) -> Result<DataSet> {
    let keys: BTreeMap<String, &str> = names(staged).zip(staged.iter().map(|file| file.key.as_str())).collect();
    let source = |file: &FileEntry| keys.get(&file.name).copied().unwrap_or_default().to_owned();
    Ok(of_objects(account_id, manifest, source, manifest.to_json()?))
}

/// The data set that lies in the curated bucket already, with the text of its manifest.
pub fn published(account_id: &str, manifest: &CuratedManifest, text: String) -> DataSet {
    of_objects(account_id, manifest, |file| file.name.clone(), text)
}

fn of_objects(
    account_id: &str,
    manifest: &CuratedManifest,
    source: impl Fn(&FileEntry) -> String,
    text: String,
) -> DataSet {
    let bucket = bucket_name(Role::Curated, account_id);
    let object = |file: &FileEntry| {
        let upload = Upload {
            bucket: bucket.clone(),
            key: file.name.clone(),
            content: Content::Object { bucket: bucket.clone(), key: source(file) },
            bytes: file.bytes,
            crc64nvme: file.crc64nvme.clone(),
        };
        (file.name.clone(), upload)
    };
    let objects = manifest.files().map(object).collect();
    DataSet { role: Role::Curated, objects, manifest: text_upload(&bucket, MANIFEST_FILE, text), bucket }
}
