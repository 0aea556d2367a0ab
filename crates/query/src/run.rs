//! One run: questions in, answers out, proved if that is asked for.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use cli_support::exit::UsageError;
use cli_support::{Messages, human};
use ticket_schema::Timestamp;
use ticket_schema::answer::Answer;

use crate::catalogue::{self, Kpi};
use crate::engine::Engine;
use crate::format::{Format, render};
use crate::verify::differences;

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

/// The answers.
#[derive(Clone, Debug)]
pub struct Report {
    /// The present that the queries saw.
    pub as_of: Timestamp,
    /// Each answer, with the KPI it belongs to.
    pub answers: Vec<(Option<Kpi>, Answer)>,
    /// How each answer differs from the expected one, a line each. Empty unless `verify` was asked for.
    pub differences: Vec<String>,
}

impl Report {
    /// The answers as a text.
    pub fn render(&self, format: Format) -> Result<String> {
        render(format, self.as_of, &self.answers)
    }

    /// Says that the answers are proved, or fails with what is different.
    pub fn prove(&self, messages: &Messages) -> Result<()> {
        if !self.differences.is_empty() {
            let shown = self.differences.join("\n  ");
            bail!("the answers are not the expected ones:\n  {shown}");
        }
        let n = human::counted(self.answers.len() as u64, "answer");
        messages.note(format!("query: {n} verified against the manifest's expected answers"));
        Ok(())
    }
}

/// Asks the questions.
pub fn run_query(config: &Config) -> Result<Report> {
    let engine = Engine::open(&config.data, config.as_of)?;
    let as_of = engine.as_of();
    let kpis = match &config.question {
        Question::Sql(sql) => {
            let answers = vec![(None, engine.ask(sql)?)];
            return Ok(Report { as_of, answers, differences: Vec::new() });
        }
        Question::Kpis(names) => catalogue::chosen(names)?,
    };
    let expected = if config.verify { Some(expected_answers(config, &engine)?) } else { None };
    let mut report = Report { as_of, answers: Vec::new(), differences: Vec::new() };
    for kpi in kpis {
        let answer = engine.ask(&kpi.sql).with_context(|| format!("KPI {}", kpi.name))?;
        if let Some(expected) = expected {
            let expected = expected.get(&kpi.name).with_context(|| format!("the manifest expects no {}", kpi.name))?;
            let lines = differences(expected, &answer);
            report.differences.extend(lines.into_iter().map(|line| format!("{}: {line}", kpi.name)));
        }
        report.answers.push((Some(kpi), answer));
    }
    Ok(report)
}

fn expected_answers<'a>(config: &Config, engine: &'a Engine) -> Result<&'a ticket_schema::answer::Answers> {
    let manifest = engine.manifest();
    if let Some(counted_at) = manifest.and_then(|manifest| manifest.as_of).filter(|as_of| *as_of != engine.as_of()) {
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
