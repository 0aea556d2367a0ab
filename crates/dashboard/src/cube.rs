//! Tickets counted by day, market, severity and category: what every visual follows from, whatever is filtered.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail, ensure};
use manifest::answer::{Answer, Cell};
use ticket_schema::Timestamp;

/// The columns of the question `cube`, in order.
const COLUMNS: [&str; 8] =
    ["day", "market", "severity", "category", "tickets", "open_tickets", "breached", "resolution_seconds"];

/// The counts of all combinations that have tickets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cube {
    /// The days on which tickets were opened, counted from 1970-01-01, ascending.
    pub days: Vec<i64>,
    /// The markets, ascending, and so on.
    pub markets: Vec<String>,
    /// The severities.
    pub severities: Vec<String>,
    /// The categories.
    pub categories: Vec<String>,
    /// The combinations, ascending by [`key`](CubeCell::key).
    pub cells: Vec<CubeCell>,
}

/// The tickets of one day, market, severity and category.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CubeCell {
    /// Which combination: the places in `days`, `markets`, `severities` and `categories` as the digits of one number, the
    /// day's being the highest.
    pub key: u64,
    /// How many there are.
    pub tickets: u64,
    /// How many of them are not resolved.
    pub open: u64,
    /// How many have missed their SLA target.
    pub breached: u64,
    /// How long those that are resolved took together, in seconds.
    pub resolution_seconds: u64,
}

impl Cube {
    /// Takes in the answer to the question `cube`.
    pub fn from_answer(answer: &Answer) -> Result<Self> {
        ensure!(answer.columns == COLUMNS, "the cube has the columns {}", answer.columns.join(", "));
        let days = answer.rows.iter().map(|row| day(&row[0])).collect::<Result<Vec<_>>>()?;
        let texts = |place: usize| distinct(answer.rows.iter().map(|row| text(&row[place])).collect::<Result<_>>()?);
        let mut cube = Self {
            days: distinct(days.iter().copied().collect())?,
            markets: texts(1)?,
            severities: texts(2)?,
            categories: texts(3)?,
            cells: Vec::with_capacity(answer.rows.len()),
        };
        let (day_at, market_at) = (places(&cube.days), places(&cube.markets));
        let (severity_at, category_at) = (places(&cube.severities), places(&cube.categories));
        let (n_markets, n_severities, n_categories) =
            (cube.markets.len() as u64, cube.severities.len() as u64, cube.categories.len() as u64);
        for (row, day) in answer.rows.iter().zip(days) {
            let market = day_at[&day] * n_markets + market_at[&text(&row[1])?];
            let severity = market * n_severities + severity_at[&text(&row[2])?];
            cube.cells.push(CubeCell {
                key: severity * n_categories + category_at[&text(&row[3])?],
                tickets: count(&row[4])?,
                open: count(&row[5])?,
                breached: count(&row[6])?,
                resolution_seconds: count(&row[7])?,
            });
        }
        cube.cells.sort_by_key(|cell| cell.key);
        Ok(cube)
    }

    /// How many tickets there are.
    pub fn tickets(&self) -> u64 {
        self.cells.iter().map(|cell| cell.tickets).sum()
    }

    /// How many tickets each market has.
    pub fn tickets_by_market(&self) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        let below = (self.severities.len() * self.categories.len()) as u64;
        for cell in &self.cells {
            let market = (cell.key / below % self.markets.len() as u64) as usize;
            *counts.entry(self.markets[market].clone()).or_default() += cell.tickets;
        }
        counts
    }
}

#[allow(clippy::unnecessary_wraps, reason = "its callers chain it")]
fn distinct<T: Ord>(values: BTreeSet<T>) -> Result<Vec<T>> {
    Ok(values.into_iter().collect())
}

/// Where each value stands.
fn places<T: Ord + Clone>(values: &[T]) -> BTreeMap<T, u64> {
    values.iter().cloned().zip(0..).collect()
}

fn text(cell: &Cell) -> Result<String> {
    match cell {
        Cell::Text(text) => Ok(text.clone()),
        other => bail!("expected a text in the cube, not {other:?}"),
    }
}

fn day(cell: &Cell) -> Result<i64> {
    let text = text(cell)?;
    text.parse().map(Timestamp::day).with_context(|| format!("the cube's day `{text}`"))
}

fn count(cell: &Cell) -> Result<u64> {
    match cell {
        Cell::Integer(n) => u64::try_from(*n).with_context(|| format!("a count in the cube is {n}")),
        other => bail!("expected a count in the cube, not {other:?}"),
    }
}
