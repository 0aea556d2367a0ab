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
use crate::athena_curation::statements::AthenaCuration;
use crate::cost::{ColumnBytes, MonthlyCost, monthly_cost};
use crate::definitions::desired::{Desired, Local};
use crate::definitions::quicksight;
use crate::definitions::scope::Scope;
use crate::definitions::{Definitions, Role};
use crate::observe::{observe, observe_for_destroy};
use crate::plan::destroy::plan_destroy;
use crate::plan::{Plan, Step, plan};
use crate::render::{self, statuses, statuses_text};
use crate::verify::Verification;

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
    /// Engine that creates the curated tickets.
    pub curate: Curate,
    /// ARN of the owner of the QuickSight dashboard; `None` if QuickSight isn't managed.
    pub dashboard_owner: Option<String>,
}

/// Output format of plan, status and verification.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Text for the terminal
    #[default]
    Text,
    /// JSON for scripts
    Json,
}

/// Engine that creates the curated tickets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Curate {
    /// `transform` on this machine
    #[default]
    Local,
    /// Amazon Athena, from the raw tickets in S3
    Athena,
}

/// Plan, and the states that it was computed from.
struct Planned {
    session: Session,
    raw: RawManifest,
    desired: Desired,
    /// Manifest of the desired curated tickets; `None` until Athena has created them.
    curated: Option<CuratedManifest>,
    /// Sizes of their columns, if the files are on this machine.
    columns: Option<ColumnBytes>,
    /// Curation on Athena, if one is needed.
    curation: Option<AthenaCuration>,
    plan: Plan,
    monthly_cost: MonthlyCost,
}

impl Planned {
    fn new(config: &Config, messages: &Messages) -> Result<Self> {
        let Settings { account_id, region, .. } = &config.settings;
        let is_local = config.curate == Curate::Local;
        let local = Local::load(&config.raw, is_local.then_some(config.curated.as_path()))?;
        if !local.is_consistent() {
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
        if !is_local && let Some(published) = curate::find_published(&session, &raw)? {
            desired.set_curated(account_id, &published.manifest, published.data);
            curated = Some(published.manifest);
        }
        let actual = observe(&session, &desired, config.scope)?;
        let mut planned = plan(&desired, &actual, config.scope);
        if !is_local && planned.steps.iter().any(|step| is_lost(step, &desired)) {
            desired.remove_curated();
            curated = None;
            planned = plan(&desired, &actual, config.scope);
        }
        // A curation needs buckets, objects and tables, so it requires the full scope.
        let is_needed = curated.is_none() && config.scope == Scope::ALL;
        let curation = is_needed.then(|| AthenaCuration::new(account_id, &raw));
        let monthly_cost = monthly_cost(&desired, region, columns.as_ref(), &catalogue::kpis()?)?;
        let plan = planned;
        Ok(Self { session, raw, desired, curated, columns, curation, plan, monthly_cost })
    }

    /// Returns true if everything is in sync.
    fn is_in_sync(&self) -> bool {
        self.plan.steps.is_empty() && self.plan.blockers.is_empty() && self.curation.is_none()
    }

    /// Renders the plan below a line with account and region.
    fn text(&self, settings: &Settings) -> String {
        let in_sync = if self.is_in_sync() { "No changes. Everything is in sync.\n" } else { "" };
        let curation = self.curation.as_ref().map_or_else(String::new, |curation| curation.summary() + "\n");
        let plan = render::text(&self.plan);
        format!("{}\n{plan}{curation}{in_sync}{}\n", heading(settings), self.monthly_cost.summary())
    }
}

/// Returns true if the step uploads a curated object whose only copy, in S3, is missing or changed.
fn is_lost(step: &Step, desired: &Desired) -> bool {
    let is_object =
        |key: &String| desired.data.iter().any(|data| data.role == Role::Curated && data.objects.contains_key(key));
    matches!(step, Step::Upload { upload, .. } if is_object(&upload.key))
}

/// Returns the heading of a plan: account, region and endpoint.
fn heading(settings: &Settings) -> String {
    let Settings { account_id, region, endpoint_url, .. } = settings;
    let endpoint = endpoint_url.as_ref().map_or_else(String::new, |url| format!(", at {url}"));
    format!("account {account_id}, region {region}{endpoint}")
}

/// Runs `deploy`: plan, apply, verify, then QuickSight.
///
/// # Errors
///
/// Fails if the plan can't be computed, is blocked or fails, or an answer of Athena differs from the expected one.
pub fn run_deploy(config: &Config, out: &mut dyn Write, messages: &Messages) -> Result<Outcome> {
    let mut planned = Planned::new(config, messages)?;
    messages.note(planned.text(&config.settings));
    let quicksight_steps = planned.plan.take_quicksight_steps();
    apply(&planned.session, &planned.plan, messages)?;
    if config.scope != Scope::ALL {
        return Ok(Outcome::Done);
    }
    if let Some(curation) = planned.curation.take() {
        let curated = curate::curate(&planned.session, &planned.raw, &curation, messages)?;
        planned.desired.set_curated(&config.settings.account_id, &curated.manifest, curated.data);
        planned.curated = Some(curated.manifest);
        let actual = observe(&planned.session, &planned.desired, config.scope)?;
        let mut publication = plan(&planned.desired, &actual, config.scope);
        publication.take_quicksight_steps();
        messages.note(render::text(&publication));
        apply(&planned.session, &publication, messages)?;
        for warning in curated.warnings {
            messages.warn(warning);
        }
    }
    let curated = planned.curated.context("there are no curated tickets")?;
    verify(config, &planned.session, planned.columns.as_ref(), &curated, out, messages)?;
    if config.dashboard_owner.is_some() {
        let resources = &planned.desired.definitions.quicksight;
        apply::quicksight::apply_and_refresh(
            &planned.session,
            resources,
            &quicksight_steps,
            curated.rows.written,
            messages,
        )?;
        if let Some(url) = quicksight::dashboard_url(resources, &config.settings.region) {
            messages.note(format!("deploy: the dashboard is at {url}"));
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
/// Fails if the plan can't be computed or is blocked.
pub fn run_plan(config: &Config, out: &mut dyn Write, messages: &Messages) -> Result<bool> {
    let planned = Planned::new(config, messages)?;
    let Planned { plan, monthly_cost, curation, .. } = &planned;
    match config.format {
        Format::Text => write!(out, "{}", planned.text(&config.settings)),
        Format::Json => {
            let value = json!({
                "account_id": config.settings.account_id,
                "region": config.settings.region,
                "changes": render::changes(plan),
                "notes": plan.notes,
                "blockers": plan.blockers,
                "curation": curation,
                "month": monthly_cost,
                "month_total_usd": monthly_cost.total_usd(),
            });
            writeln!(out, "{value:#}")
        }
    }
    .context("cannot write to standard output")?;
    if !plan.blockers.is_empty() {
        bail!("the plan is blocked:\n  {}", plan.blockers_text());
    }
    Ok(!planned.is_in_sync())
}

/// Runs `deploy status`. Returns true if anything is not in sync.
///
/// # Errors
///
/// Fails if desired or actual state can't be read.
pub fn run_status(config: &Config, out: &mut dyn Write, messages: &Messages) -> Result<bool> {
    let planned = Planned::new(config, messages)?;
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
            "there are no curated tickets in S3 that were made from these raw tickets; `deploy --curate athena` creates \
             them",
        );
    }
    Ok(!planned.is_in_sync())
}

/// Runs `deploy verify`.
///
/// # Errors
///
/// Fails if a query fails, or an answer differs from the expected one.
pub fn run_verify(config: &Config, out: &mut dyn Write, messages: &Messages) -> Result<Outcome> {
    let is_local = config.curate == Curate::Local;
    let local = Local::load(&config.raw, is_local.then_some(config.curated.as_path()))?;
    let session = Session::open(&config.settings)?;
    if let Some(curated) = &local.curated {
        let columns = ColumnBytes::read(&config.curated, &curated.files)?;
        return verify(config, &session, Some(&columns), curated, out, messages);
    }
    let published = curate::find_published(&session, &local.raw)?.context(
        "the curated tickets in S3 were not made from these raw tickets; run `deploy --curate athena` first",
    )?;
    verify(config, &session, None, &published.manifest, out, messages)
}

/// Verifies the answers of Athena, and writes the results to `out`.
fn verify(
    config: &Config,
    session: &Session,
    columns: Option<&ColumnBytes>,
    curated: &CuratedManifest,
    out: &mut dyn Write,
    messages: &Messages,
) -> Result<Outcome> {
    let verification = Verification::run(session, columns, curated)?;
    match config.format {
        Format::Text => write!(out, "{}", verification.table()),
        Format::Json => writeln!(out, "{:#}", json!(verification)),
    }
    .context("cannot write to standard output")?;
    if !verification.has_expected_answers {
        messages.warn(
            "the manifest has no expected answers of the KPIs, because the tickets are not exactly those that generate \
             wrote; only the tickets per market were verified",
        );
    }
    verification.ensure_no_differences()?;
    messages.note(format!("deploy: {} answers verified on Athena", verification.checks.len()));
    Ok(Outcome::Done)
}

/// Options of `deploy destroy`.
#[derive(Clone, Copy, Debug)]
pub struct Destroy {
    /// True to skip the confirmation.
    pub is_confirmed: bool,
    /// True to print the plan only.
    pub is_dry_run: bool,
    /// True to delete the QuickSight dashboard, too.
    pub with_quicksight: bool,
}

/// Runs `deploy destroy`: deletes all managed resources after a confirmation.
///
/// # Errors
///
/// Fails with a [`UsageError`] if the confirmation doesn't match, else if a request fails.
pub fn run_destroy(
    settings: &Settings,
    options: Destroy,
    input: &mut dyn BufRead,
    out: &mut dyn Write,
    messages: &Messages,
) -> Result<Outcome> {
    let definitions = Definitions::load(&settings.account_id, &settings.region)?;
    let session = Session::open(settings)?;
    let plan = plan_destroy(&definitions, &observe_for_destroy(&session, &definitions, options.with_quicksight)?);
    let nothing = if plan.steps.is_empty() { "No managed resources to delete.\n" } else { "" };
    write!(out, "{}\n{}{nothing}", heading(settings), render::text(&plan))
        .and_then(|()| out.flush())
        .context("cannot write to standard output")?;
    if plan.steps.is_empty() || options.is_dry_run {
        return Ok(Outcome::Done);
    }
    if !options.is_confirmed {
        write!(out, "This can't be undone. Enter the account number to confirm: ").and_then(|()| out.flush())?;
        let mut answer = String::new();
        input.read_line(&mut answer).context("cannot read the confirmation")?;
        if answer.trim() != settings.account_id {
            bail!(UsageError("not confirmed; nothing was deleted (--yes skips the confirmation)".to_owned()));
        }
    }
    apply(&session, &plan, messages)?;
    Ok(Outcome::Done)
}
