//! Differences of two JSON values, member by member, as text.

use std::collections::BTreeMap;

use serde_json::Value;

/// Maximum length in bytes of a value that is quoted in a message.
const LONGEST_QUOTED: usize = 80;

/// Compares all members of both values.
pub(crate) fn of_all(actual: &Value, wanted: &Value) -> Vec<String> {
    let (actual, wanted) = (flat(actual), flat(wanted));
    let names = actual.keys().chain(wanted.keys().filter(|name| !actual.contains_key(*name)));
    names.filter_map(|name| difference(name, actual.get(name), wanted.get(name))).collect()
}

/// Compares the members of `wanted` only, because services add defaults.
pub(crate) fn of_wanted(actual: &Value, wanted: &Value) -> Vec<String> {
    let actual = flat(actual);
    flat(wanted).iter().filter_map(|(name, wanted)| difference(name, actual.get(name), Some(wanted))).collect()
}

fn difference(name: &str, actual: Option<&String>, wanted: Option<&String>) -> Option<String> {
    if actual == wanted {
        return None;
    }
    let is_long = |value: Option<&String>| value.is_some_and(|value| value.len() > LONGEST_QUOTED);
    if is_long(actual) || is_long(wanted) {
        return Some(format!("{name} is not the wanted one"));
    }
    let shown = |value: Option<&String>| value.map_or_else(|| "not set".to_owned(), Clone::clone);
    Some(format!("{name} is {}, wanted {}", shown(actual), shown(wanted)))
}

/// Flattens a value to its scalars and the lengths of its lists, by path.
fn flat(value: &Value) -> BTreeMap<String, String> {
    let mut flat = BTreeMap::new();
    flatten("", value, &mut flat);
    flat
}

fn flatten(name: &str, value: &Value, flat: &mut BTreeMap<String, String>) {
    let below = |inner: &str| if name.is_empty() { inner.to_owned() } else { format!("{name}.{inner}") };
    match value {
        Value::Object(map) => map.iter().for_each(|(inner, value)| flatten(&below(inner), value, flat)),
        Value::Array(values) => {
            flat.insert(below("length"), values.len().to_string());
            for (index, value) in values.iter().enumerate() {
                flatten(&below(&index.to_string()), value, flat);
            }
        }
        other => drop(flat.insert(name.to_owned(), other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::{of_all, of_wanted};
    use serde_json::json;

    #[test]
    fn each_value_is_named_by_its_way() {
        let wanted = json!({ "a": { "b": 1, "c": ["x", "y"] }, "long": "w".repeat(100) });
        let actual = json!({ "a": { "b": 2, "c": ["x"], "more": true }, "long": "v" });
        let expected = [
            "a.b is 2, wanted 1",
            "a.c.1 is not set, wanted \"y\"",
            "a.c.length is 1, wanted 2",
            "long is not the wanted one",
        ];
        assert_eq!(of_wanted(&actual, &wanted), expected);
        assert_eq!(of_all(&actual, &wanted).len(), 5);
        assert!(of_all(&actual, &wanted).contains(&"a.more is true, wanted not set".to_owned()));
        assert!(of_all(&wanted, &wanted).is_empty());
    }
}
