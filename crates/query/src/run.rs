//! One run: questions in, answers out, proved if that is asked for.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use cli_support::exit::UsageError;
use cli_support::{Messages, human};
use manifest::CuratedManifest;
use manifest::answer::{Answer, Answers};
use ticket_schema::Timestamp;

use crate::format::{Format, render};
use kpi::catalogue::{self, Kpi};
use kpi::query_cost::{QueryCost, dollars};
use kpi::verify;

/// What to ask of which data.
#[derive(Clone, Debug)]
pub struct Config {
    /// The curated data set's directory.
    pub data: PathBuf,
    /// The present; else the manifest's.
    pub as_of: Option<Timestamp>,
    /// What to ask.
    pub question: Question,
    /// Whether to hold the answers against the expected ones.
    pub verify: bool,
}

/// What to ask.
#[derive(Clone, Debug)]
pub enum Question {
    /// KPIs by name or number; none means all.
    Kpis(Vec<String>),
    /// A query of one's own.
    Sql(String),
}

/// An engine that answers SQL.
pub trait QueryEngine {
    /// The present that queries see; `None` is the engine's own.
    fn as_of(&self) -> Option<Timestamp>;

    /// The manifest of the tickets that are asked, if there is one.
    fn manifest(&self) -> Option<&CuratedManifest>;

    /// Whether its percentiles are exact.
    fn is_exact(&self) -> bool;

    /// Asks one question.
    fn answer(&self, sql: &str) -> Result<QueryResult>;
}

/// What an engine gives.
#[derive(Clone, Debug, PartialEq)]
pub struct QueryResult {
    /// The answer.
    pub answer: Answer,
    /// What it cost, if it did.
    pub bill: Option<QueryCost>,
}

/// A question with its answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// Which KPI it is; `None` for a question of one's own.
    pub kpi: Option<Kpi>,
    /// The answer.
    pub answer: Answer,
    /// What it cost, if it did.
    pub bill: Option<QueryCost>,
    /// How it differs from the expected one, a line each. Empty unless `verify` was asked for.
    pub differences: Vec<String>,
}

/// The answers.
#[derive(Clone, Debug)]
pub struct Report {
    /// The present that the queries saw; `None` is the engine's own.
    pub as_of: Option<Timestamp>,
    /// Each answer, with the KPI it belongs to.
    pub answers: Vec<Answered>,
}

impl Report {
    /// The answers as a text.
    pub fn render(&self, format: Format) -> Result<String> {
        render(format, self.as_of, &self.answers)
    }

    /// How the answers differ from the expected ones, a line each.
    pub fn differences(&self) -> Vec<String> {
        let lines = |answered: &Answered| {
            let name = answered.kpi.as_ref().map_or("the answer", |kpi| kpi.name.as_str()).to_owned();
            answered.differences.iter().map(move |line| format!("{name}: {line}")).collect::<Vec<_>>()
        };
        self.answers.iter().flat_map(lines).collect()
    }

    /// Says what each answer cost, if it did.
    pub fn show_bills(&self, messages: &Messages) {
        let shown = |bill: &QueryCost| {
            let (scanned, billed) = (human::bytes(bill.scanned_bytes), human::bytes(bill.billed_bytes));
            format!("scanned {scanned}, billed {billed}, {}", dollars(bill.usd))
        };
        let mut total = 0.0;
        let mut n_billed = 0;
        for answered in &self.answers {
            let Some(bill) = &answered.bill else { continue };
            let name = answered.kpi.as_ref().map_or("your question", |kpi| kpi.name.as_str());
            messages.note(format!("query: {name} {}", shown(bill)));
            total += bill.usd;
            n_billed += 1;
        }
        if n_billed > 1 {
            messages.note(format!("query: {} cost {}", human::counted(n_billed, "question"), dollars(total)));
        }
    }

    /// Says that the answers are proved, or fails with what is different.
    pub fn prove(&self, messages: &Messages) -> Result<()> {
        let differences = self.differences();
        if !differences.is_empty() {
            let shown = differences.join("\n  ");
            bail!("the answers are not the expected ones:\n  {shown}");
        }
        let n = human::counted(self.answers.len() as u64, "answer");
        messages.note(format!("query: {n} verified against the manifest's expected answers"));
        Ok(())
    }
}

/// Asks the questions of the embedded engine.
#[cfg(feature = "embedded")]
pub fn run_query(config: &Config) -> Result<Report> {
    ask(config, &crate::Engine::open(&config.data, config.as_of)?)
}

/// Asks the questions of Athena.
#[cfg(feature = "athena")]
pub fn run_query_on_athena(config: &Config, session: &aws::Session) -> Result<Report> {
    ask(config, &crate::Athena::open(session, &config.data, config.as_of)?)
}

fn ask(config: &Config, engine: &dyn QueryEngine) -> Result<Report> {
    let as_of = engine.as_of();
    let kpis = match &config.question {
        Question::Sql(sql) => {
            let QueryResult { answer, bill } = engine.answer(sql)?;
            let answered = Answered { kpi: None, answer, bill, differences: Vec::new() };
            return Ok(Report { as_of, answers: vec![answered] });
        }
        Question::Kpis(names) => catalogue::chosen(names)?,
    };
    let expected = if config.verify { Some(expected_answers(config, engine)?) } else { None };
    let mut report = Report { as_of, answers: Vec::new() };
    for kpi in kpis {
        let QueryResult { answer, bill } = engine.answer(&kpi.sql).with_context(|| format!("KPI {}", kpi.name))?;
        let mut differences = Vec::new();
        if let Some(expected) = expected {
            let expected = expected.get(&kpi.name).with_context(|| format!("the manifest expects no {}", kpi.name))?;
            let approximate = if engine.is_exact() { BTreeSet::new() } else { kpi.approximate_columns() };
            differences = verify::diff_with_tolerance(expected, &answer, &approximate);
        }
        report.answers.push(Answered { kpi: Some(kpi), answer, bill, differences });
    }
    Ok(report)
}

fn expected_answers<'a>(config: &Config, engine: &'a dyn QueryEngine) -> Result<&'a Answers> {
    let manifest = engine.manifest();
    let counted_at = manifest.and_then(|manifest| manifest.as_of);
    if let Some(counted_at) = counted_at.filter(|counted_at| Some(*counted_at) != engine.as_of()) {
        bail!(UsageError(format!(
            "the expected answers were counted as of {counted_at}; leave --as-of out, or don't --verify"
        )));
    }
    manifest.and_then(|manifest| manifest.expected_answers.as_ref()).with_context(|| {
        format!(
            "{} has no expected answers to verify against: only tickets that are exactly what generate wrote have them",
            config.data.display()
        )
    })
}
