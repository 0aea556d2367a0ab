//! One run: reads a data set, checks the rules, compares it with a reference, and returns the report.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use anyhow::{Context, Result};
use cli_support::{Messages, human};
use manifest::{ProfileRef, Scenario, WorldParameters};
use ticket_schema::Timestamp;

use crate::read::{self, DataSet};
use crate::report::{Report, RuleResult, Scores};
use crate::rows::{Dictionaries, Row, deadline};
use crate::score::comparison::{Comparison, MIN_TICKETS, Reference, chi_squares};
use crate::score::features::Period;
use crate::score::reference::{self, Extent, ProfileExpectations, ReferenceWorlds};
use crate::score::sample::Sample;
use crate::validate::cross_row_rules;
use crate::validate::rules::{Rule, RuleContext, Scope};

/// Configuration of a run.
#[derive(Clone, Debug)]
pub struct Config {
    /// Directories or files of JSON Lines, `-`, or one directory with curated Parquet.
    pub data: Vec<PathBuf>,
    /// Profile to compare with; the one in the manifest, or `default`, if `None`.
    pub profile: Option<String>,
    /// Data set to compare with; reference worlds if `None`.
    pub reference: Option<PathBuf>,
    /// Number of threads that generate reference worlds.
    pub threads: NonZeroUsize,
}

/// Checks and scores a data set.
///
/// # Errors
///
/// Fails if the data set, the reference or the profile cannot be read. Violations and low scores are not errors, but
/// results in the report.
pub fn run_realism(config: &Config, messages: &Messages) -> Result<Report> {
    let mut names = Dictionaries::default();
    let mut data = read::read(&config.data, &mut names, messages)?;
    let claimed = data.claim.world.as_ref().map(|world| world.profile.name.clone());
    let profile = config.profile.clone().or(claimed).unwrap_or_else(|| ProfileRef::default().name);
    let profile = ProfileExpectations::of(&profile)?;
    let context = rule_context(&data, &profile);
    data.violations.check(&data.rows, &context);
    cross_row_rules::check(&data.rows, &mut data.violations);

    let n_tickets = data.rows.len() as u64;
    let period = period(&data.rows, &context);
    let mut report = Report {
        data: data.name.clone(),
        n_lines: data.n_lines,
        n_tickets,
        start: timestamp(period.start),
        as_of: timestamp(period.as_of),
        profile: profile.reference.name.clone(),
        rules: rules(&data),
        reference: String::new(),
        scores: None,
        passed: false,
    };
    match choose_reference(config, &data, period, &profile, &mut names, messages) {
        Ok(ReferenceChoice::Reference { reference, period, name, weights_until }) => {
            let sample = Sample::new(&data.rows, period);
            let comparison = Comparison { data: &sample, n_tickets, reference: &reference };
            let weighted_rows =
                weights_until.map(|until| data.rows.iter().filter(|row| row.created_at < until).collect::<Vec<_>>());
            report.reference = name;
            report.scores = Some(Scores {
                columns: comparison.columns(),
                pairs: comparison.pairs(),
                chi_squares: weighted_rows.map_or(Vec::new(), |rows| chi_squares(&rows, &profile.weights)),
                plausibility: comparison.plausibility(),
                repeats: comparison.repeats(),
                profiles: comparison.profiles(),
            });
            report.passed = report.below_target().is_empty();
        }
        Ok(ReferenceChoice::RulesOnly(reason)) => {
            report.reference = format!("none: {reason}");
            report.passed = report.below_target().is_empty();
        }
        Err(error) if config.reference.is_some() => return Err(error),
        Err(error) => report.reference = format!("none: {error:#}"),
    }
    Ok(report)
}

/// Reference of a comparison.
enum ReferenceChoice {
    /// A set of tickets.
    Reference {
        reference: Reference,
        /// Period in which the data's own tickets are compared.
        period: Period,
        /// Description for the report.
        name: String,
        /// End of the interval in which the data's tickets follow the profile's exact weights, in seconds since 1970;
        /// `None` if there is no such interval.
        weights_until: Option<i64>,
    },
    /// No reference, for the given reason: only the rules are checked.
    RulesOnly(String),
}

fn choose_reference(
    config: &Config,
    data: &DataSet,
    period: Period,
    profile: &ProfileExpectations,
    names: &mut Dictionaries,
    messages: &Messages,
) -> Result<ReferenceChoice> {
    let n_tickets = data.rows.len() as u64;
    if n_tickets < MIN_TICKETS {
        return Ok(ReferenceChoice::RulesOnly(format!("scores need at least {MIN_TICKETS} tickets")));
    }
    if let Some(path) = &config.reference {
        let other = read::read(std::slice::from_ref(path), names, messages)?;
        let pool = Sample::new(&other.rows, self::period(&other.rows, &rule_context(&other, profile)));
        let name = format!("{} of {}", human::counted(other.rows.len() as u64, "ticket"), other.name);
        let reference = Reference { pool, parts: Vec::new() };
        return Ok(ReferenceChoice::Reference { reference, period, name, weights_until: Some(i64::MAX) });
    }
    if let Some(since) = data.claim.changed_since {
        return Ok(ReferenceChoice::RulesOnly(format!(
            "tickets that changed after {since} are a subset of their world"
        )));
    }
    let created = created_range(&data.rows);
    let (worlds, weights_until) = if let Some(world) = &data.claim.world {
        let world = WorldParameters { profile: profile.reference.clone(), ..world.clone() };
        let weights_until = weights_apply_until(&world);
        match reference::extent(&world, data.n_lines, created)? {
            Extent::Whole => (ReferenceWorlds::like(world, n_tickets, (i64::MIN, i64::MAX)), weights_until),
            Extent::Interval => (ReferenceWorlds::like(world, n_tickets, created), None),
            Extent::Subset => {
                return Ok(ReferenceChoice::RulesOnly("the tickets are a subset of their world".to_owned()));
            }
        }
    } else {
        let as_of = timestamp(period.as_of);
        (ReferenceWorlds::around(profile.reference.clone(), n_tickets, created, as_of)?, Some(i64::MAX))
    };
    let parts = worlds.samples(config.threads).context("no world of the profile matches the data")?;
    let name = format!("{} of the same size with other seeds", human::counted(parts.len() as u64, "world"));
    let reference = Reference { pool: Sample::pooled(&parts), parts };
    Ok(ReferenceChoice::Reference { reference, period: worlds.period(), name, weights_until })
}

/// Returns the end of the interval in which a world's tickets follow its profile's exact weights: its first period, if
/// that is complete and no scenario adds tickets.
fn weights_apply_until(world: &WorldParameters) -> Option<i64> {
    let adds_tickets = |scenario: &Scenario| *scenario != Scenario::DealerOutage;
    let end = world.first_period_end();
    (world.as_of >= end && !world.scenarios.iter().any(adds_tickets)).then(|| end.seconds())
}

fn rule_context(data: &DataSet, profile: &ProfileExpectations) -> RuleContext {
    let opening_hours = profile.opening_hours;
    match &data.claim.world {
        Some(world) => {
            RuleContext { start: Some(world.world_start.seconds()), as_of: world.as_of.seconds(), opening_hours }
        }
        None => RuleContext { start: None, as_of: infer_as_of(&data.rows), opening_hours },
    }
}

fn period(rows: &[Row], context: &RuleContext) -> Period {
    Period { start: context.start.unwrap_or_else(|| created_range(rows).0), as_of: context.as_of }
}

/// Returns the creation times of the first and the last ticket.
fn created_range(rows: &[Row]) -> (i64, i64) {
    let created_at = || rows.iter().map(|row| row.created_at);
    (created_at().min().unwrap_or(0), created_at().max().unwrap_or(0))
}

/// Infers the as-of time of a data set without a manifest: its latest change or, if later, the latest SLA deadline that
/// an open ticket is marked as having missed, unless an open ticket that is not marked contradicts it.
fn infer_as_of(rows: &[Row]) -> i64 {
    let latest_change = rows.iter().map(|row| row.updated_at).max().unwrap_or(0);
    let deadlines = |breached: bool| {
        let open = rows.iter().filter(move |row| row.resolved_at.is_none() && row.sla_breached == breached);
        open.map(deadline).filter(move |deadline| *deadline >= latest_change)
    };
    let at_most = deadlines(false).min().unwrap_or(i64::MAX);
    deadlines(true)
        .map(|deadline| deadline.saturating_add(1))
        .filter(|time| *time <= at_most)
        .max()
        .unwrap_or(latest_change)
}

fn timestamp(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds).unwrap_or(Timestamp::from_day(0))
}

fn rules(data: &DataSet) -> Vec<RuleResult> {
    let result = |rule: &Rule| {
        let violations = data.violations.of(*rule);
        let n_checked = match rule.scope() {
            Scope::Line => data.n_lines,
            Scope::Ticket => data.rows.len() as u64,
        };
        RuleResult {
            name: rule.name(),
            description: rule.description(),
            n_checked,
            n_broken: violations.n_broken,
            share: n_checked.saturating_sub(violations.n_broken) as f64 / n_checked.max(1) as f64,
            first: violations.first.map(|location| data.display_location(location)),
            passed: violations.n_broken == 0,
        }
    };
    Rule::ALL.iter().map(result).collect()
}
