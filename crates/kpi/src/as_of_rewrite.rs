//! Fixes a query's present in its text, for an engine whose clock can't be set.

use std::ops::Range;

use anyhow::{Result, ensure};
use ticket_schema::Timestamp;
use ticket_schema::names::{CATALOG, DATABASE, VIEW};

use crate::catalogue::view_query;
use crate::sql_text::{Piece, pieces};

/// What may stand before the view's name, the nearest first: the database and the catalogue.
const QUALIFIERS: [&str; 2] = [DATABASE, CATALOG];

/// What replaces the bytes in a range of a text.
type Edit = (Range<usize>, String);

/// The query with `as_of` written wherever it asks for the present.
///
/// The view asks for the present too, so a query that names it gets the view's own query, fixed in the same way, as a common
/// table expression. That takes the view's name, and so hides the view without a change to anything that refers to it.
pub fn rewrite_as_of(sql: &str, as_of: Timestamp) -> Result<String> {
    let pieces: Vec<Piece> = pieces(sql).collect();
    let mut edits = present_edits(&pieces, as_of);
    let view_edits = view_edits(&pieces)?;
    if !view_edits.is_empty() {
        edits.extend(view_edits);
        edits.push(definition_edit(&pieces, &pinned_view(as_of)?));
    }
    Ok(edited(sql, edits))
}

/// What the view selects, as of a time.
fn pinned_view(as_of: Timestamp) -> Result<String> {
    let query = view_query()?;
    let pieces: Vec<Piece> = pieces(&query).collect();
    Ok(edited(&query, present_edits(&pieces, as_of)))
}

/// Writes the time in place of the present.
fn present_edits(pieces: &[Piece], as_of: Timestamp) -> Vec<Edit> {
    let mut edits = Vec::new();
    for (i, piece) in pieces.iter().enumerate() {
        let brackets = brackets(&pieces[i + 1..]);
        if let Some(form) = literal_form(piece, brackets > 0) {
            edits.push((piece.start..pieces[i + brackets].end(), as_of.to_chrono().format(form).to_string()));
        }
    }
    edits
}

/// How a word for the present is written as a literal of the same type, in chrono's terms.
fn literal_form(word: &Piece, called: bool) -> Option<&'static str> {
    match word.text.to_ascii_lowercase().as_str() {
        "now" if !called => None,
        "now" | "current_timestamp" => Some("TIMESTAMP '%Y-%m-%d %H:%M:%S.000 UTC'"),
        "localtimestamp" => Some("TIMESTAMP '%Y-%m-%d %H:%M:%S.000'"),
        "current_date" => Some("DATE '%Y-%m-%d'"),
        "current_time" => Some("TIME '%H:%M:%S.000 +00:00'"),
        "localtime" => Some("TIME '%H:%M:%S.000'"),
        _ => None,
    }
}

/// How many pieces a pair of brackets at the start takes, empty or around a precision, as in `now()` or
/// `current_timestamp(3)`; 0 if there is none.
fn brackets(pieces: &[Piece]) -> usize {
    let is_number = |piece: &Piece| piece.text.bytes().all(|byte| byte.is_ascii_digit());
    match pieces {
        [open, close, ..] if open.is("(") && close.is(")") => 2,
        [open, precision, close, ..] if open.is("(") && is_number(precision) && close.is(")") => 3,
        _ => 0,
    }
}

/// Takes the qualifiers away wherever the view is named; an edit of nothing where it has none.
fn view_edits(pieces: &[Piece]) -> Result<Vec<Edit>> {
    let mut edits = Vec::new();
    for (i, piece) in pieces.iter().enumerate().filter(|(_, piece)| piece.name().as_deref() == Some(VIEW)) {
        let qualifiers = qualifiers(&pieces[..i]);
        if QUALIFIERS.get(..qualifiers.len()).is_some_and(|known| known == qualifiers) {
            ensure!(
                !starts_definition(&pieces[i + 1..]),
                "a query that gives the name {VIEW} to something else can't be asked as of a time; use another name"
            );
            edits.push((pieces[i - 2 * qualifiers.len()].start..piece.start, String::new()));
        }
    }
    Ok(edits)
}

/// The names that are joined by dots to what follows, the nearest first.
fn qualifiers(before: &[Piece]) -> Vec<String> {
    before.rchunks_exact(2).take_while(|pair| pair[1].is(".")).filter_map(|pair| pair[0].name()).collect()
}

/// Whether this follows a name that is being defined, as in `WITH name AS (SELECT 1)` and `WITH name (a) AS (SELECT 1)`.
fn starts_definition(after: &[Piece]) -> bool {
    matches!(after, [open, ..] if open.is("(")) || matches!(after, [word, open, ..] if word.is("AS") && open.is("("))
}

/// Puts the view's query before everything else that the query defines.
fn definition_edit(query: &[Piece], view: &str) -> Edit {
    let definition = format!("{VIEW} AS (\n{view}\n)");
    let own_with = match query {
        [with, recursive, ..] if with.is("WITH") && recursive.is("RECURSIVE") => Some(recursive),
        [with, ..] if with.is("WITH") => Some(with),
        _ => None,
    };
    match own_with {
        Some(word) => (word.end()..word.end(), format!(" {definition},")),
        None => (query[0].start..query[0].start, format!("WITH {definition}\n")),
    }
}

/// The text with all edits made; no two of them touch the same bytes.
fn edited(text: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|(range, _)| range.start);
    let (mut edited, mut done) = (String::new(), 0);
    for (range, replacement) in edits {
        edited += &text[done..range.start];
        edited += &replacement;
        done = range.end;
    }
    edited + &text[done..]
}

#[cfg(test)]
mod tests {
    use super::{pinned, pinned_view};
    use ticket_schema::Timestamp;

    fn as_of() -> Timestamp {
        "2026-11-22T08:30:05Z".parse().unwrap()
    }

    #[test]
    fn words_for_the_present_become_its_literals() {
        let time = "TIMESTAMP '2026-11-22 08:30:05.000 UTC'";
        for (sql, expected) in [
            ("SELECT current_timestamp", format!("SELECT {time}")),
            ("SELECT Current_Timestamp, CURRENT_DATE", format!("SELECT {time}, DATE '2026-11-22'")),
            ("SELECT current_timestamp(3)-now ( )", format!("SELECT {time}-{time}")),
            ("SELECT localtimestamp ( 6 )", "SELECT TIMESTAMP '2026-11-22 08:30:05.000'".into()),
            ("SELECT current_time, localtime", "SELECT TIME '08:30:05.000 +00:00', TIME '08:30:05.000'".into()),
            ("(current_date)", "(DATE '2026-11-22')".into()),
            ("date(NOW(/* here */)) -- now()", format!("date({time}) -- now()")),
        ] {
            assert_eq!(rewrite_as_of(sql, as_of()).unwrap(), expected, "{sql}");
        }
    }

    #[test]
    fn everything_else_stays_as_it_is() {
        for sql in [
            "",
            "SELECT 'current_date', 'it''s now()', \"current_date\", \"a\"\"current_date\"",
            "SELECT 1 -- current_date\n/* now() */",
            "SELECT current_dates, my_current_date, current_date_, écurrent_date, now, now + (1), nowadays()",
            "SELECT 'open current_date",
            "SELECT '2026' FROM bmw_aftersales.tickets AS t",
            "SELECT 'tickets_enriched' FROM \"bmw_aftersales.tickets_enriched\" -- tickets_enriched",
            "SELECT t.tickets_enriched FROM other.tickets_enriched, other.bmw_aftersales.tickets_enriched",
            "SELECT my_tickets_enriched FROM tickets_enriched_2",
        ] {
            assert_eq!(rewrite_as_of(sql, as_of()).unwrap(), sql);
        }
    }

    #[test]
    fn the_view_becomes_a_common_table_expression() {
        let definition = format!("tickets_enriched AS (\n{}\n)", pinned_view(as_of()).unwrap());
        for (sql, expected) in [
            ("SELECT 1 FROM bmw_aftersales.tickets_enriched", "WITH @\nSELECT 1 FROM tickets_enriched"),
            ("-- a\nTABLE tickets_enriched;", "-- a\nWITH @\nTABLE tickets_enriched;"),
            (
                "(SELECT tickets_enriched.market FROM BMW_aftersales . \"Tickets_Enriched\" AS t)",
                "WITH @\n(SELECT tickets_enriched.market FROM \"Tickets_Enriched\" AS t)",
            ),
            (
                "SELECT bmw_aftersales.tickets_enriched.market FROM \"AwsDataCatalog\".bmw_aftersales.tickets_enriched",
                "WITH @\nSELECT tickets_enriched.market FROM tickets_enriched",
            ),
            (
                "with own AS (SELECT * FROM tickets_enriched) SELECT current_date FROM own",
                "with @, own AS (SELECT * FROM tickets_enriched) SELECT DATE '2026-11-22' FROM own",
            ),
            (
                "/* a */ WITH RECURSIVE n(i) AS (SELECT 1) SELECT i FROM n, bmw_aftersales.tickets_enriched",
                "/* a */ WITH RECURSIVE @, n(i) AS (SELECT 1) SELECT i FROM n, tickets_enriched",
            ),
        ] {
            assert_eq!(rewrite_as_of(sql, as_of()).unwrap(), expected.replace('@', &definition), "{sql}");
        }
    }

    #[test]
    fn the_view_s_own_present_is_fixed() {
        let view = pinned_view(as_of()).unwrap();
        assert!(view.starts_with("SELECT\n  ticket_id,"), "{view}");
        assert!(view.contains("date_diff('hour', created_at, TIMESTAMP '2026-11-22 08:30:05.000 UTC')"), "{view}");
        assert!(view.ends_with("FROM bmw_aftersales.tickets") && !view.contains("current_"), "{view}");
    }

    #[test]
    fn a_query_that_takes_the_view_s_name_is_refused() {
        for sql in [
            "WITH tickets_enriched AS (SELECT * FROM bmw_aftersales.tickets_enriched) SELECT * FROM tickets_enriched",
            "WITH a AS (SELECT 1), \"tickets_enriched\" (b) AS (SELECT 2) SELECT b FROM tickets_enriched",
        ] {
            let error = rewrite_as_of(sql, as_of()).unwrap_err().to_string();
            assert!(error.contains("use another name"), "{error}");
        }
    }
}
