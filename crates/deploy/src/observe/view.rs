//! Comparison of a view in the Glue catalogue with its definition.
//!
//! Athena stores its own rendering of the text of a view, in base64 within a comment. So `deploy` adds a fingerprint to the
//! view that consists of two checksums: of the submitted text, and of Athena's rendering.

use aws::glue::Table;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use publish::Checksum;
use serde::Deserialize;

/// Property of the view that contains the fingerprint.
pub const FINGERPRINT: &str = "aftersales_definition";

/// Prefix and suffix of the text of a view that Athena has stored.
const STORED: (&str, &str) = ("/* Presto View: ", " */");

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    original_sql: String,
}

/// Returns the fingerprint of a view that `statement` has created and that Athena stores as `stored`.
pub fn fingerprint(statement: &str, stored: &Table) -> String {
    let stored_text = stored.view_text.as_deref().unwrap_or_default();
    format!("{} {}", checksum(&normalized(query_of(statement))), checksum(stored_text))
}

/// Returns true if `stored` is the view that `statement` creates, by its text or its fingerprint.
pub fn is_in_sync(statement: &str, stored: &Table) -> bool {
    has_same_text(statement, stored) || stored.parameters.get(FINGERPRINT) == Some(&fingerprint(statement, stored))
}

/// Returns true if the stored text equals the definition, apart from white space.
pub fn has_same_text(statement: &str, stored: &Table) -> bool {
    let text = stored.view_text.as_deref().unwrap_or_default();
    let text = original_sql(text).unwrap_or_else(|| text.to_owned());
    normalized(&text) == normalized(query_of(statement))
}

/// Returns true if Athena can replace the view. A table, or a view of Hive or Spark, must be deleted first.
pub fn is_replaceable(stored: &Table) -> bool {
    stored.view_text.as_deref().is_some_and(|text| text.trim().starts_with(STORED.0))
}

/// Returns the query of a `CREATE OR REPLACE VIEW name AS query`.
fn query_of(statement: &str) -> &str {
    statement.split_once(" AS\n").map_or(statement, |(_, query)| query)
}

fn original_sql(text: &str) -> Option<String> {
    let encoded = text.trim().strip_prefix(STORED.0)?.strip_suffix(STORED.1)?;
    let stored: Stored = serde_json::from_slice(&STANDARD.decode(encoded).ok()?).ok()?;
    Some(stored.original_sql)
}

fn normalized(sql: &str) -> String {
    sql.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn checksum(text: &str) -> String {
    let mut checksum = Checksum::default();
    checksum.update(text.as_bytes());
    checksum.to_base64()
}

#[cfg(test)]
mod tests {
    use super::{FINGERPRINT, fingerprint, has_same_text, is_in_sync};
    use aws::glue::Table;
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    const STATEMENT: &str = "CREATE OR REPLACE VIEW d.v AS\nSELECT a,\n  b\nFROM d.t";

    fn stored(sql: &str) -> Table {
        let json = serde_json::json!({"originalSql": sql, "catalog": "awsdatacatalog"}).to_string();
        let text = format!("/* Presto View: {} */", STANDARD.encode(json));
        Table { view_text: Some(text), ..Table::default() }
    }

    #[test]
    fn view_is_recognized_by_its_text_or_fingerprint() {
        assert!(has_same_text(STATEMENT, &stored("SELECT a, b FROM d.t")));
        let plain = Table { view_text: Some("SELECT a, b\nFROM d.t".into()), ..Table::default() };
        assert!(is_in_sync(STATEMENT, &plain));
        let mut rendered = stored("SELECT\n  \"a\"\n, \"b\"\nFROM\n  d.t\n");
        assert!(!is_in_sync(STATEMENT, &rendered));
        let original = fingerprint(STATEMENT, &rendered);
        rendered.parameters.insert(FINGERPRINT.into(), original.clone());
        assert!(is_in_sync(STATEMENT, &rendered));
        assert!(!is_in_sync("CREATE OR REPLACE VIEW d.v AS\nSELECT a FROM d.t", &rendered), "another definition");
        let mut replaced = stored("SELECT 1");
        replaced.parameters.insert(FINGERPRINT.into(), original);
        assert!(!is_in_sync(STATEMENT, &replaced), "replaced outside deploy, with the old fingerprint");
        assert!(!is_in_sync(STATEMENT, &Table::default()));
    }
}
