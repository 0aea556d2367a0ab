//! Rules that involve several tickets: uniqueness, consistency of cars and customers, and order.

use crate::rows::Row;
use crate::validate::rules::{Rule, Violations};

/// Checks all tickets. A ticket violates a consistency rule if it differs from the first one with the same key.
pub fn check(rows: &[Row], violations: &mut Violations) {
    let mut record = |rule, indexes: Vec<usize>| {
        for index in indexes {
            violations.record(rule, rows[index].location);
        }
    };
    record(Rule::TimeOrder, out_of_order(rows));
    // Locations are unique, so every repetition of an identifier is a violation.
    record(Rule::TicketIdUnique, deviations(rows, |row| row.ticket_id, |row| (row.location.source, row.location.line)));
    record(Rule::OneCar, deviations(rows, Row::car, |row| (row.series, row.model_year)));
    record(Rule::OneCarDealer, deviations(rows, Row::car, |row| (row.market, row.dealer)));
    record(Rule::OneCustomerMarket, deviations(rows, |row| row.customer, |row| row.market));
    record(Rule::OneCustomerDealer, deviations(rows, |row| row.customer, |row| row.dealer));
}

/// Returns the tickets that were created before the previous one in the same file.
fn out_of_order(rows: &[Row]) -> Vec<usize> {
    let is_out_of_order = |index: &usize| {
        let (previous, row) = (&rows[index - 1], &rows[*index]);
        previous.location.source == row.location.source && row.created_at < previous.created_at
    };
    (1..rows.len()).filter(is_out_of_order).collect()
}

/// Returns the tickets whose value differs from that of the first ticket with the same key, in input order.
fn deviations<K: Ord, V: PartialEq>(rows: &[Row], key: impl Fn(&Row) -> K, value: impl Fn(&Row) -> V) -> Vec<usize> {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_unstable_by_key(|index| (key(&rows[*index]), *index));
    let mut deviations: Vec<usize> = order
        .chunk_by(|a, b| key(&rows[*a]) == key(&rows[*b]))
        .flat_map(|group| group[1..].iter().filter(|index| value(&rows[**index]) != value(&rows[group[0]])))
        .copied()
        .collect();
    deviations.sort_unstable();
    deviations
}
