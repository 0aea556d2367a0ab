//! The QuickSight bundle: `infra/quicksight/` is current, complete and refers to existing columns.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use dashboard::definition::DASHBOARD;
use dashboard::quicksight::bundle;
use query::Engine;
use serde_json::Value;
use test_support::lake::Lake;

fn file(name: &str) -> Value {
    let (_, content) = bundle().unwrap().into_iter().find(|(file, _)| *file == name).unwrap();
    content
}

/// Collects all values named `name` at any depth.
fn all<'a>(name: &str, value: &'a Value, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(members) => {
            for (member, value) in members {
                if member == name {
                    found.push(value);
                }
                all(name, value, found);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| all(name, value, found)),
        _ => {}
    }
}

fn texts(name: &str, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    all(name, value, &mut found);
    found.into_iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

#[test]
fn infra_quicksight_is_current() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/quicksight");
    for (name, content) in bundle().unwrap() {
        let text = fs::read_to_string(directory.join(name)).unwrap_or_default();
        let is_current = serde_json::from_str::<Value>(&text).is_ok_and(|file| file == content);
        assert!(
            is_current,
            "infra/quicksight/{name} is not current; `cargo run -p dashboard -- quicksight` writes it again"
        );
    }
}

#[test]
fn data_set_columns_equal_the_query_columns() {
    let lake = Lake::of_period(11, "2026-11-22T10:00:00Z", 20, 500);
    let engine = Engine::open(&lake.curated(), None).unwrap();
    let data_set = file("data-set.json");
    let table = &data_set["PhysicalTableMap"]["tickets"]["CustomSql"];
    let answer = engine.query(table["SqlQuery"].as_str().unwrap()).unwrap();
    let columns: Vec<&str> =
        table["Columns"].as_array().unwrap().iter().map(|column| column["Name"].as_str().unwrap()).collect();
    assert_eq!(answer.columns, columns);
    assert_eq!(answer.rows.len(), 500);
}

#[test]
fn visuals_have_a_grid_cell_existing_fields_and_all_filters() {
    let dashboard = file("dashboard.json");
    let definition = &dashboard["Definition"];
    let sheet = &definition["Sheets"][0];

    let ids: Vec<&str> = DASHBOARD.visuals.iter().map(|visual| visual.id).collect();
    assert_eq!(texts("VisualId", sheet), ids);
    let elements = sheet["Layouts"][0]["Configuration"]["GridLayout"]["Elements"].as_array().unwrap();
    assert_eq!(texts("ElementId", &sheet["Layouts"]), ids);
    let mut cells = BTreeSet::new();
    for element in elements {
        let number = |name: &str| element[name].as_u64().unwrap();
        assert!(number("ColumnIndex") + number("ColumnSpan") <= 36);
        for row in number("RowIndex")..number("RowIndex") + number("RowSpan") {
            for column in number("ColumnIndex")..number("ColumnIndex") + number("ColumnSpan") {
                assert!(cells.insert((row, column)), "two visuals stand in row {row}, column {column}");
            }
        }
    }

    let columns = texts("Name", &file("data-set.json")["PhysicalTableMap"]["tickets"]["CustomSql"]["Columns"]);
    let computed = texts("Name", &definition["CalculatedFields"]);
    for name in texts("ColumnName", definition) {
        assert!(columns.contains(&name) || computed.contains(&name), "{name} is no column");
    }
    // Visuals are sorted by fields of their own.
    for visual in sheet["Visuals"].as_array().unwrap() {
        let mut sorted = Vec::new();
        all("FieldSort", visual, &mut sorted);
        let wells: BTreeSet<String> =
            texts("FieldId", &first(visual)["ChartConfiguration"]["FieldWells"]).into_iter().collect();
        for sort in sorted {
            assert!(wells.contains(sort["FieldId"].as_str().unwrap()), "{sort}");
        }
    }

    let scopes: BTreeMap<String, String> = definition["FilterGroups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| (texts("FilterId", group).remove(0), texts("Scope", group).remove(0)))
        .collect();
    let controlled = texts("SourceFilterId", sheet);
    assert_eq!(controlled.len(), DASHBOARD.filters.len());
    for id in controlled {
        assert_eq!(scopes[&id], "ALL_VISUALS");
    }
}

fn first(value: &Value) -> &Value {
    value.as_object().unwrap().values().next().unwrap()
}
