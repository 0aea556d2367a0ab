//! End-to-end tests of the binaries against the AWS emulator: deploy, drift, destroy, curation, QuickSight, IAM policy.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic, and makes the files it needs")]

mod curate;
#[path = "../emulator/mod.rs"]
mod emulator;
mod policy;
mod quicksight;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Output;

use emulator::{ACCOUNT, Emulator, Keys};
use serde_json::{Value, json};
use test_support::lake::Lake;

const BINARY: &str = env!("CARGO_BIN_EXE_deploy");

/// Empty account on an emulator, and a local lake to deploy.
struct Fixture {
    emulator: Emulator,
    lake: Lake,
    keys: Keys,
}

impl Fixture {
    fn new() -> Self {
        Self { emulator: Emulator::start(), lake: Lake::new(42, 3000), keys: Keys::root() }
    }

    fn deploy(&self, arguments: &[&str]) -> Output {
        self.emulator.run_tool(Path::new(BINARY), self.lake.dir(), &self.keys, arguments)
    }

    /// Runs `deploy`, which must succeed. Returns its standard output.
    fn deploy_ok(&self, arguments: &[&str]) -> String {
        let output = self.deploy(arguments);
        assert_eq!(output.status.code(), Some(0), "deploy {arguments:?}: {}", stderr(&output));
        stdout(&output)
    }

    fn deploy_json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.deploy_ok(&[arguments, &["--format", "json"]].concat())).unwrap()
    }

    /// Returns resource, state and differences of each resource that is not in sync.
    fn drift(&self) -> Vec<(String, String, String)> {
        let status = self.deploy_json(&["status"]);
        let resources = status["resources"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let lines = |value: &Value| value.as_array().unwrap().iter().map(text).collect::<Vec<_>>().join("\n");
        resources
            .filter(|resource| resource["state"] != "in sync")
            .map(|it| (text(&it["resource"]), text(&it["state"]), lines(&it["differences"])))
            .collect()
    }

    fn call(&self, service: &str, operation: &str, parameters: impl Into<Value>) -> Value {
        self.emulator.call(service, operation, &parameters.into())
    }

    fn keys_in(&self, bucket: &str) -> BTreeSet<String> {
        let listing = self.call("s3", "list_objects_v2", json!({ "Bucket": bucket }));
        let contents = listing["Contents"].as_array().cloned().unwrap_or_default();
        contents.iter().map(|object| object["Key"].as_str().unwrap().to_owned()).collect()
    }
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn bucket(kind: &str) -> String {
    format!("bmw-aftersales-{kind}-{ACCOUNT}")
}

#[test]
fn first_deploy_creates_all_resources_and_second_finds_no_changes() {
    let fixture = Fixture::new();
    let plan = fixture.deploy(&["plan", "--detailed-exitcode"]);
    assert_eq!(plan.status.code(), Some(2), "{}", stderr(&plan));
    assert!(stdout(&plan).contains("Expected monthly cost: $"));
    assert_eq!(fixture.deploy(&["plan"]).status.code(), Some(0));
    assert_eq!(fixture.n_buckets(), 0, "plan creates nothing");

    let deployed = fixture.deploy(&[]);
    assert_eq!(deployed.status.code(), Some(0), "{}", stderr(&deployed));
    assert!(stderr(&deployed).contains("11 answers verified on Athena"), "{}", stderr(&deployed));
    let verification = stdout(&deployed);
    assert_eq!(verification.matches(" verified ").count(), 11, "{verification}");
    assert!(verification.contains("cost: predicted $0.00055 at most, billed $0.00055"), "{verification}");

    let raw = fixture.keys_in(&bucket("raw"));
    assert!(raw.contains("_manifest.json") && raw.contains("tickets/tickets_20261122_000000_0000.jsonl"), "{raw:?}");
    let curated = fixture.keys_in(&bucket("curated"));
    assert!(curated.contains("_manifest.json") && curated.contains("tickets/market=DE/part-0.parquet"), "{curated:?}");
    assert_eq!((raw.len(), curated.len()), (4, 11));

    assert_eq!(fixture.deploy(&["plan", "--detailed-exitcode"]).status.code(), Some(0));
    assert_eq!(fixture.drift(), []);
    assert!(fixture.deploy_ok(&["verify"]).contains("verified"));
    let again = fixture.deploy(&[]);
    assert!(stderr(&again).contains("No changes."), "{}", stderr(&again));
}

impl Fixture {
    fn n_buckets(&self) -> usize {
        self.call("s3", "list_buckets", json!({}))["Buckets"].as_array().unwrap().len()
    }
}

#[test]
fn drift_is_reported_per_setting_and_repaired() {
    let fixture = Fixture::new();
    fixture.deploy_ok(&["--quiet"]);
    let raw = bucket("raw");
    let rule = json!({ "ApplyServerSideEncryptionByDefault": { "SSEAlgorithm": "aws:kms" } });
    fixture.call(
        "s3",
        "put_bucket_encryption",
        json!({ "Bucket": raw, "ServerSideEncryptionConfiguration": { "Rules": [rule] } }),
    );
    fixture.call("s3", "delete_bucket_lifecycle", json!({ "Bucket": raw }));
    fixture.call("s3", "delete_public_access_block", json!({ "Bucket": bucket("curated") }));
    fixture.call("s3", "delete_bucket_policy", json!({ "Bucket": bucket("athena-results") }));
    let part = "tickets/market=DE/part-0.parquet";
    fixture.call("s3", "put_object", json!({ "Bucket": bucket("curated"), "Key": part, "Body": "not Parquet" }));
    fixture.call("s3", "delete_object", json!({ "Bucket": raw, "Key": "tickets/tickets_20261122_000000_0001.jsonl" }));
    let updates = json!({ "BytesScannedCutoffPerQuery": 20_000_000, "EnforceWorkGroupConfiguration": false });
    fixture.call(
        "athena",
        "update_work_group",
        json!({ "WorkGroup": "bmw-aftersales", "ConfigurationUpdates": updates }),
    );
    fixture.call("glue", "delete_table", json!({ "DatabaseName": "bmw_aftersales", "Name": "tickets_raw" }));
    let japan = json!({ "DatabaseName": "bmw_aftersales", "TableName": "tickets", "PartitionValues": ["JP"] });
    fixture.call("glue", "delete_partition", japan);

    let drift = fixture.drift();
    let of = |resource: &str| {
        let entry = drift.iter().find(|(name, ..)| name == resource);
        entry.map(|(_, state, differences)| format!("{state}: {differences}")).unwrap_or_default()
    };
    assert!(of(&format!("bucket {raw}")).contains("encryption is {"), "{drift:?}");
    assert!(of(&format!("bucket {raw}")).contains("lifecycle is not set, desired {"));
    assert!(of(&format!("bucket {}", bucket("curated"))).contains("public access block is not set"));
    assert!(of(&format!("bucket {}", bucket("athena-results"))).contains("policy is not set"));
    assert!(of(&format!("data in {}", bucket("curated"))).contains(part));
    assert!(of("workgroup bmw-aftersales").contains("EnforceWorkGroupConfiguration is false, desired true"));
    assert!(of("table bmw_aftersales.tickets_raw").starts_with("missing"));
    assert!(of("partitions of bmw_aftersales.tickets").starts_with("missing"));
    assert_eq!(drift.len(), 8, "{drift:?}");
    assert_eq!(fixture.deploy(&["status", "--detailed-exitcode"]).status.code(), Some(2));
    let verified = fixture.deploy(&["verify"]);
    assert_eq!(verified.status.code(), Some(1), "a corrupted file fails the verification");

    fixture.deploy_ok(&["--quiet"]);
    assert_eq!(fixture.drift(), []);
}

#[test]
fn tables_and_views_changed_outside_deploy_are_replaced() {
    let fixture = Fixture::new();
    fixture.deploy_ok(&["--quiet"]);
    for (name, change) in [
        ("tickets", json!({ "StorageDescriptor": { "Columns": [{ "Name": "ticket_id", "Type": "int" }] } })),
        ("tickets_enriched", json!({ "TableType": "VIRTUAL_VIEW", "ViewOriginalText": "SELECT 1" })),
    ] {
        let mut input = change;
        input["Name"] = name.into();
        fixture.call("glue", "update_table", json!({ "DatabaseName": "bmw_aftersales", "TableInput": input }));
        let drift = fixture.drift();
        assert!(drift.iter().any(|(resource, ..)| resource.ends_with(name)), "{name}: {drift:?}");
        fixture.deploy_ok(&["--quiet"]);
        assert_eq!(fixture.drift(), []);
    }
}

#[test]
fn new_data_set_replaces_objects_and_partitions() {
    let fixture = Fixture::new();
    fixture.deploy_ok(&["--quiet"]);
    fixture.lake.replace(7, 60);
    fixture.deploy_ok(&["--quiet"]);
    assert_eq!(fixture.drift(), []);
    let markets = fixture.lake.markets();
    let keys = fixture.keys_in(&bucket("curated"));
    assert_eq!(keys.len(), markets.len() + 1, "{keys:?}");
    let of_tickets = json!({ "DatabaseName": "bmw_aftersales", "TableName": "tickets" });
    let partitions = fixture.call("glue", "get_partitions", of_tickets);
    assert_eq!(partitions["Partitions"].as_array().unwrap().len(), markets.len());
}

#[test]
fn destroy_requires_confirmation_and_keeps_unmanaged_resources() {
    let fixture = Fixture::new();
    fixture.deploy_ok(&["--quiet"]);
    fixture.call("s3", "put_object", json!({ "Bucket": bucket("raw"), "Key": "tickets/mine.jsonl", "Body": "mine" }));
    let mine = json!({ "Name": "mine", "StorageDescriptor": { "Columns": [{ "Name": "a", "Type": "int" }] } });
    fixture.call("glue", "create_table", json!({ "DatabaseName": "bmw_aftersales", "TableInput": mine }));

    let unconfirmed = fixture.deploy(&["destroy"]);
    assert_eq!(unconfirmed.status.code(), Some(2), "{}", stderr(&unconfirmed));
    assert!(stderr(&unconfirmed).contains("nothing was deleted"));
    assert_eq!(fixture.drift(), [], "nothing was deleted");

    let destroyed = fixture.deploy_ok(&["destroy", "--yes"]);
    assert!(destroyed.contains("the database bmw_aftersales is kept"), "{destroyed}");
    assert!(destroyed.contains("1 unmanaged object"), "{destroyed}");
    assert_eq!(fixture.keys_in(&bucket("raw")), BTreeSet::from(["tickets/mine.jsonl".to_owned()]));
    let buckets = fixture.call("s3", "list_buckets", json!({}));
    assert_eq!(buckets["Buckets"].as_array().unwrap().len(), 1);
    let tables = fixture.call("glue", "get_tables", json!({ "DatabaseName": "bmw_aftersales" }));
    assert_eq!(tables["TableList"].as_array().unwrap().len(), 1);
    assert!(fixture.deploy_ok(&["destroy", "--yes"]).contains("No managed resources to delete"));
}

#[test]
fn buckets_in_us_east_1_are_created_without_location_constraint() {
    let fixture = Fixture::new();
    let arguments = ["--region", "us-east-1"];
    fixture.deploy_ok(&[&arguments[..], &["--only", "buckets", "--quiet"]].concat());
    let location = fixture.call("s3", "get_bucket_location", json!({ "Bucket": bucket("raw") }));
    assert_eq!(location["LocationConstraint"], Value::Null);
    let other_region = fixture.deploy(&["--region", "eu-west-1", "plan"]);
    assert_eq!(other_region.status.code(), Some(1));
    assert!(stderr(&other_region).contains("is in the region us-east-1"), "{}", stderr(&other_region));
}

#[test]
fn bucket_name_of_another_account_blocks_the_plan() {
    let fixture = Fixture::new();
    let configuration = json!({ "LocationConstraint": "eu-central-1" });
    let parameters = json!({ "Bucket": bucket("raw"), "CreateBucketConfiguration": configuration });
    fixture.emulator.call_as("210987654321", "s3", "create_bucket", &parameters);
    let output = fixture.deploy(&[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("belongs to another account"), "{}", stderr(&output));
    assert_eq!(fixture.call("s3", "list_buckets", json!({}))["Buckets"], json!([]), "nothing was created");
}

#[test]
fn parts_can_be_deployed_separately() {
    let fixture = Fixture::new();
    let without_buckets = fixture.deploy(&["--only", "data"]);
    assert_eq!(without_buckets.status.code(), Some(1));
    assert!(stderr(&without_buckets).contains("deploy --only buckets"), "{}", stderr(&without_buckets));
    for part in ["buckets", "data", "catalog"] {
        fixture.deploy_ok(&["--only", part, "--quiet"]);
        let plan = fixture.deploy(&["--only", part, "plan", "--detailed-exitcode"]);
        assert_eq!(plan.status.code(), Some(0), "{part}: {}", stdout(&plan));
    }
    assert_eq!(fixture.drift(), []);
    assert!(fixture.deploy_ok(&["verify"]).contains("verified"));
}

#[test]
fn query_on_athena_equals_the_embedded_engine_and_prints_the_cost() {
    let fixture = Fixture::new();
    fixture.deploy_ok(&["--quiet"]);
    let query: PathBuf = Path::new(BINARY).with_file_name("query");
    assert!(query.exists(), "the binary is missing: run `cargo build --workspace` or `cargo test --workspace`");
    let run = |arguments: &[&str]| fixture.emulator.run_tool(&query, fixture.lake.dir(), &fixture.keys, arguments);
    let embedded = run(&["severity_distribution", "10", "--format", "csv"]);
    let athena = run(&["severity_distribution", "10", "--format", "csv", "--engine", "athena"]);
    assert_eq!(athena.status.code(), Some(0), "{}", stderr(&athena));
    assert_eq!(stdout(&athena), stdout(&embedded));
    assert!(stderr(&athena).contains("query: severity_distribution scanned "), "{}", stderr(&athena));
    assert!(stderr(&athena).contains("query: 2 KPIs cost $0.0001"), "{}", stderr(&athena));
    let count = run(&["--engine", "athena", "--format", "json", "--sql", "SELECT COUNT(*) AS n FROM tickets"]);
    let count: Value = serde_json::from_str(&stdout(&count)).unwrap();
    assert_eq!(count["answers"][0]["rows"][0]["n"], 3000);
    assert_eq!(count["answers"][0]["bill"]["billed_bytes"], 10_000_000);
    let verified = run(&["--engine", "athena", "--verify", "--quiet"]);
    assert_eq!(verified.status.code(), Some(0), "{}", stderr(&verified));
    let invalid = run(&["--engine", "athena", "--sql", "SELECT colour FROM tickets"]);
    assert_eq!(invalid.status.code(), Some(1));
    assert!(stderr(&invalid).contains("SELECT colour FROM tickets"), "{}", stderr(&invalid));
    let statement = run(&["--engine", "athena", "--sql", "DROP TABLE tickets"]);
    assert_eq!(statement.status.code(), Some(2), "{}", stderr(&statement));
}
