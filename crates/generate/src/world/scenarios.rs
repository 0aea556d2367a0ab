//! Optional incidents of a world: a recall, a cold wave, an outage of a service centre.

use anyhow::{Context, Result};
use manifest::{Scenario, WorldParameters};
use ticket_schema::Timestamp;
use ticket_schema::cars::{MODEL_YEARS, ModelSeries};
use ticket_schema::enums::{Category, Market};
use ticket_schema::ticket::DealerId;

use crate::profile::Profile;
use crate::world::calendar::Climate;
use crate::world::demand_surge::{DemandSurge, RecalledCars, SurgeShape};
use crate::world::lifecycle::Outage;

const DAY_SECONDS: i64 = 86_400;

/// The recalled series: sold in all markets and years.
const RECALLED: ModelSeries = ModelSeries::X3;

/// Number of recalled model years.
const RECALLED_YEARS: i32 = 3;

/// The service centre with the outage.
const OUTAGE_DEALER: DealerId = DealerId { market: Market::De, number: 1 };

/// Changes to a world by its scenarios.
#[derive(Clone, Debug, Default)]
pub struct ScenarioImpact {
    /// Additional tickets, with the scenario that causes them.
    pub surges: Vec<(Scenario, DemandSurge)>,
    /// Outages of service centres.
    pub outages: Vec<Outage>,
}

impl ScenarioImpact {
    /// Computes the changes by the scenarios of `world`, in the order of its parameters.
    ///
    /// # Errors
    ///
    /// Fails if a scenario does not fit into the first period: a cold wave needs winter.
    pub fn new(world: &WorldParameters, profile: &Profile) -> Result<Self> {
        let mut impact = Self::default();
        for scenario in &world.scenarios {
            match scenario {
                Scenario::Recall => impact.surges.push((*scenario, recall(world, profile))),
                Scenario::ColdWave => impact.surges.push((*scenario, cold_wave(world, profile)?)),
                Scenario::DealerOutage => impact.outages.push(outage(world, profile)),
            }
        }
        Ok(impact)
    }
}

/// Returns a recall of recent cars, announced after one third of the first period.
fn recall(world: &WorldParameters, profile: &Profile) -> DemandSurge {
    let from = midnight_in(world, 1, 3);
    let date = from.to_chrono().date_naive();
    let newest = chrono::Datelike::year(&date).clamp(*MODEL_YEARS.start(), *MODEL_YEARS.end());
    let oldest = (newest - RECALLED_YEARS + 1).max(*MODEL_YEARS.start());
    let cars = RecalledCars { series: vec![RECALLED], model_years: (oldest, newest) };
    let numbers = &profile.scenarios;
    let shape = SurgeShape { rise_days: numbers.recall_rise_days.get(), decay_days: numbers.recall_decay_days.get() };
    DemandSurge::recall(from, [numbers.recall_uplift.get(); Market::ALL.len()], shape, cars)
}

/// Returns several days of frost in the middle of the first period's winter.
fn cold_wave(world: &WorldParameters, profile: &Profile) -> Result<DemandSurge> {
    let days = profile.scenarios.cold_wave_days.get().ceil() as i64;
    let (first, end) = (world.world_start.day() + 1, world.first_period_end().day());
    // January and July are the coldest months: the day closest to midwinter that leaves enough days in the period.
    let candidates = [Climate::Temperate, Climate::South].into_iter().flat_map(|climate| {
        (first..=end - days).filter_map(move |day| Some((days_from_midwinter(climate, day)?, day, climate)))
    });
    let (_, day, climate) = candidates.min_by_key(|(distance, day, _)| (*distance, *day)).with_context(|| {
        format!(
            "a cold wave of {days} days needs winter (December to February, in Australia June to August) between {} and {}; \
             choose another period, or no --scenario cold-wave",
            world.world_start,
            world.first_period_end()
        )
    })?;
    let from = Timestamp::from_day(day);
    // A cold wave affects one continent.
    let is_european = |market| matches!(market, Market::De | Market::Gb | Market::Fr | Market::It);
    let is_cold = |market: usize| match climate {
        Climate::South => Climate::of(Market::ALL[market]) == Climate::South,
        Climate::Temperate | Climate::Desert => is_european(Market::ALL[market]),
    };
    let uplift = profile.scenarios.cold_wave_uplift.get();
    Ok(DemandSurge {
        from,
        until: from.plus_seconds(days * DAY_SECONDS),
        uplift: std::array::from_fn(|market| if is_cold(market) { uplift } else { 0.0 }),
        shape: None,
        category: Category::Electrical,
        cars: None,
    })
}

/// Returns the distance of a day from midwinter in days, or `None` outside winter.
fn days_from_midwinter(climate: Climate, day: i64) -> Option<i64> {
    const HALF_WINTER: i64 = 45;
    let date = Timestamp::from_day(day).to_chrono().date_naive();
    let day_of_year = i64::from(chrono::Datelike::ordinal0(&date));
    let midwinter = if climate == Climate::South { 196 } else { 15 };
    let distance = (day_of_year - midwinter).rem_euclid(365);
    Some(distance.min(365 - distance)).filter(|distance| *distance <= HALF_WINTER)
}

/// Returns an outage that starts after half of the first period.
fn outage(world: &WorldParameters, profile: &Profile) -> Outage {
    let from = midnight_in(world, 1, 2);
    let days = profile.scenarios.dealer_outage_days.get().ceil() as i64;
    Outage { dealer: OUTAGE_DEALER, from, until: from.plus_seconds(days * DAY_SECONDS) }
}

/// Returns the midnight after a fraction of the first period.
fn midnight_in(world: &WorldParameters, part: i64, of: i64) -> Timestamp {
    Timestamp::from_day(world.world_start.day() + i64::from(world.days_back) * part / of)
}
