//! One run: reads a data set, asks the rules, compares, and fills the card.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use anyhow::{Context, Result};
use cli_support::{Messages, human};
use manifest::{ProfileRef, Scenario, WorldParameters};
use ticket_schema::Timestamp;

use crate::card::{Card, RuleResult, Scores};
use crate::compare::{Comparison, MEANINGFUL_FROM_TICKETS, Reference, chi_squares};
use crate::histories;
use crate::reference::{self, Extent, Promises, Worlds};
use crate::rows::{Names, Row};
use crate::rules::{Frame, Rule, Scope, deadline};
use crate::sample::Sample;
use crate::sources::{self, DataSet};
use crate::traits::Period;

/// What to judge.
#[derive(Clone, Debug)]
pub struct Config {
    /// Directories or files of JSON-Lines, `-`, or one directory with curated Parquet.
    pub data: Vec<PathBuf>,
    /// The profile to hold it against, if not the one that it claims.
    pub profile: Option<String>,
    /// Another data set to compare with, in place of the profile's world.
    pub reference: Option<PathBuf>,
    /// Threads that make the reference's worlds.
    pub threads: NonZeroUsize,
}

/// Judges a data set. Fails only if it can't be read; what is wrong with it stands on the card.
pub fn run_realism(config: &Config, messages: &Messages) -> Result<Card> {
    let mut names = Names::default();
    let mut data = sources::read(&config.data, &mut names, messages)?;
    let claimed = data.claim.world.as_ref().map(|world| world.profile.name.clone());
    let profile = config.profile.clone().or(claimed).unwrap_or_else(|| ProfileRef::default().name);
    let profile = Promises::of(&profile)?;
    let frame = frame(&data, &profile);
    data.book.judge(&data.rows, &frame);
    histories::judge(&data.rows, &mut data.book);

    let n_tickets = data.rows.len() as u64;
    let period = period(&data.rows, &frame);
    let mut card = Card {
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
    match find_reference(config, &data, period, &profile, &mut names, messages) {
        Ok(Found::Reference { reference, period, name, weighted }) => {
            let sample = Sample::new(&data.rows, period);
            let comparison = Comparison { data: &sample, n_tickets, reference: &reference };
            let weighted =
                weighted.map(|until| data.rows.iter().filter(|row| row.created_at < until).collect::<Vec<_>>());
            card.reference = name;
            card.scores = Some(Scores {
                columns: comparison.columns(),
                pairs: comparison.pairs(),
                chi_squares: weighted.map_or(Vec::new(), |rows| chi_squares(&rows, &profile.weights)),
                signs: comparison.signs(),
                repeats: comparison.repeats(),
                profiles: comparison.profiles(),
            });
            card.passed = card.below_target().is_empty();
        }
        Ok(Found::Incomparable(why)) => {
            card.reference = format!("nothing: {why}");
            card.passed = card.below_target().is_empty();
        }
        Err(error) if config.reference.is_some() => return Err(error),
        Err(error) => card.reference = format!("nothing: {error:#}"),
    }
    Ok(card)
}

/// What there is to hold a data set against.
enum Found {
    /// Tickets.
    Reference {
        reference: Reference,
        /// The period to take the data's own tickets in.
        period: Period,
        /// What to call it.
        name: String,
        /// Until when the data's tickets have the profile's exact weights, in seconds since 1970; `None` if they never have.
        weighted: Option<i64>,
    },
    /// Nothing, for this reason, so that the rules alone judge.
    Incomparable(String),
}

fn find_reference(
    config: &Config,
    data: &DataSet,
    period: Period,
    profile: &Promises,
    names: &mut Names,
    messages: &Messages,
) -> Result<Found> {
    let n_tickets = data.rows.len() as u64;
    if n_tickets < MEANINGFUL_FROM_TICKETS {
        return Ok(Found::Incomparable(format!(
            "with fewer than {MEANINGFUL_FROM_TICKETS} tickets scores have no meaning"
        )));
    }
    if let Some(path) = &config.reference {
        let other = sources::read(std::slice::from_ref(path), names, messages)?;
        let pool = Sample::new(&other.rows, self::period(&other.rows, &frame(&other, profile)));
        let name = format!("{} of {}", human::counted(other.rows.len() as u64, "ticket"), other.name);
        let reference = Reference { pool, parts: Vec::new() };
        return Ok(Found::Reference { reference, period, name, weighted: Some(i64::MAX) });
    }
    if let Some(since) = data.claim.changed_since {
        return Ok(Found::Incomparable(format!("tickets that changed after {since} are a selection, not a world")));
    }
    let opened = opened(&data.rows);
    let (worlds, weighted) = if let Some(world) = &data.claim.world {
        let world = WorldParameters { profile: profile.reference.clone(), ..world.clone() };
        let weighted = weighted_until(&world);
        match reference::extent(&world, data.n_lines, opened)? {
            Extent::Whole => (Worlds::like(world, n_tickets, (i64::MIN, i64::MAX)), weighted),
            Extent::Stretch => (Worlds::like(world, n_tickets, opened), None),
            Extent::Selection => {
                return Ok(Found::Incomparable("the tickets are a selection of their world's".to_owned()));
            }
        }
    } else {
        let as_of = timestamp(period.as_of);
        (Worlds::around(profile.reference.clone(), n_tickets, opened, as_of)?, Some(i64::MAX))
    };
    let parts = worlds.samples(config.threads).context("no world of the profile fits the data")?;
    let name = format!("{} of the same size, drawn with other seeds", human::counted(parts.len() as u64, "world"));
    let reference = Reference { pool: Sample::pooled(&parts), parts };
    Ok(Found::Reference { reference, period: worlds.period(), name, weighted })
}

/// Until when a world's tickets have the exact weights of its profile: those of its whole first period have, if nothing happens
/// in it that adds tickets.
fn weighted_until(world: &WorldParameters) -> Option<i64> {
    let adds_tickets = |scenario: &Scenario| *scenario != Scenario::DealerOutage;
    let end = world.first_period_end();
    (world.as_of >= end && !world.scenarios.iter().any(adds_tickets)).then(|| end.seconds())
}

fn frame(data: &DataSet, profile: &Promises) -> Frame {
    let opening_hours = profile.opening_hours;
    match &data.claim.world {
        Some(world) => Frame { start: Some(world.world_start.seconds()), as_of: world.as_of.seconds(), opening_hours },
        None => Frame { start: None, as_of: likely_as_of(&data.rows), opening_hours },
    }
}

fn period(rows: &[Row], frame: &Frame) -> Period {
    Period { start: frame.start.unwrap_or_else(|| opened(rows).0), as_of: frame.as_of }
}

/// When the first and the last ticket were opened.
fn opened(rows: &[Row]) -> (i64, i64) {
    let created_at = || rows.iter().map(|row| row.created_at);
    (created_at().min().unwrap_or(0), created_at().max().unwrap_or(0))
}

/// The present of tickets that nobody tells it of: their latest change, or as much later as unresolved tickets show by
/// being overdue, as long as others show by not being so that it isn't later still.
fn likely_as_of(rows: &[Row]) -> i64 {
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
        let tally = data.book.tally(*rule);
        let n_asked = match rule.scope() {
            Scope::Line => data.n_lines,
            Scope::Ticket => data.rows.len() as u64,
        };
        RuleResult {
            name: rule.name(),
            meaning: rule.meaning(),
            n_asked,
            n_broken: tally.n_broken,
            share: n_asked.saturating_sub(tally.n_broken) as f64 / n_asked.max(1) as f64,
            first: tally.first.map(|place| data.shown(place)),
            passed: tally.n_broken == 0,
        }
    };
    Rule::ALL.iter().map(result).collect()
}
