//! AWS Glue Data Catalog: databases, tables, views and partitions.

use std::collections::BTreeMap;

use anyhow::Result;
use aws_sdk_glue::types as sdk;
use serde::Serialize;

use crate::error::{AwsError, ErrorContext, Kind};
use crate::session::Session;

/// Maximum number of partitions in one `BatchCreatePartition` request.
const PARTITIONS_PER_CREATE: usize = 100;
/// Maximum number of partitions in one `BatchDeletePartition` request.
const PARTITIONS_PER_DELETE: usize = 25;

/// Table or view.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Table {
    /// Names and types of the columns in order, without partition columns.
    pub columns: Vec<(String, String)>,
    /// Names and types of the partition columns.
    pub partition_keys: Vec<(String, String)>,
    /// S3 URI of the files; `None` for a view.
    pub location: Option<String>,
    /// Input format class.
    pub input_format: Option<String>,
    /// SerDe class.
    pub serde: Option<String>,
    /// SerDe parameters.
    pub serde_parameters: BTreeMap<String, String>,
    /// Table properties.
    pub parameters: BTreeMap<String, String>,
    /// Text of a view, as stored in Glue.
    pub view_text: Option<String>,
}

/// Partition.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Partition {
    /// Values of the partition columns.
    pub values: Vec<String>,
    /// S3 URI of the files.
    pub location: String,
}

impl Session {
    /// Returns true if the database exists.
    ///
    /// # Errors
    ///
    /// Fails if the request fails.
    pub fn has_database(&self, name: &str) -> Result<bool> {
        let response = self.block_on(self.glue.get_database().name(name).send());
        Ok(none_if_not_found(response.error_context(&format!("read the database {name}")))?.is_some())
    }

    /// Lists the names of all tables and views of a database; empty if the database doesn't exist.
    ///
    /// # Errors
    ///
    /// Fails if a request fails.
    pub fn table_names(&self, database: &str) -> Result<Vec<String>> {
        let mut pages = self.glue.get_tables().database_name(database).into_paginator().send();
        self.block_on(async {
            let mut names = Vec::new();
            while let Some(page) = pages.next().await {
                match none_if_not_found(page.error_context(&format!("list the tables of {database}")))? {
                    Some(page) => names.extend(page.table_list.into_iter().flatten().map(|table| table.name)),
                    None => return Ok(Vec::new()),
                }
            }
            Ok(names)
        })
    }

    /// Reads the definition of a table or view; `None` if it doesn't exist.
    ///
    /// # Errors
    ///
    /// Fails if the request fails.
    pub fn table(&self, database: &str, name: &str) -> Result<Option<Table>> {
        Ok(self.sdk_table(database, name)?.map(table_from_sdk))
    }

    fn sdk_table(&self, database: &str, name: &str) -> Result<Option<sdk::Table>> {
        let response = self.block_on(self.glue.get_table().database_name(database).name(name).send());
        let found = none_if_not_found(response.error_context(&format!("read the table {database}.{name}")))?;
        Ok(found.and_then(|found| found.table))
    }

    /// Lists all partitions of a table; empty if the table doesn't exist.
    ///
    /// # Errors
    ///
    /// Fails if a request fails.
    pub fn partitions(&self, database: &str, table: &str) -> Result<Vec<Partition>> {
        let request = self.glue.get_partitions().database_name(database).table_name(table).exclude_column_schema(true);
        let mut pages = request.into_paginator().send();
        self.block_on(async {
            let mut partitions = Vec::new();
            while let Some(page) = pages.next().await {
                let page =
                    none_if_not_found(page.error_context(&format!("list the partitions of {database}.{table}")))?;
                let Some(page) = page else { return Ok(Vec::new()) };
                partitions.extend(page.partitions.into_iter().flatten().map(|partition| Partition {
                    values: partition.values.unwrap_or_default(),
                    location: partition.storage_descriptor.and_then(|storage| storage.location).unwrap_or_default(),
                }));
            }
            partitions.sort();
            Ok(partitions)
        })
    }

    /// Registers partitions with the columns and format of their table.
    ///
    /// # Errors
    ///
    /// Fails if the table doesn't exist, a request fails, or Glue rejects a partition.
    pub fn add_partitions(&self, database: &str, table: &str, partitions: &[Partition]) -> Result<()> {
        let operation = format!("register partitions of {database}.{table}");
        let storage = self
            .sdk_table(database, table)?
            .ok_or_else(|| missing_table(&operation))?
            .storage_descriptor
            .unwrap_or_else(|| sdk::StorageDescriptor::builder().build());
        for batch in partitions.chunks(PARTITIONS_PER_CREATE) {
            let inputs = batch.iter().map(|partition| {
                let mut storage = storage.clone();
                storage.location = Some(partition.location.clone());
                let values = Some(partition.values.clone());
                sdk::PartitionInput::builder().set_values(values).storage_descriptor(storage).build()
            });
            let request = self.glue.batch_create_partition().database_name(database).table_name(table);
            let response = self.block_on(request.set_partition_input_list(Some(inputs.collect())).send());
            check_partition_errors(&operation, response.error_context(&operation)?.errors())?;
        }
        Ok(())
    }

    /// Unregisters partitions by their values; the files are kept.
    ///
    /// # Errors
    ///
    /// Fails if a request fails, or Glue rejects a partition.
    pub fn remove_partitions(&self, database: &str, table: &str, values: &[Vec<String>]) -> Result<()> {
        let operation = format!("unregister partitions of {database}.{table}");
        for batch in values.chunks(PARTITIONS_PER_DELETE) {
            let lists =
                batch.iter().map(|values| sdk::PartitionValueList::builder().set_values(Some(values.clone())).build());
            let lists = lists.collect::<Result<Vec<_>, _>>()?;
            let request = self.glue.batch_delete_partition().database_name(database).table_name(table);
            let response = self.block_on(request.set_partitions_to_delete(Some(lists)).send());
            check_partition_errors(&operation, response.error_context(&operation)?.errors())?;
        }
        Ok(())
    }

    /// Sets one property of a table or view, and keeps the rest of its definition.
    ///
    /// # Errors
    ///
    /// Fails if the table doesn't exist, or a request fails.
    pub fn set_table_parameter(&self, database: &str, name: &str, parameter: &str, value: &str) -> Result<()> {
        let operation = format!("set the property {parameter} of {database}.{name}");
        let table = self.sdk_table(database, name)?.ok_or_else(|| missing_table(&operation))?;
        let mut parameters = table.parameters.unwrap_or_default();
        parameters.insert(parameter.to_owned(), value.to_owned());
        let input = sdk::TableInput::builder()
            .name(table.name)
            .set_description(table.description)
            .set_owner(table.owner.filter(|owner| !owner.is_empty()))
            .set_retention(Some(table.retention))
            .set_storage_descriptor(table.storage_descriptor)
            .set_partition_keys(table.partition_keys)
            .set_view_original_text(table.view_original_text)
            .set_view_expanded_text(table.view_expanded_text)
            .set_table_type(table.table_type)
            .set_parameters(Some(parameters))
            .build()?;
        let request = self.glue.update_table().database_name(database).table_input(input);
        self.block_on(request.send()).error_context(&operation)?;
        Ok(())
    }

    /// Deletes the definition of a table or view; the files are kept. A missing one is not an error.
    ///
    /// # Errors
    ///
    /// Fails if the request fails.
    pub fn delete_table(&self, database: &str, name: &str) -> Result<()> {
        let response = self.block_on(self.glue.delete_table().database_name(database).name(name).send());
        none_if_not_found(response.error_context(&format!("delete the definition of {database}.{name}")))?;
        Ok(())
    }

    /// Deletes a database. A missing one is not an error.
    ///
    /// # Errors
    ///
    /// Fails if the request fails.
    pub fn delete_database(&self, name: &str) -> Result<()> {
        let response = self.block_on(self.glue.delete_database().name(name).send());
        none_if_not_found(response.error_context(&format!("delete the database {name}")))?;
        Ok(())
    }
}

fn missing_table(operation: &str) -> AwsError {
    AwsError::new(Kind::NotFound, operation, "the table doesn't exist")
}

/// Maps the error of a missing resource to `None`.
fn none_if_not_found<T>(response: Result<T, AwsError>) -> Result<Option<T>, AwsError> {
    match response {
        Ok(response) => Ok(Some(response)),
        Err(error) if error.kind == Kind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Fails with the first error that Glue reports for a partition of a batch.
fn check_partition_errors(operation: &str, errors: &[sdk::PartitionError]) -> Result<(), AwsError> {
    let Some(error) = errors.first() else { return Ok(()) };
    let reason = error.error_detail().and_then(|detail| detail.error_message()).unwrap_or("Glue gave no reason");
    Err(AwsError::new(Kind::Other, operation, format!("{}: {reason}", error.partition_values().join("/"))))
}

fn table_from_sdk(table: sdk::Table) -> Table {
    let columns = |columns: Option<Vec<sdk::Column>>| {
        columns.into_iter().flatten().map(|column| (column.name, column.r#type.unwrap_or_default())).collect()
    };
    let storage = table.storage_descriptor;
    let serde = storage.as_ref().and_then(|storage| storage.serde_info.clone());
    Table {
        location: storage.as_ref().and_then(|storage| storage.location.clone()).filter(|location| !location.is_empty()),
        input_format: storage.as_ref().and_then(|storage| storage.input_format.clone()),
        columns: columns(storage.and_then(|storage| storage.columns)),
        partition_keys: columns(table.partition_keys),
        serde: serde.as_ref().and_then(|serde| serde.serialization_library.clone()),
        serde_parameters: serde.and_then(|serde| serde.parameters).into_iter().flatten().collect(),
        parameters: table.parameters.into_iter().flatten().collect(),
        view_text: table.view_original_text,
    }
}
