//! `query`: the ten KPI questions, or one of your own, over curated tickets.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use aws::{AwsArguments, Session, Settings};
use clap::{Parser, ValueEnum};
use cli_support::messages::Verbosity;
use cli_support::{Messages, Outcome};
use query::format::Format;
use query::{Config, Question, run_query, run_query_on_athena};
use ticket_schema::Timestamp;

/// Answer the KPI questions over curated tickets, with the SQL that Athena runs
///
/// Runs queries/sample_queries.sql, unchanged, on an embedded engine, or on Athena once `deploy` has put the tickets there. The
/// present (current_timestamp) is the one that the data set was made for, so the same data always gives the same answers.
#[allow(clippy::doc_markdown, reason = "these comments are the help text")]
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// KPIs to ask, by name or number [default: all]
    #[arg(value_name = "KPI", conflicts_with_all = ["sql", "list"])]
    kpis: Vec<String>,

    /// Show the names of the KPIs and what they answer
    #[arg(long, conflicts_with_all = ["sql", "verify"])]
    list: bool,

    /// Ask a question of your own, of the table tickets or the view tickets_enriched
    #[arg(long, value_name = "QUERY", conflicts_with = "verify")]
    sql: Option<String>,

    /// Which engine answers
    #[arg(long, value_enum, default_value_t)]
    engine: EngineChoice,

    /// The curated tickets; with Athena only their manifest is read, for the present and the expected answers
    #[arg(long, value_name = "DIR", default_value = "data/curated")]
    data: PathBuf,

    /// The present, as 2026-11-22 or 2026-11-22T08:30:00Z [default: the manifest's; with Athena and no manifest, now]
    #[arg(long, value_name = "TIME")]
    as_of: Option<Timestamp>,

    /// How to show the answers
    #[arg(long, value_enum, default_value_t)]
    format: Format,

    /// Hold the answers against those that generate counted; exit with 1 and the differences if they are not the same
    #[arg(long)]
    verify: bool,

    #[command(flatten)]
    verbosity: Verbosity,

    #[command(flatten)]
    aws: AwsArguments,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum EngineChoice {
    /// In this program, over the files in --data
    #[default]
    Embedded,
    /// Amazon Athena, in the workgroup that deploy has made; what each query costs is shown
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
    let question = arguments.sql.map_or(Question::Kpis(arguments.kpis), Question::Sql);
    let config = Config { data: arguments.data, as_of: arguments.as_of, question, verify: arguments.verify };
    let report = match arguments.engine {
        EngineChoice::Embedded => run_query(&config)?,
        EngineChoice::Athena => {
            let environment = |name: &str| std::env::var(name).ok();
            let settings = Settings::resolve(&arguments.aws, environment, Path::new(".env"))?;
            run_query_on_athena(&config, &Session::open(&settings)?)?
        }
    };
    print(&report.render(arguments.format)?)?;
    report.show_bills(&messages);
    if arguments.verify {
        report.prove(&messages)?;
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
