//! Names on disk and on AWS.

/// Athena's name of the Glue Data Catalog.
pub const CATALOG: &str = "awsdatacatalog";
/// The Athena workgroup of all queries.
pub const WORKGROUP: &str = "bmw-aftersales";
/// The Glue and Athena database.
pub const DATABASE: &str = "bmw_aftersales";
/// The table over the raw JSON-Lines.
pub const RAW_TABLE: &str = "tickets_raw";
/// The table over the curated Parquet, partitioned by market.
pub const TABLE: &str = "tickets";
/// The view that adds durations to [`TABLE`].
pub const VIEW: &str = "tickets_enriched";
/// The directory below a curated data set, and the prefix in both data buckets, that holds the tickets.
pub const TICKETS_DIR: &str = "tickets";
/// The directory below a curated data set that holds rejected records.
pub const QUARANTINE_DIR: &str = "_quarantine";
/// The file in which a stage describes its data set. Athena, Hive and Spark ignore names that begin with an underscore.
pub const MANIFEST_FILE: &str = "_manifest.json";
/// The file below a raw data set that lists its injected defects. It holds no tickets, so its name begins with an underscore too.
pub const TRUTH_FILE: &str = "_truth.jsonl";

/// Returns the bucket for raw JSON-Lines of an AWS account.
pub fn raw_bucket(account_id: &str) -> String {
    format!("bmw-aftersales-raw-{account_id}")
}

/// Returns the bucket for curated Parquet of an AWS account.
pub fn curated_bucket(account_id: &str) -> String {
    format!("bmw-aftersales-curated-{account_id}")
}

/// Returns the bucket for Athena's results of an AWS account.
pub fn athena_results_bucket(account_id: &str) -> String {
    format!("bmw-aftersales-athena-results-{account_id}")
}

/// The market, in a manifest, of lines whose market cannot be read.
pub const UNKNOWN_MARKET: &str = "unknown";
