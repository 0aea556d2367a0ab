//! The KPIs of `queries/sample_queries.sql` and the view they select from, both compiled into this crate.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail, ensure};
use cli_support::exit::UsageError;

use crate::sql_text::{Token, statements, tokenize};

/// The KPI queries; the same file can be run in Athena's console.
const SAMPLE_QUERIES: &str = include_str!("../../../queries/sample_queries.sql");
/// The table and view definitions; the same file can be run in Athena's console.
pub const ATHENA_DDL: &str = include_str!("../../../infra/athena_ddl.sql");

/// A KPI: a numbered, named query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kpi {
    /// Number, from 1.
    pub number: usize,
    /// Name, for example `sla_breach_rate`.
    pub name: String,
    /// Description of the rows and their order, in one paragraph.
    pub description: String,
    /// SQL text in the dialect of Athena engine version 3.
    pub sql: String,
}

impl Kpi {
    /// Returns the result columns that Athena computes approximately.
    pub fn approximate_columns(&self) -> BTreeSet<String> {
        let tokens: Vec<Token> = tokenize(&self.sql).collect();
        let calls = (0..tokens.len()).filter(|i| tokens[*i].is("approx_percentile"));
        let name = |call| tokens[call..].iter().skip_while(|token| !token.is("AS")).nth(1).and_then(Token::name);
        calls.filter_map(name).collect()
    }
}

/// Returns all KPIs in order of their numbers.
///
/// # Errors
///
/// Fails if a statement of the file has no heading of the form `-- 1. name`, or no description.
pub fn kpis() -> Result<Vec<Kpi>> {
    parse(SAMPLE_QUERIES).context("queries/sample_queries.sql")
}

/// Returns the KPIs with these names or numbers in the given order, or all KPIs if `names` is empty.
///
/// # Errors
///
/// Fails with a [`UsageError`] if a KPI does not exist.
pub fn select(names: &[String]) -> Result<Vec<Kpi>> {
    let kpis = kpis()?;
    if names.is_empty() {
        return Ok(kpis);
    }
    let find = |name: &String| kpis.iter().find(|kpi| kpi.name == *name || kpi.number.to_string() == *name).cloned();
    let mut selected = Vec::new();
    for name in names {
        match find(name) {
            Some(kpi) => selected.push(kpi),
            None => bail!(UsageError(format!(
                "there is no KPI `{name}`; `query --list` shows the names and numbers 1 to {}",
                kpis.len()
            ))),
        }
    }
    Ok(selected)
}

/// Returns the `CREATE OR REPLACE VIEW` statement of the view.
///
/// # Errors
///
/// Fails if the DDL has no such statement.
pub fn view_definition() -> Result<String> {
    statements(ATHENA_DDL)
        .into_iter()
        .map(|statement| statement.text)
        .find(|text| text.starts_with("CREATE OR REPLACE VIEW"))
        .context("infra/athena_ddl.sql defines no view")
}

/// Returns the `SELECT` statement of the view.
///
/// # Errors
///
/// Fails if the DDL has no view.
pub fn view_query() -> Result<String> {
    let definition = view_definition()?;
    let head = tokenize(&definition).find(|token| token.is("AS")).context("infra/athena_ddl.sql, the view: no AS")?;
    Ok(definition[head.end()..].trim_start().to_owned())
}

fn parse(sql: &str) -> Result<Vec<Kpi>> {
    let mut kpis = Vec::new();
    for statement in statements(sql) {
        let heading = statement.comment.first().map_or("", String::as_str);
        let number = kpis.len() + 1;
        let name = heading.strip_prefix(&format!("{number}. ")).with_context(|| {
            format!("the comment before statement {number} must start with `{number}. name`, not `{heading}`")
        })?;
        ensure!(statement.comment.len() > 1, "the comment before `{name}` has no description after its first line");
        kpis.push(Kpi {
            number,
            name: name.to_owned(),
            description: statement.comment[1..].join(" "),
            sql: statement.text,
        });
    }
    Ok(kpis)
}

#[cfg(test)]
mod tests {
    use super::{kpis, parse, select, view_definition};

    #[test]
    fn there_are_ten_kpis_and_a_view() {
        assert_eq!(kpis().unwrap().len(), 10);
        assert!(view_definition().unwrap().contains("tickets_enriched"));
    }

    #[test]
    fn percentiles_are_approximate_columns() {
        let approximate = |number: usize| kpis().unwrap()[number - 1].approximate_columns();
        assert_eq!(approximate(4).into_iter().collect::<Vec<_>>(), ["median_hours", "p95_hours"]);
        assert!(approximate(3).is_empty());
    }

    #[test]
    fn kpis_are_found_by_name_and_by_number() {
        let found = select(&["10".into(), "daily_volume".into()]).unwrap();
        assert_eq!(found.iter().map(|kpi| kpi.number).collect::<Vec<_>>(), [10, 1]);
        for wrong in ["0", "11", "", "Daily_volume"] {
            assert!(select(&[wrong.into()]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_statement_without_number_name_or_description_is_rejected() {
        for sql in ["SELECT 1;", "-- 2. two\n-- Second.\nSELECT 1;", "-- 1. one\nSELECT 1;"] {
            assert!(parse(sql).is_err(), "{sql}");
        }
    }
}
