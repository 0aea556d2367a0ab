//! Takes SQL texts apart: into their pieces, and files into their statements, with the comment that stands before each.

use std::iter;

/// A piece of a SQL text. White space and comments are no pieces; they lie between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece<'a> {
    /// What it is.
    pub kind: Kind,
    /// What is written there, with its quotes.
    pub text: &'a str,
    /// Where it starts, in bytes.
    pub start: usize,
}

/// What a piece is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A keyword, a name or a number.
    Word,
    /// A name in double quotes.
    QuotedName,
    /// A text in single quotes.
    Literal,
    /// Any other character.
    Sign,
}

impl Piece<'_> {
    /// Where it ends, in bytes.
    pub const fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// Whether it is this keyword or sign.
    pub const fn is(&self, text: &str) -> bool {
        self.text.eq_ignore_ascii_case(text)
    }

    /// The name that it may be, without quotes and in lower case: Athena's names don't differ by case, quoted or not.
    pub fn name(&self) -> Option<String> {
        match self.kind {
            Kind::Word => Some(self.text.to_ascii_lowercase()),
            Kind::QuotedName => self.text.get(1..self.text.len() - 1).map(str::to_ascii_lowercase),
            Kind::Literal | Kind::Sign => None,
        }
    }
}

/// The pieces of a SQL text, in order. Quotes and comments that nothing ends reach to the end of the text.
pub fn pieces(sql: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut place = 0;
    iter::from_fn(move || {
        loop {
            let (kind, length) = first_piece(&sql[place..])?;
            let start = place;
            place += length;
            if let Some(kind) = kind {
                return Some(Piece { kind, text: &sql[start..place], start });
            }
        }
    })
}

/// What a text starts with, and how long that is; no kind if it is white space or a comment.
fn first_piece(text: &str) -> Option<(Option<Kind>, usize)> {
    let all = |belongs: fn(char) -> bool| text.find(|next| !belongs(next)).unwrap_or(text.len());
    let in_word = |next: char| next.is_alphanumeric() || next == '_';
    Some(match text.chars().next()? {
        '\'' => (Some(Kind::Literal), quoted(text)),
        '"' => (Some(Kind::QuotedName), quoted(text)),
        '-' if text.starts_with("--") => (None, past(text, 2, "\n")),
        '/' if text.starts_with("/*") => (None, past(text, 2, "*/")),
        first if first.is_whitespace() => (None, all(char::is_whitespace)),
        first if in_word(first) => (Some(Kind::Word), all(in_word)),
        first => (Some(Kind::Sign), first.len_utf8()),
    })
}

/// How long what stands in quotes at the start is. A quote that is written twice ends nothing.
fn quoted(text: &str) -> usize {
    let quote = &text[..1];
    let mut end = past(text, 1, quote);
    while text[end..].starts_with(quote) {
        end = past(text, end + 1, quote);
    }
    end
}

/// How far it is to behind the next `end` after `from`; to the end of the text if there is none.
fn past(text: &str, from: usize, end: &str) -> usize {
    text[from..].find(end).map_or(text.len(), |place| from + place + end.len())
}

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
    pieces(sql).find(|piece| piece.is(";")).map_or(sql.len(), |piece| piece.start)
}

#[cfg(test)]
mod tests {
    use super::{Kind, pieces, statements};

    #[test]
    fn pieces_are_what_stands_between_spaces_and_comments() {
        use Kind::{Literal, QuotedName, Sign, Word};
        for (sql, expected) in [
            ("a_1.b", &[(Word, "a_1"), (Sign, "."), (Word, "b")][..]),
            ("-- a\nb/* c\nd */-e", &[(Word, "b"), (Sign, "-"), (Word, "e")]),
            ("'it''s'\"a\"\"b\"''", &[(Literal, "'it''s'"), (QuotedName, "\"a\"\"b\""), (Literal, "''")]),
            ("é '--' \"/*\"→", &[(Word, "é"), (Literal, "'--'"), (QuotedName, "\"/*\""), (Sign, "→")]),
            ("a 'b", &[(Word, "a"), (Literal, "'b")]),
            ("a \"", &[(Word, "a"), (QuotedName, "\"")]),
            ("a /*", &[(Word, "a")]),
        ] {
            let found: Vec<_> = pieces(sql).map(|piece| (piece.kind, piece.text)).collect();
            assert_eq!(found, expected, "{sql}");
            assert!(pieces(sql).all(|piece| sql[piece.start..piece.end()] == *piece.text), "{sql}");
        }
    }

    #[test]
    fn names_are_compared_without_quotes_and_case() {
        let names: Vec<_> = pieces("Ab \"Cd\" 'ef' + \"").map(|piece| piece.name()).collect();
        assert_eq!(names, [Some("ab".to_owned()), Some("cd".to_owned()), None, None, None]);
    }

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
