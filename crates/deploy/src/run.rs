//! The commands of `deploy`.

use std::io::{BufRead, Write};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use aws::{Session, Settings};
use cli_support::exit::UsageError;
use cli_support::{Messages, Outcome};
use kpi::catalogue;
use manifest::{CuratedManifest, RawManifest};
use serde_json::json;

use crate::apply::{self, apply};
use crate::athena_curation::run as curate;
use crate::athena_curation::statements::Curation;
use crate::cost::{ColumnBytes, MonthlyCost, monthly_cost};
use crate::definitions::desired::{Desired, Local};
use crate::definitions::quicksight;
use crate::definitions::scope::Scope;
use crate::definitions::{Definitions, Role};
use crate::observe::{observe, observe_all};
use crate::plan::destroy::plan_destroy;
use crate::plan::{Plan, Step, plan};
use crate::render::{self as show, statuses, statuses_text};
use crate::verify::Proof;

/// Configuration of the commands.
#[derive(Clone, Debug)]
pub struct Config {
    /// Account, region and credentials.
    pub settings: Settings,
    /// Directory of the raw data set.
    pub raw: PathBuf,
    /// Directory of the curated data set.
    pub curated: PathBuf,
    /// Parts of the lake to manage.
    pub scope: Scope,
    /// Output format.
    pub format: Format,
    /// Engine that makes the curated tickets.
    pub curate: Curate,
    /// ARN of the owner of the QuickSight dashboard; `None` if QuickSight isn't managed.
    pub dashboard_owner: Option<String>,
}

/// Output format of plans, statuses and verifications.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Text for the terminal
    #[default]
    Text,
    /// JSON for scripts
    Json,
}

/// Engine that makes the curated tickets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Curate {
    /// `transform` on this machine
    #[default]
    Local,
    /// Amazon Athena, from the raw tickets in S3
    Athena,
}

/// A plan with the state that it was made from.
struct Planned {
    session: Session,
    raw: RawManifest,
    desired: Desired,
    /// Manifest of the desired curated tickets; `None` until Athena has made them.
    curated: Option<CuratedManifest>,
    /// Sizes of their columns, if they are on this machine.
    columns: Option<ColumnBytes>,
    curation: Option<Curation>,
    plan: Plan,
    month: MonthlyCost,
}

impl Planned {
    fn make(config: &Config, messages: &Messages) -> Result<Self> {
        let Settings { account_id, region, .. } = &config.settings;
        let is_local = config.curate == Curate::Local;
        let local = Local::load(&config.raw, is_local.then_some(config.curated.as_path()))?;
        if !local.belong_together() {
            let (raw, curated) = (config.raw.display(), config.curated.display());
            messages.warn(format!(
                "{curated} was not made from {raw}: run `transform --input {raw} --output {curated}` if it should be"
            ));
        }
        let mut desired = Desired::new(account_id, region, &local, &config.raw, &config.curated)?;
        desired.dashboard_owner.clone_from(&config.dashboard_owner);
        let read = |manifest: &CuratedManifest| ColumnBytes::read(&config.curated, &manifest.files);
        let columns = local.curated.as_ref().map(read).transpose()?;
        let session = Session::open(&config.settings)?;
        let Local { raw, mut curated } = local;
        if !is_local && let Some(published) = curate::published(&session, &raw)? {
            desired.set_curated(account_id, &published.manifest, published.data);
            curated = Some(published.manifest);
        }
        let actual = observe(&session, &desired, config.scope)?;
        let mut planned = plan(&desired, &actual, config.scope);
        if !is_local && planned.steps.iter().any(|step| is_lost(step, &desired)) {
            desired.forget_curated();
            curated = None;
            planned = plan(&desired, &actual, config.scope);
        }
        // A curation needs buckets, objects and tables, so it requires the full scope.
        let is_needed = curated.is_none() && config.scope == Scope::ALL;
        let curation = is_needed.then(|| Curation::new(account_id, &raw));
        let month = monthly_cost(&desired, region, columns.as_ref(), &catalogue::kpis()?)?;
        let plan = planned;
        Ok(Self { session, raw, desired, curated, columns, curation, plan, month })
    }

    /// Returns true if everything is in sync.
    fn is_done(&self) -> bool {
        self.plan.steps.is_empty() && self.plan.blockers.is_empty() && self.curation.is_none()
    }

    /// Renders the plan below a line with account and region.
    fn text(&self, settings: &Settings) -> String {
        let nothing = if self.is_done() { "No changes. Everything is in sync.\n" } else { "" };
        let curation = self.curation.as_ref().map_or_else(String::new, |curation| curation.line() + "\n");
        format!("{}\n{}{curation}{nothing}{}\n", place(settings), show::text(&self.plan), self.month.line())
    }
}

/// Returns true if the step uploads a curated object whose only copy, in S3, is missing or changed.
fn is_lost(step: &Step, desired: &Desired) -> bool {
    let is_object =
        |key: &String| desired.data.iter().any(|data| data.role == Role::Curated && data.objects.contains_key(key));
    matches!(step, Step::Upload { upload, .. } if is_object(&upload.key))
}

/// Returns the heading of every plan.
fn place(settings: &Settings) -> String {
    let Settings { account_id, region, endpoint_url, .. } = settings;
    let server = endpoint_url.as_ref().map_or_else(String::new, |url| format!(", at {url}"));
    format!("account {account_id}, region {region}{server}")
}

/// Runs `deploy`: plan, apply, verify, then QuickSight.
///
/// # Errors
///
/// Fails if the plan can't be made, is blocked or fails, or an answer of Athena is not the expected one.
pub fn run_deploy(config: &Config, out: &mut dyn Write, messages: &Messages) -> Result<Outcome> {
    let mut planned = Planned::make(config, messages)?;
    messages.note(planned.text(&config.settings));
    let quicksight_steps = planned.plan.take_quicksight_steps();
    apply(&planned.session, &planned.plan, messages)?;
    if config.scope != Scope::ALL {
        return Ok(Outcome::Done);
    }
    if let Some(curation) = planned.curation.take() {
        let made = curate::curate(&planned.session, &planned.raw, &curation, messages)?;
        planned.desired.set_curated(&config.settings.account_id, &made.manifest, made.data);
        planned.curated = Some(made.manifest);
        let actual = observe(&planned.session, &planned.desired, config.scope)?;
        let mut publishing = plan(&planned.desired, &actual, config.scope);
        publishing.take_quicksight_steps();
        messages.note(show::text(&publishing));
        apply(&planned.session, &publishing, messages)?;
        for complaint in made.complaints {
            messages.warn(complaint);
        }
    }
    let curated = planned.curated.context("there are no curated tickets")?;
    prove(config, &planned.session, planned.columns.as_ref(), &curated, out, messages)?;
    if config.dashboard_owner.is_some() {
        let assets = &planned.desired.definitions.assets;
        apply::quicksight::present(&planned.session, assets, &quicksight_steps, curated.rows.written, messages)?;
        if let Some(address) = quicksight::address(assets, &config.settings.region) {
            messages.note(format!("deploy: the dashboard is at {address}"));
        }
    }
    Ok(if curated.rows.quarantined > 0 && config.curate == Curate::Athena {
        Outcome::Quarantined
    } else {
        Outcome::Done
    })
}

/// Runs `deploy plan`. Returns true if there are changes.
///
/// # Errors
///
/// Fails if the plan can't be made or is blocked.
pub fn run_plan(config: &Config, out: &mut dyn Write, messages: &Messages) -> Result<bool> {
    let planned = Planned::make(config, messages)?;
    let Planned { plan, month, curation, .. } = &planned;
    match config.format {
        Format::Text => write!(out, "{}", planned.text(&config.settings)),
        Format::Json => {
            let value = json!({
                "account_id": config.settings.account_id,
                "region": config.settings.region,
                "changes": show::changes(plan),
                "notes": plan.notes,
                "blockers": plan.blockers,
                "curation": curation,
                "month": month,
                "month_total_usd": month.total_usd(),
            });
            writeln!(out, "{value:#}")
        }
    }
    .context("cannot write to standard output")?;
    if !plan.blockers.is_empty() {
        bail!("the plan is blocked:\n  {}", plan.blockers_text());
    }
    Ok(!planned.is_done())
}

/// Runs `deploy status`. Returns true if anything is not in sync.
///
/// # Errors
///
/// Fails if desired or actual state can't be read.
pub fn run_status(config: &Config, out: &mut dyn Write, messages: &Messages) -> Result<bool> {
    let planned = Planned::make(config, messages)?;
    let Planned { plan, desired, .. } = &planned;
    let statuses = statuses(desired, plan, config.scope);
    match config.format {
        Format::Text => write!(out, "{}", statuses_text(&statuses)),
        Format::Json => {
            let value = json!({ "resources": statuses, "notes": plan.notes, "blockers": plan.blockers });
            writeln!(out, "{value:#}")
        }
    }
    .context("cannot write to standard output")?;
    for note in plan.notes.iter().chain(plan.blockers.iter().map(|blocker| &blocker.text)) {
        messages.warn(note);
    }
    if planned.curation.is_some() {
        messages.warn(
            "there are no curated tickets in S3 that were made from exactly these raw ones; `deploy --curate athena` makes them",
        );
    }
    Ok(!planned.is_done())
}

/// Runs `deploy verify`.
///
/// # Errors
///
/// Fails if a query fails, or an answer is not the expected one.
pub fn run_verify(config: &Config, out: &mut dyn Write, messages: &Messages) -> Result<Outcome> {
    let is_local = config.curate == Curate::Local;
    let local = Local::load(&config.raw, is_local.then_some(config.curated.as_path()))?;
    let session = Session::open(&config.settings)?;
    if let Some(curated) = &local.curated {
        let columns = ColumnBytes::read(&config.curated, &curated.files)?;
        return prove(config, &session, Some(&columns), curated, out, messages);
    }
    let published = curate::published(&session, &local.raw)?
        .context("the curated tickets in S3 were not made from these raw ones; run `deploy --curate athena` first")?;
    prove(config, &session, None, &published.manifest, out, messages)
}

fn prove(
    config: &Config,
    session: &Session,
    columns: Option<&ColumnBytes>,
    curated: &CuratedManifest,
    out: &mut dyn Write,
    messages: &Messages,
) -> Result<Outcome> {
    let proof = Proof::make(session, columns, curated)?;
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

/// Options of `deploy destroy`.
#[derive(Clone, Copy, Debug)]
pub struct Destroy {
    /// Skip the confirmation.
    pub is_confirmed: bool,
    /// Print the plan only.
    pub is_dry_run: bool,
    /// Delete the dashboard on QuickSight, too.
    pub with_quicksight: bool,
}

/// Runs `deploy destroy`: deletes all managed resources after a confirmation.
///
/// # Errors
///
/// Fails with a [`UsageError`] if the confirmation doesn't match, else if a request fails.
pub fn run_destroy(
    settings: &Settings,
    how: Destroy,
    input: &mut dyn BufRead,
    out: &mut dyn Write,
    messages: &Messages,
) -> Result<Outcome> {
    let definitions = Definitions::load(&settings.account_id, &settings.region)?;
    let session = Session::open(settings)?;
    let plan = plan_destroy(&definitions, &observe_all(&session, &definitions, how.with_quicksight)?);
    let nothing = if plan.steps.is_empty() { "Nothing of ours is left.\n" } else { "" };
    write!(out, "{}\n{}{nothing}", place(settings), show::text(&plan))
        .and_then(|()| out.flush())
        .context("cannot write to standard output")?;
    if plan.steps.is_empty() || how.is_dry_run {
        return Ok(Outcome::Done);
    }
    if !how.is_confirmed {
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
