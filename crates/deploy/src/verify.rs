//! Verification of counts and KPIs on Athena against the expected answers, and of the cost against the prediction.

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

/// Results of a verification.
#[derive(Clone, Debug, Serialize)]
pub struct Verification {
    /// Checks in order of execution.
    pub checks: Vec<Check>,
    /// True if the manifest has expected answers for the KPIs.
    pub has_expected_answers: bool,
}

/// Query, and the comparison of its answer with the expected one.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// Name of the query.
    pub name: String,
    /// Differences from the expected answer, one line each.
    pub differences: Vec<String>,
    /// Predicted maximum cost, if the Parquet files are on this machine.
    pub predicted: Option<QueryCost>,
    /// Billed cost.
    #[serde(rename = "bill")]
    pub billed: QueryCost,
}

impl Verification {
    /// Runs all queries and compares the answers with the manifest. `columns` are those of its files, if known.
    ///
    /// # Errors
    ///
    /// Fails if a query fails, or the manifest has no answer for a KPI.
    pub fn run(session: &Session, columns: Option<&ColumnBytes>, manifest: &CuratedManifest) -> Result<Self> {
        let predicted = |sql: &str| -> Result<Option<QueryCost>> {
            columns.map(|columns| Ok(QueryCost::for_scan(columns.scanned_by(sql)?))).transpose()
        };
        let athena = Athena::at(session, manifest.as_of);
        let mut verification = Self { checks: Vec::new(), has_expected_answers: manifest.expected_answers.is_some() };
        // Covers the view in the catalogue: the KPIs inline the text of the view, to replace the current time.
        let counts = session.query(ticket_schema::names::WORKGROUP, COUNTS).context("tickets per market")?;
        verification.checks.push(Check {
            name: "tickets per market".to_owned(),
            differences: differences(&expected_counts(manifest), &counts.answer),
            predicted: predicted(COUNTS)?,
            billed: QueryCost::for_scan(counts.scanned_bytes),
        });
        for kpi in catalogue::kpis()? {
            let Some(expected) = &manifest.expected_answers else { break };
            let result = athena.answer(&kpi.sql).with_context(|| format!("KPI {}", kpi.name))?;
            let expected = expected
                .get(&kpi.name)
                .with_context(|| format!("the manifest has no expected answer for {}", kpi.name))?;
            verification.checks.push(Check {
                differences: diff_with_tolerance(expected, &result.answer, &kpi.approximate_columns()),
                predicted: predicted(&kpi.sql)?,
                billed: result.cost.unwrap_or(QueryCost::for_scan(0)),
                name: kpi.name,
            });
        }
        Ok(verification)
    }

    /// Renders the checks as a table.
    pub fn table(&self) -> String {
        let width = self.checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
        let mut text = format!(
            "{:width$}  {:8}  {:>14}  {:>12}  {:>12}  {:>9}\n",
            "query", "result", "predicted scan", "scanned", "billed", "cost"
        );
        let predicted = |check: &Check| check.predicted.map(|cost| human::bytes(cost.scanned_bytes));
        for check in &self.checks {
            text += &format!(
                "{:width$}  {:8}  {:>14}  {:>12}  {:>12}  {:>9}\n",
                check.name,
                if check.differences.is_empty() { "verified" } else { "mismatch" },
                predicted(check).unwrap_or_else(|| "unknown".to_owned()),
                human::bytes(check.billed.scanned_bytes),
                human::bytes(check.billed.billed_bytes),
                dollars(check.billed.usd)
            );
        }
        let predicted: Option<f64> = self.checks.iter().map(|check| check.predicted.map(|cost| cost.usd)).sum();
        let predicted = predicted.map_or_else(String::new, |usd| format!("predicted {} at most, ", dollars(usd)));
        let billed: f64 = self.checks.iter().map(|check| check.billed.usd).sum();
        text + &format!("cost: {predicted}billed {}\n", dollars(billed))
    }

    /// Checks that no answer differs from the expected one.
    ///
    /// # Errors
    ///
    /// Fails with all differences if there are any.
    pub fn ensure_no_differences(&self) -> Result<()> {
        let lines =
            |check: &Check| check.differences.iter().map(|line| format!("{}: {line}", check.name)).collect::<Vec<_>>();
        let differences: Vec<String> = self.checks.iter().flat_map(lines).collect();
        if !differences.is_empty() {
            bail!(
                "the answers on Athena differ from the expected ones; `deploy status` shows drift:\n  {}",
                differences.join("\n  ")
            );
        }
        Ok(())
    }
}

fn expected_counts(manifest: &CuratedManifest) -> Answer {
    let row = |(market, tickets): (&String, &u64)| vec![market.as_str().into(), Cell::from(*tickets)];
    Answer { rows: manifest.markets.iter().map(row).collect(), ..Answer::with_columns(&["market", "tickets"]) }
}
