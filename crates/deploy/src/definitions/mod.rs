//! Desired state: the infrastructure in `infra/`, with account and region filled in. These texts are submitted to AWS
//! unchanged.

use anyhow::{Context, Result, ensure};
use aws::athena::workgroups::Workgroup;
use aws::glue::Table;
use aws::quicksight::resource::QuickSightResource;
use aws::region::partition_of;
use aws::s3::bucket_settings::BucketSettings;
use kpi::catalogue::ATHENA_DDL;
use kpi::sql_text::statements;
use serde::Deserialize;
use ticket_schema::names;

pub mod ddl;
pub mod desired;
pub mod quicksight;
pub mod scope;

const BUCKETS: [(Role, &str); 3] = [
    (Role::Raw, include_str!("../../../../infra/buckets/raw.json")),
    (Role::Curated, include_str!("../../../../infra/buckets/curated.json")),
    (Role::Results, include_str!("../../../../infra/buckets/athena-results.json")),
];
const WORKGROUP: &str = include_str!("../../../../infra/workgroup.json");
const POLICY: &str = include_str!("../../../../infra/iam/deploy-policy.json");

/// Definitions of all infrastructure, without the data.
#[derive(Clone, Debug, PartialEq)]
pub struct Definitions {
    /// Buckets.
    pub buckets: Vec<BucketDefinition>,
    /// Workgroup of all queries.
    pub workgroup: Workgroup,
    /// Database, tables and view.
    pub catalog: CatalogDefinition,
    /// QuickSight resources, dependencies first.
    pub quicksight: Vec<QuickSightResource>,
}

/// Temporary view and tables of a curation on Athena, dependants first.
pub const CURATION_TABLES: [&str; 3] = ["tickets_checked", "tickets_curating", "tickets_raw_lines"];
/// Staging prefix in the curated bucket: keys of tickets that a curation has not published yet.
pub const STAGING_PREFIX: &str = "curating/";

/// Purpose of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Raw tickets as JSON Lines.
    Raw,
    /// Curated tickets as Parquet.
    Curated,
    /// Query results of Athena.
    Results,
}

/// Definition of a bucket.
#[derive(Clone, Debug, PartialEq)]
pub struct BucketDefinition {
    /// Purpose.
    pub role: Role,
    /// Name.
    pub name: String,
    /// Settings.
    pub settings: BucketSettings,
}

/// Definitions of database, tables and view.
#[derive(Clone, Debug, PartialEq)]
pub struct CatalogDefinition {
    /// Statement that creates the database.
    pub database: String,
    /// Tables in the order of the file.
    pub tables: Vec<TableDefinition>,
    /// Statement that creates the view.
    pub view: String,
}

/// Definition of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct TableDefinition {
    /// Name within the database.
    pub name: String,
    /// Statement that creates it.
    pub statement: String,
    /// Expected entry in the catalogue.
    pub table: Table,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BucketFile {
    bucket: String,
    #[serde(flatten)]
    settings: BucketSettings,
}

impl Definitions {
    /// Parses the definitions that are compiled into the program.
    ///
    /// # Errors
    ///
    /// Fails if a file in `infra/` is malformed or incomplete.
    pub fn load(account_id: &str, region: &str) -> Result<Self> {
        let buckets = BUCKETS.iter().map(|(role, text)| {
            let file: BucketFile = serde_json::from_str(&fill_placeholders(text, account_id, region))?;
            Ok(BucketDefinition { role: *role, name: file.bucket, settings: file.settings })
        });
        let buckets = buckets.collect::<Result<Vec<_>>>().context("infra/buckets")?;
        for bucket in &buckets {
            let expected = bucket_name(bucket.role, account_id);
            ensure!(bucket.name == expected, "infra/buckets names {}, expected {expected}", bucket.name);
        }
        Ok(Self {
            buckets,
            workgroup: serde_json::from_str(&fill_placeholders(WORKGROUP, account_id, region))
                .context("infra/workgroup.json")?,
            catalog: catalog(&fill_placeholders(ATHENA_DDL, account_id, region)).context("infra/athena_ddl.sql")?,
            quicksight: quicksight::resources(account_id, region)?,
        })
    }
}

/// Returns the name of an account's bucket.
pub fn bucket_name(role: Role, account_id: &str) -> String {
    match role {
        Role::Raw => names::raw_bucket(account_id),
        Role::Curated => names::curated_bucket(account_id),
        Role::Results => names::athena_results_bucket(account_id),
    }
}

/// Returns the least-privilege IAM policy for `deploy`.
pub fn iam_policy(account_id: &str, region: &str) -> String {
    fill_placeholders(POLICY, account_id, region)
}

pub(crate) fn fill_placeholders(text: &str, account_id: &str, region: &str) -> String {
    text.replace("<ACCOUNT_ID>", account_id).replace("<REGION>", region).replace("<PARTITION>", partition_of(region))
}

/// Parses the DDL. `MSCK REPAIR TABLE` is skipped because it is for manual runs of the file; `deploy` registers the
/// partitions.
fn catalog(sql: &str) -> Result<CatalogDefinition> {
    let mut catalog = CatalogDefinition { database: String::new(), tables: Vec::new(), view: String::new() };
    for statement in statements(sql) {
        let text = statement.text;
        if text.starts_with("CREATE DATABASE") {
            catalog.database = text;
        } else if text.starts_with("CREATE EXTERNAL TABLE") {
            catalog.tables.push(ddl::table_definition(text)?);
        } else if text.starts_with("CREATE OR REPLACE VIEW") {
            catalog.view = text;
        } else {
            ensure!(text.starts_with("MSCK REPAIR TABLE"), "unsupported statement:\n{text}");
        }
    }
    let is_complete = !catalog.database.is_empty() && catalog.tables.len() == 2 && !catalog.view.is_empty();
    ensure!(is_complete, "expected a database, two tables and a view");
    Ok(catalog)
}

#[cfg(test)]
mod tests {
    use super::Definitions;

    #[test]
    fn infra_files_are_complete_and_all_placeholders_are_filled() {
        let definitions = Definitions::load("123456789012", "eu-central-1").unwrap();
        assert_eq!((definitions.buckets.len(), definitions.quicksight.len()), (3, 3));
        let text = format!("{definitions:?}");
        assert!(!text.contains('<'), "a placeholder is left: {text}");
        let tickets = &definitions.catalog.tables[1];
        assert_eq!(tickets.name, "tickets");
        assert_eq!(tickets.table.partition_keys, [("market".to_owned(), "string".to_owned())]);
        assert_eq!(tickets.table.columns.len(), 14);
    }
}
