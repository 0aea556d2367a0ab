//! Compact representation of tickets, and the dictionaries of its encoded names.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use chrono::{DateTime, Datelike, Timelike};
use generate::world::calendar::LocalHour;
use ticket_schema::Ticket;
use ticket_schema::cars::ModelSeries;
use ticket_schema::enums::{Category, Channel, Market, Severity, Status};
use ticket_schema::ticket::{CustomerId, VinLast6};
use uuid::Uuid;

/// One ticket in at most 96 bytes.
///
/// Identifiers that violate their format are replaced with a hash, which still distinguishes them.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Identifier of the ticket.
    pub ticket_id: Uuid,
    /// Seconds since 1970.
    pub created_at: i64,
    /// Seconds since 1970.
    pub updated_at: i64,
    /// Seconds since 1970.
    pub resolved_at: Option<i64>,
    /// 40 bits, or a hash with the highest bit set.
    pub customer: u64,
    /// A number below [`VinLast6::COUNT`], or a hash with the highest bit set.
    pub vin: u32,
    /// Service centre, encoded by [`Dictionaries::dealers`].
    pub dealer: u32,
    /// Model year of the car.
    pub model_year: i32,
    /// Location in the input.
    pub location: Location,
    /// Market, encoded by [`Dictionaries::markets`].
    pub market: u16,
    /// Market in the service centre's identifier, if that is valid.
    pub dealer_market: Option<Market>,
    /// Model series, encoded by [`Dictionaries::series`].
    pub series: u16,
    /// Severity.
    pub severity: Severity,
    /// Status.
    pub status: Status,
    /// Category.
    pub category: Category,
    /// Channel.
    pub channel: Channel,
    /// True if the SLA target was missed.
    pub sla_breached: bool,
}

/// Location of a ticket in the input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Location {
    /// File number, counted from 0.
    pub source: u32,
    /// Line or row number, counted from 1.
    pub line: u32,
}

/// Dictionary encoding of names: ids in order of first occurrence, after those of the predefined names.
#[derive(Clone, Debug, Default)]
pub struct Dictionary {
    names: Vec<String>,
    ids: HashMap<String, u32>,
}

/// Dictionaries of the names in rows. Data sets that are compared with each other share them.
#[derive(Clone, Debug)]
pub struct Dictionaries {
    /// Markets; those of the contract have the ids of [`Market::ALL`].
    pub markets: Dictionary,
    /// Model series; the known ones have the ids of [`ModelSeries::ALL`].
    pub series: Dictionary,
    /// Service centres.
    pub dealers: Dictionary,
}

impl Dictionary {
    fn with(known: impl Iterator<Item = &'static str>) -> Self {
        let mut dictionary = Self::default();
        for name in known {
            dictionary.id(name);
        }
        dictionary
    }

    /// Returns the id of a name, adding it if it is new.
    pub fn id(&mut self, name: &str) -> u32 {
        if let Some(id) = self.ids.get(name) {
            return *id;
        }
        let id = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.push(name.to_owned());
        self.ids.insert(name.to_owned(), id);
        id
    }

    /// Returns the id of a name in 16 bits; all names beyond the range share the last id.
    pub fn id_u16(&mut self, name: &str) -> u16 {
        u16::try_from(self.id(name)).unwrap_or(u16::MAX)
    }
}

impl Default for Dictionaries {
    fn default() -> Self {
        Self {
            markets: Dictionary::with(Market::ALL.iter().map(|market| market.as_str())),
            series: Dictionary::with(ModelSeries::ALL.iter().map(|series| series.as_str())),
            dealers: Dictionary::default(),
        }
    }
}

impl Row {
    /// Converts a generated ticket.
    pub fn of_ticket(ticket: &Ticket) -> Self {
        Self {
            ticket_id: ticket.ticket_id,
            created_at: ticket.created_at.seconds(),
            updated_at: ticket.updated_at.seconds(),
            resolved_at: ticket.resolved_at.map(ticket_schema::Timestamp::seconds),
            customer: ticket.customer_id.bits(),
            vin: vin_number(ticket.vin_last6),
            dealer: u32::from(ticket.dealer_id.number),
            model_year: ticket.model_year,
            location: Location::default(),
            market: ticket.market as u16,
            dealer_market: Some(ticket.dealer_id.market),
            series: ticket.model_series as u16,
            severity: ticket.severity,
            status: ticket.status,
            category: ticket.category,
            channel: ticket.channel,
            sla_breached: ticket.sla_breached,
        }
    }

    /// Returns the market if it is one of the contract's.
    pub fn known_market(&self) -> Option<Market> {
        Market::ALL.get(usize::from(self.market)).copied()
    }

    /// Returns the model series if it is a known one.
    pub fn known_series(&self) -> Option<ModelSeries> {
        ModelSeries::ALL.get(usize::from(self.series)).copied()
    }

    /// Returns the key of the car: the last six characters of a VIN are unique only per customer.
    pub const fn car(&self) -> (u64, u32) {
        (self.customer, self.vin)
    }
}

/// Parses a ticket's identifier; invalid ones are replaced with a hash.
pub fn ticket_number(text: &str) -> Uuid {
    let uuid = Uuid::try_parse(text).ok();
    uuid.unwrap_or_else(|| Uuid::from_u64_pair(hash(text), hash(&(text, text))))
}

/// Parses a customer's identifier; invalid ones are replaced with a hash.
pub fn customer_number(text: &str) -> u64 {
    text.parse().map_or_else(|_| hash(text) | 1 << 63, CustomerId::bits)
}

/// Parses the last six characters of a VIN; invalid ones are replaced with a hash.
pub fn vin_text_number(text: &str) -> u32 {
    text.parse().map_or_else(|_| hash(text) as u32 | 1 << 31, vin_number)
}

fn vin_number(vin: VinLast6) -> u32 {
    let [first, digits @ ..] = vin.as_bytes();
    let first = VinLast6::FIRST.iter().position(|byte| byte == first).unwrap_or(0) as u32;
    digits.iter().fold(first, |number, digit| number * 10 + u32::from(digit - b'0'))
}

fn hash(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Local hour and weekday in a ticket's market at the time of creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalTime {
    /// Hour of the day, 0 to 23.
    pub hour: u32,
    /// Days since Monday, 0 to 6.
    pub weekday: u32,
}

/// Returns the local time of a ticket's creation; UTC for unknown markets.
pub fn local_time(row: &Row) -> LocalTime {
    let time = DateTime::from_timestamp(row.created_at, 0).unwrap_or_default();
    let (date, hour) = row.known_market().map_or((time.date_naive(), time.hour()), |market| {
        let local = LocalHour::at(market, time);
        (local.date, u32::from(local.hour_of_week) % 24)
    });
    LocalTime { hour, weekday: date.weekday().num_days_from_monday() }
}

/// Returns the time after which an unresolved ticket misses its SLA target, in seconds since 1970.
pub const fn deadline(row: &Row) -> i64 {
    row.created_at.saturating_add(row.severity.sla_target_seconds())
}

#[cfg(test)]
mod tests {
    use super::{LocalTime, Row, customer_number, local_time, ticket_number, vin_number, vin_text_number};
    use ticket_schema::enums::Market;
    use ticket_schema::ticket::VinLast6;

    #[test]
    fn vin_numbers_round_trip() {
        for number in [0, 99_999, 100_000, 1_234_567, VinLast6::COUNT - 1] {
            assert_eq!(vin_number(VinLast6::from_number(number)), number);
        }
    }

    #[test]
    fn invalid_identifiers_are_distinguishable() {
        assert_eq!(customer_number("CUST-00000000FF"), 255);
        assert_ne!(customer_number("alice"), customer_number("bob"));
        assert!(customer_number("alice") > 1 << 40);
        assert!(vin_text_number("short") >= VinLast6::COUNT);
        assert_ne!(ticket_number("T-1"), ticket_number("T-2"));
        assert_eq!(ticket_number("T-1"), ticket_number("T-1"));
    }

    #[test]
    fn row_fits_in_96_bytes() {
        assert!(std::mem::size_of::<Row>() <= 96);
    }

    fn row() -> Row {
        let world = manifest::WorldParameters::new(1, "2026-11-22".parse().unwrap(), 90, 10);
        Row::of_ticket(&generate::World::new(world).unwrap().tickets(0..1).next().unwrap())
    }

    #[test]
    fn local_time_depends_on_market_and_season() {
        let at = |text: &str, market: Option<Market>| {
            let created_at = chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp();
            local_time(&Row { created_at, market: market.map_or(99, |market| market as u16), ..row() })
        };
        // A Monday in summer and a Thursday in winter.
        assert_eq!(at("2026-07-06T23:30:00Z", Some(Market::De)), LocalTime { hour: 1, weekday: 1 });
        assert_eq!(at("2026-01-01T23:30:00Z", Some(Market::De)), LocalTime { hour: 0, weekday: 4 });
        assert_eq!(at("2026-07-06T02:00:00Z", Some(Market::Us)), LocalTime { hour: 22, weekday: 6 });
        assert_eq!(at("2026-01-01T13:30:00Z", Some(Market::Au)), LocalTime { hour: 0, weekday: 4 });
        // The working week began on Sunday in the Emirates, but the weekday is still Sunday.
        assert_eq!(at("2021-07-04T08:30:00Z", Some(Market::Ae)), LocalTime { hour: 12, weekday: 6 });
        assert_eq!(at("2026-07-06T23:30:00Z", None), LocalTime { hour: 23, weekday: 0 });
    }
}
