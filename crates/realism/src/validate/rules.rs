//! Rules of the contract, and the count and first location of their violations.

use chrono::{NaiveDate, NaiveTime};
use ticket_schema::enums::{Channel, Market};

use crate::rows::{Location, Row, deadline, local_time};

/// Declares the rules: scope, name and definition.
macro_rules! rules {
    ($($(#[$doc:meta])* $rule:ident $scope:ident $name:literal $description:literal,)+) => {
        /// A rule that every line or ticket must satisfy.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "the description documents each rule")]
        pub enum Rule {
            $($(#[$doc])* $rule,)+
        }

        impl Rule {
            /// All rules, in the order of the report.
            pub const ALL: &'static [Self] = &[$(Self::$rule),+];

            /// Returns the name.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$rule => $name,)+
                }
            }

            /// Returns the definition.
            pub const fn description(self) -> &'static str {
                match self {
                    $(Self::$rule => $description,)+
                }
            }

            /// Returns the scope.
            pub const fn scope(self) -> Scope {
                match self {
                    $(Self::$rule => Scope::$scope,)+
                }
            }
        }
    };
}

/// Scope of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Every row, or line that is not blank.
    Line,
    /// Every line that could be read as a ticket.
    Ticket,
}

rules! {
    Json Line "json" "a line is a JSON object",
    FieldsPresent Line "fields_present" "each of the 15 fields is present once, and only resolved_at may be null",
    FieldTypes Line "field_types" "each field has its type",
    TimeForm Line "time_form" "times are valid and have whole seconds in UTC, as 2026-11-22T08:30:00Z",
    TicketIdForm Line "ticket_id_form" "ticket_id is a version 4 UUID, hyphenated and in lower case",
    SeverityText Line "severity_text" "severity is one of the contract's values",
    StatusText Line "status_text" "status is one of the contract's values",
    CategoryText Line "category_text" "category is one of the contract's values",
    ChannelText Line "channel_text" "channel is one of the contract's values",
    MarketText Line "market_text" "market is one of the contract's ten markets",
    DealerIdForm Line "dealer_id_form" "dealer_id has the form DLR-DE-003",
    CustomerIdForm Line "customer_id_form" "customer_id is CUST- and ten upper-case hexadecimal digits",
    VinForm Line "vin_last6_form" "vin_last6 is a letter (not I, O, Q) or a digit, followed by five digits",
    TicketIdUnique Ticket "ticket_id_unique" "ticket_id is unique",
    InPeriod Ticket "created_in_period" "created_at is not before the start of the world",
    CreatedFirst Ticket "created_first" "created_at <= updated_at",
    UpdatedBeforeAsOf Ticket "updated_before_as_of" "updated_at <= as-of",
    ResolvedStatus Ticket "resolved_status" "resolved_at is set if and only if status is Resolved or Closed",
    ResolvedBetween Ticket "resolved_between" "created_at < resolved_at <= updated_at",
    SlaBreached Ticket "sla_breached" "sla_breached follows from times, severity and as-of",
    DealerMarket Ticket "dealer_market" "the market in dealer_id is the ticket's market",
    CarSold Ticket "car_sold" "the series was sold in that model year and market",
    CarOnSale Ticket "car_on_sale" "the model year was on sale (from July of the year before) when the ticket was created",
    OpeningHours Ticket "opening_hours" "Phone, Walk-In and Dealer Portal tickets are created during opening hours (8 to 18, local)",
    OneCar Ticket "one_car" "all tickets of a car (customer_id, vin_last6) have one series and model year",
    OneCarDealer Ticket "one_car_dealer" "all tickets of a car have one market and dealer",
    OneCustomerMarket Ticket "one_customer_market" "all tickets of a customer have one market",
    OneCustomerDealer Ticket "one_customer_dealer" "all tickets of a customer have one dealer",
    TimeOrder Ticket "time_order" "within a file, tickets are ordered by created_at",
}

/// Context of the rules besides the tickets. Times are in seconds since 1970.
#[derive(Clone, Copy, Debug)]
pub struct RuleContext {
    /// Start of the world, if the data set claims one.
    pub start: Option<i64>,
    /// As-of time.
    pub as_of: i64,
    /// Opening state of the channels with opening hours, by local hour.
    pub opening_hours: [bool; 24],
}

/// Violations of all rules.
#[derive(Clone, Debug)]
pub struct Violations(Vec<RuleViolations>);

/// Violations of one rule.
#[derive(Clone, Copy, Debug, Default)]
pub struct RuleViolations {
    /// Number of lines or tickets.
    pub n_broken: u64,
    /// Location of the first violation.
    pub first: Option<Location>,
}

impl Default for Violations {
    fn default() -> Self {
        Self(vec![RuleViolations::default(); Rule::ALL.len()])
    }
}

impl Violations {
    /// Counts a violation of `rule`.
    pub fn record(&mut self, rule: Rule, location: Location) {
        let violations = &mut self.0[rule as usize];
        violations.n_broken += 1;
        violations.first.get_or_insert(location);
    }

    /// Returns the violations of a rule.
    pub fn of(&self, rule: Rule) -> RuleViolations {
        self.0[rule as usize]
    }

    /// Checks every ticket against the rules of single tickets.
    pub fn check(&mut self, rows: &[Row], context: &RuleContext) {
        for row in rows {
            for (rule, holds) in TICKET_RULES {
                if !holds(row, context) {
                    self.record(*rule, row.location);
                }
            }
        }
    }
}

type Predicate = fn(&Row, &RuleContext) -> bool;

const TICKET_RULES: &[(Rule, Predicate)] = &[
    (Rule::InPeriod, |row, context| context.start.is_none_or(|start| start <= row.created_at)),
    (Rule::CreatedFirst, |row, _| row.created_at <= row.updated_at),
    (Rule::UpdatedBeforeAsOf, |row, context| row.updated_at <= context.as_of),
    (Rule::ResolvedStatus, |row, _| row.resolved_at.is_some() == row.status.is_resolved()),
    (Rule::ResolvedBetween, |row, _| {
        row.resolved_at.is_none_or(|resolved_at| row.created_at < resolved_at && resolved_at <= row.updated_at)
    }),
    (Rule::SlaBreached, |row, context| row.sla_breached == (row.resolved_at.unwrap_or(context.as_of) > deadline(row))),
    (Rule::DealerMarket, |row, _| row.dealer_market.is_none_or(|market| Some(market) == row.known_market())),
    (Rule::CarSold, |row, _| {
        let sold = |market: Market| row.known_series().is_some_and(|series| series.sold_in(market, row.model_year));
        row.known_market().is_none_or(sold)
    }),
    (Rule::CarOnSale, |row, _| on_sale_from(row.model_year).is_some_and(|start| start <= row.created_at)),
    (Rule::OpeningHours, |row, context| {
        let has_no_opening_hours = matches!(row.channel, Channel::Email | Channel::BmwApp);
        has_no_opening_hours || row.known_market().is_none() || context.opening_hours[local_time(row).hour as usize]
    }),
];

/// Returns the first day of sales of a model year, 1 July of the year before, in seconds since 1970.
fn on_sale_from(model_year: i32) -> Option<i64> {
    let date = NaiveDate::from_ymd_opt(model_year.checked_sub(1)?, 7, 1)?;
    Some(date.and_time(NaiveTime::MIN).and_utc().timestamp())
}
