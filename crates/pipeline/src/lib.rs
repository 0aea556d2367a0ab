//! The whole local pipeline: generate, transform, query and dashboard, one after the other, every answer proved.

use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result};
use cli_support::{Messages, Outcome, human};
use generate::Target;
use jsonl::input::Inputs;
use query::Question;
use query::format::Format;
use transform::run::error_limit::ErrorLimit;

/// How many stages there are.
const N_STAGES: usize = 4;

/// What to make, and where.
#[derive(Clone, Debug)]
pub struct Config {
    /// What to generate.
    pub tickets: generate::Config,
    /// The directory that gets `raw`, `curated` and `dashboard.html`.
    pub data: PathBuf,
    /// How to show the answers.
    pub format: Format,
}

/// Runs all stages; the answers go to `out`.
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
    let question = Question::Kpis(Vec::new());
    let report = query::run_query(&query::Config { data: curated.clone(), as_of: None, question, verify: true })?;
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
    report.prove(messages)?;
    messages.note(where_to_go(config));
    Ok(transformed.outcome())
}

struct Stage {
    number: usize,
    name: &'static str,
    started: Instant,
}

impl Stage {
    fn start(number: usize, name: &'static str) -> Self {
        Self { number, name, started: Instant::now() }
    }

    fn done(&self, what: &str, messages: &Messages) {
        let elapsed = human::duration(self.started.elapsed());
        messages.note(format!("[{}/{N_STAGES}] {:<9} {what} in {elapsed}", self.number, self.name));
    }
}

fn where_to_go(config: &Config) -> String {
    let data = config.data.display();
    format!(
        "
Where everything lies
  {data}/raw              tickets as JSON-Lines, and _manifest.json: what made them and how to repeat it
  {data}/curated/tickets  the same tickets as Snappy Parquet, a directory for each market
  {data}/dashboard.html   ten visuals on one page: open it in a browser

What to do next
  cargo run --release -p dashboard -- --data {data}/curated --output {data}/dashboard.html --open
  cargo run --release -p query -- --data {data}/curated --list
  cargo run --release -p query -- --data {data}/curated --sql \"SELECT category, COUNT(*) AS n FROM tickets GROUP BY 1 ORDER BY 2 DESC\"
  cargo run --release -- --count 1000000 --data {data}"
    )
}
