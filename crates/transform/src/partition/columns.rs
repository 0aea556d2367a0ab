//! Column buffers of the tickets of one market, between decoder and encoder.

use std::ops::Range;

use parquet_encode::{NULL_TIMESTAMP, StringColumn};
use ticket_schema::enums::StringEnum;

use crate::decode::Row;
use crate::decode::timestamp::DateTime;

/// Columns of equal length. Times are milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// The 16 bytes of a UUID.
    pub ticket_id: Vec<[u8; 16]>,
    /// When it was opened.
    pub created_at: Vec<i64>,
    /// When it last changed.
    pub updated_at: Vec<i64>,
    /// When it was resolved, or [`NULL_TIMESTAMP`].
    pub resolved_at: Vec<i64>,
    /// Places in [`Severity::ALL`](ticket_schema::enums::Severity::ALL).
    pub severity: Vec<u8>,
    /// Places in [`Status::ALL`](ticket_schema::enums::Status::ALL).
    pub status: Vec<u8>,
    /// Places in [`Category::ALL`](ticket_schema::enums::Category::ALL).
    pub category: Vec<u8>,
    /// Places in [`Channel::ALL`](ticket_schema::enums::Channel::ALL).
    pub channel: Vec<u8>,
    /// The service centre.
    pub dealer_id: StringColumn,
    /// The customer's pseudonym.
    pub customer_id: StringColumn,
    /// The end of the vehicle identification number.
    pub vin_last6: StringColumn,
    /// The car's series.
    pub model_series: StringColumn,
    /// The car's model year.
    pub model_year: Vec<i32>,
    /// Whether the SLA target was missed.
    pub sla_breached: Vec<bool>,
}

impl Rows {
    /// None, with room for so many.
    pub fn with_capacity(n_rows: usize) -> Self {
        let strings = || StringColumn::with_capacity(n_rows);
        let times = || Vec::with_capacity(n_rows);
        let places = || Vec::with_capacity(n_rows);
        Self {
            ticket_id: Vec::with_capacity(n_rows),
            created_at: times(),
            updated_at: times(),
            resolved_at: times(),
            severity: places(),
            status: places(),
            category: places(),
            channel: places(),
            dealer_id: strings(),
            customer_id: strings(),
            vin_last6: strings(),
            model_series: strings(),
            model_year: Vec::with_capacity(n_rows),
            sla_breached: Vec::with_capacity(n_rows),
        }
    }

    /// How many rows there are.
    pub const fn len(&self) -> usize {
        self.created_at.len()
    }

    /// How many rows there is room for.
    pub const fn capacity(&self) -> usize {
        self.ticket_id.capacity()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.created_at.is_empty()
    }

    /// Takes a row.
    pub fn push(&mut self, row: &Row) {
        self.ticket_id.push(row.ticket_id);
        self.created_at.push(row.created_at.milliseconds());
        self.updated_at.push(row.updated_at.milliseconds());
        self.resolved_at.push(row.resolved_at.map_or(NULL_TIMESTAMP, DateTime::milliseconds));
        self.severity.push(row.severity.index() as u8);
        self.status.push(row.status.index() as u8);
        self.category.push(row.category.index() as u8);
        self.channel.push(row.channel.index() as u8);
        self.dealer_id.push(row.dealer_id.as_bytes());
        self.customer_id.push(row.customer_id.as_bytes());
        self.vin_last6.push(row.vin_last6.as_bytes());
        self.model_series.push(row.model_series.as_bytes());
        self.model_year.push(row.model_year);
        self.sla_breached.push(row.sla_breached);
    }
}

impl Rows {
    /// Takes some of the rows of `others`.
    pub fn append(&mut self, others: &Self, rows: Range<usize>) {
        self.ticket_id.extend_from_slice(&others.ticket_id[rows.clone()]);
        self.created_at.extend_from_slice(&others.created_at[rows.clone()]);
        self.updated_at.extend_from_slice(&others.updated_at[rows.clone()]);
        self.resolved_at.extend_from_slice(&others.resolved_at[rows.clone()]);
        self.severity.extend_from_slice(&others.severity[rows.clone()]);
        self.status.extend_from_slice(&others.status[rows.clone()]);
        self.category.extend_from_slice(&others.category[rows.clone()]);
        self.channel.extend_from_slice(&others.channel[rows.clone()]);
        self.dealer_id.append(&others.dealer_id, rows.clone());
        self.customer_id.append(&others.customer_id, rows.clone());
        self.vin_last6.append(&others.vin_last6, rows.clone());
        self.model_series.append(&others.model_series, rows.clone());
        self.model_year.extend_from_slice(&others.model_year[rows.clone()]);
        self.sla_breached.extend_from_slice(&others.sla_breached[rows]);
    }

    /// Forgets all rows and keeps the memory.
    pub fn clear(&mut self) {
        self.ticket_id.clear();
        for times in [&mut self.created_at, &mut self.updated_at, &mut self.resolved_at] {
            times.clear();
        }
        for codes in [&mut self.severity, &mut self.status, &mut self.category, &mut self.channel] {
            codes.clear();
        }
        for texts in [&mut self.dealer_id, &mut self.customer_id, &mut self.vin_last6, &mut self.model_series] {
            texts.clear();
        }
        self.model_year.clear();
        self.sla_breached.clear();
    }

    /// About how much memory the rows take.
    pub const fn n_bytes(&self) -> usize {
        const BYTES_PER_ROW: usize = 16 + 3 * 8 + 4 + 4 + 4 + 1;
        let n_text_bytes = self.dealer_id.bytes.len()
            + self.customer_id.bytes.len()
            + self.vin_last6.bytes.len()
            + self.model_series.bytes.len();
        self.len() * BYTES_PER_ROW + n_text_bytes
    }
}
