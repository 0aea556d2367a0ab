//! Splits SQL text into tokens, and SQL files into statements with their leading comments.
//!
//! The tokenizer of `sqlparser` doesn't fit: it reports positions as line and column rather than byte ranges, and fails on
//! an unclosed quote or comment, which here is left to the engine that runs the query and reports the error.

use std::iter;

/// A token of SQL text. White space and comments produce no tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    /// The class of the token.
    pub kind: Kind,
    /// The source text, including quotes.
    pub text: &'a str,
    /// Byte offset of the first character.
    pub start: usize,
}

/// The class of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A keyword, an unquoted identifier or a number.
    Word,
    /// An identifier in double quotes.
    QuotedName,
    /// A string literal in single quotes.
    Literal,
    /// Any other single character.
    Sign,
}

impl Token<'_> {
    /// Returns the byte offset after the last character.
    pub const fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// Returns true if the token is this keyword or symbol, ignoring ASCII case.
    pub const fn is(&self, text: &str) -> bool {
        self.text.eq_ignore_ascii_case(text)
    }

    /// Returns the identifier without quotes and in lower case, or `None` for literals and symbols. Athena compares
    /// identifiers without regard to case, quoted or not.
    pub fn name(&self) -> Option<String> {
        match self.kind {
            Kind::Word => Some(self.text.to_ascii_lowercase()),
            Kind::QuotedName => self.text.get(1..self.text.len() - 1).map(str::to_ascii_lowercase),
            Kind::Literal | Kind::Sign => None,
        }
    }
}

/// Returns the tokens of a SQL text in order. An unclosed quote or comment extends to the end of the text.
pub fn tokenize(sql: &str) -> impl Iterator<Item = Token<'_>> {
    let mut offset = 0;
    iter::from_fn(move || {
        loop {
            let (kind, length) = first_token(&sql[offset..])?;
            let start = offset;
            offset += length;
            if let Some(kind) = kind {
                return Some(Token { kind, text: &sql[start..offset], start });
            }
        }
    })
}

/// Returns the class and the byte length of the first token; the class is `None` for white space and comments.
fn first_token(text: &str) -> Option<(Option<Kind>, usize)> {
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

/// Returns the byte length of the quoted text at the start. A doubled quote is an escaped one.
fn quoted(text: &str) -> usize {
    let quote = &text[..1];
    let mut end = past(text, 1, quote);
    while text[end..].starts_with(quote) {
        end = past(text, end + 1, quote);
    }
    end
}

/// Returns the byte offset after the first `end` at or after `from`, or the length of the text if there is none.
fn past(text: &str, from: usize, end: &str) -> usize {
    text[from..].find(end).map_or(text.len(), |found| from + found + end.len())
}

/// A statement of a SQL file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Lines of the `--` comment directly before the statement, without the dashes.
    pub comment: Vec<String>,
    /// Source text from the first token to the last, without the semicolon.
    pub text: String,
}

/// Returns the statements of a SQL text in order. Semicolons within quotes and comments are not separators.
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

/// Splits off the leading `--` comment lines. Lines that are followed by a blank line are dropped: they describe the file.
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

/// Returns the byte offset of the first semicolon, or the length of the text if there is none.
fn statement_end(sql: &str) -> usize {
    tokenize(sql).find(|token| token.is(";")).map_or(sql.len(), |token| token.start)
}

#[cfg(test)]
mod tests {
    use super::{Kind, statements, tokenize};

    #[test]
    fn tokenize_skips_white_space_and_comments() {
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
            let found: Vec<_> = tokenize(sql).map(|token| (token.kind, token.text)).collect();
            assert_eq!(found, expected, "{sql}");
            assert!(tokenize(sql).all(|token| sql[token.start..token.end()] == *token.text), "{sql}");
        }
    }

    #[test]
    fn name_drops_quotes_and_case() {
        let names: Vec<_> = tokenize("Ab \"Cd\" 'ef' + \"").map(|token| token.name()).collect();
        assert_eq!(names, [Some("ab".to_owned()), Some("cd".to_owned()), None, None, None]);
    }

    #[test]
    fn statements_ignore_semicolons_in_quotes_and_comments() {
        let sql = "-- file\n\n-- one\n-- two\nSELECT ';' -- a; b\n, \"x;y\" /* ; */ ;\nSELECT 'it''s; é' ; -- last";
        let found = statements(sql);
        assert_eq!(found[0].comment, ["one", "two"]);
        assert_eq!(found[0].text, "SELECT ';' -- a; b\n, \"x;y\" /* ; */");
        assert_eq!(found[1].text, "SELECT 'it''s; é'");
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn statements_accept_empty_and_unclosed_text() {
        for (sql, n) in
            [("", 0), (";;", 0), ("-- only a comment", 0), ("SELECT 1", 1), ("SELECT 'open", 1), ("SELECT 1;\n\n", 1)]
        {
            assert_eq!(statements(sql).len(), n, "{sql}");
        }
    }
}
