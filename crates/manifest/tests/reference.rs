//! The manifest page of the documentation against manifests with every field set.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};

use manifest::answer::{Answer, Answers};
use manifest::defects::DefectKind;
use manifest::{
    CuratedManifest, CuratedStage, FileEntry, InputEntry, ProfileRef, RawManifest, RawStage, RowCounts, Scenario,
    ScenarioEffect, Shard, Tool, WorldParameters,
};
use serde::Serialize;
use serde_json::Value;
use ticket_schema::Timestamp;
use ticket_schema::cars::ModelSeries;
use ticket_schema::enums::{Category, Market};
use ticket_schema::ticket::DealerId;

/// Fields whose keys are data: markets, kinds of defects, names of KPIs.
const MAPS: [&str; 4] = ["markets", "rows_by_market", "defects", "expected_answers"];

fn time() -> Timestamp {
    "2026-11-22".parse().unwrap()
}

fn world() -> WorldParameters {
    WorldParameters {
        profile: ProfileRef { name: "own.toml".to_owned(), crc64nvme: Some(String::new()) },
        scenarios: vec![Scenario::Recall],
        ..WorldParameters::new(42, time(), 90, 5000)
    }
}

fn tool() -> Tool {
    Tool { name: "generate".to_owned(), version: "0.2.0".to_owned() }
}

fn file() -> FileEntry {
    FileEntry { name: "a.jsonl".to_owned(), rows: 1, bytes: 1, crc64nvme: String::new() }
}

fn rows() -> RowCounts {
    RowCounts { read: 3, written: 1, quarantined: 1, duplicates: 1 }
}

fn answers() -> Answers {
    BTreeMap::from([("daily_volume".to_owned(), Answer::with_columns(&["day", "tickets"]))])
}

fn raw() -> RawManifest {
    let effect = ScenarioEffect {
        scenario: Scenario::Recall,
        from: time(),
        until: time(),
        markets: vec![Market::De],
        dealer_id: Some(DealerId { market: Market::De, number: 1 }),
        model_series: vec![ModelSeries::X5],
        model_years: Some((2020, 2021)),
        category: Some(Category::Recall),
        expected_tickets: 2.0,
        expected_without: 1.0,
        uplift: 2.0,
    };
    RawManifest {
        format: 1,
        stage: RawStage::Raw,
        tool: tool(),
        world: world(),
        scenario_effects: vec![effect],
        changed_since: Some(time()),
        batch_size: 1000,
        shard: Some(Shard { index: 1, of: 2 }),
        repeat: "generate".to_owned(),
        rows: 1,
        markets: BTreeMap::from([("DE".to_owned(), 1)]),
        files: vec![file()],
        defects: BTreeMap::from([(DefectKind::CutLine, 1)]),
        truth: Some(file()),
        expected_answers: answers(),
    }
}

fn curated() -> CuratedManifest {
    let input =
        InputEntry { name: "a.jsonl".to_owned(), bytes: 1, crc64nvme: String::new(), rows: rows(), taken_back: 1 };
    CuratedManifest {
        format: 1,
        stage: CuratedStage::Curated,
        tool: tool(),
        as_of: Some(time()),
        world: Some(world()),
        rows: rows(),
        markets: BTreeMap::from([("DE".to_owned(), 1)]),
        rows_by_market: BTreeMap::from([("DE".to_owned(), rows())]),
        superseded: 1,
        inputs: vec![input],
        files: vec![file()],
        quarantine: vec![file()],
        expected_answers: Some(answers()),
    }
}

/// Collects the names of all fields.
fn collect_fields(value: &Value, is_map: bool, fields: &mut BTreeSet<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| collect_fields(value, false, fields)),
        Value::Object(object) => {
            for (name, value) in object {
                if !is_map {
                    fields.insert(name.clone());
                }
                collect_fields(value, MAPS.contains(&name.as_str()), fields);
            }
        }
        _ => {}
    }
}

fn fields_of(manifest: &impl Serialize) -> BTreeSet<String> {
    let mut fields = BTreeSet::new();
    collect_fields(&serde_json::to_value(manifest).unwrap(), false, &mut fields);
    fields
}

#[test]
fn documentation_lists_every_field() {
    let page = include_str!("../../../docs/reference/manifests.md");
    let fields: BTreeSet<String> = fields_of(&raw()).into_iter().chain(fields_of(&curated())).collect();
    assert!(fields.contains("taken_back") && fields.contains("expected_without") && fields.contains("columns"));
    for field in fields {
        let is_listed = page.lines().any(|line| line.starts_with('|') && line.contains(&format!("`{field}`")));
        assert!(is_listed, "docs/reference/manifests.md has no row for the field `{field}`");
    }
}
