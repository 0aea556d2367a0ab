//! Rows in the order of their creation.

use crate::rows::{Rows, Texts};

/// Puts the rows into `sorted` by `created_at`, rows of the same time in the order they came; or leaves it alone and returns
/// `false` if they are in order.
pub(super) fn sort_by_creation(rows: &Rows, sorted: &mut Rows) -> bool {
    if rows.created_at.is_sorted() {
        return false;
    }
    let mut order: Vec<u32> = (0..rows.len() as u32).collect();
    order.sort_by_key(|row| rows.created_at[*row as usize]);
    gather(&rows.ticket_id, &order, &mut sorted.ticket_id);
    gather(&rows.created_at, &order, &mut sorted.created_at);
    gather(&rows.updated_at, &order, &mut sorted.updated_at);
    gather(&rows.resolved_at, &order, &mut sorted.resolved_at);
    gather(&rows.severity, &order, &mut sorted.severity);
    gather(&rows.status, &order, &mut sorted.status);
    gather(&rows.category, &order, &mut sorted.category);
    gather(&rows.channel, &order, &mut sorted.channel);
    gather_texts(&rows.dealer_id, &order, &mut sorted.dealer_id);
    gather_texts(&rows.customer_id, &order, &mut sorted.customer_id);
    gather_texts(&rows.vin_last6, &order, &mut sorted.vin_last6);
    gather_texts(&rows.model_series, &order, &mut sorted.model_series);
    gather(&rows.model_year, &order, &mut sorted.model_year);
    gather(&rows.sla_breached, &order, &mut sorted.sla_breached);
    true
}

fn gather<T: Copy>(values: &[T], order: &[u32], sorted: &mut Vec<T>) {
    sorted.clear();
    sorted.extend(order.iter().map(|row| values[*row as usize]));
}

fn gather_texts(texts: &Texts, order: &[u32], sorted: &mut Texts) {
    sorted.bytes.clear();
    sorted.ends.clear();
    for row in order {
        sorted.bytes.extend_from_slice(texts.get(*row as usize));
        sorted.ends.push(sorted.bytes.len() as u32);
    }
}
