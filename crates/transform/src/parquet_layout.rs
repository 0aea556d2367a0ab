//! How a Parquet file is laid out: what Athena engine v3 reads best, decided from the contract alone.

use parquet::basic::Compression;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use parquet::schema::types::ColumnPath;

/// The most rows in a row group.
pub const MAX_ROW_GROUP_ROWS: usize = 1 << 20;

/// Columns whose values hardly ever repeat; a dictionary would only be built to be thrown away.
const WITHOUT_DICTIONARY: [&str; 2] = ["ticket_id", "customer_id"];

/// The writer's settings: Snappy, version 1 pages, dictionaries where values repeat, statistics and an index of each page.
pub fn writer_properties() -> WriterProperties {
    let properties = WriterProperties::builder()
        .set_created_by(concat!("aftersales transform ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_compression(Compression::SNAPPY)
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_max_row_group_row_count(Some(MAX_ROW_GROUP_ROWS));
    WITHOUT_DICTIONARY
        .into_iter()
        .fold(properties, |properties, name| properties.set_column_dictionary_enabled(ColumnPath::from(name), false))
        .build()
}
