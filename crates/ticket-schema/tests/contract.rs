//! The columns, enum texts and names against the DDL, the curation by Athena, the JSON form and the documentation.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic, and makes the files it needs")]

use serde_json::{Value, json};
use ticket_schema::Ticket;
use ticket_schema::columns::{COLUMNS, Column, ColumnKind, PARTITION_COLUMN, file_columns};
use ticket_schema::enums::{Category, Channel, Market, Severity, Status, StringEnum};
use ticket_schema::names;

const DDL: &str = include_str!("../../../infra/athena_ddl.sql");

const CURATION: &str = include_str!("../../../infra/curate_athena.sql");

/// The part of a SQL file from `start` to the next semicolon.
fn statement<'a>(sql: &'a str, start: &str) -> &'a str {
    let from = sql.find(start).unwrap_or_else(|| panic!("the SQL has no `{start}`"));
    sql[from..].split(';').next().unwrap()
}

/// `name TYPE` of each line in the first parentheses of a CREATE TABLE statement.
fn declared_columns(create_table: &str) -> Vec<String> {
    let (_, columns) = create_table.split_once("(\n").unwrap();
    let (columns, _) = columns.split_once("\n)").unwrap();
    columns.lines().map(|line| line.trim().trim_end_matches(',').to_owned()).collect()
}

/// Names of the columns that a select list, one column a line, has after the line `start`.
fn selected_columns<'a>(select: &'a str, start: &str) -> Vec<&'a str> {
    let lines = select.lines().skip_while(|line| line.trim() != start).skip(1);
    let columns = lines.take_while(|line| line.starts_with("  "));
    columns.map(|line| line.trim().trim_end_matches(',').rsplit(' ').next().unwrap()).collect()
}

fn declaration(column: Column, kind: &str) -> String {
    format!("{} {kind}", column.name)
}

#[test]
fn curated_table_has_the_columns_of_the_files() {
    let expected: Vec<String> = file_columns().map(|column| declaration(column, column.kind.athena_type())).collect();
    let table = statement(DDL, "CREATE EXTERNAL TABLE IF NOT EXISTS bmw_aftersales.tickets (");
    assert_eq!(declared_columns(table), expected);
    assert!(table.contains(&format!("PARTITIONED BY ({PARTITION_COLUMN} STRING)")));
}

#[test]
fn raw_table_has_all_columns_with_times_as_strings() {
    let kind = |column: Column| match column.kind {
        ColumnKind::Time => ColumnKind::Text.athena_type(),
        kind => kind.athena_type(),
    };
    let expected: Vec<String> = COLUMNS.into_iter().map(|column| declaration(column, kind(column))).collect();
    let table = statement(DDL, "CREATE EXTERNAL TABLE IF NOT EXISTS bmw_aftersales.tickets_raw (");
    assert_eq!(declared_columns(table), expected);
}

#[test]
fn view_has_all_columns_and_three_durations() {
    let view = statement(DDL, "CREATE OR REPLACE VIEW bmw_aftersales.tickets_enriched AS");
    let durations = ["resolution_hours", "days_open", "hours_since_created"];
    let expected: Vec<&str> = COLUMNS.iter().map(|column| column.name).chain(durations).collect();
    assert_eq!(selected_columns(view, "SELECT"), expected);
}

#[test]
fn curation_by_athena_writes_the_columns_of_the_curated_table() {
    let table = statement(CURATION, "CREATE EXTERNAL TABLE bmw_aftersales.tickets_curating (");
    let expected: Vec<String> = file_columns().map(|column| declaration(column, column.kind.athena_type())).collect();
    assert_eq!(declared_columns(table), expected);

    let view = statement(CURATION, "CREATE OR REPLACE VIEW bmw_aftersales.tickets_checked AS");
    assert_eq!(selected_columns(view, ") AS reason,"), COLUMNS.map(|column| column.name));

    let insert = statement(CURATION, "INSERT INTO bmw_aftersales.tickets_curating");
    let expected: Vec<&str> = file_columns().map(|column| column.name).chain([PARTITION_COLUMN]).collect();
    assert_eq!(selected_columns(insert, "SELECT"), expected);
}

#[test]
fn ddl_uses_the_catalogue_names() {
    let account = "<ACCOUNT_ID>";
    for location in [names::raw_bucket(account), names::curated_bucket(account)] {
        assert!(DDL.contains(&format!("LOCATION 's3://{location}/{}/'", names::TICKETS_DIR)), "{location}");
    }
    assert!(DDL.contains(&format!("CREATE DATABASE IF NOT EXISTS {}\n", names::DATABASE)));
    assert_eq!(names::athena_results_bucket("123456789012"), "bmw-aftersales-athena-results-123456789012");
}

#[test]
fn tickets_serialize_to_the_json_of_the_contract() {
    let text = r#"{"ticket_id":"c7bf1206-7598-40fa-8d06-4d3ab4def7b8","created_at":"2026-08-24T00:14:54Z","updated_at":"2026-08-31T16:43:36Z","resolved_at":null,"severity":"P4","status":"In Progress","category":"iDrive","channel":"Walk-In","market":"IT","dealer_id":"DLR-IT-002","customer_id":"CUST-1F495C822E","vin_last6":"P96748","model_series":"2 Series Gran Coupé","model_year":2024,"sla_breached":false}"#;
    let ticket: Ticket = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&ticket).unwrap(), text);

    let keys: Vec<&str> = text.split('"').filter(|part| COLUMNS.iter().any(|column| column.name == *part)).collect();
    assert_eq!(keys, COLUMNS.map(|column| column.name));
}

#[test]
fn unknown_values_and_fields_are_rejected() {
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
fn enum_texts_and_sla_targets() {
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
fn arrow_schemas_have_the_columns() {
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

#[test]
fn documentation_states_the_sla_targets() {
    let page = include_str!("../../../docs/reference/tickets.md");
    let queries = include_str!("../../../queries/sample_queries.sql");
    let hours = |severity: &Severity| severity.sla_target_hours();
    for severity in Severity::ALL {
        let row = format!("| `{severity}` | {} hours |", hours(severity));
        assert!(page.contains(&row), "docs/reference/tickets.md has no row `{row}`");
    }
    let list: Vec<String> = Severity::ALL.iter().map(|severity| format!("{severity} {} h", hours(severity))).collect();
    let list = format!("({})", list.join(", "));
    assert!(queries.contains(&list), "the comment of sla_breach_rate in queries/sample_queries.sql has no `{list}`");
}
