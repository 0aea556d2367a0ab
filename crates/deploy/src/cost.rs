//! Predicted cost of the lake, from the footers of the Parquet files and list prices.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result};
use kpi::catalogue::Kpi;
use kpi::query_cost::{QueryCost, dollars};
use kpi::scanned_columns::columns_read;
use manifest::FileEntry;
use parquet::file::metadata::{ParquetMetaDataReader, RowGroupMetaData};
use serde::Serialize;

use crate::definitions::Role;
use crate::definitions::desired::Desired;

/// Runs of all KPIs in a month: one a day.
const KPI_RUNS_PER_MONTH: u64 = 30;
/// Bytes in a GB of the list prices.
const BYTES_PER_GB: f64 = 1e9;
/// Estimated bytes of Parquet per byte of JSON Lines, used until the Parquet files exist.
const PARQUET_RATIO: f64 = 0.2;

/// List prices of S3 Standard in US dollars: per GB and month, and per thousand PUT requests.
/// Source: Amazon S3 pricing, as of November 2026.
const PRICES: [(&str, f64, f64); 4] = [
    ("eu-central-1", 0.0245, 0.0054),
    ("eu-west-1", 0.023, 0.005),
    ("us-east-1", 0.023, 0.005),
    ("us-west-2", 0.023, 0.005),
];

/// Compressed bytes of each column over all Parquet files, and bytes of the footers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColumnBytes {
    columns: BTreeMap<String, u64>,
    footers: u64,
}

impl ColumnBytes {
    /// Reads the footers of the files of a curated data set.
    ///
    /// # Errors
    ///
    /// Fails if a footer can't be read.
    pub fn read(curated: &Path, files: &[FileEntry]) -> Result<Self> {
        let mut bytes = Self::default();
        for file in files.iter().filter(|file| file.name.ends_with(".parquet")) {
            let path = curated.join(&file.name);
            let open = || -> Result<_> {
                let file = File::open(&path)?;
                Ok(ParquetMetaDataReader::new().parse_and_finish(&file)?)
            };
            let footer = open()
                .with_context(|| format!("cannot read the footer of {}; run `transform` again", path.display()))?;
            let mut in_columns = 0;
            for column in footer.row_groups().iter().flat_map(RowGroupMetaData::columns) {
                let size = column.compressed_size().unsigned_abs();
                *bytes.columns.entry(column.column_path().string()).or_default() += size;
                in_columns += size;
            }
            bytes.footers += file.bytes.saturating_sub(in_columns);
        }
        Ok(bytes)
    }

    /// Creates the sizes of files that are not on this machine: every query counts as reading all `bytes`.
    pub const fn unknown(bytes: u64) -> Self {
        Self { columns: BTreeMap::new(), footers: bytes }
    }

    /// Returns an upper bound of the bytes that Athena scans for a query: the columns that the query names, without
    /// subtracting the row groups and pages that Athena skips by statistics.
    ///
    /// # Errors
    ///
    /// Fails if the query can't be parsed.
    pub fn scanned_by(&self, sql: &str) -> Result<u64> {
        let columns = columns_read(sql)?;
        Ok(self.footers + columns.iter().filter_map(|name| self.columns.get(*name)).sum::<u64>())
    }
}

/// Cost of a month in US dollars.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MonthlyCost {
    /// Region of the list prices.
    pub prices_of: String,
    /// Storage of the JSON Lines, which expire after 30 days.
    pub raw_storage_usd: f64,
    /// Storage of the Parquet files.
    pub curated_storage_usd: f64,
    /// One upload of both data sets.
    pub requests_usd: f64,
    /// All KPIs once a day.
    pub queries_usd: f64,
}

impl MonthlyCost {
    /// Returns the sum.
    pub fn total_usd(&self) -> f64 {
        self.raw_storage_usd + self.curated_storage_usd + self.requests_usd + self.queries_usd
    }

    /// Returns a one-line summary.
    pub fn summary(&self) -> String {
        format!(
            "Expected monthly cost: {} ({} raw and {} curated storage, {} uploads, {} for daily KPIs; list prices of {})",
            dollars(self.total_usd()),
            dollars(self.raw_storage_usd),
            dollars(self.curated_storage_usd),
            dollars(self.requests_usd),
            dollars(self.queries_usd),
            self.prices_of
        )
    }
}

/// Predicts the monthly cost of this data. `columns` are those of the curated files, if known.
///
/// # Errors
///
/// Fails if the query of a KPI can't be parsed.
pub fn monthly_cost(
    desired: &Desired,
    region: &str,
    columns: Option<&ColumnBytes>,
    kpis: &[Kpi],
) -> Result<MonthlyCost> {
    let (prices_of, gb_month, thousand_puts) =
        PRICES.into_iter().find(|(name, ..)| *name == region).unwrap_or(PRICES[0]);
    let bytes = |role: Role| -> u64 {
        let sets = desired.data.iter().filter(|data| data.role == role);
        sets.flat_map(|data| data.objects.values().chain([&data.manifest])).map(|object| object.bytes).sum()
    };
    let is_curated = desired.data.iter().any(|data| data.role == Role::Curated);
    let raw_bytes = bytes(Role::Raw);
    let curated_bytes = if is_curated { bytes(Role::Curated) } else { (raw_bytes as f64 * PARQUET_RATIO) as u64 };
    let storage = |bytes: u64| bytes as f64 / BYTES_PER_GB * gb_month;
    let columns = columns.cloned().unwrap_or_else(|| ColumnBytes::unknown(curated_bytes));
    let n_objects: usize = desired.data.iter().map(|data| data.objects.len() + 1).sum();
    let mut kpi_run_usd = 0.0;
    for kpi in kpis {
        kpi_run_usd += QueryCost::for_scan(columns.scanned_by(&kpi.sql)?).usd;
    }
    Ok(MonthlyCost {
        prices_of: prices_of.to_owned(),
        raw_storage_usd: storage(raw_bytes),
        curated_storage_usd: storage(curated_bytes),
        requests_usd: n_objects as f64 / 1000.0 * thousand_puts,
        queries_usd: kpi_run_usd * KPI_RUNS_PER_MONTH as f64,
    })
}
