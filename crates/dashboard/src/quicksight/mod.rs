//! The same dashboard for Amazon QuickSight: a data source, a data set in SPICE, and a dashboard, each as the request that
//! makes it (`CreateDataSource`, `CreateDataSet`, `CreateDashboard` of the QuickSight API, version 2018-04-01).
//!
//! `infra/quicksight/` holds what [`bundle`] makes, with `<ACCOUNT_ID>`, `<REGION>` and `<PARTITION>` where an account's own
//! values belong. Only the account's number, which is in the request's
//! address, is not in its body here.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

mod data;
mod fields;
mod sheet;
mod visuals;

/// What the data source and the dashboard are called in their addresses.
const ID: &str = "bmw-aftersales";
/// What the data set is called in its address.
const DATA_SET_ID: &str = "bmw-aftersales-tickets";
/// What the dashboard's definition calls the data set.
const DATA_SET: &str = "tickets";

/// The files of the bundle and their contents, in the order in which they are made on AWS.
pub fn bundle() -> Result<[(&'static str, Value); 3]> {
    Ok([
        ("data-source.json", data::data_source()),
        ("data-set.json", data::data_set()?),
        ("dashboard.json", sheet::dashboard()),
    ])
}

/// The text of a file of the bundle.
pub fn file_text(content: &Value) -> String {
    format!("{content:#}\n")
}

/// Writes the files of the bundle into a directory.
#[allow(clippy::disallowed_methods, reason = "sources in a work tree, which nobody reads meanwhile")]
pub fn write_bundle(directory: &Path) -> Result<()> {
    fs::create_dir_all(directory).with_context(|| format!("cannot make {}", directory.display()))?;
    for (name, content) in bundle()? {
        let path = directory.join(name);
        fs::write(&path, file_text(&content)).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn arn(kind: &str, id: &str) -> String {
    format!("arn:<PARTITION>:quicksight:<REGION>:<ACCOUNT_ID>:{kind}/{id}")
}
