//! Plans for the dashboard on QuickSight: only drifted resources are changed.

use aws::quicksight::resource::{ExistingResource, ResourceKind};
use deploy::definitions::desired::Desired;
use deploy::definitions::quicksight::owner_arn;
use deploy::definitions::scope::Scope;
use deploy::observe::Actual;
use deploy::plan::destroy::plan_destroy;
use deploy::plan::{Plan, plan};
use deploy::render as show;
use serde_json::{Value, json};

use crate::model::{ACCOUNT, Cloud, definitions};
use crate::tickets;

const REGION: &str = "eu-central-1";

/// A change to a dashboard after a deploy.
type World = (&'static str, fn(&mut Actual));

fn desired() -> Desired {
    Desired { dashboard_owner: Some(owner_arn("ada", ACCOUNT, REGION)), ..tickets().desired() }
}

/// As QuickSight tells of what it was asked to make.
fn as_made() -> Actual {
    let cloud = Cloud::with(&tickets());
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

/// With what QuickSight adds to the actions of an owner, in time.
fn owned_by(user: &str, kind: ResourceKind, settings: serde_json::Map<String, Value>) -> ExistingResource {
    let mut found = ExistingResource { settings, ..ExistingResource::default() };
    let mut actions = kind.owner_actions();
    actions.insert("quicksight:SomethingNew".to_owned());
    found.permissions.insert(owner_arn(user, ACCOUNT, REGION), actions);
    found
}

fn of(actual: &mut Actual, kind: ResourceKind) -> &mut ExistingResource {
    actual.quicksight.get_mut(&kind).unwrap()
}

fn planned(actual: &Actual) -> Plan {
    plan(&desired(), actual, Scope::ALL)
}

#[test]
fn what_quicksight_adds_by_itself_is_no_difference() {
    assert_eq!(planned(&as_made()), Plan::default());
}

#[test]
fn nobody_looks_there_without_being_asked() {
    let nothing = Actual { quicksight: [].into(), ..as_made() };
    assert_eq!(plan(&tickets().desired(), &nothing, Scope::ALL), Plan::default());
}

#[test]
fn only_what_is_not_as_wanted_is_touched() {
    let worlds: &[World] = &[
        ("nothing is there", |actual| actual.quicksight.clear()),
        ("the data set is gone", |actual| drop(actual.quicksight.remove(&ResourceKind::DataSet))),
        ("the data source asks elsewhere, and in vain", |actual| {
            let source = of(actual, ResourceKind::DataSource);
            source.settings["DataSourceParameters"]["AthenaParameters"]["WorkGroup"] = json!("primary");
            source.failure = Some("WorkGroup primary has no output location. (GENERIC_SQL_FAILURE)".to_owned());
        }),
        ("the data set has another query, one column less, and rules", |actual| {
            let settings = &mut of(actual, ResourceKind::DataSet).settings;
            let query = &mut settings["PhysicalTableMap"]["tickets"]["CustomSql"];
            query["SqlQuery"] = json!("SELECT 1");
            query["Columns"].as_array_mut().unwrap().pop();
            settings.insert("RowLevelPermissionDataSet".to_owned(), json!({ "Arn": "rules" }));
            settings["LogicalTableMap"]["tickets"]["DataTransforms"] = json!([{ "ProjectOperation": {} }]);
        }),
        ("another version of the dashboard is published, under another name", |actual| {
            let settings = &mut of(actual, ResourceKind::Dashboard).settings;
            settings["Name"] = json!("Mine");
            settings["Version"] = json!({ "VersionNumber": 5, "Status": "CREATION_SUCCESSFUL" });
        }),
        ("it belongs to somebody else", |actual| {
            let settings = of(actual, ResourceKind::Dashboard).settings.clone();
            actual.quicksight.insert(ResourceKind::Dashboard, owned_by("bob", ResourceKind::Dashboard, settings));
        }),
    ];
    let mut text = String::new();
    for (name, change) in worlds {
        let mut actual = as_made();
        change(&mut actual);
        let plan = planned(&actual);
        text += &format!("{name}\n{}\n", show::text(&plan));
        let statuses = show::statuses(&desired(), &plan, Scope::ALL);
        text += &format!("{}\n", show::statuses_text(&statuses[statuses.len() - 3..]));
    }
    insta::assert_snapshot!(text.replace(ACCOUNT, "ACCOUNT"));
}

#[test]
fn destroy_takes_the_dashboard_down_before_what_it_shows() {
    let actual = Actual { quicksight: as_made().quicksight, ..Actual::default() };
    insta::assert_snapshot!(show::text(&plan_destroy(definitions(), &actual)));
}

#[test]
fn an_owner_is_a_user_by_name_or_anybody_by_arn() {
    assert_eq!(
        owner_arn("Admin/ada@example.com", ACCOUNT, "us-gov-west-1"),
        format!("arn:aws-us-gov:quicksight:us-gov-west-1:{ACCOUNT}:user/default/Admin/ada@example.com")
    );
    let group = format!("arn:aws:quicksight:us-east-1:{ACCOUNT}:group/default/managers");
    assert_eq!(owner_arn(&group, ACCOUNT, REGION), group);
}
