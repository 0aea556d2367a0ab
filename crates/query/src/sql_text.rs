//! Splits a SQL file into its statements, with the comment that stands before each.

/// A statement of a SQL file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The lines of the comment right before it, without the dashes.
    pub comment: Vec<String>,
    /// Its text, from its first word to its last, without the semicolon.
    pub text: String,
}

/// The statements of a SQL text, in order. A semicolon within quotes or a comment ends nothing.
pub fn statements(sql: &str) -> Vec<Statement> {
    let mut statements = Vec::new();
    let mut rest = sql;
    loop {
        let (comment, after) = leading_comment(rest);
        let end = statement_end(after);
        let text = after[..end].trim_end();
        if !text.is_empty() {
            statements.push(Statement { comment, text: text.to_owned() });
        }
        match after.get(end + 1..) {
            Some(next) => rest = next,
            None => return statements,
        }
    }
}

/// The `--` comment lines at the start, as far as no blank line follows them, and what comes after.
fn leading_comment(sql: &str) -> (Vec<String>, &str) {
    let (mut comment, mut rest) = (Vec::new(), sql.trim_start());
    while let Some(after_dashes) = rest.strip_prefix("--") {
        let (line, next) = after_dashes.split_once('\n').unwrap_or((after_dashes, ""));
        comment.push(line.trim().to_owned());
        rest = next.trim_start();
        let spacing = &next[..next.len() - rest.len()];
        if spacing.contains('\n') {
            comment.clear();
        }
    }
    (comment, rest)
}

/// Where the first statement of a text ends: at its semicolon, or at the end of the text.
fn statement_end(sql: &str) -> usize {
    let bytes = sql.as_bytes();
    let mut place = 0;
    while place < bytes.len() {
        let rest = &sql[place..];
        let skipped = match bytes[place] {
            b';' => return place,
            quote @ (b'\'' | b'"') => past(rest, 1, char::from(quote).encode_utf8(&mut [0; 4])),
            b'-' if rest.starts_with("--") => past(rest, 2, "\n"),
            b'/' if rest.starts_with("/*") => past(rest, 2, "*/"),
            _ => 1,
        };
        place += skipped;
        while !sql.is_char_boundary(place) {
            place += 1;
        }
    }
    bytes.len()
}

/// How far it is to behind the next `end` after `from`; to the end of the text if there is none.
fn past(text: &str, from: usize, end: &str) -> usize {
    text[from..].find(end).map_or(text.len(), |place| from + place + end.len())
}

#[cfg(test)]
mod tests {
    use super::statements;

    #[test]
    fn semicolons_in_quotes_and_comments_end_nothing() {
        let sql = "-- file\n\n-- one\n-- two\nSELECT ';' -- a; b\n, \"x;y\" /* ; */ ;\nSELECT 'it''s; é' ; -- last";
        let found = statements(sql);
        assert_eq!(found[0].comment, ["one", "two"]);
        assert_eq!(found[0].text, "SELECT ';' -- a; b\n, \"x;y\" /* ; */");
        assert_eq!(found[1].text, "SELECT 'it''s; é'");
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn odd_endings_are_no_trouble() {
        for (sql, n) in
            [("", 0), (";;", 0), ("-- only a comment", 0), ("SELECT 1", 1), ("SELECT 'open", 1), ("SELECT 1;\n\n", 1)]
        {
            assert_eq!(statements(sql).len(), n, "{sql}");
        }
    }
}
