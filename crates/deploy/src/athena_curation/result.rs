//! Pure functions from Athena's answers to a curated data set: reconciliation of rows, and a manifest as `transform` writes it.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use aws::s3::objects::ObjectState;
use aws::s3::upload::{Content, Upload};
use cli_support::human;
use manifest::answer::{Answer, Cell};
use manifest::{CuratedManifest, CuratedStage, FORMAT, FileEntry, InputEntry, Manifest, RawManifest, RowCounts, Tool};
use ticket_schema::names::{MANIFEST_FILE, UNKNOWN_MARKET, part_path};

use crate::apply::text_upload;
use crate::definitions::desired::{DataSet, key_of};
use crate::definitions::{Role, bucket_name};

/// A file written by Athena.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Staged {
    /// Market, the value of its partition.
    pub market: String,
    /// Key in the curated bucket.
    pub key: String,
    /// Number of tickets.
    pub rows: u64,
}

/// Lines of one raw file that were rejected for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// S3 URI of the file.
    pub file: String,
    /// Reason as a sentence.
    pub fault: String,
    /// Number of lines.
    pub lines: u64,
    /// Beginning of one of the lines.
    pub example: String,
}

/// Reads the answer to [`super::statements::Statements::written`].
pub(crate) fn staged(bucket: &str, answer: &Answer) -> Result<Vec<Staged>> {
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

/// Reads the answers to [`super::statements::Curation::refusals`].
pub(crate) fn refusals(answer: &Answer) -> Result<Vec<Refusal>> {
    let refusal = |row: &Vec<Cell>| {
        let [Cell::Text(file), Cell::Text(fault), lines, example] = row.as_slice() else { bail!(unexpected(row)) };
        // A line that consists of \N is read as NULL.
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

/// Reconciles the row counts: lines of the raw manifest = written + rejected. Fails if they don't match.
pub(crate) fn account(raw: &RawManifest, staged: &[Staged], refusals: &[Refusal]) -> Result<RowCounts> {
    let written = staged.iter().map(|file| file.rows).sum();
    let quarantined = refusals.iter().map(|refusal| refusal.lines).sum();
    let rows = RowCounts { read: raw.rows, written, quarantined, duplicates: 0 };
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

/// Formats one warning for each reason, with the number of lines and an example.
pub(crate) fn complaints(refusals: &[Refusal]) -> Vec<String> {
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

/// Builds the manifest of the staged files. `states` are their sizes and checksums by key.
pub(crate) fn manifest(
    raw: &RawManifest,
    staged: &[Staged],
    refusals: &[Refusal],
    states: &BTreeMap<String, ObjectState>,
) -> Result<CuratedManifest> {
    let rows = account(raw, staged, refusals)?;
    let is_exact = raw.answers_hold_without(rows.quarantined);
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
        world: is_exact.then(|| raw.world.clone()),
        rows,
        rows_by_market: rows_by_market(&markets, rows),
        markets,
        superseded: 0,
        inputs: inputs(raw, refusals),
        files,
        quarantine: Vec::new(),
        // Manually joined manifests of shards have no expected answers.
        expected_answers: (is_exact && !raw.expected_answers.is_empty()).then(|| raw.expected_answers.clone()),
    })
}

/// Returns row counts by market. Rejected lines count for the unknown market: Athena doesn't report theirs.
fn rows_by_market(markets: &BTreeMap<String, u64>, rows: RowCounts) -> BTreeMap<String, RowCounts> {
    let taken =
        |(market, n): (&String, &u64)| (market.clone(), RowCounts { read: *n, written: *n, ..RowCounts::default() });
    let refused = RowCounts { read: rows.quarantined, quarantined: rows.quarantined, ..RowCounts::default() };
    let refused = (rows.quarantined > 0).then(|| (UNKNOWN_MARKET.to_owned(), refused));
    markets.iter().map(taken).chain(refused).collect()
}

/// Returns the published names of the staged files, as `transform` names its files, so that a later run overwrites them.
fn names(staged: &[Staged]) -> impl Iterator<Item = String> {
    let mut n_before: BTreeMap<&str, usize> = BTreeMap::new();
    staged.iter().map(move |file| {
        let n = n_before.entry(&file.market).or_default();
        *n += 1;
        part_path(&file.market, *n as u64 - 1)
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
        let written = file.rows.saturating_sub(quarantined);
        InputEntry {
            name: file.name.clone(),
            bytes: file.bytes,
            crc64nvme: file.crc64nvme.clone(),
            rows: RowCounts { read: file.rows, written, quarantined, duplicates: 0 },
            taken_back: 0,
        }
    };
    raw.files.iter().map(input).collect()
}

/// Builds the desired data set: each object is a copy, within S3, of a staged one.
pub(crate) fn data_set(account_id: &str, manifest: &CuratedManifest, staged: &[Staged]) -> Result<DataSet> {
    let keys: BTreeMap<String, &str> = names(staged).zip(staged.iter().map(|file| file.key.as_str())).collect();
    let source = |file: &FileEntry| keys.get(&file.name).copied().unwrap_or_default().to_owned();
    Ok(of_objects(account_id, manifest, source, manifest.to_json()?))
}

/// Builds the data set that is already published, with the text of its manifest.
pub(crate) fn published(account_id: &str, manifest: &CuratedManifest, text: String) -> DataSet {
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use aws::s3::objects::ObjectState;
    use aws::s3::upload::Content;
    use manifest::answer::{Answer, Cell};
    use manifest::{RawManifest, RowCounts};
    use serde_json::json;

    use super::{Refusal, Staged, account, complaints, data_set, manifest, refusals, staged};
    use crate::definitions::desired::is_made_from;

    /// Two files of six and four lines.
    fn raw() -> RawManifest {
        let file = |name, rows| json!({ "name": name, "rows": rows, "bytes": 100, "crc64nvme": name });
        let manifest = json!({
            "format": 1, "stage": "raw", "tool": { "name": "generate", "version": "1" }, "batch_size": 6, "shard": null,
            "world": {
                "seed": 1, "as_of": "2026-11-22T00:00:00Z", "world_start": "2026-08-24T00:00:00Z", "days_back": 90, "count": 10,
                "profile": { "name": "default" },
            },
            "repeat": "", "rows": 10,
            "markets": { "DE": 7, "US": 3 }, "files": [file("a.jsonl", 6), file("b.jsonl", 4)],
            "expected_answers": { "kpi": { "columns": [], "rows": [] } },
        });
        serde_json::from_value(manifest).unwrap()
    }

    fn file(market: &str, key: &str, rows: u64) -> Staged {
        Staged { market: market.into(), key: format!("curating/market={market}/{key}"), rows }
    }

    fn refusal(file: &str, fault: &str, lines: u64) -> Refusal {
        Refusal { file: format!("s3://raw/tickets/{file}"), fault: fault.into(), lines, example: "{\u{7}".into() }
    }

    fn states(staged: &[Staged]) -> BTreeMap<String, ObjectState> {
        let state = |file: &Staged| ObjectState { bytes: 10 * file.rows, crc64nvme: Some(file.key.clone()) };
        staged.iter().map(|file| (file.key.clone(), state(file))).collect()
    }

    #[test]
    fn rows_must_add_up_before_anything_is_published() {
        let all = [file("DE", "x", 7), file("US", "y", 3)];
        for (staged, refused, expected) in [
            (&all[..], 0, Ok((10, 0))),
            (&all[..1], 3, Ok((7, 3))),
            (&all[..1], 2, Err("the raw manifest counts 10, but Athena wrote 7 and refused 2")),
            (&all[..], 1, Err("the raw manifest counts 10, but Athena wrote 10 and refused 1")),
            (&[], 10, Err("Athena refused every line")),
        ] {
            let refusals = if refused > 0 { vec![refusal("b.jsonl", "it is bad", refused)] } else { Vec::new() };
            match (account(&raw(), staged, &refusals), expected) {
                (Ok(rows), Ok((written, quarantined))) => {
                    assert_eq!(rows, RowCounts { read: 10, written, quarantined, duplicates: 0 });
                }
                (Err(error), Err(expected)) => assert!(error.to_string().contains(expected), "{error}"),
                (result, expected) => panic!("{result:?}, expected {expected:?}"),
            }
        }
    }

    #[test]
    fn the_manifest_says_of_good_tickets_what_transform_would() {
        let staged = [file("DE", "x", 5), file("DE", "y", 2), file("US", "x", 3)];
        let manifest = manifest(&raw(), &staged, &[], &states(&staged)).unwrap();
        assert_eq!(manifest.markets, raw().markets);
        assert_eq!((manifest.as_of, &manifest.world), (Some(raw().world.as_of), &Some(raw().world)));
        assert_eq!(manifest.expected_answers, Some(raw().expected_answers));
        assert!(is_made_from(&manifest, &raw()));
        let files: Vec<_> = manifest.files.iter().map(|file| (file.name.as_str(), file.rows, file.bytes)).collect();
        let part = |market, n| format!("tickets/market={market}/part-{n}.parquet");
        assert_eq!(files, [(&*part("DE", 0), 5, 50), (&part("DE", 1), 2, 20), (&part("US", 0), 3, 30)]);
        let data = data_set("123456789012", &manifest, &staged).unwrap();
        let copy = &data.objects[&part("DE", 1)];
        let source = Content::Object { bucket: data.bucket.clone(), key: staged[1].key.clone() };
        assert_eq!((&copy.content, &copy.crc64nvme), (&source, &staged[1].key));
    }

    #[test]
    fn refused_lines_are_counted_by_file_and_take_the_expected_answers_away() {
        let staged = [file("DE", "x", 7)];
        let refusals =
            [refusal("a.jsonl", "it is bad", 1), refusal("b.jsonl", "it is bad", 1), refusal("b.jsonl", "no", 1)];
        let manifest = manifest(&raw(), &staged, &refusals, &states(&staged)).unwrap();
        assert_eq!((manifest.world, manifest.expected_answers), (None, None));
        let rows: Vec<RowCounts> = manifest.inputs.iter().map(|input| input.rows).collect();
        let counts = |read, quarantined| RowCounts { read, written: read - quarantined, quarantined, duplicates: 0 };
        assert_eq!(rows, [counts(6, 1), counts(4, 2)]);
        let told = complaints(&refusals);
        let first = "2 lines refused: it is bad; one in s3://raw/tickets/a.jsonl: {\u{fffd}";
        assert_eq!(told, [first, "1 line refused: no; one in s3://raw/tickets/b.jsonl: {\u{fffd}"]);
    }

    #[test]
    fn answers_of_another_form_are_refused() {
        let answer = |row: &[Cell]| Answer { rows: vec![row.to_vec()], ..Answer::default() };
        let address = "s3://curated/curating/market=DE/x".into();
        let good: [Cell; 3] = ["DE".into(), address, 7_u64.into()];
        assert_eq!(staged("curated", &answer(&good)).unwrap(), [file("DE", "x", 7)]);
        assert!(staged("another", &answer(&good)).is_err());
        assert!(staged("curated", &answer(&good[..2])).is_err());
        let null: [Cell; 4] = ["s3://raw/a".into(), "bad".into(), 1_u64.into(), Cell::Null];
        assert_eq!(refusals(&answer(&null)).unwrap()[0].example, "\\N");
        assert!(refusals(&answer(&null[..3])).is_err());
    }
}
