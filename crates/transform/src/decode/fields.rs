//! A line to the values of the contract's fields, before anything is asked of them.

use ticket_schema::columns::COLUMNS;

use crate::decode::field_names::NAMES;
use crate::decode::json::{Closers, Reader, Span, SyntaxError, Value};
use crate::decode::unknown_fields::UnknownFields;

const N_FIELDS: usize = COLUMNS.len();

/// The fields of a line, by their places in the contract.
#[derive(Debug)]
pub(crate) struct Fields {
    pub(crate) values: [Option<Value>; N_FIELDS],
    /// The field that was the first to appear a second time.
    pub(crate) twice: Option<usize>,
    /// A bit for each field that appears more than once.
    pub(crate) repeated: u16,
}

/// What is needed to read a line and can be used again for the next.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    closers: Closers,
    /// For each field the one that followed it last, and at the end the one that came first: lines are mostly alike, and to
    /// know what to expect is faster than to find out.
    followers: [usize; N_FIELDS + 1],
    /// Where the line has a text with escapes: the line, and behind it all such texts with their escapes resolved. Else
    /// empty.
    pub(crate) unescaped: String,
}

/// Why a line is not an object of fields.
#[derive(Debug)]
pub(crate) enum NotFields {
    Syntax(SyntaxError),
    /// It is JSON, but of another kind.
    OtherKind,
}

impl From<SyntaxError> for NotFields {
    fn from(error: SyntaxError) -> Self {
        Self::Syntax(error)
    }
}

impl Fields {
    /// Reads a line. The spans of texts belong to `workspace.unescaped`, unless it is empty: then to the line.
    pub(crate) fn read(
        line: &str,
        workspace: &mut Workspace,
        unknown_fields: &mut UnknownFields,
    ) -> Result<Self, NotFields> {
        let Workspace { closers, followers, unescaped } = workspace;
        unescaped.clear();
        let mut fields = Self { values: [None; N_FIELDS], twice: None, repeated: 0 };
        let mut reader = Reader::new(line);
        open(&mut reader, closers)?;
        let mut is_first = true;
        let mut before = N_FIELDS;
        while reader.next_member(is_first)? {
            is_first = false;
            let expected = followers[before];
            let place = if reader.take_name(&NAMES[0][expected]) {
                expected
            } else {
                let name = reader.name()?;
                let Some(place) = place_of(&reader, name, unknown_fields)? else {
                    reader.value(closers)?;
                    continue;
                };
                followers[before] = place;
                place
            };
            before = place;
            let mut value = reader.value(closers)?;
            if let Value::EscapedText(quoted) = value {
                value = resolve(line, quoted, unescaped)?;
            }
            fields.put(place, value);
        }
        reader.end()?;
        Ok(fields)
    }

    #[inline(always)]
    fn put(&mut self, place: usize, value: Value) {
        if self.values[place].replace(value).is_some() {
            self.twice.get_or_insert(place);
            self.repeated |= 1 << place;
        }
    }
}

/// Steps into the object that the line must be.
fn open(reader: &mut Reader, closers: &mut Closers) -> Result<(), NotFields> {
    reader.skip_whitespace();
    if reader.take(b'{') {
        return Ok(());
    }
    reader.value(closers)?;
    reader.end()?;
    Err(NotFields::OtherKind)
}

/// The place of a name in the contract. A name that isn't there is counted.
#[inline(never)]
fn place_of(reader: &Reader, name: Value, unknown_fields: &mut UnknownFields) -> Result<Option<usize>, SyntaxError> {
    let resolved;
    let name = match name {
        Value::EscapedText(quoted) => {
            resolved = unescape(reader.text(quoted), quoted)?;
            &resolved
        }
        Value::Text(name) => reader.text(name),
        _ => "",
    };
    let place = COLUMNS.iter().position(|column| column.name == name);
    if place.is_none() {
        unknown_fields.count(name);
    }
    Ok(place)
}

/// Puts a text, its escapes resolved, behind the line.
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
    // All else that could be wrong with it has been looked for.
    serde_json::from_str(quoted)
        .map_err(|_| SyntaxError { what: "half a surrogate pair in a text", byte: span.start + 1 })
}
