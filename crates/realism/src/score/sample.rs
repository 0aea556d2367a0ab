//! Distributions of a set of tickets: the input of all scores.

use std::collections::BTreeMap;

use crate::rows::Row;
use crate::score::features::{COLUMNS, Distribution, Features, PAIRS, Period};
use crate::score::statistics::{Table, frequency_similarity, ks_similarity};

/// Distributions of a set of tickets.
#[derive(Clone, Debug)]
pub struct Sample {
    /// One entry per element of [`COLUMNS`].
    columns: Vec<Counts>,
    /// One entry per element of [`PAIRS`].
    pairs: Vec<Table>,
}

/// Distribution of one column.
#[derive(Clone, Debug)]
pub enum Counts {
    /// Number of tickets per category.
    Shares(Table),
    /// All numbers, sorted.
    Numeric(Vec<u32>),
}

impl Sample {
    /// Computes the distributions of tickets.
    pub fn new(rows: &[Row], period: Period) -> Self {
        let ranks = dealer_ranks(rows);
        let mut sample = Self {
            columns: COLUMNS.iter().map(|column| Counts::empty(column.distribution)).collect(),
            pairs: vec![Table::default(); PAIRS.len()],
        };
        for row in rows {
            let rank = ranks.get(&(row.market, row.dealer)).copied().unwrap_or(0);
            sample.count(&Features::new(*row, rank, period));
        }
        for (column, counts) in COLUMNS.iter().zip(&mut sample.columns) {
            counts.finish(column.distribution, rows);
        }
        sample
    }

    fn count(&mut self, features: &Features) {
        for (column, counts) in COLUMNS.iter().zip(&mut self.columns) {
            match (column.distribution, counts) {
                (Distribution::Shares(category), Counts::Shares(table)) => table.add(0, category(features)),
                (Distribution::Numeric(number), Counts::Numeric(numbers)) => numbers.extend(number(features)),
                _ => {}
            }
        }
        for (pair, table) in PAIRS.iter().zip(&mut self.pairs) {
            let (row, column) = (pair.cell)(features);
            table.add(row, column);
        }
    }

    /// Merges several sets. Cars and service centres of different sets remain distinct.
    #[allow(
        clippy::stable_sort_primitive,
        reason = "it merges the sorted runs of the samples instead of sorting again"
    )]
    pub fn pooled(samples: &[Self]) -> Self {
        let mut pool = Self::new(&[], Period { start: 0, as_of: 0 });
        for sample in samples {
            for (mine, theirs) in pool.columns.iter_mut().zip(&sample.columns) {
                mine.merge(theirs);
            }
            for (mine, theirs) in pool.pairs.iter_mut().zip(&sample.pairs) {
                mine.merge(theirs);
            }
        }
        for counts in &mut pool.columns {
            if let Counts::Numeric(numbers) = counts {
                numbers.sort();
            }
        }
        pool
    }

    /// Returns the distribution of column `index` of [`COLUMNS`].
    pub fn column(&self, index: usize) -> &Counts {
        &self.columns[index]
    }

    /// Returns the joint counts of pair `index` of [`PAIRS`].
    pub fn pair(&self, index: usize) -> &Table {
        &self.pairs[index]
    }

    /// Returns the joint counts of a pair by its names.
    pub fn pair_named(&self, names: (&str, &str)) -> Option<&Table> {
        let index = PAIRS.iter().position(|pair| pair.names == names)?;
        Some(&self.pairs[index])
    }

    /// Returns the distribution of a column by its name.
    pub fn column_named(&self, name: &str) -> Option<&Counts> {
        let index = COLUMNS.iter().position(|column| column.name == name)?;
        Some(&self.columns[index])
    }
}

impl Counts {
    fn empty(distribution: Distribution) -> Self {
        match distribution {
            Distribution::Shares(_) => Self::Shares(Table::default()),
            Distribution::Numeric(_) | Distribution::TicketsPerKey(_) => Self::Numeric(Vec::new()),
        }
    }

    fn finish(&mut self, distribution: Distribution, rows: &[Row]) {
        if let Self::Numeric(numbers) = self {
            if let Distribution::TicketsPerKey(key) = distribution {
                *numbers = tickets_per(rows, key);
            }
            numbers.sort_unstable();
        }
    }

    fn merge(&mut self, other: &Self) {
        match (self, other) {
            (Self::Shares(mine), Self::Shares(theirs)) => mine.merge(theirs),
            (Self::Numeric(mine), Self::Numeric(theirs)) => mine.extend(theirs),
            _ => {}
        }
    }

    /// Returns the similarity to another distribution, from 0 to 1.
    pub fn similarity(&self, other: &Self) -> f64 {
        match (self, other) {
            (Self::Shares(a), Self::Shares(b)) => frequency_similarity(a, b),
            (Self::Numeric(a), Self::Numeric(b)) => ks_similarity(a, b),
            _ => 0.0,
        }
    }

    /// Returns the number of values.
    pub fn n(&self) -> u64 {
        match self {
            Self::Shares(table) => table.total(),
            Self::Numeric(numbers) => numbers.len() as u64,
        }
    }

    /// Returns the counts of the categories, or of the numbers, below `n`.
    pub fn histogram(&self, n: usize) -> Vec<u64> {
        match self {
            Self::Shares(table) => (0..n).map(|category| table.count(0, category)).collect(),
            Self::Numeric(numbers) => {
                let below = |limit: usize| numbers.partition_point(|number| (*number as usize) < limit) as u64;
                (0..n).map(|number| below(number + 1) - below(number)).collect()
            }
        }
    }
}

/// Returns the number of tickets of each key, in arbitrary order.
fn tickets_per(rows: &[Row], key: fn(&Row) -> (u64, u32)) -> Vec<u32> {
    let mut keys: Vec<_> = rows.iter().map(key).collect();
    keys.sort_unstable();
    keys.chunk_by(|a, b| a == b).map(|tickets| u32::try_from(tickets.len()).unwrap_or(u32::MAX)).collect()
}

/// Returns the rank of each service centre within its market by number of tickets; rank 0 has the most.
fn dealer_ranks(rows: &[Row]) -> BTreeMap<(u16, u32), usize> {
    let mut n_tickets: BTreeMap<(u16, u32), u64> = BTreeMap::new();
    for row in rows {
        *n_tickets.entry((row.market, row.dealer)).or_default() += 1;
    }
    let mut order: Vec<_> =
        n_tickets.into_iter().map(|(dealer, n)| (dealer.0, std::cmp::Reverse(n), dealer.1)).collect();
    order.sort_unstable();
    let by_market = order.chunk_by(|a, b| a.0 == b.0);
    by_market
        .flat_map(|dealers| dealers.iter().enumerate().map(|(rank, (market, _, dealer))| ((*market, *dealer), rank)))
        .collect()
}
