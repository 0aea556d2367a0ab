//! The KPIs of `queries/sample_queries.sql`, which this crate carries, and the view they ask.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail, ensure};
use cli_support::exit::UsageError;

use crate::sql_text::{Piece, pieces, statements};

/// The SQL text that is also run by hand in Athena's console.
const SAMPLE_QUERIES: &str = include_str!("../../../queries/sample_queries.sql");
/// The definitions that are also run by hand in Athena's console.
pub const ATHENA_DDL: &str = include_str!("../../../infra/athena_ddl.sql");

/// A KPI: a numbered, named question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kpi {
    /// Its number, from 1.
    pub number: usize,
    /// Its name, as in `sla_breach_rate`.
    pub name: String,
    /// What it answers and in which order, in one paragraph.
    pub description: String,
    /// Its SQL, as Athena runs it.
    pub sql: String,
}

impl Kpi {
    /// The columns of the answer that Athena only approximates.
    pub fn approximate_columns(&self) -> BTreeSet<String> {
        let pieces: Vec<Piece> = pieces(&self.sql).collect();
        let calls = (0..pieces.len()).filter(|i| pieces[*i].is("approx_percentile"));
        let name = |call| pieces[call..].iter().skip_while(|piece| !piece.is("AS")).nth(1).and_then(Piece::name);
        calls.filter_map(name).collect()
    }
}

/// All KPIs, in order of their numbers.
pub fn kpis() -> Result<Vec<Kpi>> {
    parse(SAMPLE_QUERIES).context("queries/sample_queries.sql")
}

/// The KPIs with these names or numbers, in the order asked for; all of them if none is asked for.
pub fn chosen(names: &[String]) -> Result<Vec<Kpi>> {
    let kpis = kpis()?;
    if names.is_empty() {
        return Ok(kpis);
    }
    let find = |name: &String| kpis.iter().find(|kpi| kpi.name == *name || kpi.number.to_string() == *name).cloned();
    let mut chosen = Vec::new();
    for name in names {
        match find(name) {
            Some(kpi) => chosen.push(kpi),
            None => bail!(UsageError(format!(
                "there is no KPI `{name}`; `query --list` shows the names and numbers 1 to {}",
                kpis.len()
            ))),
        }
    }
    Ok(chosen)
}

/// The statement that defines the view, as Athena runs it.
pub fn view_definition() -> Result<String> {
    statements(ATHENA_DDL)
        .into_iter()
        .map(|statement| statement.text)
        .find(|text| text.starts_with("CREATE OR REPLACE VIEW"))
        .context("infra/athena_ddl.sql defines no view")
}

/// What the view selects: its definition without the head.
pub fn view_query() -> Result<String> {
    let definition = view_definition()?;
    let head = pieces(&definition).find(|piece| piece.is("AS")).context("infra/athena_ddl.sql, the view: no AS")?;
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
        ensure!(statement.comment.len() > 1, "the comment before `{name}` doesn't say what it answers");
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
    use super::{chosen, kpis, parse, view_definition};

    #[test]
    fn the_file_has_ten_kpis_and_the_ddl_a_view() {
        assert_eq!(kpis().unwrap().len(), 10);
        assert!(view_definition().unwrap().contains("tickets_enriched"));
    }

    #[test]
    fn percentiles_are_known_to_be_approximate() {
        let approximate = |number: usize| kpis().unwrap()[number - 1].approximate_columns();
        assert_eq!(approximate(4).into_iter().collect::<Vec<_>>(), ["median_hours", "p95_hours"]);
        assert!(approximate(3).is_empty());
    }

    #[test]
    fn kpis_are_found_by_name_and_by_number() {
        let found = chosen(&["10".into(), "daily_volume".into()]).unwrap();
        assert_eq!(found.iter().map(|kpi| kpi.number).collect::<Vec<_>>(), [10, 1]);
        for wrong in ["0", "11", "", "Daily_volume"] {
            assert!(chosen(&[wrong.into()]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_query_without_its_number_name_or_meaning_is_refused() {
        for sql in ["SELECT 1;", "-- 2. two\n-- Second.\nSELECT 1;", "-- 1. one\nSELECT 1;"] {
            assert!(parse(sql).is_err(), "{sql}");
        }
    }
}
