//! Ticket number in, ticket out.
//!
//! A [`World`] is determined by its [`WorldParameters`] and stores only tables derived from them. The steps:
//!
//! * [`arrivals`]: time, market and channel, from the [`arrival_rate`], the [`calendar`], the [`demand_surge`]s and the
//!   [`interarrival`] times.
//! * [`fleet`]: a car of the market, its owner and its service centre.
//! * [`failure_model`]: category and severity, from car, age and season.
//! * [`lifecycle`]: response, resolution and closing, and the state at as-of.
//!
//! [`scenarios`] add incidents, and [`expectations`] computes their expected effect.

pub mod arrival_rate;
pub mod arrivals;
pub mod calendar;
pub mod demand_surge;
pub mod expectations;
pub mod failure_model;
pub mod fleet;
pub mod interarrival;
pub mod lifecycle;
pub mod scenarios;

use std::ops::Range;

use anyhow::{Context, Result, ensure};
use chrono::NaiveDate;
use manifest::{ScenarioEffect, WorldParameters};
use ticket_schema::cars::MODEL_YEARS;
use ticket_schema::{Ticket, Timestamp};

use crate::profile::Profile;
use crate::rng::{DrawPurpose, TicketDraws, WorldSeed};
use crate::world::arrival_rate::ArrivalRates;
use crate::world::arrivals::{Arrivals, Cause};
use crate::world::calendar::{holidays, month};
use crate::world::demand_surge::DemandSurge;
use crate::world::expectations::Expectations;
use crate::world::failure_model::{Categories, Severities};
use crate::world::fleet::Fleet;
use crate::world::lifecycle::{LifecycleModel, TicketContext};
use crate::world::scenarios::ScenarioImpact;

/// Generator of a world's tickets.
///
/// ```
/// use generate::World;
/// use manifest::WorldParameters;
///
/// let world = World::new(WorldParameters::new(42, "2026-11-22".parse()?, 90, 5000))?;
/// let ticket = world.tickets(4999..5000).next();
/// assert!(ticket.is_some_and(|ticket| ticket.created_at < world.parameters().as_of));
/// # Ok::<(), anyhow::Error>(())
/// ```
#[derive(Debug)]
pub struct World {
    parameters: WorldParameters,
    seed: WorldSeed,
    n_tickets: u64,
    /// Month of the year, from 0, of the world's first month.
    first_month0: usize,
    arrivals: Arrivals,
    fleet: Fleet,
    categories: Categories,
    severities: Severities,
    lifecycle: LifecycleModel,
    scenario_effects: Vec<ScenarioEffect>,
}

impl World {
    /// Creates the world of these parameters, with the profile that they name.
    ///
    /// # Errors
    ///
    /// Fails if the profile cannot be read or has changed, if the period starts before the first cars or ends after the
    /// last known holidays, or if a scenario does not fit into the period.
    pub fn new(parameters: WorldParameters) -> Result<Self> {
        let profile = Profile::of(&parameters.profile)?;
        Self::with_profile(parameters, &profile)
    }

    /// Creates the world of these parameters with a given profile.
    ///
    /// # Errors
    ///
    /// Fails if the period starts before the first cars or ends after the last known holidays, or if a scenario does
    /// not fit into it.
    pub fn with_profile(parameters: WorldParameters, profile: &Profile) -> Result<Self> {
        check_period(&parameters)?;
        let seed = WorldSeed::of(&parameters);
        let impact = ScenarioImpact::new(&parameters, profile)?;
        let recalls = DemandSurge::of_recalls(profile);
        let rates = ArrivalRates::new(&parameters, profile, &recalls);
        let surges: Vec<DemandSurge> =
            recalls.into_iter().chain(impact.surges.iter().map(|(_, surge)| surge.clone())).collect();
        let fleet = Fleet::new(&parameters, profile, &surges)?;
        let n_recalls = surges.len() - impact.surges.len();
        let arrivals = Arrivals::new(&parameters, rates, surges).context(
            "the period has no expected tickets, or more than 2^48; choose another period or a smaller --count",
        )?;
        let categories = Categories::new(profile);
        let expectations =
            Expectations { world: &parameters, profile, arrivals: &arrivals, fleet: &fleet, categories: &categories };
        let severities = Severities::new(profile, &expectations.categories_by_age());
        let scenario_effects = expectations.of_scenarios(&impact, n_recalls);
        let lifecycle = LifecycleModel::new(seed, profile, impact.outages);
        let first_month0 = month(parameters.world_start).rem_euclid(12) as usize;
        let mut world = Self {
            parameters,
            seed,
            n_tickets: 0,
            first_month0,
            arrivals,
            fleet,
            categories,
            severities,
            lifecycle,
            scenario_effects,
        };
        world.n_tickets = world.first_from(world.parameters.as_of);
        Ok(world)
    }

    /// Returns the parameters of the world.
    pub const fn parameters(&self) -> &WorldParameters {
        &self.parameters
    }

    /// Returns the number of tickets created before as-of.
    pub const fn n_tickets(&self) -> u64 {
        self.n_tickets
    }

    /// Returns the expected effects of the scenarios.
    pub fn scenario_effects(&self) -> &[ScenarioEffect] {
        &self.scenario_effects
    }

    /// Returns the numbers of all tickets that can have changed after `since`.
    pub fn may_have_changed_since(&self, since: Timestamp) -> Range<u64> {
        self.first_from(since.plus_seconds(-self.lifecycle.max_age()))..self.n_tickets
    }

    /// Returns the tickets with these numbers, in order of creation. Each depends on the world and its number alone.
    pub fn tickets(&self, numbers: Range<u64>) -> impl Iterator<Item = Ticket> {
        let mut draws = self.seed.tickets(numbers.start);
        let mut cursor = self.arrivals.cursor(numbers.start);
        numbers.map(move |_| {
            let (created_at, hour) = self.arrivals.next(&mut cursor);
            self.ticket(created_at, hour, self.parameters.as_of, draws.next_ticket())
        })
    }

    /// Returns ticket `n` in its state at another time, which must not be before its creation.
    pub fn ticket_as_of(&self, n: u64, as_of: Timestamp) -> Ticket {
        let (created_at, hour) = self.arrivals.next(&mut self.arrivals.cursor(n));
        self.ticket(created_at, hour, as_of, self.seed.tickets(n).next_ticket())
    }

    fn ticket(&self, created_at: Timestamp, hour: usize, as_of: Timestamp, draws: &TicketDraws) -> Ticket {
        let month = self.arrivals.hour(hour).month;
        let (market, cause) = self.arrivals.market(hour, draws.word(DrawPurpose::Market));
        let channel = self.arrivals.channel(hour, market, draws.word(DrawPurpose::Channel));
        let surge = if let Cause::Surge(surge) = cause { Some(surge) } else { None };
        let car = self.fleet.car(month, market, surge, draws.word(DrawPurpose::Cohort), draws.word(DrawPurpose::Car));
        let registration = self.fleet.registration(market, &car);
        let category = if let Some(surge) = surge {
            self.arrivals.surges()[surge].category
        } else {
            let month0 = (self.first_month0 + usize::from(month)) % 12;
            self.categories.sample(market, month0, &car, draws.word(DrawPurpose::Category))
        };
        let severity = self.severities.sample(category, car.age, draws.word(DrawPurpose::Severity));
        let context = TicketContext { created_at, severity, category, channel, dealer: registration.dealer_id };
        let snapshot = self.lifecycle.snapshot_at(as_of, &context, draws);
        Ticket {
            ticket_id: draws.ticket_id(),
            created_at,
            updated_at: snapshot.updated_at,
            resolved_at: snapshot.resolved_at,
            severity,
            status: snapshot.status,
            category,
            channel,
            market,
            dealer_id: registration.dealer_id,
            customer_id: registration.customer_id,
            vin_last6: registration.vin_last6,
            model_series: car.series,
            model_year: car.model_year,
            sla_breached: snapshot.sla_breached,
        }
    }

    /// Returns the number of the first ticket created at `time` or later.
    fn first_from(&self, time: Timestamp) -> u64 {
        let opened_at = |n: u64| self.arrivals.next(&mut self.arrivals.cursor(n)).0;
        let (mut low, mut high) = (0, self.arrivals.n_tickets());
        while low < high {
            let middle = low + (high - low) / 2;
            if opened_at(middle) < time { low = middle + 1 } else { high = middle }
        }
        low
    }
}

fn check_period(world: &WorldParameters) -> Result<()> {
    let first = midnight(MODEL_YEARS.start() - 1, 7, 1);
    let end = midnight(holidays::LAST_YEAR + 1, 1, 1);
    let last = world.as_of.max(world.first_period_end());
    ensure!(world.days_back > 0, "--days-back must be at least 1");
    ensure!(
        first.is_some_and(|first| first <= world.world_start),
        "the period from {} to {} starts before the first cars (model year {}, on sale from July {}); choose a later --as-of \
         or fewer --days-back",
        world.world_start,
        world.first_period_end(),
        MODEL_YEARS.start(),
        MODEL_YEARS.start() - 1,
    );
    ensure!(
        end.is_some_and(|end| last <= end),
        "the period from {} to {last} ends after {}, the last year with known holidays; choose an earlier --as-of",
        world.world_start,
        holidays::LAST_YEAR,
    );
    ensure!(
        world.world_start <= world.as_of,
        "--as-of ({}) is before --world-start ({}); choose a later --as-of or an earlier --world-start",
        world.as_of,
        world.world_start,
    );
    Ok(())
}

fn midnight(year: i32, month: u32, day: u32) -> Option<Timestamp> {
    let date = NaiveDate::from_ymd_opt(year, month, day)?;
    Some(Timestamp::midnight_before(date.and_hms_opt(0, 0, 0)?.and_utc()))
}
