//! The table of columns: the order of the JSON fields, the Parquet schema and the DDL all come from here.

/// One field of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name in JSON, Parquet and SQL.
    pub name: &'static str,
    /// What it holds.
    pub kind: ColumnKind,
    /// Whether it may be null.
    pub nullable: bool,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// UTF-8 text.
    Text,
    /// A point in time: RFC 3339 text in JSON, milliseconds since 1970 in UTC in Parquet.
    Time,
    /// A 32-bit integer.
    Integer,
    /// True or false.
    Boolean,
}

const fn column(name: &'static str, kind: ColumnKind) -> Column {
    Column { name, kind, nullable: false }
}

/// Every field, in the order of the JSON keys. The Parquet files and the `tickets` table have the same order without
/// [`PARTITION_COLUMN`].
pub const COLUMNS: [Column; 15] = [
    column("ticket_id", ColumnKind::Text),
    column("created_at", ColumnKind::Time),
    column("updated_at", ColumnKind::Time),
    Column { name: "resolved_at", kind: ColumnKind::Time, nullable: true },
    column("severity", ColumnKind::Text),
    column("status", ColumnKind::Text),
    column("category", ColumnKind::Text),
    column("channel", ColumnKind::Text),
    column("market", ColumnKind::Text),
    column("dealer_id", ColumnKind::Text),
    column("customer_id", ColumnKind::Text),
    column("vin_last6", ColumnKind::Text),
    column("model_series", ColumnKind::Text),
    column("model_year", ColumnKind::Integer),
    column("sla_breached", ColumnKind::Boolean),
];

/// The column that is a directory (`market=DE`) and not in the Parquet files.
pub const PARTITION_COLUMN: &str = "market";

/// The columns inside a Parquet file, in order.
pub fn file_columns() -> impl Iterator<Item = Column> {
    COLUMNS.into_iter().filter(|column| column.name != PARTITION_COLUMN)
}

impl ColumnKind {
    /// The type in the DDL of the curated table.
    pub const fn athena_type(self) -> &'static str {
        match self {
            Self::Text => "STRING",
            Self::Time => "TIMESTAMP",
            Self::Integer => "INT",
            Self::Boolean => "BOOLEAN",
        }
    }
}

/// Arrow's view of the columns.
#[cfg(feature = "arrow")]
pub mod arrow_types {
    use std::sync::Arc;

    use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

    use super::{Column, ColumnKind, file_columns};

    /// The schema that Parquet files are written with: times are milliseconds, adjusted to UTC, which is what Athena
    /// engine v3 keeps.
    pub fn file_schema() -> SchemaRef {
        schema(&DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())))
    }

    /// The schema that SQL sees: Athena's TIMESTAMP carries no zone (its values are UTC).
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
