//! Statements of a curation: those of `infra/curate_athena.sql`, divided so that each stays within Athena's limits. Pure
//! functions; [`super::run`] submits the statements.

use std::collections::BTreeSet;
use std::iter;

use anyhow::{Context, Result};
use aws::athena::MAX_STATEMENT_BYTES;
use cli_support::human;
use kpi::query_cost::{QueryCost, dollars};
use kpi::sql_text::statements;
use manifest::{FileEntry, RawManifest};
use serde::Serialize;

use crate::definitions::desired::key_of;
use crate::definitions::{CURATION_TABLES, Role, STAGING, bucket_name, filled};
use crate::observe::Contents;
use crate::plan::{Blocker, Plan, Step};

const SQL: &str = include_str!("../../../../infra/curate_athena.sql");
/// Maximum bytes that one statement reads: far below the scan limit of the workgroup, and minutes of Athena's limit of 30 minutes.
const MAX_BATCH_BYTES: u64 = 20_000_000_000;
/// Maximum bytes of the list of S3 URIs in a statement.
const MAX_LIST_BYTES: usize = MAX_STATEMENT_BYTES - 4096;
/// Maximum number of partitions that Athena writes in one INSERT.
const MAX_PARTITIONS: usize = 100;

/// Statements of a curation, with account and region filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Statements {
    /// Creates the table over the raw lines.
    lines: String,
    /// Creates the staging table.
    staging: String,
    /// Creates the view that validates each line.
    checked: String,
    /// Inserts the valid tickets of a batch of files and a range of markets.
    insert: String,
    /// Queries the written files.
    pub written: String,
    /// Queries the rejected lines of a batch of files.
    refused: String,
}

/// Division of the raw tickets into statements.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Curation {
    /// Number of files.
    pub n_files: u64,
    /// Size in bytes.
    pub bytes: u64,
    /// Batches of files.
    #[serde(skip)]
    batches: Vec<Batch>,
    /// Half-open ranges of market codes.
    #[serde(skip)]
    ranges: Vec<(String, String)>,
}

/// Files read by one statement.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Batch {
    /// S3 URIs as a SQL list.
    list: String,
    bytes: u64,
}

impl Statements {
    /// Parses the statements that are compiled into the program.
    pub(crate) fn load(account_id: &str, region: &str) -> Result<Self> {
        let texts: Vec<String> = statements(&filled(SQL, account_id, region)).into_iter().map(|it| it.text).collect();
        let [lines, staging, checked, insert, written, refused] =
            <[String; 6]>::try_from(texts).ok().context("infra/curate_athena.sql: expected six statements")?;
        Ok(Self { lines, staging, checked, insert, written, refused })
    }
}

impl Curation {
    /// Divides these raw tickets into statements.
    pub(crate) fn new(account_id: &str, raw: &RawManifest) -> Self {
        Self {
            n_files: raw.files.len() as u64,
            bytes: raw.files.iter().map(|file| file.bytes).sum(),
            batches: batches(&bucket_name(Role::Raw, account_id), &raw.files),
            ranges: ranges(&raw.markets.keys().map(String::as_str).collect::<Vec<_>>()),
        }
    }

    /// Returns all INSERT statements, and the bytes that each reads.
    pub(crate) fn inserts(&self, statements: &Statements) -> Vec<(String, u64)> {
        let pairs = self.batches.iter().flat_map(|batch| self.ranges.iter().map(move |range| (batch, range)));
        let insert = |(batch, (from, before)): (&Batch, &(String, String))| {
            let text = statements.insert.replace("<FROM>", from).replace("<BEFORE>", before);
            (text.replace("<FILES>", &batch.list), batch.bytes)
        };
        pairs.map(insert).collect()
    }

    /// Returns the first line of all INSERT statements.
    pub(crate) fn beginning(statements: &Statements) -> &str {
        statements.insert.lines().next().unwrap_or_default()
    }

    /// Returns all queries for rejected lines.
    pub(crate) fn refusals(&self, statements: &Statements) -> Vec<String> {
        self.batches.iter().map(|batch| statements.refused.replace("<FILES>", &batch.list)).collect()
    }

    /// Returns the predicted cost in US dollars, without the second scan that rejected lines require.
    pub(crate) fn usd(&self) -> f64 {
        let once: f64 = self.batches.iter().map(|batch| QueryCost::for_scan(batch.bytes).usd).sum();
        once * self.ranges.len() as f64
    }

    /// Returns a one-line summary.
    pub(crate) fn line(&self) -> String {
        format!(
            "Athena curates {}, {}, with {}, for about {}, and as much again if lines must be refused",
            human::counted(self.n_files, "raw file"),
            human::bytes(self.bytes),
            human::counted((self.batches.len() * self.ranges.len()) as u64, "INSERT"),
            dollars(self.usd())
        )
    }
}

/// Plans the state before the first INSERT. Unmanaged objects below [`STAGING`] block it, as they would be read as tickets.
pub(crate) fn preparation(bucket: &str, contents: &Contents, tables: &[String], statements: &Statements) -> Plan {
    let mut plan = Plan::default();
    let staged = contents.keys.keys().filter(|key| key.starts_with(STAGING));
    let (ours, foreign): (Vec<String>, Vec<String>) = staged.cloned().partition(|key| contents.announced.contains(key));
    if !foreign.is_empty() {
        let n = human::counted(foreign.len() as u64, "object");
        let text =
            format!("{n} in s3://{bucket}/{STAGING} would be read as tickets though not ours; move away or delete");
        plan.blockers.push(Blocker { resource: format!("data in {bucket}"), text });
    }
    let keys: BTreeSet<String> = contents.announced.iter().cloned().chain([STAGING.to_owned()]).collect();
    plan.steps.push(Step::WritePendingManifest { bucket: bucket.to_owned(), keys });
    if !ours.is_empty() {
        let reason = "left by a curation that didn't end";
        plan.steps.push(Step::DeleteObjects { bucket: bucket.to_owned(), keys: ours, reason });
    }
    plan.steps.extend(cleaning(tables).steps);
    let name = |place: usize| CURATION_TABLES[place].to_owned();
    plan.steps.extend([
        Step::CreateTable { name: name(2), statement: statements.lines.clone() },
        Step::CreateTable { name: name(1), statement: statements.staging.clone() },
        Step::CreateView { name: name(0), statement: statements.checked.clone(), replaces: false },
    ]);
    plan
}

/// Plans the deletion of those [`CURATION_TABLES`] that are among `tables`.
pub(crate) fn cleaning(tables: &[String]) -> Plan {
    let there = CURATION_TABLES.iter().filter(|name| tables.iter().any(|table| table == *name));
    let steps = there.map(|name| Step::DeleteTable { name: (*name).to_owned() });
    Plan { steps: steps.collect(), ..Plan::default() }
}

/// Groups files in the order of their names: Athena prunes a contiguous range of names faster than an arbitrary list.
fn batches(bucket: &str, files: &[FileEntry]) -> Vec<Batch> {
    let mut batches: Vec<Batch> = Vec::new();
    for file in files {
        let address = format!("'s3://{bucket}/{}'", key_of(Role::Raw, &file.name).replace('\'', "''"));
        let fits = |batch: &&mut Batch| {
            batch.bytes + file.bytes <= MAX_BATCH_BYTES && batch.list.len() + 2 + address.len() <= MAX_LIST_BYTES
        };
        if let Some(batch) = batches.last_mut().filter(fits) {
            batch.list += ", ";
            batch.list += &address;
            batch.bytes += file.bytes;
        } else {
            batches.push(Batch { list: address, bytes: file.bytes });
        }
    }
    batches
}

/// Divides the range of all market codes so that each range has at most [`MAX_PARTITIONS`] known markets. Markets that are not in
/// the manifest fall into one of the ranges.
fn ranges(markets: &[&str]) -> Vec<(String, String)> {
    let inner = markets.chunks(MAX_PARTITIONS).skip(1).map(|chunk| chunk[0]);
    let borders: Vec<&str> = iter::once("A").chain(inner).chain(["a"]).collect();
    borders.windows(2).map(|pair| (pair[0].to_owned(), pair[1].to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use aws::athena::MAX_STATEMENT_BYTES;
    use manifest::FileEntry;
    use ticket_schema::columns::{COLUMNS, PARTITION_COLUMN, file_columns};
    use ticket_schema::enums::{Category, Channel, Severity, Status};
    use ticket_schema::iso3166::is_country_code;

    use super::{MAX_BATCH_BYTES, MAX_LIST_BYTES, Statements, batches, preparation, ranges};
    use crate::definitions::{CURATION_TABLES, Definitions, STAGING, ddl};
    use crate::observe::Contents;
    use crate::plan::Step;

    fn statements() -> Statements {
        Statements::load("123456789012", "eu-central-1").unwrap()
    }

    fn file(name: &str, bytes: u64) -> FileEntry {
        FileEntry { name: name.to_owned(), rows: 1, bytes, crc64nvme: String::new() }
    }

    /// Returns the values of the list that follows `text` in the view, without quotes.
    fn listed_after(text: &str) -> Vec<String> {
        let view = statements().checked;
        let (_, list) = view.split_once(&format!("({text} IN (")).unwrap();
        let (list, _) = list.split_once(')').unwrap();
        list.split(',').map(|item| item.trim().trim_matches('\'').to_owned()).collect()
    }

    #[test]
    fn the_view_has_the_contract_s_texts() {
        let texts = |all: &[&str]| all.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(listed_after("severity"), texts(&Severity::ALL.iter().map(|it| it.as_str()).collect::<Vec<_>>()));
        assert_eq!(listed_after("status"), texts(&Status::ALL.iter().map(|it| it.as_str()).collect::<Vec<_>>()));
        assert_eq!(listed_after("category"), texts(&Category::ALL.iter().map(|it| it.as_str()).collect::<Vec<_>>()));
        assert_eq!(listed_after("channel"), texts(&Channel::ALL.iter().map(|it| it.as_str()).collect::<Vec<_>>()));
        let resolved: Vec<_> = Status::ALL.iter().filter(|it| it.is_resolved()).map(|it| it.as_str()).collect();
        assert!(statements().checked.contains(&format!("status IN ('{}')", resolved.join("', '"))));
        let letters = || (b'A'..=b'Z').map(char::from);
        let codes = letters().flat_map(|a| letters().map(move |b| format!("{a}{b}")));
        assert_eq!(listed_after("market"), codes.filter(|code| is_country_code(code)).collect::<Vec<_>>());
        for column in COLUMNS {
            let read = format!("element_at(fields, '{}')", column.name);
            assert!(statements().checked.contains(&read), "{read}");
        }
    }

    #[test]
    fn the_staging_table_is_the_table_in_another_place() {
        let staging = ddl::table_definition(statements().staging).unwrap();
        let definitions = Definitions::load("123456789012", "eu-central-1").unwrap();
        let mut wanted = definitions.catalog.tables[1].table.clone();
        wanted.location = Some(format!("s3://bmw-aftersales-curated-123456789012/{STAGING}"));
        assert_eq!(staging.table, wanted);
        let lines = ddl::table_definition(statements().lines).unwrap();
        assert_eq!(lines.table.location, definitions.catalog.tables[0].table.location);
        assert!(
            statements()
                .checked
                .starts_with(&format!("CREATE OR REPLACE VIEW bmw_aftersales.{} AS", CURATION_TABLES[0]))
        );
        assert_eq!([staging.name, lines.name], [CURATION_TABLES[1], CURATION_TABLES[2]]);
        let columns = file_columns().map(|column| column.name).chain([PARTITION_COLUMN]);
        let selected = format!("SELECT\n  {}\nFROM", columns.collect::<Vec<_>>().join(",\n  "));
        assert!(statements().insert.contains(&selected), "{selected}");
    }

    #[test]
    fn batches_take_each_file_once_and_stay_within_the_limits() {
        let half = MAX_BATCH_BYTES / 2;
        for (sizes, expected) in [
            (&[][..], &[][..]),
            (&[1, 2], &[3]),
            (&[half, half, 1], &[MAX_BATCH_BYTES, 1]),
            (&[MAX_BATCH_BYTES * 3, 0, 5], &[MAX_BATCH_BYTES * 3, 5]),
        ] {
            let files: Vec<FileEntry> = sizes.iter().map(|bytes| file("a", *bytes)).collect();
            let batches: Vec<u64> = batches("raw", &files).iter().map(|batch| batch.bytes).collect();
            assert_eq!(batches, expected, "{sizes:?}");
        }
        let files: Vec<FileEntry> = (0..20_000).map(|n| file(&format!("it's_{n:06}.jsonl"), 1)).collect();
        let batches = batches("raw", &files);
        let text = statements();
        assert!(batches.len() > 3 && batches.iter().all(|batch| batch.list.len() <= MAX_LIST_BYTES));
        assert!(text.insert.len().max(text.refused.len()) + MAX_LIST_BYTES <= MAX_STATEMENT_BYTES);
        let lists: Vec<&str> = batches.iter().flat_map(|batch| batch.list.split(", ")).collect();
        assert_eq!(lists.len(), files.len());
        assert_eq!(lists[19_999], "'s3://raw/tickets/it''s_019999.jsonl'");
    }

    #[test]
    fn ranges_hold_every_market_once() {
        let letters = || (b'A'..=b'Z').map(char::from);
        let codes: Vec<String> = letters().flat_map(|a| letters().map(move |b| format!("{a}{b}"))).collect();
        for n_known in [0, 1, 100, 101, 249, 676] {
            let known: Vec<&str> =
                codes.iter().map(String::as_str).step_by(676 / n_known.max(1)).take(n_known).collect();
            let ranges = ranges(&known);
            assert_eq!(ranges.len(), n_known.div_ceil(100).max(1));
            let place = |code: &str| {
                ranges.iter().filter(|(from, before)| code >= from.as_str() && code < before.as_str()).count()
            };
            assert!(codes.iter().all(|code| place(code) == 1), "{n_known}");
            for (from, before) in &ranges {
                assert!(known.iter().filter(|code| **code >= from.as_str() && **code < before.as_str()).count() <= 100);
            }
        }
    }

    #[test]
    fn only_what_was_announced_is_cleared_away() {
        let keys: BTreeMap<String, u64> = [("curating/market=DE/a".into(), 1), ("other".into(), 1)].into();
        let tables = ["tickets".to_owned(), "tickets_raw_lines".to_owned()];
        let foreign = Contents { keys: keys.clone(), ..Contents::default() };
        assert_eq!(preparation("curated", &foreign, &tables, &statements()).blockers.len(), 1);
        let announcement = br#"{"note": "", "keys": ["curating/"]}"#;
        let ours = Contents::new("curated", crate::definitions::Role::Curated, keys, None, Some(announcement)).unwrap();
        let plan = preparation("curated", &ours, &tables, &statements());
        assert!(plan.blockers.is_empty());
        let announced = BTreeSet::from([STAGING.to_owned(), "curating/market=DE/a".to_owned()]);
        assert_eq!(plan.steps[0], Step::WritePendingManifest { bucket: "curated".into(), keys: announced });
        assert!(matches!(&plan.steps[1], Step::DeleteObjects { keys, .. } if *keys == ["curating/market=DE/a"]));
        assert_eq!(plan.steps[2], Step::DeleteTable { name: "tickets_raw_lines".into() });
        assert_eq!(plan.steps.len(), 6);
    }
}
