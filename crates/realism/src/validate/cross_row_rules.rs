//! The rules between tickets: a car, a customer and an identifier are one thing each, and time goes on.

use crate::rows::Row;
use crate::rules::{Rule, RuleBook};

/// Asks all tickets together. A ticket is at fault if it differs from the first one of the same car or customer.
pub fn judge(rows: &[Row], book: &mut RuleBook) {
    let mut broken = |rule, faults: Vec<usize>| {
        for fault in faults {
            book.broken(rule, rows[fault].place);
        }
    };
    broken(Rule::TimeOrder, steps_back(rows));
    // No two tickets may agree here, so a ticket's own place stands for what must be equal.
    broken(Rule::TicketIdUnique, strays(rows, |row| row.ticket_id, |row| (row.place.source, row.place.line)));
    broken(Rule::OneCar, strays(rows, Row::car, |row| (row.series, row.model_year)));
    broken(Rule::OneHome, strays(rows, Row::car, |row| (row.market, row.dealer)));
    broken(Rule::OneCustomerMarket, strays(rows, |row| row.customer, |row| row.market));
    broken(Rule::OneCustomerDealer, strays(rows, |row| row.customer, |row| row.dealer));
}

/// The tickets that were opened before the one above them in the same file.
fn steps_back(rows: &[Row]) -> Vec<usize> {
    let goes_back = |place: &usize| {
        let (above, row) = (&rows[place - 1], &rows[*place]);
        above.place.source == row.place.source && row.created_at < above.created_at
    };
    (1..rows.len()).filter(goes_back).collect()
}

/// The tickets whose value is not that of the first ticket with the same key, in the order of reading.
fn strays<K: Ord, V: PartialEq>(rows: &[Row], key: impl Fn(&Row) -> K, value: impl Fn(&Row) -> V) -> Vec<usize> {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_unstable_by_key(|place| (key(&rows[*place]), *place));
    let mut strays: Vec<usize> = order
        .chunk_by(|a, b| key(&rows[*a]) == key(&rows[*b]))
        .flat_map(|group| group[1..].iter().filter(|place| value(&rows[**place]) != value(&rows[group[0]])))
        .copied()
        .collect();
    strays.sort_unstable();
    strays
}
