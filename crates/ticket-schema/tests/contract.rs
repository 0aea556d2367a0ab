//! The contract, checked against what it must agree with: the DDL, the JSON form and, letter for letter, its texts.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic, and makes the files it needs")]

use serde_json::{Value, json};
use ticket_schema::Ticket;
use ticket_schema::columns::{COLUMNS, Column, ColumnKind, PARTITION_COLUMN, file_columns};
use ticket_schema::enums::{Category, Channel, Market, Severity, Status, StringEnum};
use ticket_schema::names;

const DDL: &str = include_str!("../../../infra/athena_ddl.sql");

/// The part of the DDL from `start` to the next semicolon.
fn statement(start: &str) -> &'static str {
    let from = DDL.find(start).unwrap_or_else(|| panic!("the DDL has no `{start}`"));
    DDL[from..].split(';').next().unwrap()
}

/// `name TYPE` of each line in the first parentheses.
fn declared_columns(table: &str) -> Vec<String> {
    let text = statement(&format!("CREATE EXTERNAL TABLE IF NOT EXISTS {}.{table} (", names::DATABASE));
    let (_, columns) = text.split_once("(\n").unwrap();
    let (columns, _) = columns.split_once("\n)").unwrap();
    columns.lines().map(|line| line.trim().trim_end_matches(',').to_owned()).collect()
}

fn declaration(column: Column, kind: &str) -> String {
    format!("{} {kind}", column.name)
}

#[test]
fn the_curated_table_has_the_columns_of_the_files() {
    let expected: Vec<String> = file_columns().map(|column| declaration(column, column.kind.athena_type())).collect();
    assert_eq!(declared_columns(names::TABLE), expected);
    let table = statement("CREATE EXTERNAL TABLE IF NOT EXISTS bmw_aftersales.tickets (");
    assert!(table.contains(&format!("PARTITIONED BY ({PARTITION_COLUMN} STRING)")));
}

#[test]
fn the_raw_table_has_every_field_with_times_as_text() {
    let kind = |column: Column| match column.kind {
        ColumnKind::Time => ColumnKind::Text.athena_type(),
        kind => kind.athena_type(),
    };
    let expected: Vec<String> = COLUMNS.into_iter().map(|column| declaration(column, kind(column))).collect();
    assert_eq!(declared_columns(names::RAW_TABLE), expected);
}

#[test]
fn the_view_shows_every_field_and_the_three_durations() {
    let view = statement(&format!("CREATE OR REPLACE VIEW {}.{} AS", names::DATABASE, names::VIEW));
    let shown: Vec<&str> = view
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with("  "))
        .map(|line| line.trim().trim_end_matches(',').rsplit(' ').next().unwrap())
        .collect();
    let durations = ["resolution_hours", "days_open", "hours_since_created"];
    let expected: Vec<&str> = COLUMNS.iter().map(|column| column.name).chain(durations).collect();
    assert_eq!(shown, expected);
}

#[test]
fn the_ddl_uses_the_names_of_the_contract() {
    let account = "<ACCOUNT_ID>";
    for location in [names::raw_bucket(account), names::curated_bucket(account)] {
        assert!(DDL.contains(&format!("LOCATION 's3://{location}/{}/'", names::TICKETS_DIR)), "{location}");
    }
    assert!(DDL.contains(&format!("CREATE DATABASE IF NOT EXISTS {}\n", names::DATABASE)));
    assert_eq!(names::athena_results_bucket("123456789012"), "bmw-aftersales-athena-results-123456789012");
}

#[test]
fn a_ticket_is_the_json_of_the_contract() {
    let text = r#"{"ticket_id":"c7bf1206-7598-40fa-8d06-4d3ab4def7b8","created_at":"2026-08-24T00:14:54Z","updated_at":"2026-08-31T16:43:36Z","resolved_at":null,"severity":"P4","status":"In Progress","category":"iDrive","channel":"Walk-In","market":"IT","dealer_id":"DLR-IT-002","customer_id":"CUST-1F495C822E","vin_last6":"P96748","model_series":"2 Series Gran Coupé","model_year":2024,"sla_breached":false}"#;
    let ticket: Ticket = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&ticket).unwrap(), text);

    let keys: Vec<&str> = text.split('"').filter(|part| COLUMNS.iter().any(|column| column.name == *part)).collect();
    assert_eq!(keys, COLUMNS.map(|column| column.name));
}

#[test]
fn a_ticket_refuses_what_the_contract_does_not_know() {
    let valid = json!({
        "ticket_id": "c7bf1206-7598-40fa-8d06-4d3ab4def7b8", "created_at": "2026-08-24T00:14:54Z",
        "updated_at": "2026-08-24T00:14:54Z", "resolved_at": null, "severity": "P1", "status": "Open",
        "category": "Other", "channel": "Email", "market": "AE", "dealer_id": "DLR-AE-001",
        "customer_id": "CUST-0000000000", "vin_last6": "000000", "model_series": "X5", "model_year": 2018,
        "sla_breached": true
    });
    assert!(serde_json::from_value::<Ticket>(valid.clone()).is_ok());
    let wrong = [
        ("severity", "P5"),
        ("status", "open"),
        ("market", "AT"),
        ("model_series", "X9"),
        ("vin_last6", "O00000"),
        ("extra", ""),
    ];
    for (field, value) in wrong {
        let mut ticket = valid.clone();
        ticket[field] = Value::from(value);
        assert!(serde_json::from_value::<Ticket>(ticket).is_err(), "{field}");
    }
}

#[test]
fn the_texts_and_targets_are_the_contract_s() {
    fn texts<T: Copy + std::fmt::Display>(all: &[T]) -> Vec<String> {
        all.iter().map(ToString::to_string).collect()
    }
    assert_eq!(texts(Severity::ALL), ["P1", "P2", "P3", "P4"]);
    assert_eq!(texts(Status::ALL), ["Open", "In Progress", "Waiting", "Resolved", "Closed"]);
    let categories =
        ["Engine", "Electrical", "iDrive", "Brake", "Recall", "Suspension", "Climate", "Bodywork", "Warranty", "Other"];
    assert_eq!(texts(Category::ALL), categories);
    assert_eq!(texts(Channel::ALL), ["Phone", "Email", "Dealer Portal", "BMW App", "Walk-In"]);
    assert_eq!(texts(Market::ALL), ["DE", "US", "GB", "CN", "FR", "IT", "JP", "KR", "AU", "AE"]);
    assert_eq!(Severity::ALL.iter().map(|severity| severity.sla_target_hours()).collect::<Vec<_>>(), [4, 8, 48, 120]);
    let resolved: Vec<&Status> = Status::ALL.iter().filter(|status| status.is_resolved()).collect();
    assert_eq!(resolved, [&Status::Resolved, &Status::Closed]);
}

#[cfg(feature = "arrow")]
#[test]
fn the_arrow_schemas_follow_the_columns() {
    use ticket_schema::columns::arrow_types::{file_schema, table_schema};
    for schema in [file_schema(), table_schema()] {
        let fields: Vec<(&str, bool)> = schema.fields().iter().map(|f| (f.name().as_str(), f.is_nullable())).collect();
        let expected: Vec<(&str, bool)> = file_columns().map(|column| (column.name, column.nullable)).collect();
        assert_eq!(fields, expected);
    }
}

#[test]
fn schema_reference_is_current() {
    let mut page = "# Schema\n\n\
        <!-- Generated from `ticket_columns!`. To update: UPDATE_DOCS=1 cargo test -p ticket-schema --test contract -->\n\n\
        The JSON keys of a ticket are in this order. The Parquet columns are too, without `market`, which is the partition.\n\n\
        | # | field | JSON | Athena | null | values | meaning |\n|--:|---|---|---|---|---|---|\n"
        .to_owned();
    for (n, Column { name, kind, nullable, constraint, meaning }) in (1..).zip(COLUMNS) {
        let json = match kind {
            ColumnKind::Text => "string",
            ColumnKind::Time => "RFC 3339 string",
            ColumnKind::Integer => "integer",
            ColumnKind::Boolean => "boolean",
        };
        let partition = if name == PARTITION_COLUMN { ", partition" } else { "" };
        let (athena, null) = (kind.athena_type(), if nullable { "yes" } else { "no" });
        page += &format!("| {n} | `{name}` | {json} | {athena}{partition} | {null} | {constraint} | {meaning} |\n");
    }
    page += "\nTexts of the enums:\n\n| enum | texts |\n|---|---|\n";
    for (name, texts) in [
        ("Severity", Severity::TEXTS),
        ("Status", Status::TEXTS),
        ("Category", Category::TEXTS),
        ("Channel", Channel::TEXTS),
    ] {
        page += &format!("| `{name}` | `{}` |\n", texts.join("`, `"));
    }
    test_support::reference::assert_current("schema.md", &page);
}
