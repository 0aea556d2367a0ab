//! The rules that every ticket keeps, how often each was broken, and where first.

use chrono::{NaiveDate, NaiveTime};
use ticket_schema::enums::{Channel, Market};

use crate::rows::{Place, Row};
use crate::traits::local_time;

/// Declares the rules with their names, what they are asked of, and what they say.
macro_rules! rules {
    ($($(#[$doc:meta])* $rule:ident $scope:ident $name:literal $meaning:literal,)+) => {
        /// A rule. Each is either kept by every line or ticket, or the data set is at fault.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "each rule says in its meaning what it is")]
        pub enum Rule {
            $($(#[$doc])* $rule,)+
        }

        impl Rule {
            /// Every rule, in the order of the report.
            pub const ALL: &'static [Self] = &[$(Self::$rule),+];

            /// Its name.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$rule => $name,)+
                }
            }

            /// What it says.
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$rule => $meaning,)+
                }
            }

            /// What it is asked of.
            pub const fn scope(self) -> Scope {
                match self {
                    $(Self::$rule => Scope::$scope,)+
                }
            }
        }
    };
}

/// What a rule is asked of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Every line that isn't blank, or row.
    Line,
    /// Every line that could be read as a ticket.
    Ticket,
}

rules! {
    Json Line "json" "a line is a JSON object",
    FieldsPresent Line "fields_present" "all 15 fields are there, once, and none but resolved_at is null",
    FieldTypes Line "field_types" "each field has its type",
    TimeForm Line "time_form" "times exist and are whole seconds in UTC, as 2026-11-22T08:30:00Z",
    TicketIdForm Line "ticket_id_form" "ticket_id is a version 4 UUID, hyphenated and in lower case",
    SeverityText Line "severity_text" "severity is one of the contract's texts",
    StatusText Line "status_text" "status is one of the contract's texts",
    CategoryText Line "category_text" "category is one of the contract's texts",
    ChannelText Line "channel_text" "channel is one of the contract's texts",
    MarketText Line "market_text" "market is one of the contract's ten",
    DealerIdForm Line "dealer_id_form" "dealer_id has the form DLR-DE-003",
    CustomerIdForm Line "customer_id_form" "customer_id is CUST- and ten upper-case hexadecimal digits",
    VinForm Line "vin_last6_form" "vin_last6 is a letter but I, O, Q or a digit, then five digits",
    TicketIdUnique Ticket "ticket_id_unique" "no ticket_id occurs twice",
    InPeriod Ticket "created_in_period" "created_at does not lie before the world's start",
    CreatedFirst Ticket "created_first" "created_at <= updated_at",
    NothingAhead Ticket "nothing_ahead" "updated_at <= as-of",
    ResolvedStatus Ticket "resolved_status" "resolved_at is set exactly for Resolved and Closed",
    ResolvedBetween Ticket "resolved_between" "created_at < resolved_at <= updated_at",
    SlaBreached Ticket "sla_breached" "sla_breached is what times, severity and as-of make it",
    DealerMarket Ticket "dealer_market" "the dealer's market is the ticket's",
    CarSold Ticket "car_sold" "the series was sold in that model year and market",
    CarOnSale Ticket "car_on_sale" "the model year was on sale (from July of the year before) when the ticket was opened",
    OpeningHours Ticket "opening_hours" "by Phone, Walk-In and Dealer Portal tickets come in opening hours alone (8 to 18, local)",
    OneCar Ticket "one_car" "a car (customer_id, vin_last6) keeps its series and model year",
    OneHome Ticket "one_home" "a car keeps its market and dealer",
    OneCustomerMarket Ticket "one_customer_market" "a customer stays in one market",
    OneCustomerDealer Ticket "one_customer_dealer" "a customer stays with one dealer",
    TimeOrder Ticket "time_order" "within a file, tickets stand in the order of created_at",
}

/// What the rules need to know besides the tickets. Times are in seconds since 1970.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    /// When the world starts, if the data set claims one.
    pub start: Option<i64>,
    /// The present.
    pub as_of: i64,
    /// Whether the channels with opening hours are open, by local hour.
    pub opening_hours: [bool; 24],
}

/// How often each rule was broken, and where first.
#[derive(Clone, Debug)]
pub struct RuleBook(Vec<Tally>);

/// How often one rule was broken, and where first.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// By how many lines or tickets.
    pub n_broken: u64,
    /// The first of them.
    pub first: Option<Place>,
}

impl Default for RuleBook {
    fn default() -> Self {
        Self(vec![Tally::default(); Rule::ALL.len()])
    }
}

impl RuleBook {
    /// Notes that `rule` was broken.
    pub fn broken(&mut self, rule: Rule, place: Place) {
        let tally = &mut self.0[rule as usize];
        tally.n_broken += 1;
        tally.first.get_or_insert(place);
    }

    /// What is known of a rule.
    pub fn tally(&self, rule: Rule) -> Tally {
        self.0[rule as usize]
    }

    /// Asks every ticket about the rules that it can answer alone.
    pub fn judge(&mut self, rows: &[Row], frame: &Frame) {
        for row in rows {
            for (rule, keeps) in OF_ONE_TICKET {
                if !keeps(row, frame) {
                    self.broken(*rule, row.place);
                }
            }
        }
    }
}

type Keeps = fn(&Row, &Frame) -> bool;

const OF_ONE_TICKET: &[(Rule, Keeps)] = &[
    (Rule::InPeriod, |row, frame| frame.start.is_none_or(|start| start <= row.created_at)),
    (Rule::CreatedFirst, |row, _| row.created_at <= row.updated_at),
    (Rule::NothingAhead, |row, frame| row.updated_at <= frame.as_of),
    (Rule::ResolvedStatus, |row, _| row.resolved_at.is_some() == row.status.is_resolved()),
    (Rule::ResolvedBetween, |row, _| {
        row.resolved_at.is_none_or(|resolved_at| row.created_at < resolved_at && resolved_at <= row.updated_at)
    }),
    (Rule::SlaBreached, |row, frame| row.sla_breached == (row.resolved_at.unwrap_or(frame.as_of) > deadline(row))),
    (Rule::DealerMarket, |row, _| row.dealer_market.is_none_or(|market| Some(market) == row.known_market())),
    (Rule::CarSold, |row, _| {
        let sold = |market: Market| row.known_series().is_some_and(|series| series.sold_in(market, row.model_year));
        row.known_market().is_none_or(sold)
    }),
    (Rule::CarOnSale, |row, _| on_sale_from(row.model_year).is_some_and(|start| start <= row.created_at)),
    (Rule::OpeningHours, |row, frame| {
        let is_always_open = matches!(row.channel, Channel::Email | Channel::BmwApp);
        is_always_open || row.known_market().is_none() || frame.opening_hours[local_time(row).hour as usize]
    }),
];

/// When a ticket misses its SLA target unless it is resolved, in seconds since 1970.
pub const fn deadline(row: &Row) -> i64 {
    row.created_at.saturating_add(row.severity.sla_target_seconds())
}

/// When the first cars of a model year are sold, in seconds since 1970: July of the year before.
fn on_sale_from(model_year: i32) -> Option<i64> {
    let date = NaiveDate::from_ymd_opt(model_year.checked_sub(1)?, 7, 1)?;
    Some(date.and_time(NaiveTime::MIN).and_utc().timestamp())
}
