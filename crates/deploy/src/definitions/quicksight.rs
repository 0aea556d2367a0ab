//! Definitions of the QuickSight resources in `infra/quicksight`: a data source, a data set and a dashboard.

use anyhow::{Context, Result};
use aws::quicksight::resource::{QuickSightResource, ResourceKind};
use aws::region::partition_of;
use publish::Checksum;
use serde_json::{Map, Value, json};

use super::fill_placeholders;

/// Bodies of the create requests, dependencies first.
const FILES: [(ResourceKind, &str, &str); 3] = [
    (ResourceKind::DataSource, "DataSourceId", include_str!("../../../../infra/quicksight/data-source.json")),
    (ResourceKind::DataSet, "DataSetId", include_str!("../../../../infra/quicksight/data-set.json")),
    (ResourceKind::Dashboard, "DashboardId", include_str!("../../../../infra/quicksight/dashboard.json")),
];
/// Member of the dashboard's create request that contains the fingerprint of the definition.
pub(crate) const FINGERPRINT: &str = "VersionDescription";

/// Parses the three definitions, with account and region filled in.
pub(crate) fn resources(account_id: &str, region: &str) -> Result<Vec<QuickSightResource>> {
    let resource = |(kind, id, text): &(ResourceKind, &str, &str)| -> Result<QuickSightResource> {
        let mut settings: Map<String, Value> = serde_json::from_str(&fill_placeholders(text, account_id, region))?;
        let id = settings.remove(*id).and_then(|id| id.as_str().map(str::to_owned)).context("the id is missing")?;
        if *kind == ResourceKind::Dashboard {
            settings.insert(FINGERPRINT.to_owned(), json!(fingerprint(&settings)?));
        }
        Ok(QuickSightResource { kind: *kind, id, settings })
    };
    FILES.iter().map(|file| resource(file).with_context(|| format!("infra/quicksight: {}", file.0.name()))).collect()
}

/// Returns a checksum of the submitted definition. QuickSight returns its own rendering, which can't be compared with it.
fn fingerprint(settings: &Map<String, Value>) -> Result<String> {
    let mut checksum = Checksum::default();
    checksum.update(serde_json::to_string(settings)?.as_bytes());
    Ok(format!("aftersales-deploy {}", checksum.to_base64()))
}

/// Returns the ARN of a QuickSight user given by name; an ARN (of a user or group) is returned unchanged.
pub fn owner_arn(user: &str, account_id: &str, region: &str) -> String {
    if user.starts_with("arn:") {
        return user.to_owned();
    }
    format!("arn:{}:quicksight:{region}:{account_id}:user/default/{user}", partition_of(region))
}

/// Returns the name of a resource in plans and messages.
pub(crate) fn resource_name(kind: ResourceKind, id: &str) -> String {
    format!("{} {id}", kind.name())
}

/// Returns the URL of the dashboard; `None` outside the partition `aws`.
pub(crate) fn dashboard_url(resources: &[QuickSightResource], region: &str) -> Option<String> {
    let dashboard = resources.iter().find(|resource| resource.kind == ResourceKind::Dashboard)?;
    let has_known_domain = partition_of(region) == "aws";
    has_known_domain.then(|| format!("https://{region}.quicksight.aws.amazon.com/sn/dashboards/{}", dashboard.id))
}
