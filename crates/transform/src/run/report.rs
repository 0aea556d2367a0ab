//! What a run tells whoever started it.

use std::collections::BTreeMap;

use cli_support::{Outcome, human};
use manifest::{CuratedManifest, InputEntry, RowCounts};

use crate::run::conversion::Converted;

/// How many lines of each table are shown.
const MAX_SHOWN: usize = 20;

/// What a run has done.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What became of the rows that this run read.
    pub rows: RowCounts,
    /// The same by market.
    pub by_market: BTreeMap<String, RowCounts>,
    /// The same by input, as far as it is shown: first those that lost a line. There may be millions.
    pub inputs: Vec<InputEntry>,
    /// How many inputs there are.
    pub n_inputs: usize,
    /// How many markets the data set has now.
    pub n_markets: u64,
    /// Bytes of Parquet that the data set has now.
    pub n_bytes: u64,
    /// How many lines are in its quarantine now.
    pub n_in_quarantine: u64,
}

impl Report {
    /// Of what was converted.
    pub fn new(converted: &Converted) -> Self {
        Self {
            rows: converted.reconciliation.total(),
            by_market: converted.reconciliation.by_market(),
            inputs: first(converted.inputs.iter(), |input| input.rows).cloned().collect(),
            n_inputs: converted.inputs.len(),
            ..Self::default()
        }
    }

    /// And of the data set that came of it.
    #[must_use]
    pub fn of(self, manifest: &CuratedManifest) -> Self {
        Self {
            n_markets: manifest.markets.len() as u64,
            n_bytes: manifest.files.iter().map(|file| file.bytes).sum(),
            n_in_quarantine: manifest.rows.quarantined,
            ..self
        }
    }

    /// `5,000 of 5,000 lines in 10 markets, 450.3 kB`.
    pub fn summary(&self) -> String {
        format!(
            "{} of {} in {}, {}",
            human::count(self.rows.written),
            human::counted(self.rows.read, "line"),
            human::counted(self.n_markets, "market"),
            human::bytes(self.n_bytes)
        )
    }

    /// Where every line has gone, by market, and by input where that tells more.
    pub fn reconciliation(&self) -> String {
        let markets = first(self.by_market.iter(), |(_, rows)| **rows).map(|(market, rows)| (market.as_str(), *rows));
        let mut text = table("market", markets, self.by_market.len());
        if self.n_inputs > 1 {
            let inputs = self.inputs.iter().map(|input| (input.name.as_str(), input.rows));
            text += &table("input", inputs, self.n_inputs);
        }
        text + &line("total", self.rows)
    }

    /// Whether everything went in.
    pub const fn outcome(&self) -> Outcome {
        if self.rows.quarantined > 0 { Outcome::Quarantined } else { Outcome::Done }
    }
}

/// The first entries that a table has room for; if there are more, those that lost a line before all others.
fn first<T>(entries: impl Iterator<Item = T> + Clone, rows: impl Fn(&T) -> RowCounts) -> impl Iterator<Item = T> {
    let lost = |entry: &T| rows(entry).read != rows(entry).written;
    let is_long = entries.clone().nth(MAX_SHOWN).is_some();
    let mut shown: Vec<T> = entries.clone().filter(|entry| !is_long || lost(entry)).take(MAX_SHOWN).collect();
    let n_more = MAX_SHOWN - shown.len();
    shown.extend(entries.filter(|entry| is_long && !lost(entry)).take(n_more));
    shown.into_iter()
}

fn table<'a>(what: &str, lines: impl Iterator<Item = (&'a str, RowCounts)>, n_lines: usize) -> String {
    let mut text =
        format!("  {what:<36} {:>13} = {:>13} + {:>11} + {:>10}\n", "read", "written", "quarantined", "duplicates");
    lines.for_each(|(name, rows)| text += &line(name, rows));
    if n_lines > MAX_SHOWN {
        text += &format!("  … and {} more, in the manifest\n", human::count((n_lines - MAX_SHOWN) as u64));
    }
    text
}

fn line(name: &str, rows: RowCounts) -> String {
    let [read, written, quarantined, duplicates] =
        [rows.read, rows.written, rows.quarantined, rows.duplicates].map(human::count);
    format!("  {name:<36} {read:>13} = {written:>13} + {quarantined:>11} + {duplicates:>10}\n")
}
