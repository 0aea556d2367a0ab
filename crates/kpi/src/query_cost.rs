//! The cost of a query on Athena.

use serde::Serialize;

/// Price per scanned byte in US dollars: 5 per terabyte (10^12 bytes), the list price in most regions.
/// Source: Amazon Athena pricing, per query, as of November 2026.
pub const USD_PER_BYTE: f64 = 5.0 / 1e12;
/// Minimum billed for a query, in bytes.
pub const MIN_BYTES: u64 = 10 * MEGABYTE;
/// Billing granularity in bytes: scanned bytes are rounded up to whole megabytes.
const MEGABYTE: u64 = 1_000_000;

/// The bytes scanned by a query and their price.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct QueryCost {
    /// Bytes scanned.
    pub scanned_bytes: u64,
    /// Bytes billed: scanned bytes, rounded up to a megabyte, at least [`MIN_BYTES`].
    pub billed_bytes: u64,
    /// Price of the billed bytes in US dollars.
    pub usd: f64,
}

impl QueryCost {
    /// Returns the cost of a query that scans this many bytes.
    pub fn for_scan(scanned_bytes: u64) -> Self {
        let billed_bytes = scanned_bytes.next_multiple_of(MEGABYTE).max(MIN_BYTES);
        Self { scanned_bytes, billed_bytes, usd: billed_bytes as f64 * USD_PER_BYTE }
    }
}

/// Formats a price with two significant digits, and at least two decimals, since it may be far below a cent.
pub fn dollars(usd: f64) -> String {
    if usd >= 0.1 || usd <= 0.0 {
        return format!("${usd:.2}");
    }
    let digits = (1.0 - usd.log10().floor()).clamp(2.0, 12.0) as usize;
    let text = format!("{usd:.digits$}");
    format!("${}", text.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::{QueryCost, dollars};

    #[test]
    fn billed_bytes_round_up_to_megabytes_with_a_minimum_of_ten() {
        for (scanned, billed) in
            [(0, 10_000_000), (9_999_999, 10_000_000), (10_000_001, 11_000_000), (1_000_000_000_000, 1_000_000_000_000)]
        {
            assert_eq!(QueryCost::for_scan(scanned).billed_bytes, billed);
        }
        assert_eq!(dollars(QueryCost::for_scan(0).usd), "$0.00005");
        assert_eq!(dollars(QueryCost::for_scan(1_000_000_000_000).usd), "$5.00");
        assert_eq!([dollars(0.0), dollars(0.05), dollars(0.0123)], ["$0.00", "$0.05", "$0.012"]);
    }
}
