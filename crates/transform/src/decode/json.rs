//! JSON text (RFC 8259), read once from front to back: each value is checked in full and given out as a place in the text.

use crate::decode::field_names::Name;
use crate::decode::swar::plain_bytes;

/// A part of a text, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// A value as it stands in its text.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value {
    Null,
    Boolean(bool),
    Number(Span),
    /// Without its quotes.
    Text(Span),
    /// A text that has escapes, with its quotes. Whether its surrogates come in pairs is not known yet.
    EscapedText(Span),
    Array,
    Object,
}

/// Why a text is not JSON.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SyntaxError {
    pub(crate) what: &'static str,
    /// The byte at fault, from 1; if the text ends too early, the last one.
    pub(crate) byte: usize,
}

type Result<T> = std::result::Result<T, SyntaxError>;

/// What a reader keeps for the arrays and objects it is in: one byte for each, so never more than the text has.
pub(crate) type Closers = Vec<u8>;

/// Reads a text.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The text of a span.
    #[inline(always)]
    pub(crate) fn text(&self, span: Span) -> &'a str {
        &self.text[span.start..span.end]
    }

    /// Steps over whitespace.
    #[inline(always)]
    pub(crate) fn skip_whitespace(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// The byte that comes next.
    #[inline(always)]
    pub(crate) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Steps over a byte, if it comes next.
    #[inline(always)]
    pub(crate) fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    /// Nothing but whitespace may follow.
    pub(crate) fn end(&mut self) -> Result<()> {
        self.skip_whitespace();
        if self.peek().is_none() { Ok(()) } else { Err(self.error("something follows the value")) }
    }

    /// Steps over what stands before a member of an object, and says whether there is one: or else over the object's end. The
    /// bracket that opens it has been read.
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

    /// Steps over a name that is expected, if it comes next, and its colon.
    #[inline(always)]
    pub(crate) fn take_name(&mut self, name: &Name) -> bool {
        let n_bytes = name.n_bytes_at(self.text.as_bytes(), self.at);
        self.at += n_bytes.unwrap_or(0);
        n_bytes.is_some()
    }

    /// Reads a member's name, in its quotes, and its colon.
    #[inline(never)]
    pub(crate) fn name(&mut self) -> Result<Value> {
        if self.peek() != Some(b'"') {
            return Err(self.error("expected a name in quotes"));
        }
        let name = self.string()?;
        self.skip_whitespace();
        if !self.take(b':') {
            return Err(self.error("expected `:`"));
        }
        self.skip_whitespace();
        Ok(name)
    }

    /// Reads a value of any kind and the whitespace before it. What is within arrays and objects is checked and passed over.
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

    /// A value that is neither array nor object.
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

    /// Steps over at least one digit.
    fn digits(&mut self) -> Result<()> {
        if !matches!(self.peek(), Some(b'0'..=b'9')) {
            return Err(self.error("expected a digit"));
        }
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        Ok(())
    }

    /// Reads a text; its opening quote comes next.
    #[inline(always)]
    fn string(&mut self) -> Result<Value> {
        let start = self.at + 1;
        let end = start + plain_bytes(self.text.as_bytes(), start).0;
        self.at = end;
        if self.take(b'"') { Ok(Value::Text(Span { start, end })) } else { self.rest_of_string(start - 1) }
    }

    /// Reads on in a text whose opening quote is at `start`, from a byte that is not plain or from the end.
    #[cold]
    fn rest_of_string(&mut self, start: usize) -> Result<Value> {
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.escape()?,
                Some(_) => return Err(self.error("a control character in a text")),
                None => return Err(self.error("expected a quote at the end of a text")),
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
            _ => return Err(self.error("an escape that does not exist")),
        }
        Ok(())
    }

    /// Steps over an array or object, however deep, without recursion.
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

    /// Steps over what follows a value within an array or object, to the next value. Says whether the outermost one is closed.
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
            SyntaxError { what: "it ends too early", byte: self.text.len() }
        }
    }
}
