//! Comparison of a table in the Glue catalogue with its definition.

use std::collections::BTreeMap;

use aws::glue::Table;

/// Returns one phrase for each difference. Properties that Glue adds are ignored.
pub fn differences(desired: &Table, actual: &Table) -> Vec<String> {
    let mut differences = Vec::new();
    let mut compare = |name: &str, desired: String, actual: String| {
        if desired != actual {
            differences.push(format!("{name} is {actual}, desired {desired}"));
        }
    };
    compare("the partitioning", column_list(&desired.partition_keys), column_list(&actual.partition_keys));
    compare("the location", directory(desired.location.as_deref()), directory(actual.location.as_deref()));
    compare("the SerDe", or_missing(desired.serde.as_deref()), or_missing(actual.serde.as_deref()));
    compare(
        "the input format",
        or_missing(desired.input_format.as_deref()),
        or_missing(actual.input_format.as_deref()),
    );
    let maps = [(&desired.serde_parameters, &actual.serde_parameters), (&desired.parameters, &actual.parameters)];
    for (desired, actual) in maps {
        for (name, value) in desired {
            compare(name, value.clone(), or_missing(actual.get(name).map(String::as_str)));
        }
    }
    differences.extend(column_differences(&desired.columns, &actual.columns));
    differences
}

fn column_differences(desired: &[(String, String)], actual: &[(String, String)]) -> Vec<String> {
    let types: BTreeMap<&str, &str> = actual.iter().map(|(name, kind)| (name.as_str(), kind.as_str())).collect();
    let mut differences = Vec::new();
    for (name, kind) in desired {
        match types.get(name.as_str()) {
            None => differences.push(format!("column {name} is missing")),
            Some(actual) if actual != kind => {
                differences.push(format!("column {name} is {actual}, desired {kind}"));
            }
            Some(_) => {}
        }
    }
    for (name, _) in actual {
        if !desired.iter().any(|(desired, _)| desired == name) {
            differences.push(format!("column {name} is not in the definition"));
        }
    }
    if differences.is_empty() && desired != actual {
        differences.push("the columns are in another order".to_owned());
    }
    differences
}

fn column_list(columns: &[(String, String)]) -> String {
    if columns.is_empty() {
        return "missing".to_owned();
    }
    columns.iter().map(|(name, kind)| format!("{name} {kind}")).collect::<Vec<_>>().join(", ")
}

fn directory(location: Option<&str>) -> String {
    location.map_or_else(|| "missing".to_owned(), |location| format!("{}/", location.trim_end_matches('/')))
}

fn or_missing(value: Option<&str>) -> String {
    value.unwrap_or("missing").to_owned()
}

#[cfg(test)]
mod tests {
    use super::differences;
    use crate::definitions::ddl::table_definition;
    use aws::glue::Table;

    const STATEMENT: &str = "CREATE EXTERNAL TABLE IF NOT EXISTS d.t (a STRING, b INT) PARTITIONED BY (m STRING)
        STORED AS PARQUET LOCATION 's3://x/t/' TBLPROPERTIES ('parquet.compression' = 'SNAPPY')";

    fn desired() -> Table {
        table_definition(STATEMENT.to_owned()).unwrap().table
    }

    #[test]
    fn each_difference_is_reported_separately() {
        assert!(differences(&desired(), &desired()).is_empty());
        let change = |change: fn(&mut Table)| {
            let mut actual = desired();
            change(&mut actual);
            differences(&desired(), &actual).join("; ")
        };
        assert_eq!(change(|table| table.location = Some("s3://x/t".into())), "");
        let added = |table: &mut Table| drop(table.parameters.insert("EXTERNAL".into(), "TRUE".into()));
        assert_eq!(change(added), "");
        assert_eq!(change(|table| table.location = None), "the location is missing, desired s3://x/t/");
        assert_eq!(change(|table| drop(table.columns.pop())), "column b is missing");
        assert_eq!(change(|table| table.columns[1].1 = "bigint".into()), "column b is bigint, desired int");
        assert_eq!(change(|table| table.columns.push(("c".into(), "int".into()))), "column c is not in the definition");
        assert_eq!(change(|table| table.columns.reverse()), "the columns are in another order");
        assert_eq!(change(|table| table.partition_keys.clear()), "the partitioning is missing, desired m string");
        assert_eq!(change(|table| table.parameters.clear()), "parquet.compression is missing, desired SNAPPY");
        assert!(change(|table| table.serde = None).starts_with("the SerDe is missing"));
    }
}
