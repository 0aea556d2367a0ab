//! Splits a line into the values of the contract's fields, before they are validated.

use ticket_schema::columns::{COLUMNS, N_COLUMNS};
use ticket_schema::ticket_columns;

use crate::decode::json::{Closers, Reader, Span, SyntaxError, Value};
use crate::decode::unknown_fields::UnknownFields;

macro_rules! member_names {
    ($($name:ident: $kind:ident($type:ty), $constraint:literal, $meaning:literal;)*) => {
        /// The names of the columns in JSON, each in quotes and with its colon.
        const MEMBER_NAMES: [&str; N_COLUMNS] = [$(concat!("\"", stringify!($name), "\":")),*];
    };
}
ticket_columns!(member_names);

/// Values of a line, by the position of their column.
#[derive(Debug)]
pub(crate) struct Fields {
    pub(crate) values: [Option<Value>; N_COLUMNS],
    /// Position of the first field that appeared a second time.
    pub(crate) repeated: Option<usize>,
    /// A bit for each field that appears more than once.
    pub(crate) repeated_set: u64,
}

/// Buffers that are reused from line to line.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    closers: Closers,
    /// For each field the one that followed it in the last line, and at the end the first one. Most lines have the same
    /// order, so that one comparison replaces a search for the name.
    followers: [usize; N_COLUMNS + 1],
    /// The line and, after it, its texts with their escapes resolved. Empty if no text of the line has escapes.
    pub(crate) unescaped: String,
}

/// Error for a line that is not a JSON object.
#[derive(Debug)]
pub(crate) enum NotFields {
    Syntax(SyntaxError),
    /// JSON, but not an object.
    OtherKind,
}

impl From<SyntaxError> for NotFields {
    fn from(error: SyntaxError) -> Self {
        Self::Syntax(error)
    }
}

impl Fields {
    /// Reads a line. The spans of texts refer to `workspace.unescaped` if it is not empty, otherwise to the line.
    pub(crate) fn read(
        line: &str,
        workspace: &mut Workspace,
        unknown_fields: &mut UnknownFields,
    ) -> Result<Self, NotFields> {
        let Workspace { closers, followers, unescaped } = workspace;
        unescaped.clear();
        let mut fields = Self { values: [None; N_COLUMNS], repeated: None, repeated_set: 0 };
        let mut reader = Reader::new(line);
        open(&mut reader, closers)?;
        let mut is_first = true;
        let mut previous = N_COLUMNS;
        while reader.next_member(is_first)? {
            is_first = false;
            let expected = followers[previous];
            let column = if reader.take_text(MEMBER_NAMES[expected]) {
                expected
            } else {
                let name = reader.name()?;
                let Some(column) = column_of(&reader, name, unknown_fields)? else {
                    reader.value(closers)?;
                    continue;
                };
                followers[previous] = column;
                column
            };
            previous = column;
            let mut value = reader.value(closers)?;
            if let Value::EscapedText(quoted) = value {
                value = resolve(line, quoted, unescaped)?;
            }
            fields.put(column, value);
        }
        reader.end()?;
        Ok(fields)
    }

    #[inline(always)]
    fn put(&mut self, column: usize, value: Value) {
        if self.values[column].replace(value).is_some() {
            const { assert!(N_COLUMNS <= 64, "`repeated_set` has a bit for each of 64 columns; widen it") };
            self.repeated.get_or_insert(column);
            self.repeated_set |= 1 << column;
        }
    }
}

/// Consumes the opening brace of the line.
fn open(reader: &mut Reader, closers: &mut Closers) -> Result<(), NotFields> {
    reader.skip_whitespace();
    if reader.take(b'{') {
        return Ok(());
    }
    reader.value(closers)?;
    reader.end()?;
    Err(NotFields::OtherKind)
}

/// Returns the position of the column with this name. Counts the name if there is none.
#[inline(never)]
fn column_of(reader: &Reader, name: Value, unknown_fields: &mut UnknownFields) -> Result<Option<usize>, SyntaxError> {
    let resolved;
    let name = match name {
        Value::EscapedText(quoted) => {
            resolved = unescape(reader.text(quoted), quoted)?;
            &resolved
        }
        Value::Text(name) => reader.text(name),
        _ => "",
    };
    let column = COLUMNS.iter().position(|known| known.name == name);
    if column.is_none() {
        unknown_fields.count(name);
    }
    Ok(column)
}

/// Appends a text, its escapes resolved, to `unescaped`.
fn resolve(line: &str, quoted: Span, unescaped: &mut String) -> Result<Value, SyntaxError> {
    let text = unescape(&line[quoted.start..quoted.end], quoted)?;
    if unescaped.is_empty() {
        unescaped.push_str(line);
    }
    let start = unescaped.len();
    unescaped.push_str(&text);
    Ok(Value::Text(Span { start, end: unescaped.len() }))
}

fn unescape(quoted: &str, span: Span) -> Result<String, SyntaxError> {
    // The reader has checked everything else.
    serde_json::from_str(quoted)
        .map_err(|_| SyntaxError { what: "half a surrogate pair in a text", byte: span.start + 1 })
}
