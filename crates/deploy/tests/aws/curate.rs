//! Curating on Athena: it takes and refuses what transform does, and publishes nothing before all rows are accounted for.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use cli_support::Messages;
use manifest::{CuratedManifest, Manifest, RawManifest};
use publish::Checksum;
use serde_json::{Value, json};

use crate::emulator::{ACCOUNT, Emulator};
use crate::lake::Lake;
use crate::{World, bucket, stderr, stdout};

const ATHENA: [&str; 2] = ["--curate", "athena"];

impl World {
    fn raw_dir(&self) -> PathBuf {
        self.lake.dir().join("data/raw")
    }

    fn raw(&self) -> RawManifest {
        RawManifest::load(&self.raw_dir()).unwrap().unwrap()
    }

    fn write_raw(&self, manifest: &RawManifest) {
        fs::write(self.raw_dir().join("_manifest.json"), manifest.to_json().unwrap()).unwrap();
    }

    /// Puts lines before those of a raw file, as if its writer had written them.
    fn prepend(&self, place: usize, lines: &[String]) {
        let mut manifest = self.raw();
        let file = &mut manifest.files[place];
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

    /// The manifest in the curated bucket.
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
    fn is_tidy(&self) -> bool {
        let is_ours = |key: &String| key == "_manifest.json" || key.starts_with("tickets/");
        self.keys_in(&bucket("curated")).iter().all(is_ours) && self.tables().len() == 3
    }

    /// A line of the first raw file with one thing changed.
    fn line_with(&self, field: &str, value: &Value) -> String {
        let text = fs::read_to_string(self.raw_dir().join(&self.raw().files[0].name)).unwrap();
        let mut ticket: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        ticket[field] = value.clone();
        ticket.to_string()
    }
}

#[test]
fn athena_curates_what_transform_does_and_every_answer_is_proved() {
    let emulator = Emulator::start_with_auth();
    let policy: Value = serde_json::from_str(&deploy::definitions::iam_policy(ACCOUNT, "eu-central-1")).unwrap();
    let keys = emulator.user("deployer", &policy);
    let world = World { emulator, lake: Lake::new(42, 3000), keys };
    fs::remove_dir_all(world.lake.dir().join("data/curated")).unwrap();
    let plan = world.must(&[&ATHENA[..], &["plan"]].concat());
    assert!(plan.contains("Athena curates 3 raw files, "), "{plan}");

    let deployed = world.deploy(&ATHENA);
    assert_eq!(deployed.status.code(), Some(0), "{}", stderr(&deployed));
    assert!(stderr(&deployed).contains("Athena curated 3,000 of 3,000 lines, for $0.00005"), "{}", stderr(&deployed));
    assert_eq!(stdout(&deployed).matches(" proved ").count(), 11, "{}", stdout(&deployed));
    assert!(world.is_tidy());
    let (published, transformed) = (world.published(), world.transformed());
    assert_eq!((&published.rows, &published.markets), (&transformed.rows, &transformed.markets));
    assert_eq!((&published.inputs, published.as_of), (&transformed.inputs, transformed.as_of));
    assert_eq!((&published.world, &published.expected_answers), (&transformed.world, &transformed.expected_answers));

    assert_eq!(world.deploy(&[&ATHENA[..], &["status", "--detailed-exitcode"]].concat()).status.code(), Some(0));
    assert!(world.must(&[&ATHENA[..], &["verify"]].concat()).contains("unknown"), "nobody has predicted the scan");
    let again = world.deploy(&ATHENA);
    assert!(stderr(&again).contains("No changes."), "{}", stderr(&again));

    let part = published.files[0].name.clone();
    let altered = "x".repeat(usize::try_from(published.files[0].bytes).unwrap());
    world.call("s3", "put_object", json!({ "Bucket": bucket("curated"), "Key": part, "Body": altered }));
    assert_eq!(world.deploy(&[&ATHENA[..], &["plan", "--detailed-exitcode"]].concat()).status.code(), Some(2));
    world.must(&[&ATHENA[..], &["--quiet"]].concat());
    assert!(world.is_tidy());
    world.lake.replace(42, 3000);
    world.must(&["--quiet"]);
    assert_eq!(world.drift(), [], "what transform made takes the place of what Athena made");
    world.must(&["destroy", "--yes"]);
}

#[test]
fn lines_are_taken_and_refused_as_transform_does() {
    let world = World::new();
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
        ("further", json!({ "market": [null] })),
    ]
    .iter()
    .map(|(field, value)| world.line_with(field, value))
    .collect();
    let whole = world.line_with("severity", &json!("P1"));
    lines.extend([" \t".to_owned() + &whole, whole.clone() + "x", whole[..whole.len() - 1].to_owned()]);
    lines.extend([whole.replacen('{', "{\"market\":\"DE\",", 1), whole.replace("\"resolved_at\"", "\"Resolved_at\"")]);
    lines.extend([whole.replace("P1", "\\u0050\\u0031"), "[]".into(), "null".into(), "\\N".into(), "it's".into()]);
    world.prepend(1, &lines);

    let deployed = world.deploy(&ATHENA);
    assert_eq!(deployed.status.code(), Some(3), "{}", stderr(&deployed));
    let (published, transformed) = (world.published(), world.transformed());
    assert_eq!((&published.rows, &published.markets), (&transformed.rows, &transformed.markets));
    assert_eq!(published.inputs, transformed.inputs);
    assert!(published.rows.quarantined > 20 && published.rows.balance(), "{:?}", published.rows);
    assert_eq!((published.world, published.expected_answers), (None, None));
    let said = stderr(&deployed);
    assert!(said.contains("warning: 1 line refused: severity is not one of the contract's; one in s3://"), "{said}");
    assert!(said.contains("only the tickets per market were verified"), "{said}");
    assert!(world.is_tidy());
    assert_eq!(world.deploy(&ATHENA).status.code(), Some(3), "the lines are still refused");
}

#[test]
fn nothing_is_published_unless_all_rows_are_accounted_for() {
    let world = World::new();
    world.must(&["--quiet"]);
    let before = world.published();
    world.lake.replace(7, 2000);
    let honest = world.raw();
    let mut wrong = honest.clone();
    wrong.rows += 1;
    wrong.files[0].rows += 1;
    world.write_raw(&wrong);
    let lost = world.deploy(&ATHENA);
    assert_eq!(lost.status.code(), Some(1));
    let told =
        "rows are lost: the raw manifest counts 2001, but Athena wrote 2000 and refused 0; nothing was published";
    assert!(stderr(&lost).contains(told), "{}", stderr(&lost));
    assert_eq!(world.published(), before);
    assert!(!world.is_tidy(), "what it has staged is still there");

    world.write_raw(&honest);
    world.must(&[&ATHENA[..], &["--quiet"]].concat());
    assert!(world.is_tidy());
    assert_eq!(world.published().rows.written, 2000);
    let partitions = json!({ "DatabaseName": "bmw_aftersales", "TableName": "tickets" });
    let partitions = world.call("glue", "get_partitions", partitions)["Partitions"].as_array().unwrap().len();
    assert_eq!(partitions, world.published().markets.len());
}

#[test]
fn what_others_put_where_athena_writes_is_no_ticket_and_not_deleted() {
    let world = World::new();
    world.must(&["--only", "buckets", "--quiet"]);
    let mine = json!({ "Bucket": bucket("curated"), "Key": "curating/market=DE/mine" });
    let mut put = mine.clone();
    put["Body"] = "mine".into();
    world.call("s3", "put_object", put);
    let refused = world.deploy(&ATHENA);
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("would be read as tickets though not ours"), "{}", stderr(&refused));
    assert_eq!(world.keys_in(&bucket("curated")), BTreeSet::from(["curating/market=DE/mine".to_owned()]));
    world.call("s3", "delete_object", mine);
    world.must(&[&ATHENA[..], &["--quiet"]].concat());
    assert!(world.is_tidy());
}
