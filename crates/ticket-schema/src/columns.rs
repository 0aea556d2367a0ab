//! The declaration of the ticket's columns, from which everything else that lists them is generated.
//!
//! [`ticket_columns!`](crate::ticket_columns) holds each column once: name, kind, Rust type, constraint and meaning.
//! [`COLUMNS`], [`Ticket`](crate::Ticket), the Arrow schemas below, and the decoders, rows and encoders of `transform` are
//! expansions of it. `tests/contract.rs` holds the DDL, and a test of the documentation its schema table, to the same list.
//!
//! ```
//! use ticket_schema::columns::{COLUMNS, position};
//!
//! assert_eq!(COLUMNS[position("resolved_at")].name, "resolved_at");
//! assert!(COLUMNS[position("resolved_at")].nullable);
//! ```

/// Calls the macro `$callback!` with the columns of a ticket, in the order of the JSON keys.
///
/// A column is `name: kind(Type), "constraint", "meaning";`. `Type` is the field's type in [`Ticket`](crate::Ticket). The
/// kinds are:
///
/// | kind | JSON | Parquet |
/// |---|---|---|
/// | `uuid` | string | UTF8 |
/// | `timestamp`, `nullable_timestamp` | RFC 3339 string | INT64, milliseconds in UTC |
/// | `string_enum` | one of the texts of `Type` | UTF8 |
/// | `partition_key` | string | none: the name of the directory |
/// | `text`, `nullable_text` | string of 1 to 255 bytes | UTF8 |
/// | `integer` | integer | INT32 |
/// | `boolean` | boolean | BOOLEAN |
///
/// A new column also needs a value in `generate` and a place in the DDL; compile errors and failing tests name them.
#[macro_export]
macro_rules! ticket_columns {
    ($callback:ident) => {
        $callback! {
            ticket_id: uuid(uuid::Uuid), "unique; UUID version 4, lower case", "Identifier of the ticket.";
            created_at: timestamp($crate::Timestamp), "whole seconds, UTC", "Time of creation.";
            updated_at: timestamp($crate::Timestamp), "not before `created_at`", "Time of the last change.";
            resolved_at: nullable_timestamp(Option<$crate::Timestamp>),
                "after `created_at`, not after `updated_at`; set exactly for `Resolved` and `Closed`",
                "Time of the resolution.";
            severity: string_enum($crate::enums::Severity), "one of `Severity`", "Urgency, which sets the SLA target.";
            status: string_enum($crate::enums::Status), "one of `Status`", "State of the work on the ticket.";
            category: string_enum($crate::enums::Category), "one of `Category`", "Subject of the ticket.";
            channel: string_enum($crate::enums::Channel), "one of `Channel`", "Channel by which the customer reached us.";
            market: partition_key($crate::enums::Market), "ISO 3166-1 alpha-2 code", "Country in which the car is serviced.";
            dealer_id: text($crate::ticket::DealerId), "`DLR-<market>-<three digits>`", "Service centre, in the ticket's market.";
            customer_id: text($crate::ticket::CustomerId), "`CUST-` and ten upper-case hexadecimal digits", "Pseudonym of the customer.";
            vin_last6: text($crate::ticket::VinLast6),
                "a letter without I, O, Q or a digit, then five digits",
                "Last six characters of the vehicle identification number.";
            model_series: text($crate::cars::ModelSeries), "not empty", "Model series of the car.";
            model_year: integer(i32), "2018 to 2026", "Model year of the car.";
            sla_breached: boolean(bool),
                "computed",
                "Resolved tickets: the resolution took longer than the SLA target. Others: older than the target.";
        }
    };
}

/// A column of the ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Name in JSON, Parquet and SQL.
    pub name: &'static str,
    /// Type of its values.
    pub kind: ColumnKind,
    /// Whether null is allowed.
    pub nullable: bool,
    /// Values that the contract allows, in words.
    pub constraint: &'static str,
    /// Meaning, as one or two sentences.
    pub meaning: &'static str,
}

/// Type of a column's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// UTF-8 text.
    Text,
    /// Point in time: an RFC 3339 text in JSON, milliseconds since 1970 in UTC in Parquet.
    Time,
    /// 32-bit integer.
    Integer,
    /// True or false.
    Boolean,
}

/// Maps a kind of [`ticket_columns!`](crate::ticket_columns) to the type and nullability of its values.
macro_rules! kind_of {
    (timestamp) => {
        (ColumnKind::Time, false)
    };
    (nullable_timestamp) => {
        (ColumnKind::Time, true)
    };
    (nullable_text) => {
        (ColumnKind::Text, true)
    };
    (integer) => {
        (ColumnKind::Integer, false)
    };
    (boolean) => {
        (ColumnKind::Boolean, false)
    };
    // uuid, string_enum, partition_key, text
    ($text:ident) => {
        (ColumnKind::Text, false)
    };
}

macro_rules! columns {
    ($($name:ident: $kind:ident($type:ty), $constraint:literal, $meaning:literal;)*) => {
        /// Number of columns of a ticket.
        pub const N_COLUMNS: usize = [$(stringify!($name)),*].len();

        /// Columns of a ticket, in the order of the JSON keys. The Parquet files and the `tickets` table have the same order
        /// without [`PARTITION_COLUMN`].
        pub const COLUMNS: [Column; N_COLUMNS] = [$({
            let (kind, nullable) = kind_of!($kind);
            Column { name: stringify!($name), kind, nullable, constraint: $constraint, meaning: $meaning }
        }),*];
    };
}
ticket_columns!(columns);

/// Column that is a directory (`market=DE`) and not in the Parquet files.
pub const PARTITION_COLUMN: &str = "market";

/// Returns the position of a column in [`COLUMNS`]. In a constant, an unknown name fails to compile.
///
/// # Panics
///
/// If no column has this name.
pub const fn position(name: &str) -> usize {
    let mut position = 0;
    while position < N_COLUMNS {
        if is_equal(COLUMNS[position].name.as_bytes(), name.as_bytes()) {
            return position;
        }
        position += 1;
    }
    panic!("the ticket has no column of this name")
}

const fn is_equal(a: &[u8], b: &[u8]) -> bool {
    let mut n_equal = 0;
    while n_equal < a.len() && n_equal < b.len() && a[n_equal] == b[n_equal] {
        n_equal += 1;
    }
    n_equal == a.len() && n_equal == b.len()
}

/// Returns the columns of a Parquet file, in order.
pub fn file_columns() -> impl Iterator<Item = Column> {
    COLUMNS.into_iter().filter(|column| column.name != PARTITION_COLUMN)
}

impl ColumnKind {
    /// Returns the type in the DDL of the curated table.
    pub const fn athena_type(self) -> &'static str {
        match self {
            Self::Text => "STRING",
            Self::Time => "TIMESTAMP",
            Self::Integer => "INT",
            Self::Boolean => "BOOLEAN",
        }
    }
}

/// Arrow schemas of the columns.
#[cfg(feature = "arrow")]
pub mod arrow_types {
    use std::sync::Arc;

    use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

    use super::{Column, ColumnKind, file_columns};

    /// Returns the schema of the Parquet files. Times are milliseconds, adjusted to UTC: Athena engine v3 keeps no more.
    pub fn file_schema() -> SchemaRef {
        schema(&DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())))
    }

    /// Returns the schema that SQL sees: Athena's TIMESTAMP carries no zone (its values are UTC).
    pub fn table_schema() -> SchemaRef {
        schema(&DataType::Timestamp(TimeUnit::Millisecond, None))
    }

    fn schema(time: &DataType) -> SchemaRef {
        let field = |column: Column| {
            let data_type = match column.kind {
                ColumnKind::Text => DataType::Utf8,
                ColumnKind::Time => time.clone(),
                ColumnKind::Integer => DataType::Int32,
                ColumnKind::Boolean => DataType::Boolean,
            };
            Field::new(column.name, data_type, column.nullable)
        };
        Arc::new(Schema::new(file_columns().map(field).collect::<Vec<_>>()))
    }
}
