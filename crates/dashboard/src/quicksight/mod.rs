//! The dashboard for Amazon QuickSight: a data source, a data set in SPICE and a dashboard, each as the body of its request
//! (`CreateDataSource`, `CreateDataSet`, `CreateDashboard` of the QuickSight API, version 2018-04-01).
//!
//! `infra/quicksight/` holds the output of [`bundle`], with the placeholders `<ACCOUNT_ID>`, `<REGION>` and `<PARTITION>`.
//! The field `AwsAccountId` is missing, since it is part of the request's URL.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

mod data;
mod fields;
mod sheet;
mod visuals;

/// Identifier of the data source and the dashboard.
const ID: &str = "bmw-aftersales";
/// Identifier of the data set.
const DATA_SET_ID: &str = "bmw-aftersales-tickets";
/// Name of the data set in the dashboard's definition.
const DATA_SET: &str = "tickets";

/// Returns the file names and contents of the bundle, in the order of creation on AWS.
///
/// # Errors
///
/// Fails if `queries/quicksight.sql` has no statement.
pub fn bundle() -> Result<[(&'static str, Value); 3]> {
    Ok([
        ("data-source.json", data::data_source()),
        ("data-set.json", data::data_set()?),
        ("dashboard.json", sheet::dashboard()),
    ])
}

/// Returns the text of a file of the bundle.
pub fn file_text(content: &Value) -> String {
    format!("{content:#}\n")
}

/// Writes the files of the bundle into a directory.
///
/// # Errors
///
/// Fails if the directory or a file can't be written.
#[allow(clippy::disallowed_methods, reason = "sources in a work tree, with no concurrent readers")]
pub fn write_bundle(directory: &Path) -> Result<()> {
    fs::create_dir_all(directory).with_context(|| format!("cannot create {}", directory.display()))?;
    for (name, content) in bundle()? {
        let path = directory.join(name);
        fs::write(&path, file_text(&content)).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn arn(kind: &str, id: &str) -> String {
    format!("arn:<PARTITION>:quicksight:<REGION>:<ACCOUNT_ID>:{kind}/{id}")
}
