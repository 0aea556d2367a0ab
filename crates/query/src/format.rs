//! Output formats for answers: text table, CSV, JSON and Markdown.

use anyhow::Result;
use comfy_table::{CellAlignment, Table, presets};
use manifest::answer::{Answer, Cell};
use serde::{Serialize, Serializer};
use ticket_schema::Timestamp;

use crate::engine::QueryAnswer;
use kpi::catalogue::Kpi;
use kpi::query_cost::QueryCost;

/// The output format of answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Text table
    #[default]
    Table,
    /// Comma-separated values (RFC 4180)
    Csv,
    /// One object with all answers
    Json,
    /// A Markdown table
    Markdown,
}

/// Formats all answers as one text.
///
/// # Errors
///
/// Fails if the answers can't be serialized as JSON.
pub fn render(format: Format, as_of: Option<Timestamp>, answers: &[QueryAnswer]) -> Result<String> {
    if format == Format::Json {
        return json(as_of, answers);
    }
    let is_only_one = answers.len() == 1;
    let blocks: Vec<String> = answers
        .iter()
        .map(|QueryAnswer { kpi, answer, .. }| match format {
            Format::Table => heading(kpi.as_ref(), "", "\n") + &table(answer),
            Format::Markdown => heading(kpi.as_ref(), "## ", "\n\n") + &markdown(answer),
            // A single CSV has no heading, so that other programs can read it; several are separated by headings.
            _ if is_only_one => csv(answer),
            _ => {
                kpi.as_ref().map_or_else(String::new, |kpi| format!("# {}. {}\n", kpi.number, kpi.name)) + &csv(answer)
            }
        })
        .collect();
    Ok(blocks.join("\n"))
}

fn heading(kpi: Option<&Kpi>, mark: &str, gap: &str) -> String {
    kpi.map_or_else(String::new, |kpi| format!("{mark}{}. {}{gap}{}{gap}", kpi.number, kpi.name, kpi.description))
}

fn table(answer: &Answer) -> String {
    if answer.rows.is_empty() {
        return "(no rows)\n".to_owned();
    }
    let mut table = Table::new();
    table.load_preset(presets::UTF8_BORDERS_ONLY).set_header(&answer.columns);
    for row in &answer.rows {
        table.add_row(row.iter().map(|cell| without_controls(&text(cell))));
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        if answer.rows.iter().any(|row| matches!(row[index], Cell::Integer(_) | Cell::Number(_))) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    format!("{table}\n")
}

/// Escapes control characters, so that data can't send commands to the terminal.
fn without_controls(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

fn csv(answer: &Answer) -> String {
    let quoted = |field: String| {
        if field.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field }
    };
    let line = |fields: Vec<String>| fields.into_iter().map(quoted).collect::<Vec<_>>().join(",") + "\n";
    let rows = answer.rows.iter().map(|row| line(row.iter().map(text).collect()));
    std::iter::once(line(answer.columns.clone())).chain(rows).collect()
}

fn markdown(answer: &Answer) -> String {
    let escaped = |field: &str| without_controls(field).replace('\\', "\\\\").replace('|', "\\|");
    let line = |fields: Vec<String>| format!("| {} |\n", fields.join(" | "));
    let is_number =
        |index: usize| answer.rows.iter().any(|row| matches!(row[index], Cell::Integer(_) | Cell::Number(_)));
    let rule = (0..answer.columns.len()).map(|index| if is_number(index) { "---:" } else { "---" }.to_owned());
    let rows = answer.rows.iter().map(|row| line(row.iter().map(|cell| escaped(&text(cell))).collect()));
    line(answer.columns.iter().map(|name| escaped(name)).collect()) + &line(rule.collect()) + &rows.collect::<String>()
}

/// The JSON document: all answers with their columns and rows; each row is an object in column order.
#[derive(Serialize)]
struct AnswersJson<'a> {
    as_of: Option<Timestamp>,
    answers: Vec<AnswerJson<'a>>,
}

#[derive(Serialize)]
struct AnswerJson<'a> {
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    kpi: Option<KpiJson<'a>>,
    columns: &'a [String],
    rows: Vec<RowJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bill: Option<QueryCost>,
}

#[derive(Serialize)]
struct KpiJson<'a> {
    number: usize,
    name: &'a str,
    description: &'a str,
}

struct RowJson<'a> {
    columns: &'a [String],
    cells: &'a [Cell],
}

impl Serialize for RowJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.columns.iter().zip(self.cells))
    }
}

fn json(as_of: Option<Timestamp>, answers: &[QueryAnswer]) -> Result<String> {
    let answers = answers.iter().map(|QueryAnswer { kpi, answer, cost, .. }| AnswerJson {
        kpi: kpi.as_ref().map(|kpi| KpiJson { number: kpi.number, name: &kpi.name, description: &kpi.description }),
        columns: &answer.columns,
        rows: answer.rows.iter().map(|cells| RowJson { columns: &answer.columns, cells }).collect(),
        bill: *cost,
    });
    Ok(serde_json::to_string_pretty(&AnswersJson { as_of, answers: answers.collect() })? + "\n")
}

fn text(cell: &Cell) -> String {
    match cell {
        Cell::Null => String::new(),
        Cell::Boolean(value) => value.to_string(),
        Cell::Integer(value) => value.to_string(),
        Cell::Number(value) => value.to_string(),
        Cell::Text(text) => text.clone(),
    }
}
