//! Differences between two JSON values, member by member.

use std::collections::BTreeMap;

use serde_json::Value;

/// Maximum length in bytes of a value in a message.
const MAX_VALUE_BYTES: usize = 80;

/// Compares the members of both values. Returns one phrase for each difference.
pub(crate) fn compare_all(actual: &Value, desired: &Value) -> Vec<String> {
    let (actual, desired) = (flat(actual), flat(desired));
    let names = actual.keys().chain(desired.keys().filter(|name| !actual.contains_key(*name)));
    names.filter_map(|name| difference(name, actual.get(name), desired.get(name))).collect()
}

/// Compares the members of `desired`. Others are ignored, because services add defaults.
pub(crate) fn compare_desired(actual: &Value, desired: &Value) -> Vec<String> {
    let actual = flat(actual);
    flat(desired).iter().filter_map(|(name, desired)| difference(name, actual.get(name), Some(desired))).collect()
}

fn difference(name: &str, actual: Option<&String>, desired: Option<&String>) -> Option<String> {
    if actual == desired {
        return None;
    }
    let is_long = |value: Option<&String>| value.is_some_and(|value| value.len() > MAX_VALUE_BYTES);
    if is_long(actual) || is_long(desired) {
        return Some(format!("{name} differs"));
    }
    let text = |value: Option<&String>| value.map_or_else(|| "not set".to_owned(), Clone::clone);
    Some(format!("{name} is {}, desired {}", text(actual), text(desired)))
}

/// Flattens a value to its scalars and the lengths of its arrays, by path.
fn flat(value: &Value) -> BTreeMap<String, String> {
    let mut flat = BTreeMap::new();
    flatten("", value, &mut flat);
    flat
}

fn flatten(name: &str, value: &Value, flat: &mut BTreeMap<String, String>) {
    let path = |inner: &str| if name.is_empty() { inner.to_owned() } else { format!("{name}.{inner}") };
    match value {
        Value::Object(map) => map.iter().for_each(|(inner, value)| flatten(&path(inner), value, flat)),
        Value::Array(values) => {
            flat.insert(path("length"), values.len().to_string());
            for (index, value) in values.iter().enumerate() {
                flatten(&path(&index.to_string()), value, flat);
            }
        }
        other => drop(flat.insert(name.to_owned(), other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::{compare_all, compare_desired};
    use serde_json::json;

    #[test]
    fn differences_name_the_path_of_each_value() {
        let desired = json!({ "a": { "b": 1, "c": ["x", "y"] }, "long": "w".repeat(100) });
        let actual = json!({ "a": { "b": 2, "c": ["x"], "more": true }, "long": "v" });
        let expected =
            ["a.b is 2, desired 1", "a.c.1 is not set, desired \"y\"", "a.c.length is 1, desired 2", "long differs"];
        assert_eq!(compare_desired(&actual, &desired), expected);
        assert_eq!(compare_all(&actual, &desired).len(), 5);
        assert!(compare_all(&actual, &desired).contains(&"a.more is true, desired not set".to_owned()));
        assert!(compare_all(&desired, &desired).is_empty());
    }
}
