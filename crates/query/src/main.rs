//! `query`: runs the ten KPI queries, or a query of the user, over curated tickets.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use aws::{AwsArguments, Session, Settings};
use clap::{Parser, ValueEnum};
use cli_support::messages::Verbosity;
use cli_support::{Messages, Outcome};
use query::format::Format;
use query::{Config, Selection, run_query, run_query_on_athena};
use ticket_schema::Timestamp;

/// Run the KPI queries over curated tickets, with the SQL that Athena runs
///
/// Runs queries/sample_queries.sql unchanged on an embedded engine, or on Athena after `deploy` has uploaded the tickets.
/// `current_timestamp` is the time in the data set's manifest, so the same data always gives the same answers.
#[allow(clippy::doc_markdown, reason = "these comments are the help text")]
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// KPIs to run, by name or number [default: all]
    #[arg(value_name = "KPI", conflicts_with_all = ["sql", "list"])]
    kpis: Vec<String>,

    /// List the KPIs with their descriptions
    #[arg(long, conflicts_with_all = ["sql", "verify"])]
    list: bool,

    /// Run this query instead, over the table tickets or the view tickets_enriched
    #[arg(long, value_name = "QUERY", conflicts_with = "verify")]
    sql: Option<String>,

    /// The query engine
    #[arg(long, value_enum, default_value_t)]
    engine: EngineChoice,

    /// Directory of the curated tickets; with Athena only its manifest is read, for the time and the expected answers
    #[arg(long, value_name = "DIR", default_value = "data/curated")]
    data: PathBuf,

    /// Value of `current_timestamp`, as 2026-11-22 or 2026-11-22T08:30:00Z [default: the manifest's; with Athena and no
    /// manifest, now]
    #[arg(long, value_name = "TIME")]
    as_of: Option<Timestamp>,

    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,

    /// Compare the answers with the expected answers that generate computed; print the differences and exit with 1 if any
    /// differ
    #[arg(long)]
    verify: bool,

    #[command(flatten)]
    verbosity: Verbosity,

    #[command(flatten)]
    aws: AwsArguments,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum EngineChoice {
    /// DataFusion in this process, over the files in --data
    #[default]
    Embedded,
    /// Amazon Athena, in the workgroup that deploy created; prints the cost of each query
    Athena,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    cli_support::run(|| query(arguments))
}

fn query(arguments: Arguments) -> anyhow::Result<Outcome> {
    if arguments.list {
        return print(&list()?);
    }
    let messages = Messages::new(arguments.verbosity);
    let selection = arguments.sql.map_or(Selection::Kpis(arguments.kpis), Selection::Sql);
    let config = Config { data: arguments.data, as_of: arguments.as_of, selection, verify: arguments.verify };
    let report = match arguments.engine {
        EngineChoice::Embedded => run_query(&config)?,
        EngineChoice::Athena => {
            let environment = |name: &str| std::env::var(name).ok();
            let settings = Settings::resolve(&arguments.aws, environment, Path::new(".env"))?;
            run_query_on_athena(&config, &Session::open(&settings)?)?
        }
    };
    print(&report.render(arguments.format)?)?;
    report.report_costs(&messages);
    if arguments.verify {
        report.verify(&messages)?;
    }
    Ok(Outcome::Done)
}

fn list() -> anyhow::Result<String> {
    let entry = |kpi: kpi::catalogue::Kpi| format!("{:>2}. {}\n    {}\n", kpi.number, kpi.name, kpi.description);
    Ok(kpi::catalogue::kpis()?.into_iter().map(entry).collect())
}

fn print(text: &str) -> anyhow::Result<Outcome> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("cannot write to standard output")?;
    Ok(Outcome::Done)
}
