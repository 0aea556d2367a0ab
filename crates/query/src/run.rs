//! One run: executes the selected queries and verifies their answers.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use cli_support::exit::UsageError;
use cli_support::{Messages, human};
use manifest::answer::Answers;
use ticket_schema::Timestamp;

use crate::engine::{QueryAnswer, QueryEngine, QueryResult};
use crate::format::{Format, render};
use kpi::catalogue;
use kpi::query_cost::{QueryCost, dollars};
use kpi::verify;

/// Options of a run.
#[derive(Clone, Debug)]
pub struct Config {
    /// Directory of the curated data set.
    pub data: PathBuf,
    /// Value of `current_timestamp`; `None` takes it from the manifest.
    pub as_of: Option<Timestamp>,
    /// Queries to run.
    pub selection: Selection,
    /// Compares the answers with the expected ones of the manifest.
    pub verify: bool,
}

/// The queries of a run.
#[derive(Clone, Debug)]
pub enum Selection {
    /// KPIs by name or number; empty means all.
    Kpis(Vec<String>),
    /// A single query of the user.
    Sql(String),
}

/// The answers of a run.
#[derive(Clone, Debug)]
pub struct Report {
    /// Value of `current_timestamp` in the queries; `None` means the engine's own clock.
    pub as_of: Option<Timestamp>,
    /// Answers in the order of the selection.
    pub answers: Vec<QueryAnswer>,
}

impl Report {
    /// Formats the answers as text.
    ///
    /// # Errors
    ///
    /// Fails if the answers can't be serialized as JSON.
    pub fn render(&self, format: Format) -> Result<String> {
        render(format, self.as_of, &self.answers)
    }

    /// Returns the differences from the expected answers, one line each.
    pub fn differences(&self) -> Vec<String> {
        let lines = |answered: &QueryAnswer| {
            let name = answered.kpi.as_ref().map_or("the answer", |kpi| kpi.name.as_str()).to_owned();
            answered.differences.iter().map(move |line| format!("{name}: {line}")).collect::<Vec<_>>()
        };
        self.answers.iter().flat_map(lines).collect()
    }

    /// Reports the cost of each query that has one, and their total.
    pub fn report_costs(&self, messages: &Messages) {
        let formatted = |cost: &QueryCost| {
            let (scanned, billed) = (human::bytes(cost.scanned_bytes), human::bytes(cost.billed_bytes));
            format!("scanned {scanned}, billed {billed}, {}", dollars(cost.usd))
        };
        let mut total = 0.0;
        let mut n_billed = 0;
        for answered in &self.answers {
            let Some(cost) = &answered.cost else { continue };
            let name = answered.kpi.as_ref().map_or("your query", |kpi| kpi.name.as_str());
            messages.note(format!("query: {name} {}", formatted(cost)));
            total += cost.usd;
            n_billed += 1;
        }
        if n_billed > 1 {
            messages.note(format!("query: {} cost {}", human::counted(n_billed, "KPI"), dollars(total)));
        }
    }

    /// Reports that the answers are verified.
    ///
    /// # Errors
    ///
    /// Fails with the differences if an answer is not the expected one.
    pub fn verify(&self, messages: &Messages) -> Result<()> {
        let differences = self.differences();
        if !differences.is_empty() {
            let list = differences.join("\n  ");
            bail!("the answers are not the expected ones:\n  {list}");
        }
        let n = human::counted(self.answers.len() as u64, "answer");
        messages.note(format!("query: {n} verified against the manifest's expected answers"));
        Ok(())
    }
}

/// Runs the queries on the embedded engine.
///
/// # Errors
///
/// Fails if the data set can't be opened, a KPI doesn't exist, a query fails, or `verify` is set and the manifest has no
/// expected answers.
#[cfg(feature = "embedded")]
pub fn run_query(config: &Config) -> Result<Report> {
    run(config, &crate::Engine::open(&config.data, config.as_of)?)
}

/// Runs the queries on Athena.
///
/// # Errors
///
/// As [`run_query`], and if AWS can't be reached or denies access.
#[cfg(feature = "athena")]
pub fn run_query_on_athena(config: &Config, session: &aws::Session) -> Result<Report> {
    run(config, &crate::Athena::open(session, &config.data, config.as_of)?)
}

fn run(config: &Config, engine: &dyn QueryEngine) -> Result<Report> {
    let as_of = engine.as_of();
    let kpis = match &config.selection {
        Selection::Sql(sql) => {
            let QueryResult { answer, cost } = engine.answer(sql)?;
            let answered = QueryAnswer { kpi: None, answer, cost, differences: Vec::new() };
            return Ok(Report { as_of, answers: vec![answered] });
        }
        Selection::Kpis(names) => catalogue::select(names)?,
    };
    let expected = if config.verify { Some(expected_answers(config, engine)?) } else { None };
    let mut report = Report { as_of, answers: Vec::new() };
    for kpi in kpis {
        let QueryResult { answer, cost } = engine.answer(&kpi.sql).with_context(|| format!("KPI {}", kpi.name))?;
        let mut differences = Vec::new();
        if let Some(expected) = expected {
            let expected = expected
                .get(&kpi.name)
                .with_context(|| format!("the manifest has no expected answer for {}", kpi.name))?;
            let approximate = if engine.is_exact() { BTreeSet::new() } else { kpi.approximate_columns() };
            differences = verify::diff_with_tolerance(expected, &answer, &approximate);
        }
        report.answers.push(QueryAnswer { kpi: Some(kpi), answer, cost, differences });
    }
    Ok(report)
}

fn expected_answers<'a>(config: &Config, engine: &'a dyn QueryEngine) -> Result<&'a Answers> {
    let manifest = engine.manifest();
    let counted_at = manifest.and_then(|manifest| manifest.as_of);
    if let Some(counted_at) = counted_at.filter(|counted_at| Some(*counted_at) != engine.as_of()) {
        bail!(UsageError(format!(
            "the expected answers were counted as of {counted_at}; leave --as-of out, or leave --verify out"
        )));
    }
    manifest.and_then(|manifest| manifest.expected_answers.as_ref()).with_context(|| {
        format!(
            "{} has no expected answers to verify against: only data sets that hold exactly the tickets of `generate` have them",
            config.data.display()
        )
    })
}
