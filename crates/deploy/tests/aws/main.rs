//! The whole deploy against an emulator of AWS: first and second run, drift, destroy, and what the IAM policy allows.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic, and makes the files it needs")]

mod curate;
#[path = "../emulator/mod.rs"]
mod emulator;
#[path = "../lake/mod.rs"]
mod lake;
mod policy;
mod quicksight;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Output;

use emulator::{ACCOUNT, Emulator, Keys};
use lake::Lake;
use serde_json::{Value, json};

const BINARY: &str = env!("CARGO_BIN_EXE_deploy");

/// An account with nothing in it, and a lake that belongs there.
struct World {
    emulator: Emulator,
    lake: Lake,
    keys: Keys,
}

impl World {
    fn new() -> Self {
        Self { emulator: Emulator::start(), lake: Lake::new(42, 3000), keys: Keys::root() }
    }

    fn deploy(&self, arguments: &[&str]) -> Output {
        self.emulator.tool(Path::new(BINARY), self.lake.dir(), &self.keys, arguments)
    }

    /// A run that must succeed; its standard output.
    fn must(&self, arguments: &[&str]) -> String {
        let output = self.deploy(arguments);
        assert_eq!(output.status.code(), Some(0), "deploy {arguments:?}: {}", stderr(&output));
        stdout(&output)
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.must(&[arguments, &["--format", "json"]].concat())).unwrap()
    }

    /// Returns the entries of `status` that are not in sync.
    fn drift(&self) -> Vec<(String, String, String)> {
        let status = self.json(&["status"]);
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
fn a_first_deploy_makes_everything_and_a_second_finds_nothing_to_do() {
    let world = World::new();
    let plan = world.deploy(&["plan", "--detailed-exitcode"]);
    assert_eq!(plan.status.code(), Some(2), "{}", stderr(&plan));
    assert!(stdout(&plan).contains("Expected cost a month: $"));
    assert_eq!(world.deploy(&["plan"]).status.code(), Some(0));
    assert_eq!(world.keys_in_no_bucket(), 0, "a plan changes nothing");

    let deployed = world.deploy(&[]);
    assert_eq!(deployed.status.code(), Some(0), "{}", stderr(&deployed));
    assert!(stderr(&deployed).contains("11 answers proved on Athena"), "{}", stderr(&deployed));
    let proof = stdout(&deployed);
    assert_eq!(proof.matches(" proved ").count(), 11, "{proof}");
    assert!(proof.contains("cost: predicted $0.00055 at most, billed $0.00055"), "{proof}");

    let raw = world.keys_in(&bucket("raw"));
    assert!(raw.contains("_manifest.json") && raw.contains("tickets/tickets_20261122_000000_0000.jsonl"), "{raw:?}");
    let curated = world.keys_in(&bucket("curated"));
    assert!(curated.contains("_manifest.json") && curated.contains("tickets/market=DE/part-0.parquet"), "{curated:?}");
    assert_eq!((raw.len(), curated.len()), (4, 11));

    assert_eq!(world.deploy(&["plan", "--detailed-exitcode"]).status.code(), Some(0));
    assert_eq!(world.drift(), []);
    assert!(world.must(&["verify"]).contains("proved"));
    let again = world.deploy(&[]);
    assert!(stderr(&again).contains("No changes."), "{}", stderr(&again));
}

impl World {
    fn keys_in_no_bucket(&self) -> usize {
        self.call("s3", "list_buckets", json!({}))["Buckets"].as_array().unwrap().len()
    }
}

#[test]
fn what_another_hand_changes_is_seen_setting_by_setting_and_put_right() {
    let world = World::new();
    world.must(&["--quiet"]);
    let raw = bucket("raw");
    let rule = json!({ "ApplyServerSideEncryptionByDefault": { "SSEAlgorithm": "aws:kms" } });
    world.call(
        "s3",
        "put_bucket_encryption",
        json!({ "Bucket": raw, "ServerSideEncryptionConfiguration": { "Rules": [rule] } }),
    );
    world.call("s3", "delete_bucket_lifecycle", json!({ "Bucket": raw }));
    world.call("s3", "delete_public_access_block", json!({ "Bucket": bucket("curated") }));
    world.call("s3", "delete_bucket_policy", json!({ "Bucket": bucket("athena-results") }));
    let part = "tickets/market=DE/part-0.parquet";
    world.call("s3", "put_object", json!({ "Bucket": bucket("curated"), "Key": part, "Body": "no Parquet" }));
    world.call("s3", "delete_object", json!({ "Bucket": raw, "Key": "tickets/tickets_20261122_000000_0001.jsonl" }));
    let updates = json!({ "BytesScannedCutoffPerQuery": 20_000_000, "EnforceWorkGroupConfiguration": false });
    world.call(
        "athena",
        "update_work_group",
        json!({ "WorkGroup": "bmw-aftersales", "ConfigurationUpdates": updates }),
    );
    world.call("glue", "delete_table", json!({ "DatabaseName": "bmw_aftersales", "Name": "tickets_raw" }));
    let japan = json!({ "DatabaseName": "bmw_aftersales", "TableName": "tickets", "PartitionValues": ["JP"] });
    world.call("glue", "delete_partition", japan);

    let drift = world.drift();
    let of = |resource: &str| {
        let found = drift.iter().find(|(name, ..)| name == resource);
        found.map(|(_, state, differences)| format!("{state}: {differences}")).unwrap_or_default()
    };
    assert!(of(&format!("bucket {raw}")).contains("encryption is {"), "{drift:?}");
    assert!(of(&format!("bucket {raw}")).contains("lifecycle is not set, wanted {"));
    assert!(of(&format!("bucket {}", bucket("curated"))).contains("public access block is not set"));
    assert!(of(&format!("bucket {}", bucket("athena-results"))).contains("policy is not set"));
    assert!(of(&format!("data in {}", bucket("curated"))).contains(part));
    assert!(of("workgroup bmw-aftersales").contains("EnforceWorkGroupConfiguration is false, wanted true"));
    assert!(of("table bmw_aftersales.tickets_raw").starts_with("missing"));
    assert!(of("partitions of bmw_aftersales.tickets").starts_with("missing"));
    assert_eq!(drift.len(), 8, "{drift:?}");
    assert_eq!(world.deploy(&["status", "--detailed-exitcode"]).status.code(), Some(2));
    let unproved = world.deploy(&["verify"]);
    assert_eq!(unproved.status.code(), Some(1), "a broken part can't be proved");

    world.must(&["--quiet"]);
    assert_eq!(world.drift(), []);
}

#[test]
fn a_view_or_table_of_another_making_is_replaced() {
    let world = World::new();
    world.must(&["--quiet"]);
    let tables = "database bmw_aftersales";
    for (name, change) in [
        ("tickets", json!({ "StorageDescriptor": { "Columns": [{ "Name": "ticket_id", "Type": "int" }] } })),
        ("tickets_enriched", json!({ "TableType": "VIRTUAL_VIEW", "ViewOriginalText": "SELECT 1" })),
    ] {
        let mut input = change;
        input["Name"] = name.into();
        world.call("glue", "update_table", json!({ "DatabaseName": "bmw_aftersales", "TableInput": input }));
        let drift = world.drift();
        assert!(drift.iter().any(|(resource, ..)| resource.ends_with(name)), "{tables}: {drift:?}");
        world.must(&["--quiet"]);
        assert_eq!(world.drift(), []);
    }
}

#[test]
fn a_new_data_set_replaces_the_old_one_and_its_partitions() {
    let world = World::new();
    world.must(&["--quiet"]);
    world.lake.replace(7, 60);
    world.must(&["--quiet"]);
    assert_eq!(world.drift(), []);
    let markets = world.lake.markets();
    let keys = world.keys_in(&bucket("curated"));
    assert_eq!(keys.len(), markets.len() + 1, "{keys:?}");
    let of_tickets = json!({ "DatabaseName": "bmw_aftersales", "TableName": "tickets" });
    let partitions = world.call("glue", "get_partitions", of_tickets);
    assert_eq!(partitions["Partitions"].as_array().unwrap().len(), markets.len());
}

#[test]
fn destroy_asks_first_and_takes_only_what_is_ours() {
    let world = World::new();
    world.must(&["--quiet"]);
    world.call("s3", "put_object", json!({ "Bucket": bucket("raw"), "Key": "tickets/mine.jsonl", "Body": "mine" }));
    let mine = json!({ "Name": "mine", "StorageDescriptor": { "Columns": [{ "Name": "a", "Type": "int" }] } });
    world.call("glue", "create_table", json!({ "DatabaseName": "bmw_aftersales", "TableInput": mine }));

    let unconfirmed = world.deploy(&["destroy"]);
    assert_eq!(unconfirmed.status.code(), Some(2), "{}", stderr(&unconfirmed));
    assert!(stderr(&unconfirmed).contains("nothing was deleted"));
    assert_eq!(world.drift(), [], "nothing was deleted");

    let destroyed = world.must(&["destroy", "--yes"]);
    assert!(destroyed.contains("the database bmw_aftersales stays"), "{destroyed}");
    assert!(destroyed.contains("1 object"), "{destroyed}");
    assert_eq!(world.keys_in(&bucket("raw")), BTreeSet::from(["tickets/mine.jsonl".to_owned()]));
    let buckets = world.call("s3", "list_buckets", json!({}));
    assert_eq!(buckets["Buckets"].as_array().unwrap().len(), 1);
    let tables = world.call("glue", "get_tables", json!({ "DatabaseName": "bmw_aftersales" }));
    assert_eq!(tables["TableList"].as_array().unwrap().len(), 1);
    assert!(world.must(&["destroy", "--yes"]).contains("Nothing of ours is left"));
}

#[test]
fn another_region_gets_its_buckets_in_its_own_way() {
    let world = World::new();
    let arguments = ["--region", "us-east-1"];
    world.must(&[&arguments[..], &["--only", "buckets", "--quiet"]].concat());
    let location = world.call("s3", "get_bucket_location", json!({ "Bucket": bucket("raw") }));
    assert_eq!(location["LocationConstraint"], Value::Null);
    let elsewhere = world.deploy(&["--region", "eu-west-1", "plan"]);
    assert_eq!(elsewhere.status.code(), Some(1));
    assert!(stderr(&elsewhere).contains("lies in the region us-east-1"), "{}", stderr(&elsewhere));
}

#[test]
fn a_name_that_another_account_has_is_an_obstacle() {
    let world = World::new();
    let place = json!({ "LocationConstraint": "eu-central-1" });
    let taken = json!({ "Bucket": bucket("raw"), "CreateBucketConfiguration": place });
    world.emulator.call_as("210987654321", "s3", "create_bucket", &taken);
    let output = world.deploy(&[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("belongs to another account"), "{}", stderr(&output));
    assert_eq!(world.call("s3", "list_buckets", json!({}))["Buckets"], json!([]), "nothing else was made");
}

#[test]
fn each_part_can_be_deployed_by_itself() {
    let world = World::new();
    let too_early = world.deploy(&["--only", "data"]);
    assert_eq!(too_early.status.code(), Some(1));
    assert!(stderr(&too_early).contains("deploy --only buckets"), "{}", stderr(&too_early));
    for part in ["buckets", "data", "catalog"] {
        world.must(&["--only", part, "--quiet"]);
        let done = world.deploy(&["--only", part, "plan", "--detailed-exitcode"]);
        assert_eq!(done.status.code(), Some(0), "{part}: {}", stdout(&done));
    }
    assert_eq!(world.drift(), []);
    assert!(world.must(&["verify"]).contains("proved"));
}

#[test]
fn query_asks_athena_with_the_same_names_and_formats_and_shows_the_bill() {
    let world = World::new();
    world.must(&["--quiet"]);
    let query: PathBuf = Path::new(BINARY).with_file_name("query");
    assert!(query.exists(), "build it with `cargo build --workspace`, or run `cargo test --workspace`");
    let ask = |arguments: &[&str]| world.emulator.tool(&query, world.lake.dir(), &world.keys, arguments);
    let embedded = ask(&["severity_distribution", "10", "--format", "csv"]);
    let athena = ask(&["severity_distribution", "10", "--format", "csv", "--engine", "athena"]);
    assert_eq!(athena.status.code(), Some(0), "{}", stderr(&athena));
    assert_eq!(stdout(&athena), stdout(&embedded));
    assert!(stderr(&athena).contains("query: severity_distribution scanned "), "{}", stderr(&athena));
    assert!(stderr(&athena).contains("query: 2 KPIs cost $0.0001"), "{}", stderr(&athena));
    let own = ask(&["--engine", "athena", "--format", "json", "--sql", "SELECT COUNT(*) AS n FROM tickets"]);
    let own: Value = serde_json::from_str(&stdout(&own)).unwrap();
    assert_eq!(own["answers"][0]["rows"][0]["n"], 3000);
    assert_eq!(own["answers"][0]["bill"]["billed_bytes"], 10_000_000);
    let verified = ask(&["--engine", "athena", "--verify", "--quiet"]);
    assert_eq!(verified.status.code(), Some(0), "{}", stderr(&verified));
    let wrong = ask(&["--engine", "athena", "--sql", "SELECT colour FROM tickets"]);
    assert_eq!(wrong.status.code(), Some(1));
    assert!(stderr(&wrong).contains("SELECT colour FROM tickets"), "{}", stderr(&wrong));
    let writing = ask(&["--engine", "athena", "--sql", "DROP TABLE tickets"]);
    assert_eq!(writing.status.code(), Some(2), "{}", stderr(&writing));
}
