//! Which columns a query reads, and so what Athena bills for it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use ticket_schema::columns::file_columns;

use crate::catalogue::view_query;
use crate::sql_text::{Piece, pieces};

/// The columns of the Parquet files that a query over the tickets must read.
///
/// Every name that is a column's counts, wherever it stands, and a `*` in a select list is all columns. So these may be more
/// than an engine reads, but not fewer, unless new names for all columns hide the old: `FROM tickets AS t (a, b, …)`.
pub fn columns_read(sql: &str) -> Result<BTreeSet<&'static str>> {
    let pieces: Vec<Piece> = pieces(sql).collect();
    if pieces.windows(2).any(selects_all) {
        return Ok(file_columns().map(|column| column.name).collect());
    }
    let known = columns_behind()?;
    let named = pieces.iter().filter_map(|piece| known.get(&piece.name()?));
    Ok(named.flatten().copied().collect())
}

/// Whether these two pieces of a query stand for all columns: not as in `COUNT(*)` or `a * b`.
fn selects_all(pair: &[Piece]) -> bool {
    let [before, piece] = pair else { return false };
    let opens_item = ["SELECT", "DISTINCT", "ALL", ",", "."].iter().any(|opening| before.is(opening));
    piece.is("*") && opens_item || before.is("TABLE") && piece.name().is_some()
}

/// The file columns behind each column of the table and of the view.
fn columns_behind() -> Result<BTreeMap<String, BTreeSet<&'static str>>> {
    let query = view_query()?;
    let pieces: Vec<Piece> = pieces(&query).collect();
    let mut behind: BTreeMap<_, _> =
        file_columns().map(|column| (column.name.to_owned(), BTreeSet::from([column.name]))).collect();
    let select_list = split(&pieces, "FROM").next().unwrap_or_default();
    for item in split(select_list, ",") {
        let name =
            item.last().and_then(Piece::name).context("infra/athena_ddl.sql, the view: a column without a name")?;
        let names: Vec<String> = item.iter().filter_map(Piece::name).collect();
        let used = file_columns().map(|column| column.name).filter(|column| names.iter().any(|name| name == column));
        behind.entry(name).or_default().extend(used);
    }
    Ok(behind)
}

/// What stands between the separators that are not in brackets.
fn split<'s, 'a>(pieces: &'s [Piece<'a>], separator: &str) -> impl Iterator<Item = &'s [Piece<'a>]> {
    let mut depth = 0_usize;
    pieces.split(move |piece| {
        depth = match piece.text {
            "(" => depth + 1,
            ")" => depth.saturating_sub(1),
            _ => depth,
        };
        depth == 0 && piece.is(separator)
    })
}

#[cfg(test)]
mod tests {
    use super::{columns_behind, columns_read};
    use ticket_schema::columns::{COLUMNS, PARTITION_COLUMN};

    fn read(sql: &str) -> Vec<&'static str> {
        columns_read(sql).unwrap().into_iter().collect()
    }

    #[test]
    fn columns_count_wherever_they_are_named() {
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
    fn a_star_in_a_select_list_is_all_columns() {
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
    fn every_column_of_the_view_is_known() {
        let behind = columns_behind().unwrap();
        assert_eq!(behind.len(), COLUMNS.len() + 3);
        assert!(behind[PARTITION_COLUMN].is_empty() && behind["ticket_id"].len() == 1);
    }
}
