//! Curation on Athena: it accepts and rejects the same lines as `transform`, and publishes only reconciled row counts.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use cli_support::Messages;
use manifest::{CuratedManifest, Manifest, RawManifest};
use publish::Checksum;
use serde_json::{Value, json};

use crate::emulator::{ACCOUNT, Emulator};
use crate::{Fixture, bucket, stderr, stdout};
use test_support::lake::Lake;

const ATHENA: [&str; 2] = ["--curate", "athena"];

impl Fixture {
    fn raw_dir(&self) -> PathBuf {
        self.lake.dir().join("data/raw")
    }

    fn raw(&self) -> RawManifest {
        RawManifest::load(&self.raw_dir()).unwrap().unwrap()
    }

    fn write_raw(&self, manifest: &RawManifest) {
        fs::write(self.raw_dir().join("_manifest.json"), manifest.to_json().unwrap()).unwrap();
    }

    /// Prepends lines to a raw file, and updates the manifest.
    fn prepend(&self, index: usize, lines: &[String]) {
        let mut manifest = self.raw();
        let file = &mut manifest.files[index];
        let path = self.raw_dir().join(&file.name);
        let text = lines.join("\n") + "\n" + &fs::read_to_string(&path).unwrap();
        fs::write(&path, &text).unwrap();
        let mut checksum = Checksum::default();
        checksum.update(text.as_bytes());
        (file.bytes, file.crc64nvme) = (checksum.n_bytes(), checksum.to_base64());
        file.rows += lines.len() as u64;
        manifest.rows += lines.len() as u64;
        self.write_raw(&manifest);
    }

    /// Returns the manifest that `transform` writes for the raw tickets.
    fn transformed(&self) -> CuratedManifest {
        let output = self.lake.dir().join("transformed");
        let config = transform::Config::new(&output);
        let inputs = jsonl::input::Inputs::of_manifest(&self.raw_dir()).unwrap();
        transform::run_transform(&config, inputs, &Messages::silent()).unwrap();
        CuratedManifest::load(&output).unwrap().unwrap()
    }

    /// Returns the manifest in the curated bucket.
    fn published(&self) -> CuratedManifest {
        let object = self.call("s3", "get_object", json!({ "Bucket": bucket("curated"), "Key": "_manifest.json" }));
        serde_json::from_str(object["Body"].as_str().unwrap()).unwrap()
    }

    fn tables(&self) -> Vec<String> {
        let tables = self.call("glue", "get_tables", json!({ "DatabaseName": "bmw_aftersales" }));
        let tables = tables["TableList"].as_array().unwrap().iter();
        tables.map(|table| table["Name"].as_str().unwrap().to_owned()).collect()
    }

    /// Returns true if no temporary table or object of a curation is left.
    fn is_cleaned_up(&self) -> bool {
        let is_published = |key: &String| key == "_manifest.json" || key.starts_with("tickets/");
        self.keys_in(&bucket("curated")).iter().all(is_published) && self.tables().len() == 3
    }

    /// Returns the last line of the first raw file with another value in one field.
    fn line_with(&self, field: &str, value: &Value) -> String {
        let text = fs::read_to_string(self.raw_dir().join(&self.raw().files[0].name)).unwrap();
        let mut ticket: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        ticket[field] = value.clone();
        ticket.to_string()
    }
}

#[test]
fn curation_equals_transform_and_all_answers_are_verified() {
    let emulator = Emulator::start_with_auth();
    let policy: Value = serde_json::from_str(&deploy::definitions::iam_policy(ACCOUNT, "eu-central-1")).unwrap();
    let keys = emulator.create_user("deployer", &policy);
    let fixture = Fixture { emulator, lake: Lake::new(42, 3000), keys };
    fs::remove_dir_all(fixture.lake.dir().join("data/curated")).unwrap();
    let plan = fixture.deploy_ok(&[&ATHENA[..], &["plan"]].concat());
    assert!(plan.contains("Athena curates 3 raw files, "), "{plan}");

    let deployed = fixture.deploy(&ATHENA);
    assert_eq!(deployed.status.code(), Some(0), "{}", stderr(&deployed));
    assert!(stderr(&deployed).contains("Athena curated 3,000 of 3,000 lines, for $0.00005"), "{}", stderr(&deployed));
    assert_eq!(stdout(&deployed).matches(" verified ").count(), 11, "{}", stdout(&deployed));
    assert!(fixture.is_cleaned_up());
    let (published, transformed) = (fixture.published(), fixture.transformed());
    assert_eq!((&published.rows, &published.markets), (&transformed.rows, &transformed.markets));
    assert_eq!((&published.inputs, published.as_of), (&transformed.inputs, transformed.as_of));
    assert_eq!((&published.world, &published.expected_answers), (&transformed.world, &transformed.expected_answers));

    assert_eq!(fixture.deploy(&[&ATHENA[..], &["status", "--detailed-exitcode"]].concat()).status.code(), Some(0));
    assert!(
        fixture.deploy_ok(&[&ATHENA[..], &["verify"]].concat()).contains("unknown"),
        "the predicted scan is unknown"
    );
    let again = fixture.deploy(&ATHENA);
    assert!(stderr(&again).contains("No changes."), "{}", stderr(&again));

    let part = published.files[0].name.clone();
    let altered = "x".repeat(usize::try_from(published.files[0].bytes).unwrap());
    fixture.call("s3", "put_object", json!({ "Bucket": bucket("curated"), "Key": part, "Body": altered }));
    assert_eq!(fixture.deploy(&[&ATHENA[..], &["plan", "--detailed-exitcode"]].concat()).status.code(), Some(2));
    fixture.deploy_ok(&[&ATHENA[..], &["--quiet"]].concat());
    assert!(fixture.is_cleaned_up());
    fixture.lake.replace(42, 3000);
    fixture.deploy_ok(&["--quiet"]);
    assert_eq!(fixture.drift(), [], "the files of transform replace those of Athena");
    fixture.deploy_ok(&["destroy", "--yes"]);
}

#[test]
fn curation_accepts_and_rejects_the_same_lines_as_transform() {
    let fixture = Fixture::new();
    let mut lines: Vec<String> = [
        ("ticket_id", json!("C7BF1206-7598-40FA-8D06-4D3AB4DEF7B8")),
        ("ticket_id", json!("c7bf1206759840fa8d064d3ab4def7b8")),
        ("created_at", json!("2020-01-01T00:00:00.25+01:00")),
        ("created_at", json!("2020-01-01")),
        ("created_at", json!("2020-02-30T00:00:00Z")),
        ("updated_at", json!("2020-01-01T00:00:00Z")),
        ("resolved_at", json!("2020-01-01T00:00:00Z")),
        ("resolved_at", json!(0)),
        ("severity", json!("P5")),
        ("status", json!("open")),
        ("category", json!(null)),
        ("channel", json!(["Email"])),
        ("market", json!("NO")),
        ("market", json!("XX")),
        ("market", json!("../x")),
        ("dealer_id", json!("")),
        ("customer_id", json!("é".repeat(128))),
        ("vin_last6", json!(123_456)),
        ("model_series", json!("quote \" and 🚗")),
        ("model_year", json!("2024")),
        ("model_year", json!(2024.5)),
        ("model_year", json!(-2_147_483_648_i64)),
        ("model_year", json!(2_147_483_648_i64)),
        ("sla_breached", json!("true")),
        ("unknown", json!({ "market": [null] })),
    ]
    .iter()
    .map(|(field, value)| fixture.line_with(field, value))
    .collect();
    let valid = fixture.line_with("severity", &json!("P1"));
    lines.extend([" \t".to_owned() + &valid, valid.clone() + "x", valid[..valid.len() - 1].to_owned()]);
    lines.extend([valid.replacen('{', "{\"market\":\"DE\",", 1), valid.replace("\"resolved_at\"", "\"Resolved_at\"")]);
    lines.extend([valid.replace("P1", "\\u0050\\u0031"), "[]".into(), "null".into(), "\\N".into(), "it's".into()]);
    fixture.prepend(1, &lines);

    let deployed = fixture.deploy(&ATHENA);
    assert_eq!(deployed.status.code(), Some(3), "{}", stderr(&deployed));
    let (published, transformed) = (fixture.published(), fixture.transformed());
    assert_eq!((&published.rows, &published.markets), (&transformed.rows, &transformed.markets));
    assert_eq!(published.inputs, transformed.inputs);
    assert!(published.rows.quarantined > 20 && published.rows.balance(), "{:?}", published.rows);
    assert_eq!((published.world, published.expected_answers), (None, None));
    let messages = stderr(&deployed);
    let warning = "warning: 1 line rejected: severity is not one of the contract's values; example in s3://";
    assert!(messages.contains(warning), "{messages}");
    assert!(messages.contains("only the tickets per market were verified"), "{messages}");
    assert!(fixture.is_cleaned_up());
    assert_eq!(fixture.deploy(&ATHENA).status.code(), Some(3), "the lines are still rejected");
}

#[test]
fn nothing_is_published_unless_row_counts_reconcile() {
    let fixture = Fixture::new();
    fixture.deploy_ok(&["--quiet"]);
    let before = fixture.published();
    fixture.lake.replace(7, 2000);
    let correct = fixture.raw();
    let mut wrong = correct.clone();
    wrong.rows += 1;
    wrong.files[0].rows += 1;
    fixture.write_raw(&wrong);
    let failed = fixture.deploy(&ATHENA);
    assert_eq!(failed.status.code(), Some(1));
    let expected = "row counts don't match: the raw manifest has 2001, but Athena wrote 2000 and rejected 0; nothing was \
                    published";
    assert!(stderr(&failed).contains(expected), "{}", stderr(&failed));
    assert_eq!(fixture.published(), before);
    assert!(!fixture.is_cleaned_up(), "the staged files are kept");

    fixture.write_raw(&correct);
    fixture.deploy_ok(&[&ATHENA[..], &["--quiet"]].concat());
    assert!(fixture.is_cleaned_up());
    assert_eq!(fixture.published().rows.written, 2000);
    let partitions = json!({ "DatabaseName": "bmw_aftersales", "TableName": "tickets" });
    let partitions = fixture.call("glue", "get_partitions", partitions)["Partitions"].as_array().unwrap().len();
    assert_eq!(partitions, fixture.published().markets.len());
}

#[test]
fn unmanaged_objects_below_the_staging_prefix_block_the_curation() {
    let fixture = Fixture::new();
    fixture.deploy_ok(&["--only", "buckets", "--quiet"]);
    let object = json!({ "Bucket": bucket("curated"), "Key": "curating/market=DE/mine" });
    let mut put = object.clone();
    put["Body"] = "unmanaged".into();
    fixture.call("s3", "put_object", put);
    let blocked = fixture.deploy(&ATHENA);
    assert_eq!(blocked.status.code(), Some(1));
    let messages = stderr(&blocked);
    assert!(
        messages.contains("1 unmanaged object in s3://") && messages.contains("would be read as tickets"),
        "{messages}"
    );
    assert_eq!(fixture.keys_in(&bucket("curated")), BTreeSet::from(["curating/market=DE/mine".to_owned()]));
    fixture.call("s3", "delete_object", object);
    fixture.deploy_ok(&[&ATHENA[..], &["--quiet"]].concat());
    assert!(fixture.is_cleaned_up());
}
