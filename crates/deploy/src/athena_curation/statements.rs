//! Statements of a curation: those of `infra/curate_athena.sql`, batched to stay within Athena's limits. Pure functions;
//! [`super::run`] submits the statements.

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
use crate::definitions::{CURATION_TABLES, Role, STAGING_PREFIX, bucket_name, fill_placeholders};
use crate::observe::Contents;
use crate::plan::{Blocker, Plan, Step};

const SQL: &str = include_str!("../../../../infra/curate_athena.sql");
/// Maximum bytes that a statement reads: far below the scan limit of the workgroup, and minutes of Athena's 30-minute
/// timeout.
const MAX_BATCH_BYTES: u64 = 20_000_000_000;
/// Maximum bytes of the list of S3 URIs in a statement; the rest is for the statement itself.
const MAX_LIST_BYTES: usize = MAX_STATEMENT_BYTES - 4096;
/// Maximum number of partitions in one INSERT, a limit of Athena.
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
    rejected: String,
}

/// Curation of raw tickets, divided into statements.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct AthenaCuration {
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

/// Batch of files that one statement reads.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Batch {
    /// S3 URIs as a SQL list.
    list: String,
    bytes: u64,
}

impl Statements {
    /// Parses the statements that are compiled into the program.
    pub(crate) fn load(account_id: &str, region: &str) -> Result<Self> {
        let texts: Vec<String> =
            statements(&fill_placeholders(SQL, account_id, region)).into_iter().map(|it| it.text).collect();
        let [lines, staging, checked, insert, written, rejected] =
            <[String; 6]>::try_from(texts).ok().context("infra/curate_athena.sql: expected six statements")?;
        Ok(Self { lines, staging, checked, insert, written, rejected })
    }
}

impl AthenaCuration {
    /// Divides the raw tickets into statements.
    pub(crate) fn new(account_id: &str, raw: &RawManifest) -> Self {
        Self {
            n_files: raw.files.len() as u64,
            bytes: raw.files.iter().map(|file| file.bytes).sum(),
            batches: batches(&bucket_name(Role::Raw, account_id), &raw.files),
            ranges: ranges(&raw.markets.keys().map(String::as_str).collect::<Vec<_>>()),
        }
    }

    /// Returns all INSERT statements, with the bytes that each reads.
    pub(crate) fn inserts(&self, statements: &Statements) -> Vec<(String, u64)> {
        let pairs = self.batches.iter().flat_map(|batch| self.ranges.iter().map(move |range| (batch, range)));
        let insert = |(batch, (from, before)): (&Batch, &(String, String))| {
            let text = statements.insert.replace("<FROM>", from).replace("<BEFORE>", before);
            (text.replace("<FILES>", &batch.list), batch.bytes)
        };
        pairs.map(insert).collect()
    }

    /// Returns the common first line of all INSERT statements.
    pub(crate) fn insert_prefix(statements: &Statements) -> &str {
        statements.insert.lines().next().unwrap_or_default()
    }

    /// Returns all queries for rejected lines.
    pub(crate) fn rejection_queries(&self, statements: &Statements) -> Vec<String> {
        self.batches.iter().map(|batch| statements.rejected.replace("<FILES>", &batch.list)).collect()
    }

    /// Returns the predicted cost in US dollars, without the second scan if lines are rejected.
    pub(crate) fn usd(&self) -> f64 {
        let scan: f64 = self.batches.iter().map(|batch| QueryCost::for_scan(batch.bytes).usd).sum();
        scan * self.ranges.len() as f64
    }

    /// Returns a one-line summary.
    pub(crate) fn summary(&self) -> String {
        format!(
            "Athena curates {}, {}, with {}, for about {}, and for as much again if lines are rejected",
            human::counted(self.n_files, "raw file"),
            human::bytes(self.bytes),
            human::counted((self.batches.len() * self.ranges.len()) as u64, "INSERT"),
            dollars(self.usd())
        )
    }
}

/// Plans the state before the first INSERT. Unmanaged objects below [`STAGING_PREFIX`] block the plan, because Athena would
/// read them as tickets.
pub(crate) fn preparation_plan(bucket: &str, contents: &Contents, tables: &[String], statements: &Statements) -> Plan {
    let mut plan = Plan::default();
    let staged = contents.keys.keys().filter(|key| key.starts_with(STAGING_PREFIX));
    let (managed, unmanaged): (Vec<String>, Vec<String>) =
        staged.cloned().partition(|key| contents.in_pending_manifest.contains(key));
    if !unmanaged.is_empty() {
        let n = human::counted(unmanaged.len() as u64, "unmanaged object");
        let text = format!("{n} in s3://{bucket}/{STAGING_PREFIX} would be read as tickets; move or delete them");
        plan.blockers.push(Blocker { resource: format!("data in {bucket}"), text });
    }
    let keys: BTreeSet<String> =
        contents.in_pending_manifest.iter().cloned().chain([STAGING_PREFIX.to_owned()]).collect();
    plan.steps.push(Step::WritePendingManifest { bucket: bucket.to_owned(), keys });
    if !managed.is_empty() {
        let reason = "left by an interrupted curation";
        plan.steps.push(Step::DeleteObjects { bucket: bucket.to_owned(), keys: managed, reason });
    }
    plan.steps.extend(cleanup_plan(tables).steps);
    let [checked, staging, lines] = CURATION_TABLES.map(str::to_owned);
    plan.steps.extend([
        Step::CreateTable { name: lines, statement: statements.lines.clone() },
        Step::CreateTable { name: staging, statement: statements.staging.clone() },
        Step::CreateView { name: checked, statement: statements.checked.clone(), replaces: false },
    ]);
    plan
}

/// Plans the deletion of those [`CURATION_TABLES`] that are among `tables`.
pub(crate) fn cleanup_plan(tables: &[String]) -> Plan {
    let existing = CURATION_TABLES.iter().filter(|name| tables.iter().any(|table| table == *name));
    let steps = existing.map(|name| Step::DeleteTable { name: (*name).to_owned() });
    Plan { steps: steps.collect(), ..Plan::default() }
}

/// Groups files in the order of their names, because Athena prunes a contiguous range of names faster than an arbitrary
/// list.
fn batches(bucket: &str, files: &[FileEntry]) -> Vec<Batch> {
    let mut batches: Vec<Batch> = Vec::new();
    for file in files {
        let uri = format!("'s3://{bucket}/{}'", key_of(Role::Raw, &file.name).replace('\'', "''"));
        let fits = |batch: &&mut Batch| {
            batch.bytes + file.bytes <= MAX_BATCH_BYTES && batch.list.len() + 2 + uri.len() <= MAX_LIST_BYTES
        };
        if let Some(batch) = batches.last_mut().filter(fits) {
            batch.list += ", ";
            batch.list += &uri;
            batch.bytes += file.bytes;
        } else {
            batches.push(Batch { list: uri, bytes: file.bytes });
        }
    }
    batches
}

/// Divides all market codes into half-open ranges with at most [`MAX_PARTITIONS`] known markets each. Unknown markets fall
/// into one of the ranges, too.
fn ranges(markets: &[&str]) -> Vec<(String, String)> {
    let inner = markets.chunks(MAX_PARTITIONS).skip(1).map(|chunk| chunk[0]);
    let boundaries: Vec<&str> = iter::once("A").chain(inner).chain(["a"]).collect();
    boundaries.windows(2).map(|pair| (pair[0].to_owned(), pair[1].to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use aws::athena::MAX_STATEMENT_BYTES;
    use manifest::FileEntry;
    use ticket_schema::columns::{COLUMNS, PARTITION_COLUMN, file_columns};
    use ticket_schema::enums::{Category, Channel, Severity, Status};
    use ticket_schema::iso3166::is_country_code;

    use super::{MAX_BATCH_BYTES, MAX_LIST_BYTES, Statements, batches, preparation_plan, ranges};
    use crate::definitions::{CURATION_TABLES, Definitions, Role, STAGING_PREFIX, ddl};
    use crate::observe::Contents;
    use crate::plan::Step;

    fn statements() -> Statements {
        Statements::load("123456789012", "eu-central-1").unwrap()
    }

    fn file(name: &str, bytes: u64) -> FileEntry {
        FileEntry { name: name.to_owned(), rows: 1, bytes, crc64nvme: String::new() }
    }

    /// Returns the values in the IN list of a column in the view, without quotes.
    fn in_list_of(column: &str) -> Vec<String> {
        let view = statements().checked;
        let (_, list) = view.split_once(&format!("({column} IN (")).unwrap();
        let (list, _) = list.split_once(')').unwrap();
        list.split(',').map(|item| item.trim().trim_matches('\'').to_owned()).collect()
    }

    #[test]
    fn view_has_the_enum_values_of_the_contract() {
        let texts = |all: &[&str]| all.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(in_list_of("severity"), texts(&Severity::ALL.iter().map(|it| it.as_str()).collect::<Vec<_>>()));
        assert_eq!(in_list_of("status"), texts(&Status::ALL.iter().map(|it| it.as_str()).collect::<Vec<_>>()));
        assert_eq!(in_list_of("category"), texts(&Category::ALL.iter().map(|it| it.as_str()).collect::<Vec<_>>()));
        assert_eq!(in_list_of("channel"), texts(&Channel::ALL.iter().map(|it| it.as_str()).collect::<Vec<_>>()));
        let resolved: Vec<_> = Status::ALL.iter().filter(|it| it.is_resolved()).map(|it| it.as_str()).collect();
        assert!(statements().checked.contains(&format!("status IN ('{}')", resolved.join("', '"))));
        let letters = || (b'A'..=b'Z').map(char::from);
        let codes = letters().flat_map(|a| letters().map(move |b| format!("{a}{b}")));
        assert_eq!(in_list_of("market"), codes.filter(|code| is_country_code(code)).collect::<Vec<_>>());
        for column in COLUMNS {
            let expression = format!("element_at(fields, '{}')", column.name);
            assert!(statements().checked.contains(&expression), "{expression}");
        }
    }

    #[test]
    fn staging_table_has_the_definition_of_the_table() {
        let staging = ddl::table_definition(statements().staging).unwrap();
        let definitions = Definitions::load("123456789012", "eu-central-1").unwrap();
        let mut expected = definitions.catalog.tables[1].table.clone();
        expected.location = Some(format!("s3://bmw-aftersales-curated-123456789012/{STAGING_PREFIX}"));
        assert_eq!(staging.table, expected);
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
    fn batches_contain_each_file_once_and_stay_within_the_limits() {
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
        let statements = statements();
        assert!(batches.len() > 3 && batches.iter().all(|batch| batch.list.len() <= MAX_LIST_BYTES));
        assert!(statements.insert.len().max(statements.rejected.len()) + MAX_LIST_BYTES <= MAX_STATEMENT_BYTES);
        let lists: Vec<&str> = batches.iter().flat_map(|batch| batch.list.split(", ")).collect();
        assert_eq!(lists.len(), files.len());
        assert_eq!(lists[19_999], "'s3://raw/tickets/it''s_019999.jsonl'");
    }

    #[test]
    fn every_market_is_in_exactly_one_range() {
        let letters = || (b'A'..=b'Z').map(char::from);
        let codes: Vec<String> = letters().flat_map(|a| letters().map(move |b| format!("{a}{b}"))).collect();
        for n_known in [0, 1, 100, 101, 249, 676] {
            let known: Vec<&str> =
                codes.iter().map(String::as_str).step_by(676 / n_known.max(1)).take(n_known).collect();
            let ranges = ranges(&known);
            assert_eq!(ranges.len(), n_known.div_ceil(100).max(1));
            let n_ranges = |code: &str| {
                ranges.iter().filter(|(from, before)| code >= from.as_str() && code < before.as_str()).count()
            };
            assert!(codes.iter().all(|code| n_ranges(code) == 1), "{n_known}");
            for (from, before) in &ranges {
                assert!(known.iter().filter(|code| **code >= from.as_str() && **code < before.as_str()).count() <= 100);
            }
        }
    }

    #[test]
    fn preparation_deletes_only_keys_of_the_pending_manifest() {
        let keys: BTreeMap<String, u64> = [("curating/market=DE/a".into(), 1), ("other".into(), 1)].into();
        let tables = ["tickets".to_owned(), "tickets_raw_lines".to_owned()];
        let unmanaged = Contents { keys: keys.clone(), ..Contents::default() };
        assert_eq!(preparation_plan("curated", &unmanaged, &tables, &statements()).blockers.len(), 1);
        let pending_manifest = br#"{"note": "", "keys": ["curating/"]}"#;
        let managed = Contents::new("curated", Role::Curated, keys, None, Some(pending_manifest)).unwrap();
        let plan = preparation_plan("curated", &managed, &tables, &statements());
        assert!(plan.blockers.is_empty());
        let pending = BTreeSet::from([STAGING_PREFIX.to_owned(), "curating/market=DE/a".to_owned()]);
        assert_eq!(plan.steps[0], Step::WritePendingManifest { bucket: "curated".into(), keys: pending });
        assert!(matches!(&plan.steps[1], Step::DeleteObjects { keys, .. } if *keys == ["curating/market=DE/a"]));
        assert_eq!(plan.steps[2], Step::DeleteTable { name: "tickets_raw_lines".into() });
        assert_eq!(plan.steps.len(), 6);
    }
}
