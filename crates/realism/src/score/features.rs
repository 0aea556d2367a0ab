//! Compared features of tickets: columns, and pairs of dependent columns.

use chrono::{DateTime, Datelike, Timelike};
use ticket_schema::ticket::VinLast6;

use crate::rows::{LocalTime, Row, local_time};

/// Names of the weekdays, from Monday.
pub const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// Period of a data set, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// Earliest possible creation time.
    pub start: i64,
    /// As-of time.
    pub as_of: i64,
}

/// A ticket with its derived features.
#[derive(Clone, Copy, Debug)]
pub struct Features {
    row: Row,
    period: Period,
    local: LocalTime,
    created_at: DateTime<chrono::Utc>,
    /// Rank of the service centre within its market, by number of tickets, from 0.
    dealer_rank: usize,
}

/// A column whose distribution is compared.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Name of the column.
    pub name: &'static str,
    /// Compared property, as shown in the report.
    pub comparison: &'static str,
    /// Kind of distribution.
    pub distribution: Distribution,
}

/// Kind of distribution of a column.
#[derive(Clone, Copy, Debug)]
pub enum Distribution {
    /// Shares of categories.
    Shares(fn(&Features) -> usize),
    /// Distribution of a number; tickets without a value are skipped.
    Numeric(fn(&Features) -> Option<u32>),
    /// Distribution of the number of tickets per key.
    TicketsPerKey(fn(&Row) -> (u64, u32)),
}

/// Two columns whose joint distribution is compared.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    /// Names of both columns.
    pub names: (&'static str, &'static str),
    /// Categories in both columns.
    pub cell: fn(&Features) -> (usize, usize),
}

const fn column(name: &'static str, comparison: &'static str, distribution: Distribution) -> Column {
    Column { name, comparison, distribution }
}

/// All columns, in the order of the report.
pub const COLUMNS: &[Column] = &[
    column("severity", "shares", Distribution::Shares(|t| t.row.severity as usize)),
    column("status", "shares", Distribution::Shares(|t| t.row.status as usize)),
    column("category", "shares", Distribution::Shares(|t| t.row.category as usize)),
    column("channel", "shares", Distribution::Shares(|t| t.row.channel as usize)),
    column("market", "shares", Distribution::Shares(Features::market)),
    column("dealer_id", "shares by rank within the market", Distribution::Shares(|t| t.dealer_rank)),
    column("model_series", "shares", Distribution::Shares(Features::series)),
    column("model_year", "shares", Distribution::Shares(Features::model_year)),
    column("sla_breached", "shares", Distribution::Shares(|t| usize::from(t.row.sla_breached))),
    column("created_at", "position in the period", Distribution::Numeric(|t| Some(t.position_in_period()))),
    column("hour", "local hour of created_at", Distribution::Numeric(|t| Some(t.local.hour))),
    column("weekday", "local weekday of created_at", Distribution::Shares(|t| t.local.weekday as usize)),
    column("resolution", "seconds from created_at to resolved_at", Distribution::Numeric(Features::resolution_seconds)),
    column(
        "updated_at",
        "seconds since created_at",
        Distribution::Numeric(|t| Some(t.seconds_until(t.row.updated_at))),
    ),
    column("vin_last6", "first character", Distribution::Numeric(|t| Some(t.row.vin / VIN_NUMBERS_PER_LETTER))),
    column("car", "tickets per car", Distribution::TicketsPerKey(Row::car)),
    column("customer", "tickets per customer", Distribution::TicketsPerKey(|row| (row.customer, 0))),
];

/// All pairs, in the order of the report.
pub const PAIRS: &[Pair] = &[
    Pair { names: ("severity", "status"), cell: |t| (t.row.severity as usize, t.row.status as usize) },
    Pair { names: ("severity", "sla_breached"), cell: |t| (t.row.severity as usize, usize::from(t.row.sla_breached)) },
    Pair { names: ("category", "severity"), cell: |t| (t.row.category as usize, t.row.severity as usize) },
    Pair { names: ("category", "model_series"), cell: |t| (t.row.category as usize, t.series()) },
    Pair { names: ("market", "model_series"), cell: |t| (t.market(), t.series()) },
    Pair { names: ("model_series", "model_year"), cell: |t| (t.series(), t.model_year()) },
    Pair { names: ("channel", "hour"), cell: |t| (t.row.channel as usize, t.local.hour as usize) },
    Pair { names: ("market", "hour_utc"), cell: |t| (t.market(), t.created_at.hour() as usize) },
    Pair { names: ("market", "weekday"), cell: |t| (t.market(), t.local.weekday as usize) },
    Pair { names: ("category", "month"), cell: |t| (t.row.category as usize, t.month()) },
    Pair { names: ("severity", "resolution"), cell: |t| (t.row.severity as usize, t.resolution_bin()) },
];

/// Lower bounds of the bins of the time to resolution, in hours; unresolved tickets are in a bin before the first.
pub const RESOLUTION_BINS: [u32; 12] = [0, 1, 2, 4, 8, 12, 24, 48, 72, 120, 168, 336];

const VIN_NUMBERS_PER_LETTER: u32 = VinLast6::COUNT / VinLast6::FIRST.len() as u32;

/// Origin of encoded model years; earlier ones are clamped.
const FIRST_YEAR: i32 = 1900;
const LAST_YEAR: i32 = 2155;

impl Features {
    /// Computes the features of a ticket, given the rank of its service centre.
    pub fn new(row: Row, dealer_rank: usize, period: Period) -> Self {
        let created_at = DateTime::from_timestamp(row.created_at, 0).unwrap_or_default();
        Self { row, period, local: local_time(&row), created_at, dealer_rank }
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

    /// Returns the months since January of the year 0.
    fn month(&self) -> usize {
        (self.created_at.year().max(0) as usize) * 12 + self.created_at.month0() as usize
    }

    /// Returns the elapsed fraction of the period, scaled to 32 bits.
    fn position_in_period(&self) -> u32 {
        let length = self.period.as_of.saturating_sub(self.period.start).max(1);
        let passed = self.row.created_at.saturating_sub(self.period.start).clamp(0, length);
        (i128::from(passed) * i128::from(u32::MAX) / i128::from(length)) as u32
    }

    fn seconds_until(&self, time: i64) -> u32 {
        time.saturating_sub(self.row.created_at).clamp(0, i64::from(u32::MAX)) as u32
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

#[cfg(test)]
mod tests {
    use super::{Features, Period};
    use crate::rows::{Dictionaries, Location, Row};
    use ticket_schema::enums::{Category, Channel, Market, Severity, Status};

    fn row() -> Row {
        Row {
            ticket_id: uuid::Uuid::nil(),
            created_at: 1_000_000,
            updated_at: 1_007_200,
            resolved_at: Some(1_003_600),
            customer: 1,
            vin: 3_299_999,
            dealer: Dictionaries::default().dealers.id("DLR-DE-001"),
            model_year: 2020,
            location: Location::default(),
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
    fn resolution_bins_include_their_lower_bound() {
        let period = Period { start: 999_000, as_of: 1_001_000 };
        let bin = |resolved_at| Features::new(Row { resolved_at, ..row() }, 0, period).resolution_bin();
        assert_eq!([None, Some(1_000_000), Some(1_003_599), Some(1_003_600)].map(bin), [0, 1, 1, 2]);
        assert_eq!(bin(Some(i64::MAX)), 12);
    }

    #[test]
    fn positions_in_the_period_are_scaled_and_clamped() {
        let position = |start, as_of| Features::new(row(), 0, Period { start, as_of }).position_in_period();
        assert_eq!(position(999_000, 1_001_000), u32::MAX / 2);
        assert_eq!(position(1_000_000, 1_000_000), 0);
        assert_eq!(position(0, 1_000_000), u32::MAX);
        assert_eq!(position(0, 5), u32::MAX);
        assert_eq!(position(i64::MAX, i64::MIN), 0);
    }
}
