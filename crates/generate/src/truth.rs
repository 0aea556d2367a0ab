//! Counts, ticket by ticket, the answers that the ten KPI queries must give over exactly these tickets.
//!
//! This is the queries' meaning written a second time, in another language and without an engine: `query --verify` holds
//! the two against each other. Names, columns and order of the rows are those of `queries/sample_queries.sql`.
//! Everything here is a count, a sum or a bounded list, so partial truths of any split of the tickets add up to the same
//! whole, and memory doesn't grow with the number of tickets.

use std::collections::BTreeMap;

use ticket_schema::answer::{Answer, Answers, Cell};
use ticket_schema::manifest::WorldParameters;
use ticket_schema::vocabulary::{Category, Market, Severity};
use ticket_schema::{Ticket, Timestamp};

const DAY_SECONDS: i64 = 86_400;
/// How many days `daily_volume` looks back.
const RECENT_DAYS: usize = 30;
/// How many categories `top_categories` shows.
const TOP_CATEGORIES: usize = 5;
/// How many tickets `open_p1_tickets` shows.
const OPEN_P1_SHOWN: usize = 100;
/// The age buckets of open tickets, each with the last complete day that belongs to it.
const AGE_BUCKETS: [(&str, i64); 4] = [("0-1 days", 1), ("2-3 days", 3), ("4-7 days", 7), ("over 7 days", i64::MAX)];

/// What has been counted so far.
#[derive(Clone, Debug)]
pub struct Truth {
    as_of: Timestamp,
    /// The Monday of the week in which the period starts, as a day counted from 1970-01-01.
    first_monday: i64,
    n_tickets: u64,
    /// Tickets of each of the last complete days, oldest first.
    recent_days: [u64; RECENT_DAYS],
    severities: [SeverityCounts; 4],
    categories: [u64; Category::ALL.len()],
    markets: [[u64; 4]; Market::ALL.len()],
    open_ages: [u64; AGE_BUCKETS.len()],
    weeks: Vec<WeekCounts>,
    n_open_p1: u64,
    /// The oldest open P1 tickets, in order of creation and identifier.
    oldest_open_p1: Vec<Ticket>,
}

#[derive(Clone, Debug, Default)]
struct SeverityCounts {
    tickets: u64,
    breached: u64,
    resolved: u64,
    resolution_seconds: u64,
    /// Resolved tickets by resolution time, rounded to hundredths of an hour as the query shows it.
    by_hundredth_hour: Vec<u64>,
}

#[derive(Clone, Copy, Debug, Default)]
struct WeekCounts {
    unresolved: u64,
    resolved: u64,
}

impl Truth {
    /// Nothing counted yet.
    pub fn new(world: &WorldParameters) -> Self {
        Self {
            as_of: world.as_of,
            first_monday: monday(world.world_start.day()),
            n_tickets: 0,
            recent_days: [0; RECENT_DAYS],
            severities: Default::default(),
            categories: Default::default(),
            markets: Default::default(),
            open_ages: Default::default(),
            weeks: Vec::new(),
            n_open_p1: 0,
            oldest_open_p1: Vec::new(),
        }
    }

    /// Takes one ticket in.
    pub fn count(&mut self, ticket: &Ticket) {
        self.n_tickets += 1;
        let created_day = ticket.created_at.day();

        let days_before_today = self.as_of.day() - created_day;
        if (1..=RECENT_DAYS as i64).contains(&days_before_today) {
            self.recent_days[RECENT_DAYS - days_before_today as usize] += 1;
        }

        self.severities[ticket.severity as usize].count(ticket);
        self.categories[ticket.category as usize] += 1;
        self.markets[ticket.market as usize][ticket.severity as usize] += 1;

        let week = ((created_day - self.first_monday) / 7) as usize;
        if week >= self.weeks.len() {
            self.weeks.resize(week + 1, WeekCounts::default());
        }
        if ticket.resolved_at.is_some() {
            self.weeks[week].resolved += 1;
            return;
        }
        self.weeks[week].unresolved += 1;
        let days_open = (self.as_of.seconds() - ticket.created_at.seconds()) / DAY_SECONDS;
        self.open_ages[AGE_BUCKETS.iter().take_while(|(_, last_day)| days_open > *last_day).count()] += 1;
        if ticket.severity == Severity::P1 {
            self.n_open_p1 += 1;
            self.keep_if_among_oldest(ticket);
        }
    }

    /// Takes in what was counted elsewhere, over other tickets of the same world.
    pub fn merge(&mut self, other: &Self) {
        self.n_tickets += other.n_tickets;
        add_all(&mut self.recent_days, &other.recent_days);
        add_all(&mut self.categories, &other.categories);
        add_all(&mut self.open_ages, &other.open_ages);
        for (mine, theirs) in self.severities.iter_mut().zip(&other.severities) {
            mine.merge(theirs);
        }
        for (mine, theirs) in self.markets.iter_mut().zip(&other.markets) {
            add_all(mine, theirs);
        }
        self.weeks.resize(self.weeks.len().max(other.weeks.len()), WeekCounts::default());
        for (mine, theirs) in self.weeks.iter_mut().zip(&other.weeks) {
            mine.unresolved += theirs.unresolved;
            mine.resolved += theirs.resolved;
        }
        self.n_open_p1 += other.n_open_p1;
        for ticket in &other.oldest_open_p1 {
            self.keep_if_among_oldest(ticket);
        }
    }

    fn keep_if_among_oldest(&mut self, ticket: &Ticket) {
        let age = |ticket: &Ticket| (ticket.created_at, ticket.ticket_id);
        let place = self.oldest_open_p1.partition_point(|kept| age(kept) < age(ticket));
        if place < OPEN_P1_SHOWN {
            self.oldest_open_p1.insert(place, *ticket);
            self.oldest_open_p1.truncate(OPEN_P1_SHOWN);
        }
    }

    /// How many tickets have been counted.
    pub const fn n_tickets(&self) -> u64 {
        self.n_tickets
    }

    /// Tickets in each market that has any.
    pub fn tickets_by_market(&self) -> BTreeMap<String, u64> {
        self.market_totals().into_iter().map(|(market, tickets)| (market.as_str().to_owned(), tickets)).collect()
    }

    /// The answers, by the name of the query.
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
        let days = (first_day..).zip(self.recent_days).filter(|(_, tickets)| *tickets > 0);
        table(&["day", "tickets"], days.map(|(day, tickets)| vec![date(day), tickets.into()]))
    }

    fn severity_distribution(&self) -> Answer {
        let rows = self.severities_present().map(|(severity, counts)| {
            vec![severity.as_str().into(), counts.tickets.into(), percentage(counts.tickets, self.n_tickets)]
        });
        table(&["severity", "tickets", "percentage"], rows)
    }

    fn sla_breach_rate(&self) -> Answer {
        let breached = self.severities.iter().map(|counts| counts.breached).sum();
        let row = |name: &str, tickets: u64, breached: u64| {
            vec![name.into(), tickets.into(), breached.into(), percentage(breached, tickets)]
        };
        let by_severity =
            self.severities_present().map(|(severity, counts)| row(severity.as_str(), counts.tickets, counts.breached));
        let rows = std::iter::once(row("All", self.n_tickets, breached)).chain(by_severity);
        table(&["severity", "tickets", "breached", "breach_percentage"], rows)
    }

    fn resolution_time_by_severity(&self) -> Answer {
        let rows = self.severities_present().filter(|(_, counts)| counts.resolved > 0).map(|(severity, counts)| {
            let mean_hours = counts.resolution_seconds as f64 / counts.resolved as f64 / 3600.0;
            vec![
                severity.as_str().into(),
                counts.resolved.into(),
                hundredths(mean_hours).into(),
                counts.percentile_hours(0.5).into(),
                counts.percentile_hours(0.95).into(),
            ]
        });
        table(&["severity", "resolved_tickets", "mean_hours", "median_hours", "p95_hours"], rows)
    }

    fn market_shares(&self) -> Answer {
        let rows = self
            .market_totals()
            .into_iter()
            .map(|(market, tickets)| vec![market.as_str().into(), tickets.into(), percentage(tickets, self.n_tickets)]);
        table(&["market", "tickets", "percentage"], rows)
    }

    fn top_categories(&self) -> Answer {
        let totals = Category::ALL.iter().map(|category| (*category, self.categories[*category as usize]));
        let top = most_first(totals, Category::as_str).into_iter().take(TOP_CATEGORIES);
        let rows = top.map(|(category, tickets)| {
            vec![category.as_str().into(), tickets.into(), percentage(tickets, self.n_tickets)]
        });
        table(&["category", "tickets", "percentage"], rows)
    }

    fn open_tickets_by_age(&self) -> Answer {
        let buckets = AGE_BUCKETS.iter().zip(self.open_ages).filter(|(_, tickets)| *tickets > 0);
        table(&["age_bucket", "tickets"], buckets.map(|((bucket, _), tickets)| vec![(*bucket).into(), tickets.into()]))
    }

    fn market_by_severity(&self) -> Answer {
        let rows = self.market_totals().into_iter().map(|(market, tickets)| {
            let severities = self.markets[market as usize].iter().map(|n| Cell::from(*n));
            std::iter::once(market.as_str().into()).chain(severities).chain([tickets.into()]).collect()
        });
        table(&["market", "p1", "p2", "p3", "p4", "tickets"], rows)
    }

    fn weekly_open_vs_closed(&self) -> Answer {
        let weeks =
            (self.first_monday..).step_by(7).zip(&self.weeks).filter(|(_, week)| week.unresolved + week.resolved > 0);
        let rows = weeks.map(|(day, week)| {
            vec![date(day), (week.unresolved + week.resolved).into(), week.unresolved.into(), week.resolved.into()]
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

    fn severities_present(&self) -> impl Iterator<Item = (Severity, &SeverityCounts)> {
        Severity::ALL.iter().copied().zip(&self.severities).filter(|(_, counts)| counts.tickets > 0)
    }

    /// Markets that have tickets, those with most first, then by name.
    fn market_totals(&self) -> Vec<(Market, u64)> {
        let total = |market: &Market| (*market, self.markets[*market as usize].iter().sum());
        most_first(Market::ALL.iter().map(total), Market::as_str)
    }
}

impl SeverityCounts {
    fn count(&mut self, ticket: &Ticket) {
        self.tickets += 1;
        self.breached += u64::from(ticket.sla_breached);
        if let Some(resolved_at) = ticket.resolved_at {
            let seconds = resolved_at.seconds() - ticket.created_at.seconds();
            self.resolved += 1;
            self.resolution_seconds += seconds.unsigned_abs();
            let place = hundredths_of_an_hour(seconds);
            if place >= self.by_hundredth_hour.len() {
                self.by_hundredth_hour.resize(place + 1, 0);
            }
            self.by_hundredth_hour[place] += 1;
        }
    }

    fn merge(&mut self, other: &Self) {
        self.tickets += other.tickets;
        self.breached += other.breached;
        self.resolved += other.resolved;
        self.resolution_seconds += other.resolution_seconds;
        let n = self.by_hundredth_hour.len().max(other.by_hundredth_hour.len());
        self.by_hundredth_hour.resize(n, 0);
        add_all(&mut self.by_hundredth_hour, &other.by_hundredth_hour);
    }

    /// The value of rank `floor(q * n)`, counted from 0, as Trino's `approx_percentile` picks it. Rounding keeps the
    /// order, so the rounded value of that rank is the value of that rank, rounded.
    fn percentile_hours(&self, q: f64) -> f64 {
        let rank = ((q * self.resolved as f64) as u64).min(self.resolved.saturating_sub(1));
        let mut below = 0;
        let place = self.by_hundredth_hour.iter().take_while(|n| {
            below += **n;
            below <= rank
        });
        place.count() as f64 / 100.0
    }
}

/// `2026-11-22`, from a day counted from 1970-01-01.
fn date(day: i64) -> Cell {
    Timestamp::from_day(day).to_chrono().format("%Y-%m-%d").to_string().into()
}

/// The Monday of the week of a day; both count from 1970-01-01, a Thursday.
const fn monday(day: i64) -> i64 {
    day - (day + 3).rem_euclid(7)
}

/// A duration as the query shows it: `ROUND(hours, 2)`, times 100.
fn hundredths_of_an_hour(seconds: i64) -> usize {
    (seconds as f64 / 3600.0 * 100.0).round() as usize
}

fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

fn percentage(part: u64, whole: u64) -> Cell {
    hundredths(part as f64 * 100.0 / whole as f64).into()
}

/// Those that occur, the most frequent first, then by name.
fn most_first<T: Copy>(counts: impl Iterator<Item = (T, u64)>, name: fn(T) -> &'static str) -> Vec<(T, u64)> {
    let mut counts: Vec<_> = counts.filter(|(_, n)| *n > 0).collect();
    counts.sort_by_key(|(value, n)| (std::cmp::Reverse(*n), name(*value)));
    counts
}

fn add_all(mine: &mut [u64], theirs: &[u64]) {
    for (mine, theirs) in mine.iter_mut().zip(theirs) {
        *mine += theirs;
    }
}

fn table(columns: &[&str], rows: impl Iterator<Item = Vec<Cell>>) -> Answer {
    Answer { rows: rows.collect(), ..Answer::with_columns(columns) }
}
