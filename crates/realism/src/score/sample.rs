//! A set of tickets as counts: all that comparing it with another one needs.

use std::collections::BTreeMap;

use crate::rows::Row;
use crate::scores::{Table, frequency_similarity, ks_similarity};
use crate::traits::{COLUMNS, PAIRS, Period, Shape, Traits};

/// The counts of a set of tickets.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Of each of [`COLUMNS`].
    columns: Vec<Counts>,
    /// Of each of [`PAIRS`].
    pairs: Vec<Table>,
}

/// What is known of one column.
#[derive(Clone, Debug)]
pub enum Counts {
    /// How often each category occurs.
    Shares(Table),
    /// Every number, sorted.
    Numbers(Vec<u32>),
}

impl Sample {
    /// Counts tickets.
    pub fn new(rows: &[Row], period: Period) -> Self {
        let ranks = dealer_ranks(rows);
        let mut sample = Self {
            columns: COLUMNS.iter().map(|column| Counts::none_of(column.shape)).collect(),
            pairs: vec![Table::default(); PAIRS.len()],
        };
        for row in rows {
            let rank = ranks.get(&(row.market, row.dealer)).copied().unwrap_or(0);
            sample.count(&Traits::new(*row, rank, period));
        }
        for (column, counts) in COLUMNS.iter().zip(&mut sample.columns) {
            counts.finish(column.shape, rows);
        }
        sample
    }

    fn count(&mut self, traits: &Traits) {
        for (column, counts) in COLUMNS.iter().zip(&mut self.columns) {
            match (column.shape, counts) {
                (Shape::Shares(category), Counts::Shares(table)) => table.add(0, category(traits)),
                (Shape::Numbers(number), Counts::Numbers(numbers)) => numbers.extend(number(traits)),
                _ => {}
            }
        }
        for (pair, table) in PAIRS.iter().zip(&mut self.pairs) {
            let (row, column) = (pair.cell)(traits);
            table.add(row, column);
        }
    }

    /// Several sets as one. Cars and dealers of different sets stay different ones.
    #[allow(clippy::stable_sort_primitive, reason = "it merges the sorted runs of the samples instead of sorting anew")]
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
            if let Counts::Numbers(numbers) = counts {
                numbers.sort();
            }
        }
        pool
    }

    /// What is known of column `place` of [`COLUMNS`].
    pub fn column(&self, place: usize) -> &Counts {
        &self.columns[place]
    }

    /// The joint counts of pair `place` of [`PAIRS`].
    pub fn pair(&self, place: usize) -> &Table {
        &self.pairs[place]
    }

    /// The joint counts of a pair by its names.
    pub fn pair_named(&self, names: (&str, &str)) -> Option<&Table> {
        let place = PAIRS.iter().position(|pair| pair.names == names)?;
        Some(&self.pairs[place])
    }

    /// What is known of a column by its name.
    pub fn column_named(&self, name: &str) -> Option<&Counts> {
        let place = COLUMNS.iter().position(|column| column.name == name)?;
        Some(&self.columns[place])
    }
}

impl Counts {
    fn none_of(shape: Shape) -> Self {
        match shape {
            Shape::Shares(_) => Self::Shares(Table::default()),
            Shape::Numbers(_) | Shape::TicketsPer(_) => Self::Numbers(Vec::new()),
        }
    }

    fn finish(&mut self, shape: Shape, rows: &[Row]) {
        if let Self::Numbers(numbers) = self {
            if let Shape::TicketsPer(key) = shape {
                *numbers = tickets_per(rows, key);
            }
            numbers.sort_unstable();
        }
    }

    fn merge(&mut self, other: &Self) {
        match (self, other) {
            (Self::Shares(mine), Self::Shares(theirs)) => mine.merge(theirs),
            (Self::Numbers(mine), Self::Numbers(theirs)) => mine.extend(theirs),
            _ => {}
        }
    }

    /// How alike the two are, from 0 to 1.
    pub fn similarity(&self, other: &Self) -> f64 {
        match (self, other) {
            (Self::Shares(a), Self::Shares(b)) => frequency_similarity(a, b),
            (Self::Numbers(a), Self::Numbers(b)) => ks_similarity(a, b),
            _ => 0.0,
        }
    }

    /// How much was counted.
    pub fn n(&self) -> u64 {
        match self {
            Self::Shares(table) => table.total(),
            Self::Numbers(numbers) => numbers.len() as u64,
        }
    }

    /// How often each category occurs; of numbers, how often each one below `n` does.
    pub fn histogram(&self, n: usize) -> Vec<u64> {
        match self {
            Self::Shares(table) => (0..n).map(|category| table.count(0, category)).collect(),
            Self::Numbers(numbers) => {
                let below = |limit: usize| numbers.partition_point(|number| (*number as usize) < limit) as u64;
                (0..n).map(|number| below(number + 1) - below(number)).collect()
            }
        }
    }
}

/// How many tickets each key has, in no order.
fn tickets_per(rows: &[Row], key: fn(&Row) -> (u64, u32)) -> Vec<u32> {
    let mut keys: Vec<_> = rows.iter().map(key).collect();
    keys.sort_unstable();
    keys.chunk_by(|a, b| a == b).map(|tickets| u32::try_from(tickets.len()).unwrap_or(u32::MAX)).collect()
}

/// The rank of each dealer among those of its market, by tickets; 0 has most.
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
