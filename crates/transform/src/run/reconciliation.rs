//! Row counts by input and by market: every line read is written, quarantined or dropped as a duplicate.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use manifest::{FileEntry, RowCounts};
use ticket_schema::names::UNKNOWN_MARKET;

use crate::rows::row::Market;
use crate::write::part_writer::market_and_number;

/// The row counts of a run.
#[derive(Clone, Debug, Default)]
pub struct Reconciliation {
    by_market: BTreeMap<Option<Market>, RowCounts>,
    /// The row counts of the inputs that have been begun, in their order.
    pub by_input: Vec<RowCounts>,
}

impl Reconciliation {
    /// Counts accepted rows of a market, of which `duplicates` are dropped.
    pub fn count_rows(&mut self, source: usize, market: Market, read: u64, duplicates: u64) {
        self.count(source, Some(market), RowCounts { read, written: read - duplicates, quarantined: 0, duplicates });
    }

    /// Counts a rejected line. `market` is `None` if it cannot be determined.
    pub fn count_rejected(&mut self, source: usize, market: Option<Market>) {
        self.count(source, market, RowCounts { read: 1, quarantined: 1, ..RowCounts::default() });
    }

    fn count(&mut self, source: usize, market: Option<Market>, rows: RowCounts) {
        *self.by_market.entry(market).or_default() += rows;
        self.begin_input(source);
        self.by_input[source] += rows;
    }

    /// Begins an input, which may be empty.
    pub fn begin_input(&mut self, source: usize) {
        if self.by_input.len() <= source {
            self.by_input.resize(source + 1, RowCounts::default());
        }
    }

    /// Returns the row counts of all inputs.
    pub fn total(&self) -> RowCounts {
        self.by_input.iter().copied().sum()
    }

    /// Returns the row counts by market code; rejected lines of undetermined markets count as [`UNKNOWN_MARKET`].
    pub fn by_market(&self) -> BTreeMap<String, RowCounts> {
        let name = |market: &Option<Market>| market.as_ref().map_or(UNKNOWN_MARKET, Market::as_str).to_owned();
        self.by_market.iter().map(|(market, rows)| (name(market), *rows)).collect()
    }

    /// Verifies the counts, which were taken while reading, against the row counts of the finished files.
    ///
    /// # Errors
    ///
    /// Fails if a row is missing or counted twice.
    pub fn verify(&self, files: &[FileEntry], n_quarantined: u64) -> Result<()> {
        let mut found: BTreeMap<Market, u64> = BTreeMap::new();
        for file in files {
            if let Some((market, _)) = market_and_number(&file.name) {
                *found.entry(market).or_default() += file.rows;
            }
        }
        let expected = self.by_market.iter().filter(|(_, rows)| rows.written > 0);
        let expected: BTreeMap<Market, u64> =
            expected.filter_map(|(market, rows)| Some(((*market)?, rows.written))).collect();
        let rows = self.total();
        let by_market: RowCounts = self.by_market.values().copied().sum();
        let balance = self.by_market.values().chain(&self.by_input).all(RowCounts::balance);
        ensure!(
            found == expected && rows == by_market && rows.quarantined == n_quarantined && balance,
            "row counts don't add up: {} read, {} dropped as duplicates, {} written and {n_quarantined} quarantined; this is a \
             bug, and nothing was published",
            rows.read,
            rows.duplicates,
            found.values().sum::<u64>(),
        );
        Ok(())
    }
}
