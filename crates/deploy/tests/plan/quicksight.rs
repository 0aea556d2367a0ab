//! Plans for the dashboard on QuickSight: only drifted resources are changed.

use aws::quicksight::resource::{ExistingResource, ResourceKind};
use deploy::definitions::desired::Desired;
use deploy::definitions::quicksight::owner_arn;
use deploy::definitions::scope::Scope;
use deploy::observe::Actual;
use deploy::plan::destroy::plan_destroy;
use deploy::plan::{Plan, plan};
use deploy::render;
use serde_json::{Value, json};

use crate::model::{ACCOUNT, Cloud, definitions};
use crate::tickets;

const REGION: &str = "eu-central-1";

/// Name of a state, and the change that leads to it after a complete deploy.
type Case = (&'static str, fn(&mut Actual));

fn desired() -> Desired {
    Desired { dashboard_owner: Some(owner_arn("ada", ACCOUNT, REGION)), ..tickets().desired() }
}

/// Returns the actual state after a complete deploy, with the members that QuickSight adds.
fn deployed() -> Actual {
    let cloud = Cloud::deployed(&tickets());
    let mut actual = cloud.observe(&desired(), Scope::ALL);
    for resource in &definitions().quicksight {
        let mut settings = resource.settings.clone();
        settings.remove("Tags");
        match resource.kind {
            ResourceKind::DataSource => {
                settings.insert("Status".to_owned(), json!("CREATION_SUCCESSFUL"));
            }
            ResourceKind::DataSet => {
                let table = json!({ "Alias": "tickets_enriched", "Source": { "PhysicalTableId": "tickets" } });
                settings.insert("LogicalTableMap".to_owned(), json!({ "tickets": table }));
                settings.insert("FieldFolders".to_owned(), json!({}));
                settings["PhysicalTableMap"]["tickets"]["CustomSql"]["Columns"][0]["Id"] = json!("added");
            }
            ResourceKind::Dashboard => {
                let description = settings.remove("VersionDescription");
                settings.retain(|name, _| name == "Name");
                let version =
                    json!({ "VersionNumber": 4, "Description": description, "Status": "CREATION_SUCCESSFUL" });
                settings.insert("Version".to_owned(), version);
            }
        }
        actual.quicksight.insert(resource.kind, owned_by("ada", resource.kind, settings));
    }
    actual
}

/// Returns a resource owned by a user, with one more permitted action than `deploy` grants.
fn owned_by(user: &str, kind: ResourceKind, settings: serde_json::Map<String, Value>) -> ExistingResource {
    let mut resource = ExistingResource { settings, ..ExistingResource::default() };
    let mut actions = kind.owner_actions();
    actions.insert("quicksight:NewAction".to_owned());
    resource.permissions.insert(owner_arn(user, ACCOUNT, REGION), actions);
    resource
}

fn resource(actual: &mut Actual, kind: ResourceKind) -> &mut ExistingResource {
    actual.quicksight.get_mut(&kind).unwrap()
}

fn full_plan(actual: &Actual) -> Plan {
    plan(&desired(), actual, Scope::ALL)
}

#[test]
fn members_added_by_quicksight_are_not_drift() {
    assert_eq!(full_plan(&deployed()), Plan::default());
}

#[test]
fn quicksight_is_not_planned_without_an_owner() {
    let empty = Actual { quicksight: [].into(), ..deployed() };
    assert_eq!(plan(&tickets().desired(), &empty, Scope::ALL), Plan::default());
}

#[test]
fn only_drifted_resources_are_changed() {
    let cases: &[Case] = &[
        ("no resources", |actual| actual.quicksight.clear()),
        ("no data set", |actual| drop(actual.quicksight.remove(&ResourceKind::DataSet))),
        ("data source with another workgroup, and a failed operation", |actual| {
            let source = resource(actual, ResourceKind::DataSource);
            source.settings["DataSourceParameters"]["AthenaParameters"]["WorkGroup"] = json!("primary");
            source.failure = Some("WorkGroup primary has no output location. (GENERIC_SQL_FAILURE)".to_owned());
        }),
        ("data set with another query, a missing column, permission rules and transforms", |actual| {
            let settings = &mut resource(actual, ResourceKind::DataSet).settings;
            let query = &mut settings["PhysicalTableMap"]["tickets"]["CustomSql"];
            query["SqlQuery"] = json!("SELECT 1");
            query["Columns"].as_array_mut().unwrap().pop();
            settings.insert("RowLevelPermissionDataSet".to_owned(), json!({ "Arn": "rules" }));
            settings["LogicalTableMap"]["tickets"]["DataTransforms"] = json!([{ "ProjectOperation": {} }]);
        }),
        ("dashboard with another name and published version", |actual| {
            let settings = &mut resource(actual, ResourceKind::Dashboard).settings;
            settings["Name"] = json!("Mine");
            settings["Version"] = json!({ "VersionNumber": 5, "Status": "CREATION_SUCCESSFUL" });
        }),
        ("dashboard with another owner", |actual| {
            let settings = resource(actual, ResourceKind::Dashboard).settings.clone();
            actual.quicksight.insert(ResourceKind::Dashboard, owned_by("bob", ResourceKind::Dashboard, settings));
        }),
    ];
    let mut text = String::new();
    for (name, change) in cases {
        let mut actual = deployed();
        change(&mut actual);
        let plan = full_plan(&actual);
        text += &format!("{name}\n{}\n", render::text(&plan));
        let statuses = render::statuses(&desired(), &plan, Scope::ALL);
        text += &format!("{}\n", render::statuses_text(&statuses[statuses.len() - 3..]));
    }
    insta::assert_snapshot!(text.replace(ACCOUNT, "ACCOUNT"));
}

#[test]
fn destroy_deletes_dependants_first() {
    let actual = Actual { quicksight: deployed().quicksight, ..Actual::default() };
    insta::assert_snapshot!(render::text(&plan_destroy(definitions(), &actual)));
}

#[test]
fn owner_is_a_user_name_or_an_arn() {
    assert_eq!(
        owner_arn("Admin/ada@example.com", ACCOUNT, "us-gov-west-1"),
        format!("arn:aws-us-gov:quicksight:us-gov-west-1:{ACCOUNT}:user/default/Admin/ada@example.com")
    );
    let group = format!("arn:aws:quicksight:us-east-1:{ACCOUNT}:group/default/managers");
    assert_eq!(owner_arn(&group, ACCOUNT, REGION), group);
}
