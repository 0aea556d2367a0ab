//! The data source (Athena) and the data set, which SPICE imports once per refresh.

use anyhow::{Context, Result};
use kpi::sql_text::statements;
use serde_json::{Value, json};
use ticket_schema::names::WORKGROUP;

use super::{DATA_SET, DATA_SET_ID, ID, arn};

const QUERY: &str = include_str!("../../../../queries/quicksight.sql");

/// The columns of the query with their SPICE types.
const COLUMNS: [(&str, &str); 13] = [
    ("ticket_id", "STRING"),
    ("created_at", "DATETIME"),
    ("market", "STRING"),
    ("severity", "STRING"),
    ("category", "STRING"),
    ("dealer_id", "STRING"),
    ("model_series", "STRING"),
    ("model_year", "INTEGER"),
    ("status", "STRING"),
    ("is_open", "INTEGER"),
    ("is_breached", "INTEGER"),
    ("resolution_hours", "DECIMAL"),
    ("hours_since_created", "INTEGER"),
];

/// Returns the request for the data source: Athena in the workgroup of the lake.
pub(super) fn data_source() -> Value {
    json!({
        "DataSourceId": ID,
        "Name": "BMW after-sales lake",
        "Type": "ATHENA",
        "DataSourceParameters": { "AthenaParameters": { "WorkGroup": WORKGROUP } },
        "SslProperties": { "DisableSsl": false },
        "Tags": tags(),
    })
}

/// Returns the request for the data set of tickets.
pub(super) fn data_set() -> Result<Value> {
    let query = statements(QUERY).into_iter().next().context("queries/quicksight.sql has no statement")?.text;
    let columns = COLUMNS.map(|(name, kind)| json!({ "Name": name, "Type": kind }));
    Ok(json!({
        "DataSetId": DATA_SET_ID,
        "Name": "BMW after-sales tickets",
        "PhysicalTableMap": {
            DATA_SET: {
                "CustomSql": {
                    "DataSourceArn": arn("datasource", ID),
                    "Name": "tickets_enriched",
                    "SqlQuery": query,
                    "Columns": columns,
                }
            }
        },
        "ImportMode": "SPICE",
        "Tags": tags(),
    }))
}

/// Returns the tags of all resources that `deploy` manages.
pub(super) fn tags() -> Value {
    json!([
        { "Key": "managed-by", "Value": "aftersales-deploy" },
        { "Key": "project", "Value": "bmw-aftersales" },
    ])
}
