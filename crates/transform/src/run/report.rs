//! The report of a run for the terminal.

use std::collections::BTreeMap;

use cli_support::{Outcome, human};
use manifest::{CuratedManifest, InputEntry, RowCounts};

use crate::run::pipeline::PipelineOutput;

/// The maximum number of lines of each table.
const MAX_SHOWN: usize = 20;

/// The results of a run.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The row counts of this run.
    pub rows: RowCounts,
    /// The row counts by market.
    pub by_market: BTreeMap<String, RowCounts>,
    /// The row counts of the inputs that are shown; those with quarantined lines or duplicates come first.
    pub inputs: Vec<InputEntry>,
    /// The number of inputs.
    pub n_inputs: usize,
    /// The number of markets in the data set.
    pub n_markets: u64,
    /// The total size of the data set's Parquet files in bytes.
    pub n_bytes: u64,
    /// The number of lines in the data set's quarantine.
    pub n_in_quarantine: u64,
}

impl Report {
    /// Creates the report of a pipeline's output, without the figures of the data set.
    pub fn new(output: &PipelineOutput) -> Self {
        Self {
            rows: output.reconciliation.total(),
            by_market: output.reconciliation.by_market(),
            inputs: first(output.inputs.iter(), |input| input.rows).cloned().collect(),
            n_inputs: output.inputs.len(),
            ..Self::default()
        }
    }

    /// Adds the figures of the published data set.
    #[must_use]
    pub fn with_dataset(self, manifest: &CuratedManifest) -> Self {
        Self {
            n_markets: manifest.markets.len() as u64,
            n_bytes: manifest.files.iter().map(|file| file.bytes).sum(),
            n_in_quarantine: manifest.rows.quarantined,
            ..self
        }
    }

    /// Returns a summary in one line, such as `5,000 of 5,000 lines in 10 markets, 450.3 kB`.
    pub fn summary(&self) -> String {
        format!(
            "{} of {} in {}, {}",
            human::count(self.rows.written),
            human::counted(self.rows.read, "line"),
            human::counted(self.n_markets, "market"),
            human::bytes(self.n_bytes)
        )
    }

    /// Returns tables of the row counts by market and, if there are several, by input.
    pub fn reconciliation(&self) -> String {
        let markets = first(self.by_market.iter(), |(_, rows)| **rows).map(|(market, rows)| (market.as_str(), *rows));
        let mut text = table("market", markets, self.by_market.len());
        if self.n_inputs > 1 {
            let inputs = self.inputs.iter().map(|input| (input.name.as_str(), input.rows));
            text += &table("input", inputs, self.n_inputs);
        }
        text + &line("total", self.rows)
    }

    /// The outcome for the exit code: quarantined lines have a code of their own.
    pub const fn outcome(&self) -> Outcome {
        if self.rows.quarantined > 0 { Outcome::Quarantined } else { Outcome::Done }
    }
}

/// Returns the first entries, up to the table's maximum; if there are more, those with unwritten lines come first.
fn first<T>(entries: impl Iterator<Item = T> + Clone, rows: impl Fn(&T) -> RowCounts) -> impl Iterator<Item = T> {
    let is_incomplete = |entry: &T| rows(entry).read != rows(entry).written;
    let is_long = entries.clone().nth(MAX_SHOWN).is_some();
    let mut listed: Vec<T> = entries.clone().filter(|entry| !is_long || is_incomplete(entry)).take(MAX_SHOWN).collect();
    let n_more = MAX_SHOWN - listed.len();
    listed.extend(entries.filter(|entry| is_long && !is_incomplete(entry)).take(n_more));
    listed.into_iter()
}

fn table<'a>(heading: &str, lines: impl Iterator<Item = (&'a str, RowCounts)>, n_lines: usize) -> String {
    let mut text =
        format!("  {heading:<36} {:>13} = {:>13} + {:>11} + {:>10}\n", "read", "written", "quarantined", "duplicates");
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
