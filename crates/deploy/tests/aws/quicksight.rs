//! The dashboard on QuickSight: made once, kept as it is wanted, refreshed each time, and counted.

use std::process::Output;

use serde_json::{Value, json};

use crate::emulator::ACCOUNT;
use crate::{World, stderr, stdout};

const OWNED: [&str; 3] = ["--quicksight", "--quicksight-user", "ada"];
const DASHBOARD: &str = "bmw-aftersales";
const DATA_SET: &str = "bmw-aftersales-tickets";

impl World {
    /// A deploy with the dashboard, and more flags.
    fn present(&self, arguments: &[&str]) -> Output {
        self.deploy(&[&OWNED[..], arguments].concat())
    }

    /// One that must succeed; its messages.
    fn must_present(&self, arguments: &[&str]) -> String {
        let output = self.present(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", stderr(&output));
        stderr(&output)
    }

    fn quicksight(&self, operation: &str, mut parameters: Value) -> Value {
        parameters["AwsAccountId"] = json!(ACCOUNT);
        self.call("quicksight", operation, parameters)
    }

    fn dashboard(&self) -> Value {
        self.quicksight("describe_dashboard", json!({ "DashboardId": DASHBOARD }))["Dashboard"].clone()
    }

    fn is_done(&self) -> bool {
        self.present(&["plan", "--detailed-exitcode"]).status.code() == Some(0)
    }
}

#[test]
fn a_first_deploy_makes_it_and_a_second_only_refreshes_it() {
    let world = World::new();
    let plan = stdout(&world.present(&["plan"]));
    for resource in ["data source bmw-aftersales", "data set bmw-aftersales-tickets", "dashboard bmw-aftersales"] {
        assert!(plan.contains(&format!("  + QuickSight {resource}: create, for arn:aws:quicksight:")), "{plan}");
    }
    let first = world.must_present(&[]);
    assert!(
        first.contains("deploy: refreshed QuickSight data set bmw-aftersales-tickets, 3,000 tickets in "),
        "{first}"
    );
    let address = "https://eu-central-1.quicksight.aws.amazon.com/sn/dashboards/bmw-aftersales";
    assert!(first.contains(address), "{first}");
    assert!(first.find("11 answers proved") < first.find("created QuickSight"), "the proof comes first: {first}");
    let dashboard = world.dashboard();
    assert_eq!(
        (&dashboard["Version"]["VersionNumber"], &dashboard["Name"]),
        (&json!(1), &json!("After-sales support"))
    );
    let permissions = world.quicksight("describe_data_set_permissions", json!({ "DataSetId": DATA_SET }));
    let owner = format!("arn:aws:quicksight:eu-central-1:{ACCOUNT}:user/default/ada");
    assert_eq!(permissions["Permissions"][0]["Principal"], json!(owner));

    assert!(world.is_done());
    let status = world.present(&["status"]);
    assert!(stdout(&status).ends_with("in sync    QuickSight dashboard bmw-aftersales\n"), "{}", stdout(&status));
    let second = world.must_present(&[]);
    assert!(second.contains("No changes.") && second.contains("refreshed QuickSight"), "{second}");
    assert_eq!(world.dashboard()["Version"]["VersionNumber"], json!(1), "nothing was changed");

    world.lake.replace(7, 60);
    let other = world.must_present(&[]);
    assert!(other.contains("60 tickets in "), "{other}");
}

#[test]
fn what_another_hand_changes_there_is_seen_and_put_right() {
    let world = World::new();
    world.must_present(&["--quiet"]);
    let id = json!({ "DashboardId": DASHBOARD });
    let mut version = world.quicksight("describe_dashboard_definition", id.clone());
    version["Definition"]["Sheets"][0]["Name"] = json!("Mine");
    let update = json!({ "DashboardId": DASHBOARD, "Name": "Mine", "Definition": version["Definition"] });
    world.quicksight("update_dashboard", update);
    let published = json!({ "DashboardId": DASHBOARD, "VersionNumber": 2 });
    for _ in 0..3 {
        world.quicksight("describe_dashboard", published.clone());
    }
    world.quicksight("update_dashboard_published_version", published);
    let source = json!({ "AthenaParameters": { "WorkGroup": "primary" } });
    let update = json!({ "DataSourceId": "bmw-aftersales", "Name": "Mine", "DataSourceParameters": source });
    world.quicksight("update_data_source", update);
    let permissions = world.quicksight("describe_data_set_permissions", json!({ "DataSetId": DATA_SET }));
    let revoked = json!({ "DataSetId": DATA_SET, "RevokePermissions": permissions["Permissions"] });
    world.quicksight("update_data_set_permissions", revoked);

    let plan = stdout(&world.present(&["plan"]));
    for line in [
        "~ QuickSight data source bmw-aftersales: the last change has failed: ",
        "DataSourceParameters.AthenaParameters.WorkGroup is \"primary\", wanted \"bmw-aftersales\"",
        "~ QuickSight data set bmw-aftersales-tickets: give it to arn:aws:quicksight:eu-central-1:",
        "~ QuickSight dashboard bmw-aftersales: Name is \"Mine\", wanted \"After-sales support\"; its published version, 2, is \
         not the wanted one",
    ] {
        assert!(plan.contains(line), "{line} is not in {plan}");
    }
    assert!(!world.is_done());
    world.must_present(&[]);
    assert!(world.is_done());
    let dashboard = world.dashboard();
    assert_eq!(
        (&dashboard["Version"]["VersionNumber"], &dashboard["Name"]),
        (&json!(3), &json!("After-sales support"))
    );
    let definition = world.quicksight("describe_dashboard_definition", id)["Definition"].clone();
    assert_eq!(definition["Sheets"][0]["Name"], json!("After-sales support"));
}

#[test]
fn it_goes_only_if_that_is_wished() {
    let world = World::new();
    world.must_present(&["--quiet"]);
    let kept = world.must(&["destroy", "--yes"]);
    assert!(!kept.contains("QuickSight"), "{kept}");
    world.dashboard();
    let shown = world.must(&["destroy", "--dry-run", "--quicksight"]);
    assert!(shown.contains("- QuickSight dashboard bmw-aftersales: delete"), "{shown}");
    world.must(&["destroy", "--yes", "--quicksight"]);
    assert!(world.must(&["destroy", "--yes", "--quicksight"]).contains("Nothing of ours is left"));
    world.must_present(&["--quiet"]);
}

#[test]
fn curated_by_athena_it_is_made_after_the_tickets() {
    let world = World::new();
    let said = world.must_present(&["--curate", "athena"]);
    assert!(said.contains("3,000 tickets in "), "{said}");
    assert!(said.find("11 answers proved") < said.find("created QuickSight"), "{said}");
    assert!(world.present(&["--curate", "athena", "plan", "--detailed-exitcode"]).status.success());
}

#[test]
fn what_fails_there_says_what_to_do() {
    let world = World::new();
    let output = world.deploy(&["--quicksight", "--quicksight-user", "nobody"]);
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    assert!(
        said.contains("cannot create the QuickSight data source bmw-aftersales: ") && said.contains("nobody"),
        "{said}"
    );
    assert!(said.contains("next: `aws quicksight list-users"), "{said}");

    // It is made, and can't be read: by name, the lake's workgroup is now another one.
    world.must_present(&["--quiet"]);
    let updates = json!({ "BytesScannedCutoffPerQuery": 10_000_000 });
    let smaller = json!({ "WorkGroup": "bmw-aftersales", "ConfigurationUpdates": updates, "State": "DISABLED" });
    world.call("athena", "update_work_group", smaller);
    let source = json!({ "AthenaParameters": { "WorkGroup": "bmw-aftersales" } });
    let update = json!({ "DataSourceId": "bmw-aftersales", "Name": "Mine", "DataSourceParameters": source });
    world.quicksight("update_data_source", update);
    let plan = stdout(&world.present(&["plan"]));
    assert!(plan.contains("the last change has failed: WorkGroup bmw-aftersales is disabled."), "{plan}");
}
