//! The local pipeline: generate, transform, query and dashboard in sequence, with every answer verified.
//!
//! ```
//! use cli_support::{Messages, Outcome};
//! use pipeline::{Config, run_pipeline};
//! use query::format::Format;
//!
//! let directory = tempfile::tempdir()?;
//! let world = manifest::WorldParameters::new(42, "2026-11-22".parse()?, 30, 100);
//! let tickets = generate::Config::of(world);
//! let config = Config { tickets, data: directory.path().to_owned(), format: Format::Markdown };
//!
//! let mut answers = Vec::new();
//! assert_eq!(run_pipeline(&config, &mut answers, &Messages::silent())?, Outcome::Done);
//! assert!(String::from_utf8(answers)?.contains("daily_volume"));
//! assert!(directory.path().join("dashboard.html").exists());
//! # Ok::<(), anyhow::Error>(())
//! ```

use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result};
use cli_support::{Messages, Outcome, human};
use generate::Target;
use jsonl::input::Inputs;
use query::Selection;
use query::format::Format;
use transform::run::error_limit::ErrorLimit;

/// Number of stages.
const N_STAGES: usize = 4;

/// Options of a run.
#[derive(Clone, Debug)]
pub struct Config {
    /// Options of `generate`.
    pub tickets: generate::Config,
    /// Output directory of `raw`, `curated` and `dashboard.html`.
    pub data: PathBuf,
    /// Output format of the answers.
    pub format: Format,
}

/// Runs all stages and writes the answers to `out`.
///
/// # Errors
///
/// Fails if a stage fails or an answer differs from the expected one.
pub fn run_pipeline(config: &Config, out: &mut dyn Write, messages: &Messages) -> Result<Outcome> {
    let (raw, curated) = (config.data.join("raw"), config.data.join("curated"));
    let page = config.data.join("dashboard.html");

    let stage = Stage::start(1, "generate");
    let generated = generate::run_generate(&config.tickets, Target::Directory(raw.clone()), messages)?;
    stage.done(&format!("{} -> {}", generated.summary(), raw.display()), messages);

    let stage = Stage::start(2, "transform");
    let to_parquet = transform::Config { error_limit: ErrorLimit::Lines(0), ..transform::Config::new(&curated) };
    let transformed = transform::run_transform(&to_parquet, Inputs::of_manifest(&raw)?, messages)?;
    stage.done(&format!("{} -> {}", transformed.summary(), curated.display()), messages);

    let stage = Stage::start(3, "query");
    let selection = Selection::Kpis(Vec::new());
    let report = query::run_query(&query::Config { data: curated.clone(), as_of: None, selection, verify: true })?;
    stage.done(
        &format!("{} as of {}", human::counted(report.answers.len() as u64, "KPI"), config.tickets.world.as_of),
        messages,
    );

    let stage = Stage::start(4, "dashboard");
    let shown = dashboard::run_dashboard(&dashboard::Config { data: curated, as_of: None }, &page)?;
    stage.done(&format!("{} -> {}", shown.summary(), page.display()), messages);

    messages.note("");
    let answers = report.render(config.format)?;
    out.write_all(answers.as_bytes()).and_then(|()| out.flush()).context("cannot write to standard output")?;
    messages.note("");
    report.verify(messages)?;
    messages.note(next_steps(config));
    Ok(transformed.outcome())
}

/// A running stage.
struct Stage {
    number: usize,
    name: &'static str,
    started: Instant,
}

impl Stage {
    fn start(number: usize, name: &'static str) -> Self {
        Self { number, name, started: Instant::now() }
    }

    fn done(&self, summary: &str, messages: &Messages) {
        let elapsed = human::duration(self.started.elapsed());
        messages.note(format!("[{}/{N_STAGES}] {:<9} {summary} in {elapsed}", self.number, self.name));
    }
}

fn next_steps(config: &Config) -> String {
    let data = config.data.display();
    format!(
        "
Output
  {data}/raw              tickets as JSON-Lines, and _manifest.json: how they were generated
  {data}/curated/tickets  the same tickets as Snappy Parquet, partitioned by market
  {data}/dashboard.html   ten visuals on one page: open it in a browser

Next steps
  cargo run --release -p dashboard -- --data {data}/curated --output {data}/dashboard.html --open
  cargo run --release -p query -- --data {data}/curated --list
  cargo run --release -p query -- --data {data}/curated --sql \"SELECT category, COUNT(*) AS n FROM tickets GROUP BY 1 ORDER BY 2 DESC\"
  cargo run --release -- --count 1000000 --data {data}"
    )
}
