//! The commands: what each of them looks at, plans, does and says.

use std::io::{BufRead, Write};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use aws::{Session, Settings};
use cli_support::exit::UsageError;
use cli_support::{Messages, Outcome};
use query::catalogue;
use serde_json::json;
use ticket_schema::manifest::CuratedManifest;

use crate::actual::{observe, observe_all};
use crate::apply::apply;
use crate::cost::{ColumnBytes, Month, month};
use crate::definitions::Definitions;
use crate::desired::{Desired, Local};
use crate::destroy::plan_destroy;
use crate::plan::{Parts, Plan, plan};
use crate::show::{self, standings, standings_text};
use crate::verify::Proof;

/// What every command needs.
#[derive(Clone, Debug)]
pub struct Config {
    /// Account, region, credentials.
    pub settings: Settings,
    /// The raw data set.
    pub raw: PathBuf,
    /// The curated data set.
    pub curated: PathBuf,
    /// Which parts to look at.
    pub parts: Parts,
    /// How to show things.
    pub format: Format,
}

/// How plans, standings and proofs are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
}

/// What to do, and whether there was anything.
struct Planned {
    session: Session,
    desired: Desired,
    curated: CuratedManifest,
    plan: Plan,
    month: Month,
}

impl Planned {
    fn make(config: &Config, messages: &Messages) -> Result<Self> {
        let local = Local::load(&config.raw, Some(&config.curated))?;
        if !local.belong_together() {
            messages.warn(format!(
                "{} was not made from {}: run `transform --input {} --output {}` if it should be",
                config.curated.display(),
                config.raw.display(),
                config.raw.display(),
                config.curated.display()
            ));
        }
        let Settings { account_id, region, .. } = &config.settings;
        let desired = Desired::new(account_id, region, &local, &config.raw, &config.curated)?;
        let curated = local.curated.context("no curated data set")?;
        let columns = ColumnBytes::read(&config.curated, &curated.files)?;
        let month = month(&desired, region, &columns, &catalogue::kpis()?)?;
        let session = Session::open(&config.settings)?;
        let actual = observe(&session, &desired, config.parts)?;
        let plan = plan(&desired, &actual, config.parts);
        Ok(Self { session, desired, curated, plan, month })
    }

    /// The plan as a text, under the name of the account.
    fn text(&self, settings: &Settings) -> String {
        let nothing = if self.plan.steps.is_empty() { "Nothing to do: everything is as wanted.\n" } else { "" };
        format!("{}\n{}{nothing}{}\n", place(settings), show::text(&self.plan), self.month.line())
    }
}

/// The head of every plan.
fn place(settings: &Settings) -> String {
    let Settings { account_id, region, endpoint_url, .. } = settings;
    let server = endpoint_url.as_ref().map_or_else(String::new, |url| format!(", at {url}"));
    format!("account {account_id}, region {region}{server}")
}

/// `deploy`: plans, shows, does and proves.
pub fn run_deploy(config: &Config, out: &mut dyn Write, messages: &Messages) -> Result<Outcome> {
    let planned = Planned::make(config, messages)?;
    messages.note(planned.text(&config.settings));
    apply(&planned.session, &planned.plan, messages)?;
    if config.parts == Parts::ALL {
        prove(config, &planned.session, &planned.curated, out, messages)?;
    }
    Ok(Outcome::Done)
}

/// `deploy plan`: whether there is anything to do.
pub fn run_plan(config: &Config, out: &mut dyn Write, messages: &Messages) -> Result<bool> {
    let planned = Planned::make(config, messages)?;
    let Planned { plan, month, .. } = &planned;
    match config.format {
        Format::Text => write!(out, "{}", planned.text(&config.settings)),
        Format::Json => {
            let value = json!({
                "account_id": config.settings.account_id,
                "region": config.settings.region,
                "changes": show::changes(plan),
                "notes": plan.notes,
                "obstacles": plan.obstacles,
                "month": month,
                "month_total_usd": month.total_usd(),
            });
            writeln!(out, "{value:#}")
        }
    }
    .context("cannot write to standard output")?;
    if !plan.obstacles.is_empty() {
        bail!("this plan can't be carried out:\n  {}", plan.obstacles.join("\n  "));
    }
    Ok(!plan.steps.is_empty())
}

/// `deploy status`: whether anything is not as wanted.
pub fn run_status(config: &Config, out: &mut dyn Write, messages: &Messages) -> Result<bool> {
    let Planned { plan, desired, .. } = Planned::make(config, messages)?;
    let standings = standings(&desired, &plan);
    match config.format {
        Format::Text => write!(out, "{}", standings_text(&standings)),
        Format::Json => {
            let value = json!({ "resources": standings, "notes": plan.notes, "obstacles": plan.obstacles });
            writeln!(out, "{value:#}")
        }
    }
    .context("cannot write to standard output")?;
    for note in plan.notes.iter().chain(&plan.obstacles) {
        messages.warn(note);
    }
    Ok(!plan.steps.is_empty() || !plan.obstacles.is_empty())
}

/// `deploy verify`: asks Athena and compares.
pub fn run_verify(config: &Config, out: &mut dyn Write, messages: &Messages) -> Result<Outcome> {
    let local = Local::load(&config.raw, Some(&config.curated))?;
    let curated = local.curated.context("no curated data set")?;
    let session = Session::open(&config.settings)?;
    prove(config, &session, &curated, out, messages)
}

fn prove(
    config: &Config,
    session: &Session,
    curated: &CuratedManifest,
    out: &mut dyn Write,
    messages: &Messages,
) -> Result<Outcome> {
    let proof = Proof::make(session, &config.curated, curated)?;
    match config.format {
        Format::Text => write!(out, "{}", proof.table()),
        Format::Json => writeln!(out, "{:#}", json!(proof)),
    }
    .context("cannot write to standard output")?;
    if !proof.has_expected_answers {
        messages.warn(
            "the tickets are not exactly what generate wrote, so nobody has counted the KPIs' answers; only the tickets per \
             market were verified",
        );
    }
    proof.demand()?;
    messages.note(format!("deploy: {} answers proved on Athena", proof.checks.len()));
    Ok(Outcome::Done)
}

/// `deploy destroy`: takes down what is ours, once `is_confirmed` or the account's number is typed.
pub fn run_destroy(
    settings: &Settings,
    is_confirmed: bool,
    dry_run: bool,
    input: &mut dyn BufRead,
    out: &mut dyn Write,
    messages: &Messages,
) -> Result<Outcome> {
    let definitions = Definitions::load(&settings.account_id, &settings.region)?;
    let session = Session::open(settings)?;
    let plan = plan_destroy(&definitions, &observe_all(&session, &definitions)?);
    let nothing = if plan.steps.is_empty() { "Nothing of ours is left.\n" } else { "" };
    write!(out, "{}\n{}{nothing}", place(settings), show::text(&plan))
        .and_then(|()| out.flush())
        .context("cannot write to standard output")?;
    if plan.steps.is_empty() || dry_run {
        return Ok(Outcome::Done);
    }
    if !is_confirmed {
        write!(out, "This can't be undone. Type the account number to go on: ").and_then(|()| out.flush())?;
        let mut typed = String::new();
        input.read_line(&mut typed).context("cannot read the confirmation")?;
        if typed.trim() != settings.account_id {
            bail!(UsageError("not confirmed; nothing was deleted (--yes confirms without asking)".to_owned()));
        }
    }
    apply(&session, &plan, messages)?;
    Ok(Outcome::Done)
}
