//! Replaces the current time in a query with a fixed timestamp, for engines whose clock can't be set.
//!
//! Athena has no session setting for `current_timestamp`, so the words for the current time are replaced in the query text.

use std::ops::Range;

use anyhow::{Result, ensure};
use ticket_schema::Timestamp;
use ticket_schema::names::{CATALOG, DATABASE, VIEW};

use crate::catalogue::view_query;
use crate::sql_text::{Token, tokenize};

/// The qualifiers allowed before the view's name, innermost first: the database and the catalogue.
const QUALIFIERS: [&str; 2] = [DATABASE, CATALOG];

/// A byte range and its replacement.
type Edit = (Range<usize>, String);

/// Returns the query with `as_of` in place of `current_timestamp`, `current_date`, `now()` and the like.
///
/// The view reads the current time too. A query that refers to it therefore gets the rewritten query of the view as a common
/// table expression of the same name, which shadows the view.
///
/// # Errors
///
/// Fails if the query itself defines a common table expression with the view's name.
///
/// ```
/// use kpi::as_of_rewrite::rewrite_as_of;
///
/// let sql = rewrite_as_of("SELECT current_date", "2026-11-22T08:30:05Z".parse()?)?;
/// assert_eq!(sql, "SELECT DATE '2026-11-22'");
/// # Ok::<(), anyhow::Error>(())
/// ```
pub fn rewrite_as_of(sql: &str, as_of: Timestamp) -> Result<String> {
    let tokens: Vec<Token> = tokenize(sql).collect();
    let mut edits = current_time_edits(&tokens, as_of);
    let view_edits = view_edits(&tokens)?;
    if !view_edits.is_empty() {
        edits.extend(view_edits);
        edits.push(definition_edit(&tokens, &view_query_as_of(as_of)?));
    }
    Ok(edited(sql, edits))
}

/// Returns the query of the view with the current time replaced.
fn view_query_as_of(as_of: Timestamp) -> Result<String> {
    let query = view_query()?;
    let tokens: Vec<Token> = tokenize(&query).collect();
    Ok(edited(&query, current_time_edits(&tokens, as_of)))
}

/// Returns the edits that replace each expression for the current time with a literal.
fn current_time_edits(tokens: &[Token], as_of: Timestamp) -> Vec<Edit> {
    let mut edits = Vec::new();
    for (i, token) in tokens.iter().enumerate() {
        let n_argument_tokens = parenthesized_len(&tokens[i + 1..]);
        if let Some(form) = literal_form(token, n_argument_tokens > 0) {
            edits.push((token.start..tokens[i + n_argument_tokens].end(), as_of.to_chrono().format(form).to_string()));
        }
    }
    edits
}

/// Returns the chrono format of the literal that has the same type as the expression, or `None` for any other token.
fn literal_form(word: &Token, called: bool) -> Option<&'static str> {
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

/// Returns the number of tokens in a leading pair of parentheses that is empty or holds a precision, as in `now()` and
/// `current_timestamp(3)`; 0 if there is none.
fn parenthesized_len(tokens: &[Token]) -> usize {
    let is_number = |token: &Token| token.text.bytes().all(|byte| byte.is_ascii_digit());
    match tokens {
        [open, close, ..] if open.is("(") && close.is(")") => 2,
        [open, precision, close, ..] if open.is("(") && is_number(precision) && close.is(")") => 3,
        _ => 0,
    }
}

/// Returns an edit for each reference to the view that removes its qualifiers; an empty edit if it has none.
fn view_edits(tokens: &[Token]) -> Result<Vec<Edit>> {
    let mut edits = Vec::new();
    for (i, token) in tokens.iter().enumerate().filter(|(_, token)| token.name().as_deref() == Some(VIEW)) {
        let qualifiers = qualifiers(&tokens[..i]);
        if QUALIFIERS.get(..qualifiers.len()).is_some_and(|known| known == qualifiers) {
            ensure!(
                !starts_definition(&tokens[i + 1..]),
                "the query defines `{VIEW}` itself and so can't run as of a fixed time; use another name"
            );
            edits.push((tokens[i - 2 * qualifiers.len()].start..token.start, String::new()));
        }
    }
    Ok(edits)
}

/// Returns the identifiers that qualify the next token, innermost first.
fn qualifiers(before: &[Token]) -> Vec<String> {
    before.rchunks_exact(2).take_while(|pair| pair[1].is(".")).filter_map(|pair| pair[0].name()).collect()
}

/// Returns true if the tokens after a name define it, as in `WITH name AS (SELECT 1)` and `WITH name (a) AS (SELECT 1)`.
fn starts_definition(after: &[Token]) -> bool {
    matches!(after, [open, ..] if open.is("(")) || matches!(after, [word, open, ..] if word.is("AS") && open.is("("))
}

/// Returns the edit that puts the view's query before the query's other common table expressions.
fn definition_edit(query: &[Token], view: &str) -> Edit {
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

/// Applies edits to a text. Their ranges must not overlap.
fn edited(text: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|(range, _)| range.start);
    let (mut edited, mut copied) = (String::new(), 0);
    for (range, replacement) in edits {
        edited += &text[copied..range.start];
        edited += &replacement;
        copied = range.end;
    }
    edited + &text[copied..]
}

#[cfg(test)]
mod tests {
    use super::{rewrite_as_of, view_query_as_of};
    use ticket_schema::Timestamp;

    fn as_of() -> Timestamp {
        "2026-11-22T08:30:05Z".parse().unwrap()
    }

    #[test]
    fn current_time_becomes_a_literal() {
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
    fn other_text_is_unchanged() {
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
        let definition = format!("tickets_enriched AS (\n{}\n)", view_query_as_of(as_of()).unwrap());
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
    fn current_time_in_the_view_is_replaced() {
        let view = view_query_as_of(as_of()).unwrap();
        assert!(view.starts_with("SELECT\n  ticket_id,"), "{view}");
        assert!(view.contains("date_diff('hour', created_at, TIMESTAMP '2026-11-22 08:30:05.000 UTC')"), "{view}");
        assert!(view.ends_with("FROM bmw_aftersales.tickets") && !view.contains("current_"), "{view}");
    }

    #[test]
    fn a_query_that_redefines_the_view_is_rejected() {
        for sql in [
            "WITH tickets_enriched AS (SELECT * FROM bmw_aftersales.tickets_enriched) SELECT * FROM tickets_enriched",
            "WITH a AS (SELECT 1), \"tickets_enriched\" (b) AS (SELECT 2) SELECT b FROM tickets_enriched",
        ] {
            let error = rewrite_as_of(sql, as_of()).unwrap_err().to_string();
            assert!(error.contains("use another name"), "{error}");
        }
    }
}
