//! Rules of single fields, and conversion of a line's values to a row.
//!
//! Each field is checked on its own, so that a line with two errors violates two rules. Lines become rows if they can
//! be compared: malformed identifiers are replaced with hashes, but unreadable times and unknown enum values exclude a
//! line.

use std::borrow::Cow;

use ticket_schema::Timestamp;
use ticket_schema::columns::{COLUMNS, ColumnKind, position};
use ticket_schema::enums::{Category, Channel, Market, Severity, Status};
use ticket_schema::ticket::{CustomerId, DealerId, VinLast6};
use uuid::{Uuid, Variant};

use crate::rows::{Dictionaries, Location, Row, customer_number, ticket_number, vin_text_number};
use crate::validate::rules::{Rule, Violations};

/// Value of a field.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value<'a> {
    /// The field is absent.
    #[default]
    Missing,
    /// The field occurs more than once.
    Repeated,
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// An integer.
    Integer(i64),
    /// A string.
    Text(Cow<'a, str>),
    /// A timestamp that is not represented as text.
    Time(ParsedTime),
    /// Any other value.
    Other,
}

/// A point in time, and the validity of its representation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParsedTime {
    /// Seconds since 1970, rounded down.
    pub seconds: i64,
    /// True if the representation is whole seconds in UTC.
    pub is_canonical: bool,
}

/// Values of one line, in column order.
pub type Values<'a> = [Value<'a>; COLUMNS.len()];

/// Validator of a data set's lines.
#[derive(Debug)]
pub struct FieldValidator<'n> {
    names: &'n mut Dictionaries,
    /// Number of lines, valid or not.
    pub n_lines: u64,
    /// Rows of the lines that can be compared.
    pub rows: Vec<Row>,
    /// Violations of the lines.
    pub violations: Violations,
}

impl<'n> FieldValidator<'n> {
    /// Creates a validator without lines.
    pub fn new(names: &'n mut Dictionaries) -> Self {
        Self { names, n_lines: 0, rows: Vec::new(), violations: Violations::default() }
    }

    /// Adds a line that is not a JSON object.
    pub fn add_unparsable_line(&mut self, location: Location) {
        self.n_lines += 1;
        self.violations.record(Rule::Json, location);
    }

    /// Adds the values of a line.
    pub fn add_line(&mut self, values: &Values, location: Location) {
        self.n_lines += 1;
        let mut field = Fields { values, violated: [false; Rule::ALL.len()] };
        let row = field.row(self.names, location);
        for rule in Rule::ALL.iter().filter(|rule| field.violated[**rule as usize]) {
            self.violations.record(*rule, location);
        }
        self.rows.extend(row);
    }
}

struct Fields<'v, 'a> {
    values: &'v Values<'a>,
    violated: [bool; Rule::ALL.len()],
}

impl<'v, 'a> Fields<'v, 'a> {
    fn row(&mut self, names: &mut Dictionaries, location: Location) -> Option<Row> {
        for column in 0..COLUMNS.len() {
            self.check_type(column);
        }
        let ticket_id = self.text(const { position("ticket_id") }, Rule::TicketIdForm, is_canonical_uuid_v4);
        let created_at = self.time(const { position("created_at") });
        let updated_at = self.time(const { position("updated_at") });
        let resolved_at = if self.values[const { position("resolved_at") }] == Value::Null {
            Some(None)
        } else {
            self.time(const { position("resolved_at") }).map(Some)
        };
        let severity = self.enum_text(const { position("severity") }, Rule::SeverityText, Severity::from_text);
        let status = self.enum_text(const { position("status") }, Rule::StatusText, Status::from_text);
        let category = self.enum_text(const { position("category") }, Rule::CategoryText, Category::from_text);
        let channel = self.enum_text(const { position("channel") }, Rule::ChannelText, Channel::from_text);
        let market =
            self.text(const { position("market") }, Rule::MarketText, |text| Market::from_text(text).is_some());
        let dealer =
            self.text(const { position("dealer_id") }, Rule::DealerIdForm, |text| text.parse::<DealerId>().is_ok());
        let customer = self
            .text(const { position("customer_id") }, Rule::CustomerIdForm, |text| text.parse::<CustomerId>().is_ok());
        let vin = self.text(const { position("vin_last6") }, Rule::VinForm, |text| text.parse::<VinLast6>().is_ok());
        let series = self.text(const { position("model_series") }, Rule::FieldTypes, |_| true);
        let model_year = if let Value::Integer(year) = self.values[const { position("model_year") }] {
            i32::try_from(year).ok()
        } else {
            None
        };
        let sla_breached = if let Value::Boolean(breached) = self.values[const { position("sla_breached") }] {
            Some(breached)
        } else {
            None
        };
        Some(Row {
            ticket_id: ticket_number(ticket_id?),
            created_at: created_at?,
            updated_at: updated_at?,
            resolved_at: resolved_at?,
            customer: customer_number(customer?),
            vin: vin_text_number(vin?),
            dealer: names.dealers.id(dealer?),
            model_year: model_year?,
            location,
            market: names.markets.id_u16(market?),
            dealer_market: dealer?.parse().ok().map(|dealer: DealerId| dealer.market),
            series: names.series.id_u16(series?),
            severity: severity?,
            status: status?,
            category: category?,
            channel: channel?,
            sla_breached: sla_breached?,
        })
    }

    fn check_type(&mut self, column: usize) {
        let violated = match (&self.values[column], COLUMNS[column].kind) {
            (Value::Missing | Value::Repeated, _) => Some(Rule::FieldsPresent),
            (Value::Null, _) => (!COLUMNS[column].nullable).then_some(Rule::FieldsPresent),
            (Value::Text(_), ColumnKind::Text | ColumnKind::Time)
            | (Value::Time(_), ColumnKind::Time)
            | (Value::Boolean(_), ColumnKind::Boolean) => None,
            (Value::Integer(value), ColumnKind::Integer) => i32::try_from(*value).is_err().then_some(Rule::FieldTypes),
            _ => Some(Rule::FieldTypes),
        };
        if let Some(rule) = violated {
            self.violate(rule);
        }
    }

    fn violate(&mut self, rule: Rule) {
        self.violated[rule as usize] = true;
    }

    fn text(&mut self, column: usize, rule: Rule, is_valid: impl Fn(&str) -> bool) -> Option<&'v str> {
        let values: &'v Values<'a> = self.values;
        let Value::Text(text) = &values[column] else { return None };
        if !is_valid(text) {
            self.violate(rule);
        }
        Some(text)
    }

    fn enum_text<T>(&mut self, column: usize, rule: Rule, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        parse(self.text(column, rule, |text| parse(text).is_some())?)
    }

    fn time(&mut self, column: usize) -> Option<i64> {
        let found = match &self.values[column] {
            Value::Time(time) => Some(*time),
            Value::Text(text) => parse_time(text),
            _ => return None,
        };
        if !found.is_some_and(|time| time.is_canonical) {
            self.violate(Rule::TimeForm);
        }
        found.map(|time| time.seconds)
    }
}

/// Parses any RFC 3339 time, so that non-canonical ones can still be compared.
fn parse_time(text: &str) -> Option<ParsedTime> {
    let seconds = transform::rows::timestamp::DateTime::parse(text).ok()?.milliseconds().div_euclid(1000);
    let is_canonical = Timestamp::from_seconds(seconds).is_some_and(|time| time.to_string() == text);
    Some(ParsedTime { seconds, is_canonical })
}

fn is_canonical_uuid_v4(text: &str) -> bool {
    Uuid::try_parse(text).is_ok_and(|uuid| {
        let is_version_4 = uuid.get_version_num() == 4 && uuid.get_variant() == Variant::RFC4122;
        is_version_4 && uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer()) == text
    })
}

#[cfg(test)]
mod tests {
    use ticket_schema::columns::position;

    use super::{FieldValidator, Value, Values};
    use crate::rows::{Dictionaries, Location};
    use crate::validate::rules::Rule;

    fn valid_values() -> Values<'static> {
        let mut values = std::array::from_fn(|_| Value::Null);
        for (column, text) in [
            ("ticket_id", "0f8fad5b-d9cb-469f-a165-70867728950e"),
            ("created_at", "2026-11-20T08:30:00Z"),
            ("updated_at", "2026-11-21T08:30:00Z"),
            ("resolved_at", "2026-11-21T07:30:00Z"),
            ("severity", "P3"),
            ("status", "Resolved"),
            ("category", "Engine"),
            ("channel", "Phone"),
            ("market", "DE"),
            ("dealer_id", "DLR-DE-003"),
            ("customer_id", "CUST-00000000FF"),
            ("vin_last6", "A12345"),
            ("model_series", "X5"),
        ] {
            values[position(column)] = Value::Text(text.into());
        }
        values[position("model_year")] = Value::Integer(2024);
        values[position("sla_breached")] = Value::Boolean(false);
        values
    }

    fn violations_of(column: &str, value: Value<'static>) -> (Vec<Rule>, usize) {
        let mut names = Dictionaries::default();
        let mut validator = FieldValidator::new(&mut names);
        let mut values = valid_values();
        values[position(column)] = value;
        validator.add_line(&values, Location::default());
        let violated = Rule::ALL.iter().filter(|rule| validator.violations.of(**rule).n_broken > 0).copied();
        (violated.collect(), validator.rows.len())
    }

    #[test]
    fn each_invalid_value_violates_its_rule() {
        let text = |text: &'static str| Value::Text(text.into());
        for (column, value, rule, n_rows) in [
            ("ticket_id", text("0F8FAD5B-D9CB-469F-A165-70867728950E"), Rule::TicketIdForm, 1),
            ("ticket_id", text("0f8fad5b-d9cb-169f-a165-70867728950e"), Rule::TicketIdForm, 1),
            ("ticket_id", text("T-1"), Rule::TicketIdForm, 1),
            ("created_at", text("2026-11-20T08:30:00.5Z"), Rule::TimeForm, 1),
            ("created_at", text("2026-11-20T09:30:00+01:00"), Rule::TimeForm, 1),
            ("created_at", text("2026-02-30T09:30:00Z"), Rule::TimeForm, 0),
            ("updated_at", Value::Integer(1), Rule::FieldTypes, 0),
            ("updated_at", Value::Null, Rule::FieldsPresent, 0),
            ("resolved_at", Value::Missing, Rule::FieldsPresent, 0),
            ("severity", text("p3"), Rule::SeverityText, 0),
            ("status", text("Done"), Rule::StatusText, 0),
            ("category", Value::Repeated, Rule::FieldsPresent, 0),
            ("category", text(""), Rule::CategoryText, 0),
            ("channel", text("Fax"), Rule::ChannelText, 0),
            ("market", text("CH"), Rule::MarketText, 1),
            ("dealer_id", text("DLR-DE-3"), Rule::DealerIdForm, 1),
            ("customer_id", text("alice"), Rule::CustomerIdForm, 1),
            ("vin_last6", text("I12345"), Rule::VinForm, 1),
            ("model_series", Value::Other, Rule::FieldTypes, 0),
            ("model_year", Value::Integer(1 << 40), Rule::FieldTypes, 0),
            ("model_year", text("2024"), Rule::FieldTypes, 0),
            ("sla_breached", Value::Null, Rule::FieldsPresent, 0),
        ] {
            assert_eq!(violations_of(column, value.clone()), (vec![rule], n_rows), "{column}: {value:?}");
        }
        assert_eq!(violations_of("resolved_at", Value::Null), (vec![], 1));
    }
}
