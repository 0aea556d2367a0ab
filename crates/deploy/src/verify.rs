//! Verification: counts and KPIs from Athena against the expected answers of the manifest, and predicted against actual cost.

use anyhow::{Context, Result, bail};
use aws::Session;
use cli_support::human;
use kpi::catalogue;
use kpi::query_cost::{QueryCost, dollars};
use kpi::verify::{diff_with_tolerance, differences};
use manifest::CuratedManifest;
use manifest::answer::{Answer, Cell};
use query::{Athena, QueryEngine};
use serde::Serialize;

use crate::cost::ColumnBytes;

const COUNTS: &str =
    "SELECT market, COUNT(*) AS tickets FROM bmw_aftersales.tickets_enriched GROUP BY market ORDER BY market";

/// Result of a verification.
#[derive(Clone, Debug, Serialize)]
pub struct Proof {
    /// Checks in order of execution.
    pub checks: Vec<Check>,
    /// True if the manifest has expected answers for the KPIs.
    pub has_expected_answers: bool,
}

/// A query and its comparison with the expected answer.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// Name of the query.
    pub name: String,
    /// Differences from the expected answer, a line each.
    pub differences: Vec<String>,
    /// Predicted maximum cost, if the Parquet files are on this machine.
    pub predicted: Option<QueryCost>,
    /// Actual cost.
    pub bill: QueryCost,
}

impl Proof {
    /// Runs all queries and compares them with the manifest. `columns` are those of its files, if known.
    ///
    /// # Errors
    ///
    /// Fails if a query fails, or the manifest has no answer for a KPI.
    pub fn make(session: &Session, columns: Option<&ColumnBytes>, manifest: &CuratedManifest) -> Result<Self> {
        let predicted = |sql: &str| -> Result<Option<QueryCost>> {
            columns.map(|columns| Ok(QueryCost::for_scan(columns.scanned_by(sql)?))).transpose()
        };
        let athena = Athena::at(session, manifest.as_of);
        let mut proof = Self { checks: Vec::new(), has_expected_answers: manifest.expected_answers.is_some() };
        // Tests the view in the catalogue: the KPIs below inline the text of the view, to fix the current time in it.
        let counts = session.ask(ticket_schema::names::WORKGROUP, COUNTS).context("tickets per market")?;
        proof.checks.push(Check {
            name: "tickets per market".to_owned(),
            differences: differences(&expected_counts(manifest), &counts.answer),
            predicted: predicted(COUNTS)?,
            bill: QueryCost::for_scan(counts.scanned_bytes),
        });
        for kpi in catalogue::kpis()? {
            let Some(expected) = &manifest.expected_answers else { break };
            let asked = athena.answer(&kpi.sql).with_context(|| format!("KPI {}", kpi.name))?;
            let expected = expected.get(&kpi.name).with_context(|| format!("the manifest expects no {}", kpi.name))?;
            proof.checks.push(Check {
                differences: diff_with_tolerance(expected, &asked.answer, &kpi.approximate_columns()),
                predicted: predicted(&kpi.sql)?,
                bill: asked.cost.unwrap_or(QueryCost::for_scan(0)),
                name: kpi.name,
            });
        }
        Ok(proof)
    }

    /// Renders the checks as a table.
    pub fn table(&self) -> String {
        let width = self.checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
        let mut text = format!(
            "{:width$}  {:7}  {:>14}  {:>12}  {:>12}  {:>9}\n",
            "question", "answer", "predicted scan", "scanned", "billed", "cost"
        );
        let predicted = |check: &Check| check.predicted.map(|bill| human::bytes(bill.scanned_bytes));
        for check in &self.checks {
            text += &format!(
                "{:width$}  {:7}  {:>14}  {:>12}  {:>12}  {:>9}\n",
                check.name,
                if check.differences.is_empty() { "proved" } else { "WRONG" },
                predicted(check).unwrap_or_else(|| "unknown".to_owned()),
                human::bytes(check.bill.scanned_bytes),
                human::bytes(check.bill.billed_bytes),
                dollars(check.bill.usd)
            );
        }
        let predicted: Option<f64> = self.checks.iter().map(|check| check.predicted.map(|bill| bill.usd)).sum();
        let predicted = predicted.map_or_else(String::new, |usd| format!("predicted {} at most, ", dollars(usd)));
        let billed: f64 = self.checks.iter().map(|check| check.bill.usd).sum();
        text + &format!("cost: {predicted}billed {}\n", dollars(billed))
    }

    /// Checks that all answers are the expected ones.
    ///
    /// # Errors
    ///
    /// Fails with all differences if there are any.
    pub fn demand(&self) -> Result<()> {
        let line =
            |check: &Check| check.differences.iter().map(|line| format!("{}: {line}", check.name)).collect::<Vec<_>>();
        let wrong: Vec<String> = self.checks.iter().flat_map(line).collect();
        if !wrong.is_empty() {
            bail!(
                "Athena's answers are not the expected ones; `deploy status` shows whether anything was changed by another \
                 hand:\n  {}",
                wrong.join("\n  ")
            );
        }
        Ok(())
    }
}

fn expected_counts(manifest: &CuratedManifest) -> Answer {
    let row = |(market, tickets): (&String, &u64)| vec![market.as_str().into(), Cell::from(*tickets)];
    Answer { rows: manifest.markets.iter().map(row).collect(), ..Answer::with_columns(&["market", "tickets"]) }
}
