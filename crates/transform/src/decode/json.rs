//! A JSON parser (RFC 8259) in one pass without a tree: each value is fully validated and returned as a span of the text.

use crate::decode::swar::plain_bytes;

/// A range of a text in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// A JSON value.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value {
    Null,
    Boolean(bool),
    Number(Span),
    /// The string without its quotes.
    Text(Span),
    /// A string with escapes, including its quotes. Surrogate pairs have not been validated.
    EscapedText(Span),
    Array,
    Object,
}

/// A syntax error.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SyntaxError {
    pub(crate) what: &'static str,
    /// The position of the offending byte, from 1; the last byte if the text is incomplete.
    pub(crate) byte: usize,
}

type Result<T> = std::result::Result<T, SyntaxError>;

/// The stack of closing brackets of the enclosing arrays and objects, one byte each, so it is never larger than the text.
pub(crate) type Closers = Vec<u8>;

/// A parser at a position in a text.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Returns the text of a span.
    #[inline(always)]
    pub(crate) fn text(&self, span: Span) -> &'a str {
        &self.text[span.start..span.end]
    }

    /// Skips whitespace.
    #[inline(always)]
    pub(crate) fn skip_whitespace(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// Returns the next byte without consuming it.
    #[inline(always)]
    pub(crate) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Consumes the next byte if it is `byte`; returns true if so.
    #[inline(always)]
    pub(crate) fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    /// Checks that only whitespace follows.
    pub(crate) fn end(&mut self) -> Result<()> {
        self.skip_whitespace();
        if self.peek().is_none() { Ok(()) } else { Err(self.error("trailing characters")) }
    }

    /// Consumes the separator before the next member of an object and returns true, or consumes the end of the object and
    /// returns false. The opening bracket has been consumed.
    #[inline(always)]
    pub(crate) fn next_member(&mut self, is_first: bool) -> Result<bool> {
        self.skip_whitespace();
        if self.take(b'}') {
            return Ok(false);
        }
        if !is_first {
            if !self.take(b',') {
                return Err(self.error("expected `,` or `}`"));
            }
            self.skip_whitespace();
        }
        Ok(true)
    }

    /// Consumes a text if it comes next; returns true if so.
    #[inline(always)]
    pub(crate) fn take_text(&mut self, text: &str) -> bool {
        let is_next = self.text.as_bytes()[self.at..].starts_with(text.as_bytes());
        self.at += if is_next { text.len() } else { 0 };
        is_next
    }

    /// Parses the name of a member and consumes its colon.
    #[inline(never)]
    pub(crate) fn name(&mut self) -> Result<Value> {
        if self.peek() != Some(b'"') {
            return Err(self.error("expected a quoted name"));
        }
        let name = self.string()?;
        self.skip_whitespace();
        if !self.take(b':') {
            return Err(self.error("expected `:`"));
        }
        self.skip_whitespace();
        Ok(name)
    }

    /// Parses a value and skips the whitespace before it. The content of arrays and objects is validated and skipped.
    #[inline(always)]
    pub(crate) fn value(&mut self, closers: &mut Closers) -> Result<Value> {
        if self.peek() == Some(b'"') { self.string() } else { self.other_value(closers) }
    }

    #[inline(never)]
    fn other_value(&mut self, closers: &mut Closers) -> Result<Value> {
        self.skip_whitespace();
        match self.peek() {
            Some(b'[') => self.skip_nested(closers).map(|()| Value::Array),
            Some(b'{') => self.skip_nested(closers).map(|()| Value::Object),
            _ => self.scalar(),
        }
    }

    /// Parses a value that is neither an array nor an object.
    fn scalar(&mut self) -> Result<Value> {
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b'n') => self.word("null", Value::Null),
            Some(b't') => self.word("true", Value::Boolean(true)),
            Some(b'f') => self.word("false", Value::Boolean(false)),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(self.error("expected value")),
        }
    }

    fn word(&mut self, word: &'static str, value: Value) -> Result<Value> {
        if self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            self.at += word.len();
            Ok(value)
        } else {
            Err(self.error("expected value"))
        }
    }

    fn number(&mut self) -> Result<Value> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _ = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Ok(Value::Number(Span { start, end: self.at }))
    }

    /// Consumes one or more digits.
    fn digits(&mut self) -> Result<()> {
        if !matches!(self.peek(), Some(b'0'..=b'9')) {
            return Err(self.error("expected a digit"));
        }
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        Ok(())
    }

    /// Parses a string. The next byte is its opening quote.
    #[inline(always)]
    fn string(&mut self) -> Result<Value> {
        let start = self.at + 1;
        let end = start + plain_bytes(self.text.as_bytes(), start).0;
        self.at = end;
        if self.take(b'"') { Ok(Value::Text(Span { start, end })) } else { self.rest_of_string(start - 1) }
    }

    /// Parses the rest of a string whose opening quote is at `start`, from the first byte that needs attention.
    #[cold]
    fn rest_of_string(&mut self, start: usize) -> Result<Value> {
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.escape()?,
                Some(_) => return Err(self.error("control character in a string")),
                None => return Err(self.error("unterminated string")),
            }
            self.at += plain_bytes(self.text.as_bytes(), self.at).0;
        }
        self.at += 1;
        Ok(Value::EscapedText(Span { start, end: self.at }))
    }

    fn escape(&mut self) -> Result<()> {
        self.at += 1;
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
            Some(b'u') => {
                self.at += 1;
                for _ in 0..4 {
                    if !self.peek().is_some_and(|byte| byte.is_ascii_hexdigit()) {
                        return Err(self.error("expected a hexadecimal digit"));
                    }
                    self.at += 1;
                }
            }
            _ => return Err(self.error("invalid escape")),
        }
        Ok(())
    }

    /// Skips an array or object of any depth, without recursion.
    fn skip_nested(&mut self, closers: &mut Closers) -> Result<()> {
        closers.clear();
        loop {
            let closer = match self.peek() {
                Some(b'[') => Some(b']'),
                Some(b'{') => Some(b'}'),
                _ => self.scalar().map(|_| None)?,
            };
            if let Some(closer) = closer {
                self.at += 1;
                self.skip_whitespace();
                if !self.take(closer) {
                    closers.push(closer);
                    if closer == b'}' {
                        self.name()?;
                    }
                    continue;
                }
            }
            if self.after_nested_value(closers)? {
                return Ok(());
            }
        }
    }

    /// Advances from the end of a value within an array or object to the next value. Returns true if the outermost one is
    /// closed.
    fn after_nested_value(&mut self, closers: &mut Closers) -> Result<bool> {
        while let Some(&closer) = closers.last() {
            self.skip_whitespace();
            if self.take(closer) {
                closers.pop();
                continue;
            }
            if !self.take(b',') {
                return Err(self.error("expected `,` or the closing bracket"));
            }
            self.skip_whitespace();
            if closer == b'}' {
                self.name()?;
            }
            return Ok(false);
        }
        Ok(true)
    }

    #[cold]
    fn error(&self, what: &'static str) -> SyntaxError {
        if self.at < self.text.len() {
            SyntaxError { what, byte: self.at + 1 }
        } else {
            SyntaxError { what: "unexpected end", byte: self.text.len() }
        }
    }
}
