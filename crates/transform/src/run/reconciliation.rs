//! What became of every line: by input, by market, and in total.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use manifest::{FileEntry, RowCounts};
use ticket_schema::names::UNKNOWN_MARKET;

use crate::decode::Market;
use crate::write::part_writer;

/// Counts of rows.
#[derive(Clone, Debug, Default)]
pub struct Reconciliation {
    by_market: BTreeMap<Option<Market>, RowCounts>,
    /// Of the inputs that have been read or begun, in their order.
    pub by_input: Vec<RowCounts>,
}

impl Reconciliation {
    /// Counts rows of a market, of which `duplicates` were left out.
    pub fn take_rows(&mut self, source: usize, market: Market, read: u64, duplicates: u64) {
        self.take(source, Some(market), RowCounts { read, written: read - duplicates, quarantined: 0, duplicates });
    }

    /// Counts a rejected line; its market may not be known.
    pub fn count_rejected(&mut self, source: usize, market: Option<Market>) {
        self.take(source, market, RowCounts { read: 1, quarantined: 1, ..RowCounts::default() });
    }

    fn take(&mut self, source: usize, market: Option<Market>, rows: RowCounts) {
        *self.by_market.entry(market).or_default() += rows;
        self.begin_input(source);
        self.by_input[source] += rows;
    }

    /// An input has been begun; it may hold nothing.
    pub fn begin_input(&mut self, source: usize) {
        if self.by_input.len() <= source {
            self.by_input.resize(source + 1, RowCounts::default());
        }
    }

    /// All rows.
    pub fn total(&self) -> RowCounts {
        self.by_input.iter().copied().sum()
    }

    /// By the name of the market.
    pub fn by_market(&self) -> BTreeMap<String, RowCounts> {
        let name = |market: &Option<Market>| market.as_ref().map_or(UNKNOWN_MARKET, Market::as_str).to_owned();
        self.by_market.iter().map(|(market, rows)| (name(market), *rows)).collect()
    }

    /// Every line that was read is in a finished file or was left out for a reason: the rows were counted while reading, the
    /// others are what the files say.
    pub fn prove(&self, files: &[FileEntry], n_quarantined: u64) -> Result<()> {
        let mut found: BTreeMap<Market, u64> = BTreeMap::new();
        for file in files {
            if let Some((market, _)) = part_writer::market_and_number(&file.name) {
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
            "rows are lost: {} read and {} left out as duplicates, but {} are in Parquet and {n_quarantined} in quarantine; \
             this is a bug, and nothing was published",
            rows.read,
            rows.duplicates,
            found.values().sum::<u64>(),
        );
        Ok(())
    }
}
