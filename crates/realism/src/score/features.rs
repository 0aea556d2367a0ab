//! What of a ticket is compared: each column's shape, and the pairs whose members depend on each other.

use chrono::{DateTime, Datelike, Timelike};
use generate::calendar::LocalHour;
use ticket_schema::ticket::VinLast6;

use crate::rows::Row;

/// The names of the weekdays, from 0.
pub const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// When a data set's tickets were opened and what its present is, both in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// When the first ticket may have been opened.
    pub start: i64,
    /// The present.
    pub as_of: i64,
}

/// A ticket with what is derived from it.
#[derive(Clone, Copy, Debug)]
pub struct Traits {
    row: Row,
    period: Period,
    local: LocalTime,
    opened: DateTime<chrono::Utc>,
    /// How many dealers of the market have more tickets than the ticket's own.
    dealer_rank: usize,
}

/// A column whose shape is compared.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What of it is compared.
    pub what: &'static str,
    /// How.
    pub shape: Shape,
}

/// How a column's shape is taken.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// As the share of each category.
    Shares(fn(&Traits) -> usize),
    /// As the distribution of a number; tickets without one are left out.
    Numbers(fn(&Traits) -> Option<u32>),
    /// As the distribution of how many tickets there are for each of something.
    TicketsPer(fn(&Row) -> (u64, u32)),
}

/// Two columns whose joint frequencies are compared.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    /// Both names.
    pub names: (&'static str, &'static str),
    /// The category of each.
    pub cell: fn(&Traits) -> (usize, usize),
}

const fn column(name: &'static str, what: &'static str, shape: Shape) -> Column {
    Column { name, what, shape }
}

/// Every column, in the order of the report.
pub const COLUMNS: &[Column] = &[
    column("severity", "shares", Shape::Shares(|t| t.row.severity as usize)),
    column("status", "shares", Shape::Shares(|t| t.row.status as usize)),
    column("category", "shares", Shape::Shares(|t| t.row.category as usize)),
    column("channel", "shares", Shape::Shares(|t| t.row.channel as usize)),
    column("market", "shares", Shape::Shares(Traits::market)),
    column("dealer_id", "shares by rank within the market", Shape::Shares(|t| t.dealer_rank)),
    column("model_series", "shares", Shape::Shares(Traits::series)),
    column("model_year", "shares", Shape::Shares(Traits::model_year)),
    column("sla_breached", "shares", Shape::Shares(|t| usize::from(t.row.sla_breached))),
    column("created_at", "place in the period", Shape::Numbers(|t| Some(t.place_in_period()))),
    column("hour", "local hour of created_at", Shape::Numbers(|t| Some(t.local.hour))),
    column("weekday", "shares of local weekdays of created_at", Shape::Shares(|t| t.local.weekday as usize)),
    column("resolution", "seconds from created_at to resolved_at", Shape::Numbers(Traits::resolution_seconds)),
    column("updated_at", "seconds since created_at", Shape::Numbers(|t| Some(t.seconds_until(t.row.updated_at)))),
    column("vin_last6", "its first character", Shape::Numbers(|t| Some(t.row.vin / VIN_NUMBERS_A_LETTER))),
    column("car", "tickets of a car", Shape::TicketsPer(Row::car)),
    column("customer", "tickets of a customer", Shape::TicketsPer(|row| (row.customer, 0))),
];

/// Every pair, in the order of the report.
pub const PAIRS: &[Pair] = &[
    Pair { names: ("severity", "status"), cell: |t| (t.row.severity as usize, t.row.status as usize) },
    Pair { names: ("severity", "sla_breached"), cell: |t| (t.row.severity as usize, usize::from(t.row.sla_breached)) },
    Pair { names: ("category", "severity"), cell: |t| (t.row.category as usize, t.row.severity as usize) },
    Pair { names: ("category", "model_series"), cell: |t| (t.row.category as usize, t.series()) },
    Pair { names: ("market", "model_series"), cell: |t| (t.market(), t.series()) },
    Pair { names: ("model_series", "model_year"), cell: |t| (t.series(), t.model_year()) },
    Pair { names: ("channel", "hour"), cell: |t| (t.row.channel as usize, t.local.hour as usize) },
    Pair { names: ("market", "hour_utc"), cell: |t| (t.market(), t.opened.hour() as usize) },
    Pair { names: ("market", "weekday"), cell: |t| (t.market(), t.local.weekday as usize) },
    Pair { names: ("category", "month"), cell: |t| (t.row.category as usize, t.month()) },
    Pair { names: ("severity", "resolution"), cell: |t| (t.row.severity as usize, t.resolution_bin()) },
];

/// Where the bins of a resolution begin, in hours; an unresolved ticket has the bin before the first.
pub const RESOLUTION_BINS: [u32; 12] = [0, 1, 2, 4, 8, 12, 24, 48, 72, 120, 168, 336];

const VIN_NUMBERS_A_LETTER: u32 = VinLast6::COUNT / VinLast6::FIRST.len() as u32;

/// Model years are counted from here, so that any that a car can have fits.
const FIRST_YEAR: i32 = 1900;
const LAST_YEAR: i32 = 2155;

impl Traits {
    /// The traits of a ticket whose dealer has this rank.
    pub fn new(row: Row, dealer_rank: usize, period: Period) -> Self {
        let opened = DateTime::from_timestamp(row.created_at, 0).unwrap_or_default();
        Self { row, period, local: local_time(&row), opened, dealer_rank }
    }

    fn market(&self) -> usize {
        usize::from(self.row.market)
    }

    fn series(&self) -> usize {
        usize::from(self.row.series)
    }

    fn model_year(&self) -> usize {
        (self.row.model_year.clamp(FIRST_YEAR, LAST_YEAR) - FIRST_YEAR) as usize
    }

    /// Months of the calendar, counted through the years.
    fn month(&self) -> usize {
        (self.opened.year().max(0) as usize) * 12 + self.opened.month0() as usize
    }

    /// The share of the period that had passed, as a share of the 32-bit numbers.
    fn place_in_period(&self) -> u32 {
        let length = self.period.as_of.saturating_sub(self.period.start).max(1);
        let passed = self.row.created_at.saturating_sub(self.period.start).clamp(0, length);
        (i128::from(passed) * i128::from(u32::MAX) / i128::from(length)) as u32
    }

    fn seconds_until(&self, moment: i64) -> u32 {
        moment.saturating_sub(self.row.created_at).clamp(0, i64::from(u32::MAX)) as u32
    }

    fn resolution_seconds(&self) -> Option<u32> {
        self.row.resolved_at.map(|resolved_at| self.seconds_until(resolved_at))
    }

    fn resolution_bin(&self) -> usize {
        self.resolution_seconds().map_or(0, |seconds| {
            RESOLUTION_BINS.partition_point(|hours| u64::from(*hours) * 3600 <= u64::from(seconds))
        })
    }
}

/// What the clock and the calendar of a ticket's market showed when it was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalTime {
    /// 0 to 23.
    pub hour: u32,
    /// Days since Monday, 0 to 6.
    pub weekday: u32,
}

/// The local time at which a ticket was opened; UTC if the contract doesn't know its market.
pub fn local_time(row: &Row) -> LocalTime {
    let moment = DateTime::from_timestamp(row.created_at, 0).unwrap_or_default();
    let (date, hour) = row.known_market().map_or((moment.date_naive(), moment.hour()), |market| {
        let local = LocalHour::at(market, moment);
        (local.date, u32::from(local.hour_of_week) % 24)
    });
    LocalTime { hour, weekday: date.weekday().num_days_from_monday() }
}

#[cfg(test)]
mod tests {
    use super::{LocalTime, Period, Traits, local_time};
    use crate::rows::{Names, Place, Row};
    use ticket_schema::enums::{Category, Channel, Market, Severity, Status};

    fn row() -> Row {
        Row {
            ticket_id: uuid::Uuid::nil(),
            created_at: 1_000_000,
            updated_at: 1_007_200,
            resolved_at: Some(1_003_600),
            customer: 1,
            vin: 3_299_999,
            dealer: Names::default().dealers.number("DLR-DE-001"),
            model_year: 2020,
            place: Place::default(),
            market: Market::De as u16,
            dealer_market: Some(Market::De),
            series: 3,
            severity: Severity::P2,
            status: Status::Resolved,
            category: Category::Brake,
            channel: Channel::Email,
            sla_breached: false,
        }
    }

    #[test]
    fn a_resolution_of_an_hour_lies_in_the_bin_that_begins_there() {
        let period = Period { start: 999_000, as_of: 1_001_000 };
        let bin = |resolved_at| Traits::new(Row { resolved_at, ..row() }, 0, period).resolution_bin();
        assert_eq!([None, Some(1_000_000), Some(1_003_599), Some(1_003_600)].map(bin), [0, 1, 1, 2]);
        assert_eq!(bin(Some(i64::MAX)), 12);
    }

    #[test]
    fn clocks_differ_by_market_and_season() {
        let at = |text: &str, market: Option<Market>| {
            let created_at = chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp();
            local_time(&Row { created_at, market: market.map_or(99, |market| market as u16), ..row() })
        };
        // A Monday in summer, a Thursday in winter.
        assert_eq!(at("2026-07-06T23:30:00Z", Some(Market::De)), LocalTime { hour: 1, weekday: 1 });
        assert_eq!(at("2026-01-01T23:30:00Z", Some(Market::De)), LocalTime { hour: 0, weekday: 4 });
        assert_eq!(at("2026-07-06T02:00:00Z", Some(Market::Us)), LocalTime { hour: 22, weekday: 6 });
        assert_eq!(at("2026-01-01T13:30:00Z", Some(Market::Au)), LocalTime { hour: 0, weekday: 4 });
        // Sunday began the week in the Emirates, and is a Sunday all the same.
        assert_eq!(at("2021-07-04T08:30:00Z", Some(Market::Ae)), LocalTime { hour: 12, weekday: 6 });
        assert_eq!(at("2026-07-06T23:30:00Z", None), LocalTime { hour: 23, weekday: 0 });
    }

    #[test]
    fn places_in_the_period_fill_32_bits_and_never_leave_them() {
        let place = |start, as_of| Traits::new(row(), 0, Period { start, as_of }).place_in_period();
        assert_eq!(place(999_000, 1_001_000), u32::MAX / 2);
        assert_eq!(place(1_000_000, 1_000_000), 0);
        assert_eq!(place(0, 1_000_000), u32::MAX);
        assert_eq!(place(0, 5), u32::MAX);
        assert_eq!(place(i64::MAX, i64::MIN), 0);
    }
}
