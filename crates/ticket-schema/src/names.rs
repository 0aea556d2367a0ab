//! Names on disk and on AWS.

use crate::columns::PARTITION_COLUMN;

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

/// Returns the directory of a market's partition below a curated data set, which is also its prefix in the curated bucket:
/// `tickets/market=DE`.
pub fn partition_dir(market: &str) -> String {
    format!("{TICKETS_DIR}/{PARTITION_COLUMN}={market}")
}

/// Returns the path of a Parquet part below a curated data set: `tickets/market=DE/part-0.parquet`.
pub fn part_path(market: &str, number: u64) -> String {
    format!("{}/part-{number}.parquet", partition_dir(market))
}

/// Returns the market and the number in a path that [`part_path`] returned, or `None` for any other path.
pub fn parse_part_path(path: &str) -> Option<(&str, u64)> {
    let rest = path.strip_prefix(TICKETS_DIR)?.strip_prefix('/')?.strip_prefix(PARTITION_COLUMN)?.strip_prefix('=')?;
    let (market, file) = rest.split_once("/part-")?;
    Some((market, file.strip_suffix(".parquet")?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::{parse_part_path, part_path};

    #[test]
    fn part_paths_round_trip() {
        assert_eq!(part_path("DE", 12), "tickets/market=DE/part-12.parquet");
        assert_eq!(parse_part_path(&part_path("DE", 12)), Some(("DE", 12)));
        for other in
            ["tickets/market=DE/part-.parquet", "tickets/DE/part-0.parquet", "part-0.parquet", "_manifest.json"]
        {
            assert_eq!(parse_part_path(other), None, "{other}");
        }
    }
}
