//! Parsing of CREATE EXTERNAL TABLE statements into the entries that they create in the Glue catalogue.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use aws::glue::Table;
use sqlparser::ast::{
    ColumnDef, CreateTableOptions, Expr, FileFormat, HiveDistributionStyle, HiveIOFormat, HiveRowFormat, SqlOption,
    Statement, Value,
};
use sqlparser::dialect::HiveDialect;
use sqlparser::parser::Parser;

use super::TableDefinition;

const PARQUET_SERDE: &str = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe";
const PARQUET_INPUT: &str = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat";
const TEXT_INPUT: &str = "org.apache.hadoop.mapred.TextInputFormat";

/// Parses one CREATE EXTERNAL TABLE statement.
///
/// # Errors
///
/// Fails if the statement is malformed, or has neither a SerDe nor `STORED AS PARQUET`.
pub fn table_definition(statement: String) -> Result<TableDefinition> {
    let mut parsed = Parser::parse_sql(&HiveDialect {}, &statement).with_context(|| format!("in\n{statement}"))?;
    let Some(Statement::CreateTable(create)) = parsed.pop() else { bail!("not a table:\n{statement}") };
    let name = create.name.0.last().map(ToString::to_string).context("a table without a name")?;
    let mut table = Table { columns: columns(&create.columns), ..Table::default() };
    if let HiveDistributionStyle::PARTITIONED { columns: keys } = &create.hive_distribution {
        table.partition_keys = columns(keys);
    }
    let formats = create.hive_formats.context("a table without a format")?;
    table.location = formats.location;
    match (formats.row_format, formats.storage) {
        (Some(HiveRowFormat::SERDE { class }), None) => {
            table.serde = Some(class);
            table.input_format = Some(TEXT_INPUT.to_owned());
        }
        (None, Some(HiveIOFormat::FileFormat { format: FileFormat::PARQUET })) => {
            table.serde = Some(PARQUET_SERDE.to_owned());
            table.input_format = Some(PARQUET_INPUT.to_owned());
        }
        _ => bail!("expected ROW FORMAT SERDE or STORED AS PARQUET in\n{statement}"),
    }
    table.serde_parameters = options(&formats.serde_properties.unwrap_or_default());
    if let CreateTableOptions::TableProperties(properties) = &create.table_options {
        table.parameters = options(properties);
    }
    Ok(TableDefinition { name, statement, table })
}

fn columns(columns: &[ColumnDef]) -> Vec<(String, String)> {
    columns.iter().map(|column| (column.name.value.clone(), column.data_type.to_string().to_lowercase())).collect()
}

fn options(options: &[SqlOption]) -> BTreeMap<String, String> {
    let text = |expression: &Expr| match expression {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => text.clone(),
            other => other.to_string(),
        },
        other => other.to_string(),
    };
    let key_value = |option: &SqlOption| match option {
        SqlOption::KeyValue { key, value } => Some((key.value.clone(), text(value))),
        _ => None,
    };
    options.iter().filter_map(key_value).collect()
}
