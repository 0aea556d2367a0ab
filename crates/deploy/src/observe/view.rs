//! Comparison of a view in the catalogue with its definition.
//!
//! Athena doesn't store the text of a view but its own rendering, in base64 within a comment. To recognize the view later, `deploy`
//! stores a fingerprint of two checksums: that of the submitted text, and that of Athena's rendering.

use aws::glue::Table;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use publish::Checksum;
use serde::Deserialize;

/// Property of the view in the catalogue that contains the fingerprint.
pub const FINGERPRINT: &str = "aftersales_definition";

/// Prefix and suffix of the text of a view that Athena has stored.
const STORED: (&str, &str) = ("/* Presto View: ", " */");

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    original_sql: String,
}

/// Returns the fingerprint of a view that `statement` created and that is now stored as `stored`.
pub fn fingerprint(statement: &str, stored: &Table) -> String {
    let of_stored = stored.view_text.as_deref().unwrap_or_default();
    format!("{} {}", checksum(&normal(query_of(statement))), checksum(of_stored))
}

/// Returns true if `stored` is the view that `statement` creates.
pub fn is_same(statement: &str, stored: &Table) -> bool {
    needs_no_fingerprint(statement, stored)
        || stored.parameters.get(FINGERPRINT) == Some(&fingerprint(statement, stored))
}

/// Returns true if the stored text equals the definition without the help of a fingerprint.
pub fn needs_no_fingerprint(statement: &str, stored: &Table) -> bool {
    let text = stored.view_text.as_deref().unwrap_or_default();
    let text = original_sql(text).unwrap_or_else(|| text.to_owned());
    normal(&text) == normal(query_of(statement))
}

/// Returns true if Athena can replace it. A table, or a view created by Hive or Spark, must be deleted first.
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

fn normal(sql: &str) -> String {
    sql.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn checksum(text: &str) -> String {
    let mut checksum = Checksum::default();
    checksum.update(text.as_bytes());
    checksum.to_base64()
}

#[cfg(test)]
mod tests {
    use super::{FINGERPRINT, fingerprint, is_same, needs_no_fingerprint};
    use aws::glue::Table;
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    const STATEMENT: &str = "CREATE OR REPLACE VIEW d.v AS\nSELECT a,\n  b\nFROM d.t";

    fn stored(sql: &str) -> Table {
        let json = serde_json::json!({"originalSql": sql, "catalog": "awsdatacatalog"}).to_string();
        let text = format!("/* Presto View: {} */", STANDARD.encode(json));
        Table { view_text: Some(text), ..Table::default() }
    }

    #[test]
    fn a_view_is_known_by_its_text_or_by_its_mark() {
        assert!(needs_no_fingerprint(STATEMENT, &stored("SELECT a, b FROM d.t")));
        let plain = Table { view_text: Some("SELECT a, b\nFROM d.t".into()), ..Table::default() };
        assert!(is_same(STATEMENT, &plain));
        let mut rendered = stored("SELECT\n  \"a\"\n, \"b\"\nFROM\n  d.t\n");
        assert!(!is_same(STATEMENT, &rendered));
        let mark = fingerprint(STATEMENT, &rendered);
        rendered.parameters.insert(FINGERPRINT.into(), mark.clone());
        assert!(is_same(STATEMENT, &rendered));
        assert!(!is_same("CREATE OR REPLACE VIEW d.v AS\nSELECT a FROM d.t", &rendered), "we want another");
        let mut replaced = stored("SELECT 1");
        replaced.parameters.insert(FINGERPRINT.into(), mark);
        assert!(!is_same(STATEMENT, &replaced), "somebody replaced it and kept the mark");
        assert!(!is_same(STATEMENT, &Table::default()));
    }
}
