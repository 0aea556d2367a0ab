//! The values of one line to a row, and the rules of single fields.
//!
//! Every field is asked by itself, so that a line with two faults counts against two rules. What can still be compared
//! becomes a row: identifiers of another form do, unreadable times and unknown texts don't.

use std::borrow::Cow;

use ticket_schema::Timestamp;
use ticket_schema::columns::{COLUMNS, ColumnKind};
use ticket_schema::enums::{Category, Channel, Market, Severity, Status};
use ticket_schema::ticket::{CustomerId, DealerId, VinLast6};
use uuid::{Uuid, Variant};

use crate::rows::{Names, Place, Row, customer_number, ticket_number, vin_text_number};
use crate::rules::{Rule, RuleBook};

/// What stands in a field.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value<'a> {
    /// Nothing: there is no such field.
    #[default]
    Missing,
    /// Something, more than once.
    Repeated,
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A text.
    Text(Cow<'a, str>),
    /// A point in time that was no text.
    Time(FoundTime),
    /// Any other thing.
    Other,
}

/// A point in time, and whether it was written as the contract wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FoundTime {
    /// Since 1970, rounded down.
    pub seconds: i64,
    /// Whether it is whole seconds in UTC.
    pub in_form: bool,
}

/// The values of one line, in the contract's order.
pub type Values<'a> = [Value<'a>; COLUMNS.len()];

/// Takes in a data set, line by line.
#[derive(Debug)]
pub struct Intake<'n> {
    names: &'n mut Names,
    /// Every line, readable or not.
    pub n_lines: u64,
    /// Those that can be compared.
    pub rows: Vec<Row>,
    /// The faults of the lines.
    pub book: RuleBook,
}

impl<'n> Intake<'n> {
    /// Nothing taken in yet.
    pub fn new(names: &'n mut Names) -> Self {
        Self { names, n_lines: 0, rows: Vec::new(), book: RuleBook::default() }
    }

    /// Takes in a line that is no JSON object.
    pub fn take_nonsense(&mut self, place: Place) {
        self.n_lines += 1;
        self.book.broken(Rule::Json, place);
    }

    /// Takes in a line's values.
    pub fn take(&mut self, values: &Values, place: Place) {
        self.n_lines += 1;
        let mut field = Fields { values, broken: [false; Rule::ALL.len()] };
        let row = field.row(self.names, place);
        for rule in Rule::ALL.iter().filter(|rule| field.broken[**rule as usize]) {
            self.book.broken(*rule, place);
        }
        self.rows.extend(row);
    }
}

struct Fields<'v, 'a> {
    values: &'v Values<'a>,
    broken: [bool; Rule::ALL.len()],
}

impl<'v, 'a> Fields<'v, 'a> {
    fn row(&mut self, names: &mut Names, place: Place) -> Option<Row> {
        for column in 0..COLUMNS.len() {
            self.judge_kind(column);
        }
        let ticket_id = self.text(0, Rule::TicketIdForm, is_contract_uuid);
        let created_at = self.time(1);
        let updated_at = self.time(2);
        let resolved_at = if self.values[3] == Value::Null { Some(None) } else { self.time(3).map(Some) };
        let severity = self.fixed_text(4, Rule::SeverityText, Severity::from_text);
        let status = self.fixed_text(5, Rule::StatusText, Status::from_text);
        let category = self.fixed_text(6, Rule::CategoryText, Category::from_text);
        let channel = self.fixed_text(7, Rule::ChannelText, Channel::from_text);
        let market = self.text(8, Rule::MarketText, |text| Market::from_text(text).is_some());
        let dealer = self.text(9, Rule::DealerIdForm, |text| text.parse::<DealerId>().is_ok());
        let customer = self.text(10, Rule::CustomerIdForm, |text| text.parse::<CustomerId>().is_ok());
        let vin = self.text(11, Rule::VinForm, |text| text.parse::<VinLast6>().is_ok());
        let series = self.text(12, Rule::FieldTypes, |_| true);
        let model_year = if let Value::Integer(year) = self.values[13] { i32::try_from(year).ok() } else { None };
        let sla_breached = if let Value::Boolean(breached) = self.values[14] { Some(breached) } else { None };
        Some(Row {
            ticket_id: ticket_number(ticket_id?),
            created_at: created_at?,
            updated_at: updated_at?,
            resolved_at: resolved_at?,
            customer: customer_number(customer?),
            vin: vin_text_number(vin?),
            dealer: names.dealers.number(dealer?),
            model_year: model_year?,
            place,
            market: names.markets.short_number(market?),
            dealer_market: dealer?.parse().ok().map(|dealer: DealerId| dealer.market),
            series: names.series.short_number(series?),
            severity: severity?,
            status: status?,
            category: category?,
            channel: channel?,
            sla_breached: sla_breached?,
        })
    }

    fn judge_kind(&mut self, place: usize) {
        let column = COLUMNS[place];
        let broken = match (&self.values[place], column.kind) {
            (Value::Missing | Value::Repeated, _) => Some(Rule::FieldsPresent),
            (Value::Null, _) => (!column.nullable).then_some(Rule::FieldsPresent),
            (Value::Text(_), ColumnKind::Text | ColumnKind::Time)
            | (Value::Time(_), ColumnKind::Time)
            | (Value::Boolean(_), ColumnKind::Boolean) => None,
            (Value::Integer(value), ColumnKind::Integer) => i32::try_from(*value).is_err().then_some(Rule::FieldTypes),
            _ => Some(Rule::FieldTypes),
        };
        if let Some(rule) = broken {
            self.breaks(rule);
        }
    }

    fn breaks(&mut self, rule: Rule) {
        self.broken[rule as usize] = true;
    }

    fn text(&mut self, place: usize, rule: Rule, is_in_form: impl Fn(&str) -> bool) -> Option<&'v str> {
        let values: &'v Values<'a> = self.values;
        let Value::Text(text) = &values[place] else { return None };
        if !is_in_form(text) {
            self.breaks(rule);
        }
        Some(text)
    }

    fn fixed_text<T>(&mut self, place: usize, rule: Rule, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        parse(self.text(place, rule, |text| parse(text).is_some())?)
    }

    fn time(&mut self, place: usize) -> Option<i64> {
        let found = match &self.values[place] {
            Value::Time(time) => Some(*time),
            Value::Text(text) => time_of_text(text),
            _ => return None,
        };
        if !found.is_some_and(|time| time.in_form) {
            self.breaks(Rule::TimeForm);
        }
        found.map(|time| time.seconds)
    }
}

/// Reads any RFC 3339 time, so that one in another form can still be compared.
fn time_of_text(text: &str) -> Option<FoundTime> {
    let seconds = transform::decode::timestamp::Moment::parse(text).ok()?.milliseconds().div_euclid(1000);
    let in_form = Timestamp::from_seconds(seconds).is_some_and(|time| time.to_string() == text);
    Some(FoundTime { seconds, in_form })
}

fn is_contract_uuid(text: &str) -> bool {
    Uuid::try_parse(text).is_ok_and(|uuid| {
        let is_version_4 = uuid.get_version_num() == 4 && uuid.get_variant() == Variant::RFC4122;
        is_version_4 && uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer()) == text
    })
}

#[cfg(test)]
mod tests {
    use super::{Intake, Value, Values};
    use crate::rows::{Names, Place};
    use crate::rules::Rule;

    fn good() -> Values<'static> {
        [
            "0f8fad5b-d9cb-469f-a165-70867728950e",
            "2026-11-20T08:30:00Z",
            "2026-11-21T08:30:00Z",
            "2026-11-21T07:30:00Z",
            "P3",
            "Resolved",
            "Engine",
            "Phone",
            "DE",
            "DLR-DE-003",
            "CUST-00000000FF",
            "A12345",
            "X5",
            "",
            "",
        ]
        .map(|text| Value::Text(text.into()))
    }

    fn broken_by(place: usize, value: Value<'static>) -> (Vec<Rule>, usize) {
        let mut names = Names::default();
        let mut intake = Intake::new(&mut names);
        let mut values = good();
        (values[13], values[14]) = (Value::Integer(2024), Value::Boolean(false));
        values[place] = value;
        intake.take(&values, Place::default());
        let broken = Rule::ALL.iter().filter(|rule| intake.book.tally(**rule).n_broken > 0).copied();
        (broken.collect(), intake.rows.len())
    }

    #[test]
    fn each_fault_counts_against_its_rule() {
        let text = |text: &'static str| Value::Text(text.into());
        for (place, value, rule, n_rows) in [
            (0, text("0F8FAD5B-D9CB-469F-A165-70867728950E"), Rule::TicketIdForm, 1),
            (0, text("0f8fad5b-d9cb-169f-a165-70867728950e"), Rule::TicketIdForm, 1),
            (0, text("T-1"), Rule::TicketIdForm, 1),
            (1, text("2026-11-20T08:30:00.5Z"), Rule::TimeForm, 1),
            (1, text("2026-11-20T09:30:00+01:00"), Rule::TimeForm, 1),
            (1, text("2026-02-30T09:30:00Z"), Rule::TimeForm, 0),
            (2, Value::Integer(1), Rule::FieldTypes, 0),
            (2, Value::Null, Rule::FieldsPresent, 0),
            (3, Value::Missing, Rule::FieldsPresent, 0),
            (4, text("p3"), Rule::SeverityText, 0),
            (5, text("Done"), Rule::StatusText, 0),
            (6, Value::Repeated, Rule::FieldsPresent, 0),
            (6, text(""), Rule::CategoryText, 0),
            (7, text("Fax"), Rule::ChannelText, 0),
            (8, text("CH"), Rule::MarketText, 1),
            (9, text("DLR-DE-3"), Rule::DealerIdForm, 1),
            (10, text("alice"), Rule::CustomerIdForm, 1),
            (11, text("I12345"), Rule::VinForm, 1),
            (12, Value::Other, Rule::FieldTypes, 0),
            (13, Value::Integer(1 << 40), Rule::FieldTypes, 0),
            (13, text("2024"), Rule::FieldTypes, 0),
            (14, Value::Null, Rule::FieldsPresent, 0),
        ] {
            assert_eq!(broken_by(place, value.clone()), (vec![rule], n_rows), "{place}: {value:?}");
        }
        assert_eq!(broken_by(3, Value::Null), (vec![], 1));
    }
}
