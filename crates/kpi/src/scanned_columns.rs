//! The columns that a query reads, which determine the bytes that Athena bills.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use ticket_schema::columns::file_columns;

use crate::catalogue::view_query;
use crate::sql_text::{Token, tokenize};

/// Returns an upper bound of the Parquet columns that a query over the tickets reads.
///
/// Every identifier that equals a column's name counts, wherever it occurs; a `*` in a select list counts as all columns. An
/// engine may read fewer columns, but not more, unless aliases hide the names of all columns: `FROM tickets AS t (a, b, …)`.
///
/// # Errors
///
/// Fails if the definition of the view can't be read.
pub fn columns_read(sql: &str) -> Result<BTreeSet<&'static str>> {
    let tokens: Vec<Token> = tokenize(sql).collect();
    if tokens.windows(2).any(selects_all) {
        return Ok(file_columns().map(|column| column.name).collect());
    }
    let known = source_columns()?;
    let named = tokens.iter().filter_map(|token| known.get(&token.name()?));
    Ok(named.flatten().copied().collect())
}

/// Returns true if two adjacent tokens select all columns, unlike `COUNT(*)` and `a * b`.
fn selects_all(pair: &[Token]) -> bool {
    let [before, token] = pair else { return false };
    let opens_item = ["SELECT", "DISTINCT", "ALL", ",", "."].iter().any(|opening| before.is(opening));
    token.is("*") && opens_item || before.is("TABLE") && token.name().is_some()
}

/// Maps each column of the table and of the view to the Parquet columns it is computed from.
fn source_columns() -> Result<BTreeMap<String, BTreeSet<&'static str>>> {
    let query = view_query()?;
    let tokens: Vec<Token> = tokenize(&query).collect();
    let mut sources: BTreeMap<_, _> =
        file_columns().map(|column| (column.name.to_owned(), BTreeSet::from([column.name]))).collect();
    let select_list = split(&tokens, "FROM").next().unwrap_or_default();
    for item in split(select_list, ",") {
        let name =
            item.last().and_then(Token::name).context("infra/athena_ddl.sql, the view: a column without a name")?;
        let names: Vec<String> = item.iter().filter_map(Token::name).collect();
        let used = file_columns().map(|column| column.name).filter(|column| names.iter().any(|name| name == column));
        sources.entry(name).or_default().extend(used);
    }
    Ok(sources)
}

/// Splits tokens at the separators outside parentheses.
fn split<'s, 'a>(tokens: &'s [Token<'a>], separator: &str) -> impl Iterator<Item = &'s [Token<'a>]> {
    let mut depth = 0_usize;
    tokens.split(move |token| {
        depth = match token.text {
            "(" => depth + 1,
            ")" => depth.saturating_sub(1),
            _ => depth,
        };
        depth == 0 && token.is(separator)
    })
}

#[cfg(test)]
mod tests {
    use super::{columns_read, source_columns};
    use ticket_schema::columns::{COLUMNS, PARTITION_COLUMN};

    fn read(sql: &str) -> Vec<&'static str> {
        columns_read(sql).unwrap().into_iter().collect()
    }

    #[test]
    fn every_mention_of_a_column_counts() {
        for (sql, expected) in [
            ("SELECT COUNT(*) * 2, 3*4 FROM tickets", &[][..]),
            ("SELECT market, COUNT(*) FROM tickets GROUP BY market", &[]),
            ("SELECT 'status', channel_2 /* status */ FROM tickets -- status", &[]),
            ("SELECT t.Severity, \"STATUS\" FROM tickets AS t", &["severity", "status"]),
            ("SELECT 1 FROM tickets WHERE status = 'Open' ORDER BY lower(channel)", &["channel", "status"]),
            ("SELECT resolution_hours FROM tickets_enriched", &["created_at", "resolved_at"]),
            ("SELECT days_open FROM tickets_enriched", &["created_at", "resolved_at"]),
            ("SELECT AVG(hours_since_created) FROM tickets_enriched", &["created_at"]),
        ] {
            assert_eq!(read(sql), expected, "{sql}");
        }
    }

    #[test]
    fn a_star_in_a_select_list_reads_all_columns() {
        for sql in [
            "SELECT * FROM tickets",
            "select distinct * from tickets",
            "SELECT 1 AS one, * FROM tickets",
            "SELECT t . * FROM tickets AS t",
            "TABLE tickets",
        ] {
            let all = read(sql);
            assert!(all.len() == COLUMNS.len() - 1 && !all.contains(&PARTITION_COLUMN), "{sql}: {all:?}");
        }
    }

    #[test]
    fn every_column_of_the_view_has_source_columns() {
        let sources = source_columns().unwrap();
        assert_eq!(sources.len(), COLUMNS.len() + 3);
        assert!(sources[PARTITION_COLUMN].is_empty() && sources["ticket_id"].len() == 1);
    }
}
