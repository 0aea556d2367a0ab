//! Expected answers of the ten KPI queries, accumulated ticket by ticket.
//!
//! This is a second implementation of the queries, independent of SQL and of any engine; `query --verify` compares the
//! two. Names, columns and row order are those of `queries/sample_queries.sql`. All state consists of counts, sums and
//! bounded lists, so partial results over any partition of the tickets merge to the same total, and memory does not
//! grow with the number of tickets.

mod aggregates;

use std::collections::BTreeMap;

use manifest::WorldParameters;
use manifest::answer::{Answer, Answers, Cell};
use ticket_schema::enums::{Category, Market, Severity};
use ticket_schema::{Ticket, Timestamp};

use aggregates::{OutcomeCounts, ResolutionTimes, add_all, entry};

const DAY_SECONDS: i64 = 86_400;
/// Number of days covered by `daily_volume`.
const RECENT_DAYS: usize = 30;
/// Number of categories in `top_categories`.
const TOP_CATEGORIES: usize = 5;
/// Number of tickets in `open_p1_tickets`.
const OPEN_P1_SHOWN: usize = 100;
/// Age buckets of open tickets, each with its last complete day.
const AGE_BUCKETS: [(&str, i64); 4] = [("0-1 days", 1), ("2-3 days", 3), ("4-7 days", 7), ("over 7 days", i64::MAX)];

/// Accumulator for the answers of all queries.
///
/// Every ticket takes the same few steps; the queries' rows are assembled at the end.
#[derive(Clone, Debug)]
pub struct ExpectedAnswers {
    as_of: Timestamp,
    /// Monday of the week in which the period starts, in days since 1970-01-01.
    first_monday: i64,
    markets: [[OutcomeCounts; Severity::ALL.len()]; Market::ALL.len()],
    categories: [u64; Category::ALL.len()],
    /// Tickets by day of creation, starting with the first Monday.
    days: Vec<OutcomeCounts>,
    resolutions: [ResolutionTimes; Severity::ALL.len()],
    open_ages: [u64; AGE_BUCKETS.len()],
    n_open_p1: u64,
    /// The oldest open P1 tickets, ordered by creation time and identifier.
    oldest_open_p1: Vec<Ticket>,
}

impl ExpectedAnswers {
    /// Creates an empty accumulator.
    pub fn new(world: &WorldParameters) -> Self {
        Self {
            as_of: world.as_of,
            first_monday: monday(world.world_start.day()),
            markets: Default::default(),
            categories: Default::default(),
            days: Vec::new(),
            resolutions: Default::default(),
            open_ages: Default::default(),
            n_open_p1: 0,
            oldest_open_p1: Vec::new(),
        }
    }

    /// Adds one ticket.
    pub fn count(&mut self, ticket: &Ticket) {
        self.markets[ticket.market as usize][ticket.severity as usize].count(ticket);
        self.categories[ticket.category as usize] += 1;
        let since_monday = ticket.created_at.seconds() - Timestamp::from_day(self.first_monday).seconds();
        entry(&mut self.days, since_monday as usize / DAY_SECONDS as usize).count(ticket);
        match ticket.resolved_at {
            Some(resolved_at) => self.resolutions[ticket.severity as usize].count(ticket.created_at, resolved_at),
            None => self.count_open(ticket),
        }
    }

    fn count_open(&mut self, ticket: &Ticket) {
        let days_open = (self.as_of.seconds() - ticket.created_at.seconds()) / DAY_SECONDS;
        self.open_ages[AGE_BUCKETS.iter().take_while(|(_, last_day)| days_open > *last_day).count()] += 1;
        if ticket.severity == Severity::P1 {
            self.n_open_p1 += 1;
            self.keep_if_among_oldest(ticket);
        }
    }

    /// Adds the counts of other tickets of the same world.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.markets.as_flattened_mut().iter_mut().zip(other.markets.as_flattened()) {
            *mine += *theirs;
        }
        add_all(&mut self.categories, &other.categories);
        add_all(&mut self.open_ages, &other.open_ages);
        for (mine, theirs) in self.resolutions.iter_mut().zip(&other.resolutions) {
            mine.merge(theirs);
        }
        for (day, theirs) in other.days.iter().enumerate() {
            *entry(&mut self.days, day) += *theirs;
        }
        self.n_open_p1 += other.n_open_p1;
        for ticket in &other.oldest_open_p1 {
            self.keep_if_among_oldest(ticket);
        }
    }

    fn keep_if_among_oldest(&mut self, ticket: &Ticket) {
        let age = |ticket: &Ticket| (ticket.created_at, ticket.ticket_id);
        let position = self.oldest_open_p1.partition_point(|kept| age(kept) < age(ticket));
        if position < OPEN_P1_SHOWN {
            self.oldest_open_p1.insert(position, *ticket);
            self.oldest_open_p1.truncate(OPEN_P1_SHOWN);
        }
    }

    /// Returns the number of tickets counted.
    pub fn n_tickets(&self) -> u64 {
        self.categories.iter().sum()
    }

    /// Returns the number of tickets in each market that has any.
    pub fn tickets_by_market(&self) -> BTreeMap<String, u64> {
        self.market_totals().into_iter().map(|(market, tickets)| (market.as_str().to_owned(), tickets)).collect()
    }

    /// Returns the answers, keyed by query name.
    pub fn answers(&self) -> Answers {
        let answers = [
            ("daily_volume", self.daily_volume()),
            ("severity_distribution", self.severity_distribution()),
            ("sla_breach_rate", self.sla_breach_rate()),
            ("resolution_time_by_severity", self.resolution_time_by_severity()),
            ("tickets_by_market", self.market_shares()),
            ("top_categories", self.top_categories()),
            ("open_tickets_by_age", self.open_tickets_by_age()),
            ("market_by_severity", self.market_by_severity()),
            ("weekly_open_vs_closed", self.weekly_open_vs_closed()),
            ("open_p1_tickets", self.open_p1_tickets()),
        ];
        answers.into_iter().map(|(name, answer)| (name.to_owned(), answer)).collect()
    }

    fn daily_volume(&self) -> Answer {
        let first_day = self.as_of.day() - RECENT_DAYS as i64;
        let days = (self.first_monday..).zip(&self.days).filter(|(_, outcomes)| outcomes.tickets() > 0);
        let recent = days.filter(|(day, _)| (first_day..self.as_of.day()).contains(day));
        table(&["day", "tickets"], recent.map(|(day, outcomes)| vec![date(day), outcomes.tickets().into()]))
    }

    fn severity_distribution(&self) -> Answer {
        let all = self.n_tickets();
        let rows = self.severities_present().map(|(severity, outcomes)| {
            vec![severity.as_str().into(), outcomes.tickets().into(), percentage(outcomes.tickets(), all)]
        });
        table(&["severity", "tickets", "percentage"], rows)
    }

    fn sla_breach_rate(&self) -> Answer {
        let row = |name: &str, outcomes: OutcomeCounts| {
            let (tickets, breached) = (outcomes.tickets(), outcomes.breached());
            vec![name.into(), tickets.into(), breached.into(), percentage(breached, tickets)]
        };
        let all = self.days.iter().copied().sum();
        let by_severity = self.severities_present().map(|(severity, outcomes)| row(severity.as_str(), outcomes));
        let rows = std::iter::once(row("All", all)).chain(by_severity);
        table(&["severity", "tickets", "breached", "breach_percentage"], rows)
    }

    fn resolution_time_by_severity(&self) -> Answer {
        let severities = Severity::ALL.iter().zip(&self.resolutions).filter(|(_, resolved)| resolved.n_tickets() > 0);
        let rows = severities.map(|(severity, resolved)| {
            vec![
                severity.as_str().into(),
                resolved.n_tickets().into(),
                hundredths(resolved.mean_hours()).into(),
                resolved.percentile_hours(0.5).into(),
                resolved.percentile_hours(0.95).into(),
            ]
        });
        table(&["severity", "resolved_tickets", "mean_hours", "median_hours", "p95_hours"], rows)
    }

    fn market_shares(&self) -> Answer {
        let all = self.n_tickets();
        let rows = self
            .market_totals()
            .into_iter()
            .map(|(market, tickets)| vec![market.as_str().into(), tickets.into(), percentage(tickets, all)]);
        table(&["market", "tickets", "percentage"], rows)
    }

    fn top_categories(&self) -> Answer {
        let totals = Category::ALL.iter().map(|category| (*category, self.categories[*category as usize]));
        let top = most_first(totals, Category::as_str).into_iter().take(TOP_CATEGORIES);
        let all = self.n_tickets();
        let rows =
            top.map(|(category, tickets)| vec![category.as_str().into(), tickets.into(), percentage(tickets, all)]);
        table(&["category", "tickets", "percentage"], rows)
    }

    fn open_tickets_by_age(&self) -> Answer {
        let buckets = AGE_BUCKETS.iter().zip(self.open_ages).filter(|(_, tickets)| *tickets > 0);
        table(&["age_bucket", "tickets"], buckets.map(|((bucket, _), tickets)| vec![(*bucket).into(), tickets.into()]))
    }

    fn market_by_severity(&self) -> Answer {
        let rows = self.market_totals().into_iter().map(|(market, tickets)| {
            let severities = self.markets[market as usize].iter().map(|outcomes| Cell::from(outcomes.tickets()));
            std::iter::once(market.as_str().into()).chain(severities).chain([tickets.into()]).collect()
        });
        table(&["market", "p1", "p2", "p3", "p4", "tickets"], rows)
    }

    fn weekly_open_vs_closed(&self) -> Answer {
        let weeks = self.days.chunks(7).map(|week| week.iter().copied().sum());
        let weeks =
            (self.first_monday..).step_by(7).zip(weeks).filter(|(_, week): &(_, OutcomeCounts)| week.tickets() > 0);
        let rows = weeks.map(|(day, week)| {
            vec![date(day), week.tickets().into(), week.unresolved().into(), week.resolved().into()]
        });
        table(&["week", "tickets", "open_tickets", "closed_tickets"], rows)
    }

    fn open_p1_tickets(&self) -> Answer {
        let columns = [
            "ticket_id",
            "created_at",
            "market",
            "dealer_id",
            "category",
            "model_series",
            "model_year",
            "status",
            "hours_since_created",
            "sla_breached",
            "open_p1_total",
        ];
        let rows = self.oldest_open_p1.iter().map(|ticket| {
            let age_hours = (self.as_of.seconds() - ticket.created_at.seconds()) / 3600;
            vec![
                ticket.ticket_id.to_string().into(),
                ticket.created_at.to_chrono().format("%Y-%m-%d %H:%M:%S").to_string().into(),
                ticket.market.as_str().into(),
                ticket.dealer_id.to_string().into(),
                ticket.category.as_str().into(),
                ticket.model_series.as_str().into(),
                Cell::Integer(i64::from(ticket.model_year)),
                ticket.status.as_str().into(),
                Cell::Integer(age_hours),
                Cell::Boolean(ticket.sla_breached),
                self.n_open_p1.into(),
            ]
        });
        table(&columns, rows)
    }

    fn severities_present(&self) -> impl Iterator<Item = (Severity, OutcomeCounts)> {
        let total = |severity: &Severity| (*severity, self.markets.iter().map(|by| by[*severity as usize]).sum());
        Severity::ALL.iter().map(total).filter(|(_, outcomes): &(_, OutcomeCounts)| outcomes.tickets() > 0)
    }

    /// Returns the markets that have tickets, by descending count, then by name.
    fn market_totals(&self) -> Vec<(Market, u64)> {
        let total = |market: &Market| (*market, self.markets[*market as usize].iter().map(|by| by.tickets()).sum());
        most_first(Market::ALL.iter().map(total), Market::as_str)
    }
}

/// Formats a day counted from 1970-01-01 as `2026-11-22`.
fn date(day: i64) -> Cell {
    Timestamp::from_day(day).to_chrono().format("%Y-%m-%d").to_string().into()
}

/// Returns the Monday of a day's week; both are counted from 1970-01-01, a Thursday.
const fn monday(day: i64) -> i64 {
    day - (day + 3).rem_euclid(7)
}

fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

fn percentage(part: u64, whole: u64) -> Cell {
    hundredths(part as f64 * 100.0 / whole as f64).into()
}

/// Returns the values with a count above 0, by descending count, then by name.
fn most_first<T: Copy>(counts: impl Iterator<Item = (T, u64)>, name: fn(T) -> &'static str) -> Vec<(T, u64)> {
    let mut counts: Vec<_> = counts.filter(|(_, n)| *n > 0).collect();
    counts.sort_by_key(|(value, n)| (std::cmp::Reverse(*n), name(*value)));
    counts
}

fn table(columns: &[&str], rows: impl Iterator<Item = Vec<Cell>>) -> Answer {
    Answer { rows: rows.collect(), ..Answer::with_columns(columns) }
}
