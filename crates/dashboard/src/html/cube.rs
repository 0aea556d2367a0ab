//! Ticket counts by day, market, severity and category, from which every visual is computed under any filter.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail, ensure};
use manifest::answer::{Answer, Cell};
use ticket_schema::Timestamp;

/// The columns of the query `cube`, in order.
const COLUMNS: [&str; 8] =
    ["day", "market", "severity", "category", "tickets", "open_tickets", "breached", "resolution_seconds"];

/// The counts of all combinations with at least one ticket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cube {
    /// Days on which tickets were opened, as days since 1970-01-01, ascending.
    pub days: Vec<i64>,
    /// Markets, ascending.
    pub markets: Vec<String>,
    /// Severities, ascending.
    pub severities: Vec<String>,
    /// Categories, ascending.
    pub categories: Vec<String>,
    /// Cells, ascending by [`key`](CubeCell::key).
    pub cells: Vec<CubeCell>,
}

/// The tickets of one day, market, severity and category.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CubeCell {
    /// Row-major index of the combination: the indexes in `days`, `markets`, `severities` and `categories` as the digits of
    /// a mixed-radix number, most significant first.
    pub key: u64,
    /// Number of tickets.
    pub tickets: u64,
    /// Number of unresolved tickets.
    pub open: u64,
    /// Number of tickets that missed their SLA target.
    pub breached: u64,
    /// Total time from opening to resolution of the resolved tickets, in seconds.
    pub resolution_seconds: u64,
}

impl Cube {
    /// Builds the cube from the answer to the query `cube`.
    ///
    /// # Errors
    ///
    /// Fails if the answer has other columns, types or negative counts.
    pub fn from_answer(answer: &Answer) -> Result<Self> {
        ensure!(answer.columns == COLUMNS, "the cube has the columns {}", answer.columns.join(", "));
        let days = answer.rows.iter().map(|row| day(&row[0])).collect::<Result<Vec<_>>>()?;
        let texts = |column: usize| distinct(answer.rows.iter().map(|row| text(&row[column])).collect::<Result<_>>()?);
        let mut cube = Self {
            days: distinct(days.iter().copied().collect())?,
            markets: texts(1)?,
            severities: texts(2)?,
            categories: texts(3)?,
            cells: Vec::with_capacity(answer.rows.len()),
        };
        let (day_at, market_at) = (indexes(&cube.days), indexes(&cube.markets));
        let (severity_at, category_at) = (indexes(&cube.severities), indexes(&cube.categories));
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

    /// Returns the total number of tickets.
    pub fn tickets(&self) -> u64 {
        self.cells.iter().map(|cell| cell.tickets).sum()
    }

    /// Returns the number of tickets of each market.
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

/// Maps each value to its index.
fn indexes<T: Ord + Clone>(values: &[T]) -> BTreeMap<T, u64> {
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
