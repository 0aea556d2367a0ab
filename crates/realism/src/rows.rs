//! A ticket in as few bytes as comparing it needs, and the names behind its numbers.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use ticket_schema::Ticket;
use ticket_schema::cars::ModelSeries;
use ticket_schema::enums::{Category, Channel, Market, Severity, Status};
use ticket_schema::ticket::{CustomerId, VinLast6};
use uuid::Uuid;

/// One ticket: 96 bytes, whatever its texts.
///
/// What breaks the form of its identifier is kept as a hash, which tells it from others as well.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The identifier.
    pub ticket_id: Uuid,
    /// Seconds since 1970.
    pub created_at: i64,
    /// Seconds since 1970.
    pub updated_at: i64,
    /// Seconds since 1970.
    pub resolved_at: Option<i64>,
    /// 40 bits, or a hash with its highest bit set.
    pub customer: u64,
    /// A number below [`VinLast6::COUNT`], or a hash with its highest bit set.
    pub vin: u32,
    /// The dealer, numbered by [`Names::dealers`].
    pub dealer: u32,
    /// The car's model year.
    pub model_year: i32,
    /// Where it was read.
    pub place: Place,
    /// The market, numbered by [`Names::markets`].
    pub market: u16,
    /// The market in the dealer's identifier, if that has the contract's form.
    pub dealer_market: Option<Market>,
    /// The series, numbered by [`Names::series`].
    pub series: u16,
    /// How bad it is.
    pub severity: Severity,
    /// Where it stands.
    pub status: Status,
    /// What it is about.
    pub category: Category,
    /// How it reached us.
    pub channel: Channel,
    /// Whether its SLA target was missed.
    pub sla_breached: bool,
}

/// Where a ticket was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The file, counted from 0.
    pub source: u32,
    /// The line or row, counted from 1.
    pub line: u32,
}

/// Numbers for names, in the order in which they come, after those that are known beforehand.
#[derive(Clone, Debug, Default)]
pub struct Dictionary {
    names: Vec<String>,
    places: HashMap<String, u32>,
}

/// The names behind the numbers in rows. Two data sets that are compared share one.
#[derive(Clone, Debug)]
pub struct Names {
    /// Markets; the contract's have the numbers of [`Market::ALL`].
    pub markets: Dictionary,
    /// Series; the known ones have the numbers of [`ModelSeries::ALL`].
    pub series: Dictionary,
    /// Dealers.
    pub dealers: Dictionary,
}

impl Dictionary {
    fn with(known: impl Iterator<Item = &'static str>) -> Self {
        let mut dictionary = Self::default();
        for name in known {
            dictionary.number(name);
        }
        dictionary
    }

    /// The number of a name.
    pub fn number(&mut self, name: &str) -> u32 {
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        let place = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.push(name.to_owned());
        self.places.insert(name.to_owned(), place);
        place
    }

    /// The number of a name, where numbers have 16 bits: the last one stands for all further names.
    pub fn short_number(&mut self, name: &str) -> u16 {
        u16::try_from(self.number(name)).unwrap_or(u16::MAX)
    }
}

impl Default for Names {
    fn default() -> Self {
        Self {
            markets: Dictionary::with(Market::ALL.iter().map(|market| market.as_str())),
            series: Dictionary::with(ModelSeries::ALL.iter().map(|series| series.as_str())),
            dealers: Dictionary::default(),
        }
    }
}

impl Row {
    /// The row of a ticket that was just made.
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
            place: Place::default(),
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

    /// The market, if it is one of the contract's.
    pub fn known_market(&self) -> Option<Market> {
        Market::ALL.get(usize::from(self.market)).copied()
    }

    /// The series, if it is a known one.
    pub fn known_series(&self) -> Option<ModelSeries> {
        ModelSeries::ALL.get(usize::from(self.series)).copied()
    }

    /// The car: the last six of a VIN are not unique, with their customer they are.
    pub const fn car(&self) -> (u64, u32) {
        (self.customer, self.vin)
    }
}

/// A ticket's identifier, or something as unique in its place.
pub fn ticket_number(text: &str) -> Uuid {
    let uuid = Uuid::try_parse(text).ok();
    uuid.unwrap_or_else(|| Uuid::from_u64_pair(hash(text), hash(&(text, text))))
}

/// A customer's number.
pub fn customer_number(text: &str) -> u64 {
    text.parse().map_or_else(|_| hash(text) | 1 << 63, CustomerId::bits)
}

/// The number of the last six of a VIN, or of something else in their place.
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

#[cfg(test)]
mod tests {
    use super::{Row, customer_number, ticket_number, vin_number, vin_text_number};
    use ticket_schema::ticket::VinLast6;

    #[test]
    fn vins_have_the_numbers_that_they_were_made_from() {
        for number in [0, 99_999, 100_000, 1_234_567, VinLast6::COUNT - 1] {
            assert_eq!(vin_number(VinLast6::from_number(number)), number);
        }
    }

    #[test]
    fn what_has_no_number_of_its_own_is_told_apart_all_the_same() {
        assert_eq!(customer_number("CUST-00000000FF"), 255);
        assert_ne!(customer_number("alice"), customer_number("bob"));
        assert!(customer_number("alice") > 1 << 40);
        assert!(vin_text_number("short") >= VinLast6::COUNT);
        assert_ne!(ticket_number("T-1"), ticket_number("T-2"));
        assert_eq!(ticket_number("T-1"), ticket_number("T-1"));
    }

    #[test]
    fn a_row_is_small() {
        assert!(std::mem::size_of::<Row>() <= 96);
    }
}
