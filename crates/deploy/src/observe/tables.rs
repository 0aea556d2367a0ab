//! Comparison of a table in the catalogue with its definition.

use std::collections::BTreeMap;

use aws::glue::Table;

/// Lists how `actual` differs from `wanted`, one phrase each. Properties that Glue adds are ignored.
pub fn differences(wanted: &Table, actual: &Table) -> Vec<String> {
    let mut differences = Vec::new();
    let mut compare = |what: &str, wanted: String, actual: String| {
        if wanted != actual {
            differences.push(format!("{what} is {actual}, wanted {wanted}"));
        }
    };
    compare("the partitioning", listed(&wanted.partition_keys), listed(&actual.partition_keys));
    compare("the location", directory(wanted.location.as_deref()), directory(actual.location.as_deref()));
    compare("the row reader", shown(wanted.serde.as_deref()), shown(actual.serde.as_deref()));
    compare("the file format", shown(wanted.input_format.as_deref()), shown(actual.input_format.as_deref()));
    let all = [(&wanted.serde_parameters, &actual.serde_parameters), (&wanted.parameters, &actual.parameters)];
    for (wanted, actual) in all {
        for (name, value) in wanted {
            compare(name, value.clone(), shown(actual.get(name).map(String::as_str)));
        }
    }
    differences.extend(column_differences(&wanted.columns, &actual.columns));
    differences
}

fn column_differences(wanted: &[(String, String)], actual: &[(String, String)]) -> Vec<String> {
    let types: BTreeMap<&str, &str> = actual.iter().map(|(name, kind)| (name.as_str(), kind.as_str())).collect();
    let mut differences = Vec::new();
    for (name, kind) in wanted {
        match types.get(name.as_str()) {
            None => differences.push(format!("column {name} is missing")),
            Some(actual) if actual != kind => {
                differences.push(format!("column {name} is {actual}, wanted {kind}"));
            }
            Some(_) => {}
        }
    }
    for (name, _) in actual {
        if !wanted.iter().any(|(wanted, _)| wanted == name) {
            differences.push(format!("column {name} is not wanted"));
        }
    }
    if differences.is_empty() && wanted != actual {
        differences.push("the columns stand in another order".to_owned());
    }
    differences
}

fn listed(columns: &[(String, String)]) -> String {
    if columns.is_empty() {
        return "missing".to_owned();
    }
    columns.iter().map(|(name, kind)| format!("{name} {kind}")).collect::<Vec<_>>().join(", ")
}

fn directory(location: Option<&str>) -> String {
    location.map_or_else(|| "missing".to_owned(), |location| format!("{}/", location.trim_end_matches('/')))
}

fn shown(value: Option<&str>) -> String {
    value.unwrap_or("missing").to_owned()
}

#[cfg(test)]
mod tests {
    use super::differences;
    use crate::definitions::ddl::table_definition;
    use aws::glue::Table;

    const STATEMENT: &str = "CREATE EXTERNAL TABLE IF NOT EXISTS d.t (a STRING, b INT) PARTITIONED BY (m STRING)
        STORED AS PARQUET LOCATION 's3://x/t/' TBLPROPERTIES ('parquet.compression' = 'SNAPPY')";

    fn wanted() -> Table {
        table_definition(STATEMENT.to_owned()).unwrap().table
    }

    #[test]
    fn each_departure_is_told_by_itself() {
        assert!(differences(&wanted(), &wanted()).is_empty());
        let change = |change: fn(&mut Table)| {
            let mut actual = wanted();
            change(&mut actual);
            differences(&wanted(), &actual).join("; ")
        };
        assert_eq!(change(|table| table.location = Some("s3://x/t".into())), "");
        let added = |table: &mut Table| drop(table.parameters.insert("EXTERNAL".into(), "TRUE".into()));
        assert_eq!(change(added), "");
        assert_eq!(change(|table| table.location = None), "the location is missing, wanted s3://x/t/");
        assert_eq!(change(|table| drop(table.columns.pop())), "column b is missing");
        assert_eq!(change(|table| table.columns[1].1 = "bigint".into()), "column b is bigint, wanted int");
        assert_eq!(change(|table| table.columns.push(("c".into(), "int".into()))), "column c is not wanted");
        assert_eq!(change(|table| table.columns.reverse()), "the columns stand in another order");
        assert_eq!(change(|table| table.partition_keys.clear()), "the partitioning is missing, wanted m string");
        assert_eq!(change(|table| table.parameters.clear()), "parquet.compression is missing, wanted SNAPPY");
        assert!(change(|table| table.serde = None).starts_with("the row reader is missing"));
    }
}
