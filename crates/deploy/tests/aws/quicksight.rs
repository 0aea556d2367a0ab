//! QuickSight dashboard: creation, drift, refresh, verification, deletion.

use std::process::Output;

use serde_json::{Value, json};

use crate::emulator::ACCOUNT;
use crate::{Fixture, stderr, stdout};

const OWNED: [&str; 3] = ["--quicksight", "--quicksight-user", "ada"];
const DASHBOARD: &str = "bmw-aftersales";
const DATA_SET: &str = "bmw-aftersales-tickets";

impl Fixture {
    /// Runs `deploy --quicksight` with more arguments.
    fn deploy_dashboard(&self, arguments: &[&str]) -> Output {
        self.deploy(&[&OWNED[..], arguments].concat())
    }

    /// Runs `deploy --quicksight`, which must succeed. Returns its messages.
    fn deploy_dashboard_ok(&self, arguments: &[&str]) -> String {
        let output = self.deploy_dashboard(arguments);
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

    fn is_in_sync(&self) -> bool {
        self.deploy_dashboard(&["plan", "--detailed-exitcode"]).status.code() == Some(0)
    }
}

#[test]
fn first_deploy_creates_the_dashboard_and_second_only_refreshes_it() {
    let fixture = Fixture::new();
    let plan = stdout(&fixture.deploy_dashboard(&["plan"]));
    for resource in ["data source bmw-aftersales", "data set bmw-aftersales-tickets", "dashboard bmw-aftersales"] {
        assert!(plan.contains(&format!("  + QuickSight {resource}: create, owned by arn:aws:quicksight:")), "{plan}");
    }
    let first = fixture.deploy_dashboard_ok(&[]);
    assert!(
        first.contains("deploy: refreshed QuickSight data set bmw-aftersales-tickets, 3,000 tickets in "),
        "{first}"
    );
    let url = "https://eu-central-1.quicksight.aws.amazon.com/sn/dashboards/bmw-aftersales";
    assert!(first.contains(url), "{first}");
    assert!(first.find("11 answers verified") < first.find("created QuickSight"), "{first}");
    let dashboard = fixture.dashboard();
    assert_eq!(
        (&dashboard["Version"]["VersionNumber"], &dashboard["Name"]),
        (&json!(1), &json!("After-sales support"))
    );
    let permissions = fixture.quicksight("describe_data_set_permissions", json!({ "DataSetId": DATA_SET }));
    let owner = format!("arn:aws:quicksight:eu-central-1:{ACCOUNT}:user/default/ada");
    assert_eq!(permissions["Permissions"][0]["Principal"], json!(owner));

    assert!(fixture.is_in_sync());
    let status = fixture.deploy_dashboard(&["status"]);
    assert!(stdout(&status).ends_with("in sync    QuickSight dashboard bmw-aftersales\n"), "{}", stdout(&status));
    let second = fixture.deploy_dashboard_ok(&[]);
    assert!(second.contains("No changes.") && second.contains("refreshed QuickSight"), "{second}");
    assert_eq!(fixture.dashboard()["Version"]["VersionNumber"], json!(1), "nothing was changed");

    fixture.lake.replace(7, 60);
    let other = fixture.deploy_dashboard_ok(&[]);
    assert!(other.contains("60 tickets in "), "{other}");
}

#[test]
fn drift_is_reported_and_repaired() {
    let fixture = Fixture::new();
    fixture.deploy_dashboard_ok(&["--quiet"]);
    let id = json!({ "DashboardId": DASHBOARD });
    let mut version = fixture.quicksight("describe_dashboard_definition", id.clone());
    version["Definition"]["Sheets"][0]["Name"] = json!("Mine");
    let update = json!({ "DashboardId": DASHBOARD, "Name": "Mine", "Definition": version["Definition"] });
    fixture.quicksight("update_dashboard", update);
    let published = json!({ "DashboardId": DASHBOARD, "VersionNumber": 2 });
    for _ in 0..3 {
        fixture.quicksight("describe_dashboard", published.clone());
    }
    fixture.quicksight("update_dashboard_published_version", published);
    let source = json!({ "AthenaParameters": { "WorkGroup": "primary" } });
    let update = json!({ "DataSourceId": "bmw-aftersales", "Name": "Mine", "DataSourceParameters": source });
    fixture.quicksight("update_data_source", update);
    let permissions = fixture.quicksight("describe_data_set_permissions", json!({ "DataSetId": DATA_SET }));
    let revoked = json!({ "DataSetId": DATA_SET, "RevokePermissions": permissions["Permissions"] });
    fixture.quicksight("update_data_set_permissions", revoked);

    let plan = stdout(&fixture.deploy_dashboard(&["plan"]));
    for line in [
        "~ QuickSight data source bmw-aftersales: the last operation failed: ",
        "DataSourceParameters.AthenaParameters.WorkGroup is \"primary\", desired \"bmw-aftersales\"",
        "~ QuickSight data set bmw-aftersales-tickets: grant ownership to arn:aws:quicksight:eu-central-1:",
        "~ QuickSight dashboard bmw-aftersales: Name is \"Mine\", desired \"After-sales support\"; its published version 2 \
         differs",
    ] {
        assert!(plan.contains(line), "{line} is not in {plan}");
    }
    assert!(!fixture.is_in_sync());
    fixture.deploy_dashboard_ok(&[]);
    assert!(fixture.is_in_sync());
    let dashboard = fixture.dashboard();
    assert_eq!(
        (&dashboard["Version"]["VersionNumber"], &dashboard["Name"]),
        (&json!(3), &json!("After-sales support"))
    );
    let definition = fixture.quicksight("describe_dashboard_definition", id)["Definition"].clone();
    assert_eq!(definition["Sheets"][0]["Name"], json!("After-sales support"));
}

#[test]
fn destroy_deletes_the_dashboard_only_on_request() {
    let fixture = Fixture::new();
    fixture.deploy_dashboard_ok(&["--quiet"]);
    let kept = fixture.deploy_ok(&["destroy", "--yes"]);
    assert!(!kept.contains("QuickSight"), "{kept}");
    fixture.dashboard();
    let plan = fixture.deploy_ok(&["destroy", "--dry-run", "--quicksight"]);
    assert!(plan.contains("- QuickSight dashboard bmw-aftersales: delete"), "{plan}");
    fixture.deploy_ok(&["destroy", "--yes", "--quicksight"]);
    assert!(fixture.deploy_ok(&["destroy", "--yes", "--quicksight"]).contains("No managed resources to delete"));
    fixture.deploy_dashboard_ok(&["--quiet"]);
}

#[test]
fn dashboard_is_created_after_a_curation_on_athena() {
    let fixture = Fixture::new();
    let messages = fixture.deploy_dashboard_ok(&["--curate", "athena"]);
    assert!(messages.contains("3,000 tickets in "), "{messages}");
    assert!(messages.find("11 answers verified") < messages.find("created QuickSight"), "{messages}");
    assert!(fixture.deploy_dashboard(&["--curate", "athena", "plan", "--detailed-exitcode"]).status.success());
}

#[test]
fn quicksight_errors_name_a_next_step() {
    let fixture = Fixture::new();
    let output = fixture.deploy(&["--quicksight", "--quicksight-user", "nobody"]);
    assert_eq!(output.status.code(), Some(1));
    let messages = stderr(&output);
    assert!(
        messages.contains("cannot create the QuickSight data source bmw-aftersales: ") && messages.contains("nobody"),
        "{messages}"
    );
    assert!(messages.contains("next: `aws quicksight list-users"), "{messages}");

    // The update of a data source fails if its workgroup is disabled.
    fixture.deploy_dashboard_ok(&["--quiet"]);
    let updates = json!({ "BytesScannedCutoffPerQuery": 10_000_000 });
    let disabled = json!({ "WorkGroup": "bmw-aftersales", "ConfigurationUpdates": updates, "State": "DISABLED" });
    fixture.call("athena", "update_work_group", disabled);
    let source = json!({ "AthenaParameters": { "WorkGroup": "bmw-aftersales" } });
    let update = json!({ "DataSourceId": "bmw-aftersales", "Name": "Mine", "DataSourceParameters": source });
    fixture.quicksight("update_data_source", update);
    let plan = stdout(&fixture.deploy_dashboard(&["plan"]));
    assert!(plan.contains("the last operation failed: WorkGroup bmw-aftersales is disabled."), "{plan}");
}
