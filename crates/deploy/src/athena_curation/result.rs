//! Results of a curation as a curated data set: reconciliation of row counts, and the manifest. Pure functions.

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

/// File in the staging table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StagedFile {
    /// Market of its partition.
    pub market: String,
    /// Key in the curated bucket.
    pub key: String,
    /// Number of tickets.
    pub rows: u64,
}

/// Rejected lines of one raw file, for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RejectedLines {
    /// S3 URI of the file.
    pub file: String,
    /// Reason.
    pub reason: String,
    /// Number of lines.
    pub lines: u64,
    /// First characters of one of the lines.
    pub example: String,
}

/// Parses the answer to [`super::statements::Statements::written`].
pub(crate) fn parse_staged(bucket: &str, answer: &Answer) -> Result<Vec<StagedFile>> {
    let prefix = format!("s3://{bucket}/");
    let mut staged = Vec::new();
    for row in &answer.rows {
        let [Cell::Text(market), Cell::Text(uri), rows] = row.as_slice() else { bail!(unexpected(row)) };
        let key = uri.strip_prefix(&prefix).with_context(|| unexpected(row))?;
        staged.push(StagedFile { market: market.clone(), key: key.to_owned(), rows: count(rows)? });
    }
    staged.sort();
    Ok(staged)
}

/// Parses an answer to [`super::statements::AthenaCuration::rejection_queries`].
pub(crate) fn parse_rejected(answer: &Answer) -> Result<Vec<RejectedLines>> {
    let rejected = |row: &Vec<Cell>| {
        let [Cell::Text(file), Cell::Text(reason), lines, example] = row.as_slice() else { bail!(unexpected(row)) };
        // The SerDe reads the line \N as NULL.
        let example = if let Cell::Text(text) = example { text.clone() } else { "\\N".to_owned() };
        Ok(RejectedLines { file: file.clone(), reason: reason.clone(), lines: count(lines)?, example })
    };
    answer.rows.iter().map(rejected).collect()
}

fn count(cell: &Cell) -> Result<u64> {
    let Cell::Integer(n) = cell else { bail!("Athena returned {cell:?}, expected a count") };
    Ok(u64::try_from(*n)?)
}

fn unexpected(row: &[Cell]) -> String {
    format!("unexpected row in an answer of Athena: {row:?}")
}

/// Reconciles the row counts: lines in the raw manifest = written + rejected. Fails if they differ.
pub(crate) fn reconcile(raw: &RawManifest, staged: &[StagedFile], rejected: &[RejectedLines]) -> Result<RowCounts> {
    let written = staged.iter().map(|file| file.rows).sum();
    let quarantined = rejected.iter().map(|entry| entry.lines).sum();
    let rows = RowCounts { read: raw.rows, written, quarantined, duplicates: 0 };
    ensure!(
        rows.balance(),
        "row counts don't match: the raw manifest has {}, but Athena wrote {written} and rejected {quarantined}; nothing \
         was published. Run it again; if it fails again, the raw tickets in S3 differ from the manifest",
        raw.rows
    );
    ensure!(written > 0, "Athena rejected all lines; nothing was published:\n  {}", warnings(rejected).join("\n  "));
    Ok(rows)
}

/// Formats one warning for each reason, with the number of lines and an example.
pub(crate) fn warnings(rejected: &[RejectedLines]) -> Vec<String> {
    let mut by_reason: BTreeMap<&str, (u64, &RejectedLines)> = BTreeMap::new();
    for entry in rejected {
        by_reason.entry(&entry.reason).or_insert((0, entry)).0 += entry.lines;
    }
    let warning = |(reason, (lines, first)): (&str, (u64, &RejectedLines))| {
        let example: String = first.example.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
        format!("{} rejected: {reason}; example in {}: {example}", human::counted(lines, "line"), first.file)
    };
    by_reason.into_iter().map(warning).collect()
}

/// Builds the manifest of the staged files. `states` are their sizes and checksums by key.
pub(crate) fn manifest(
    raw: &RawManifest,
    staged: &[StagedFile],
    rejected: &[RejectedLines],
    states: &BTreeMap<String, ObjectState>,
) -> Result<CuratedManifest> {
    let rows = reconcile(raw, staged, rejected)?;
    let is_exact = raw.answers_hold_without(rows.quarantined);
    let mut markets: BTreeMap<String, u64> = BTreeMap::new();
    let mut files = Vec::new();
    for (file, name) in staged.iter().zip(names(staged)) {
        let state = states.get(&file.key);
        let crc64nvme = state.and_then(|state| state.crc64nvme.clone());
        let (state, crc64nvme) = state.zip(crc64nvme).with_context(|| format!("{} was deleted meanwhile", file.key))?;
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
        inputs: inputs(raw, rejected),
        files,
        quarantine: Vec::new(),
        // Manually joined manifests of shards have no expected answers.
        expected_answers: (is_exact && !raw.expected_answers.is_empty()).then(|| raw.expected_answers.clone()),
    })
}

/// Returns row counts by market. Rejected lines count for the unknown market, because the query doesn't return theirs.
fn rows_by_market(markets: &BTreeMap<String, u64>, rows: RowCounts) -> BTreeMap<String, RowCounts> {
    let written =
        |(market, n): (&String, &u64)| (market.clone(), RowCounts { read: *n, written: *n, ..RowCounts::default() });
    let rejected = RowCounts { read: rows.quarantined, quarantined: rows.quarantined, ..RowCounts::default() };
    let rejected = (rows.quarantined > 0).then(|| (UNKNOWN_MARKET.to_owned(), rejected));
    markets.iter().map(written).chain(rejected).collect()
}

/// Returns the published names of the staged files: those of `transform`, so that a later deploy overwrites them.
fn names(staged: &[StagedFile]) -> impl Iterator<Item = String> {
    let mut n_before: BTreeMap<&str, usize> = BTreeMap::new();
    staged.iter().map(move |file| {
        let n = n_before.entry(&file.market).or_default();
        *n += 1;
        part_path(&file.market, *n as u64 - 1)
    })
}

fn inputs(raw: &RawManifest, rejected: &[RejectedLines]) -> Vec<InputEntry> {
    let mut rejected_by_key: BTreeMap<&str, u64> = BTreeMap::new();
    for entry in rejected {
        let key = entry.file.splitn(4, '/').last().unwrap_or_default();
        *rejected_by_key.entry(key).or_default() += entry.lines;
    }
    let input = |file: &FileEntry| {
        let quarantined = rejected_by_key.get(key_of(Role::Raw, &file.name).as_str()).copied().unwrap_or(0);
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

/// Builds the desired data set, whose objects are copies of the staged ones within S3.
pub(crate) fn staged_data_set(account_id: &str, manifest: &CuratedManifest, staged: &[StagedFile]) -> Result<DataSet> {
    let keys: BTreeMap<String, &str> = names(staged).zip(staged.iter().map(|file| file.key.as_str())).collect();
    let source = |file: &FileEntry| keys.get(&file.name).copied().unwrap_or_default().to_owned();
    Ok(data_set(account_id, manifest, source, manifest.to_json()?))
}

/// Builds the published data set; `text` is that of its manifest.
pub(crate) fn published_data_set(account_id: &str, manifest: &CuratedManifest, text: String) -> DataSet {
    data_set(account_id, manifest, |file| file.name.clone(), text)
}

fn data_set(
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

    use super::{
        RejectedLines, StagedFile, manifest, parse_rejected, parse_staged, reconcile, staged_data_set, warnings,
    };
    use crate::definitions::desired::is_made_from;

    /// Two files of six and four lines.
    fn raw() -> RawManifest {
        let file = |name, rows| json!({ "name": name, "rows": rows, "bytes": 100, "crc64nvme": name });
        let manifest = json!({
            "format": 1, "stage": "raw", "tool": { "name": "generate", "version": "1" }, "batch_size": 6, "shard": null,
            "world": {
                "seed": 1, "as_of": "2026-11-22T00:00:00Z", "world_start": "2026-08-24T00:00:00Z", "days_back": 90,
                "count": 10, "profile": { "name": "default" },
            },
            "repeat": "", "rows": 10,
            "markets": { "DE": 7, "US": 3 }, "files": [file("a.jsonl", 6), file("b.jsonl", 4)],
            "expected_answers": { "kpi": { "columns": [], "rows": [] } },
        });
        serde_json::from_value(manifest).unwrap()
    }

    fn file(market: &str, key: &str, rows: u64) -> StagedFile {
        StagedFile { market: market.into(), key: format!("curating/market={market}/{key}"), rows }
    }

    fn rejected(file: &str, reason: &str, lines: u64) -> RejectedLines {
        RejectedLines {
            file: format!("s3://raw/tickets/{file}"),
            reason: reason.into(),
            lines,
            example: "{\u{7}".into(),
        }
    }

    fn states(staged: &[StagedFile]) -> BTreeMap<String, ObjectState> {
        let state = |file: &StagedFile| ObjectState { bytes: 10 * file.rows, crc64nvme: Some(file.key.clone()) };
        staged.iter().map(|file| (file.key.clone(), state(file))).collect()
    }

    #[test]
    fn curation_fails_unless_row_counts_reconcile() {
        let all = [file("DE", "x", 7), file("US", "y", 3)];
        for (staged, n_rejected, expected) in [
            (&all[..], 0, Ok((10, 0))),
            (&all[..1], 3, Ok((7, 3))),
            (&all[..1], 2, Err("the raw manifest has 10, but Athena wrote 7 and rejected 2")),
            (&all[..], 1, Err("the raw manifest has 10, but Athena wrote 10 and rejected 1")),
            (&[], 10, Err("Athena rejected all lines")),
        ] {
            let rejected =
                if n_rejected > 0 { vec![rejected("b.jsonl", "first reason", n_rejected)] } else { Vec::new() };
            match (reconcile(&raw(), staged, &rejected), expected) {
                (Ok(rows), Ok((written, quarantined))) => {
                    assert_eq!(rows, RowCounts { read: 10, written, quarantined, duplicates: 0 });
                }
                (Err(error), Err(expected)) => assert!(error.to_string().contains(expected), "{error}"),
                (result, expected) => panic!("{result:?}, expected {expected:?}"),
            }
        }
    }

    #[test]
    fn manifest_of_valid_tickets_equals_that_of_transform() {
        let staged = [file("DE", "x", 5), file("DE", "y", 2), file("US", "x", 3)];
        let manifest = manifest(&raw(), &staged, &[], &states(&staged)).unwrap();
        assert_eq!(manifest.markets, raw().markets);
        assert_eq!((manifest.as_of, &manifest.world), (Some(raw().world.as_of), &Some(raw().world)));
        assert_eq!(manifest.expected_answers, Some(raw().expected_answers));
        assert!(is_made_from(&manifest, &raw()));
        let files: Vec<_> = manifest.files.iter().map(|file| (file.name.as_str(), file.rows, file.bytes)).collect();
        let part = |market, n| format!("tickets/market={market}/part-{n}.parquet");
        assert_eq!(files, [(&*part("DE", 0), 5, 50), (&part("DE", 1), 2, 20), (&part("US", 0), 3, 30)]);
        let data = staged_data_set("123456789012", &manifest, &staged).unwrap();
        let copy = &data.objects[&part("DE", 1)];
        let source = Content::Object { bucket: data.bucket.clone(), key: staged[1].key.clone() };
        assert_eq!((&copy.content, &copy.crc64nvme), (&source, &staged[1].key));
    }

    #[test]
    fn rejected_lines_are_counted_by_file_and_remove_the_expected_answers() {
        let staged = [file("DE", "x", 7)];
        let (first, second) = ("first reason", "second reason");
        let rejected = [rejected("a.jsonl", first, 1), rejected("b.jsonl", first, 1), rejected("b.jsonl", second, 1)];
        let manifest = manifest(&raw(), &staged, &rejected, &states(&staged)).unwrap();
        assert_eq!((manifest.world, manifest.expected_answers), (None, None));
        let rows: Vec<RowCounts> = manifest.inputs.iter().map(|input| input.rows).collect();
        let counts = |read, quarantined| RowCounts { read, written: read - quarantined, quarantined, duplicates: 0 };
        assert_eq!(rows, [counts(6, 1), counts(4, 2)]);
        let expected = [
            "2 lines rejected: first reason; example in s3://raw/tickets/a.jsonl: {\u{fffd}",
            "1 line rejected: second reason; example in s3://raw/tickets/b.jsonl: {\u{fffd}",
        ];
        assert_eq!(warnings(&rejected), expected);
    }

    #[test]
    fn answers_with_unexpected_columns_are_errors() {
        let answer = |row: &[Cell]| Answer { rows: vec![row.to_vec()], ..Answer::default() };
        let uri = "s3://curated/curating/market=DE/x".into();
        let staged: [Cell; 3] = ["DE".into(), uri, 7_u64.into()];
        assert_eq!(parse_staged("curated", &answer(&staged)).unwrap(), [file("DE", "x", 7)]);
        assert!(parse_staged("another", &answer(&staged)).is_err());
        assert!(parse_staged("curated", &answer(&staged[..2])).is_err());
        let rejected: [Cell; 4] = ["s3://raw/a".into(), "reason".into(), 1_u64.into(), Cell::Null];
        assert_eq!(parse_rejected(&answer(&rejected)).unwrap()[0].example, "\\N");
        assert!(parse_rejected(&answer(&rejected[..3])).is_err());
    }
}
