//! Expected tickets of a world as a whole, by category and age, and the expected effect of its scenarios.

use manifest::{Scenario, ScenarioEffect, WorldParameters};
use ticket_schema::enums::{Category, Market};

use crate::profile::Profile;
use crate::rng::WorldSeed;
use crate::world::arrivals::{Arrivals, ExpectedTickets};
use crate::world::calendar::month;
use crate::world::demand_surge::DemandSurge;
use crate::world::failure_model::{Categories, TicketsByCategoryAndAge};
use crate::world::fleet::{CohortInMonth, Fleet};
use crate::world::lifecycle::Outage;
use crate::world::scenarios::ScenarioImpact;

/// Length of a recall's surge in the reported effect, as a multiple of `decay_days`.
const REPORTED_DECAY_TIMES: f64 = 3.0;

const DAY_SECONDS: f64 = 86_400.0;

/// View of a world's tables for computing expectations.
#[derive(Clone, Copy, Debug)]
pub struct Expectations<'a> {
    /// Parameters of the world.
    pub world: &'a WorldParameters,
    /// Profile of the world.
    pub profile: &'a Profile,
    /// Arrival table of the world.
    pub arrivals: &'a Arrivals,
    /// Cars of the world.
    pub fleet: &'a Fleet,
    /// Distribution of the categories.
    pub categories: &'a Categories,
}

impl Expectations<'_> {
    /// Returns the first period's expected tickets by category and age.
    pub fn categories_by_age(&self) -> TicketsByCategoryAndAge {
        let mut tickets = TicketsByCategoryAndAge::default();
        for expected in self.arrivals.expected(self.world.world_start, self.world.first_period_end()) {
            let month = self.month(expected.month);
            for (surge, of_surge) in self.arrivals.surges().iter().zip(&expected.surges) {
                if *of_surge > 0.0 {
                    for (cohort, share) in self.cohorts(Some(surge), expected.market, month) {
                        tickets[surge.category as usize][cohort.age] += of_surge * share;
                    }
                }
            }
            for (cohort, share) in self.cohorts(None, expected.market, month) {
                for category in Category::ALL {
                    tickets[*category as usize][cohort.age] +=
                        expected.baseline * share * self.category_share(*category, expected.market, month, &cohort);
                }
            }
        }
        tickets
    }

    /// Returns the effect of each scenario, in the order of the world's parameters; the scenarios' surges follow the
    /// `n_recalls` surges of past recalls.
    pub fn of_scenarios(&self, impact: &ScenarioImpact, n_recalls: usize) -> Vec<ScenarioEffect> {
        let first_period = self.arrivals.expected(self.world.world_start, self.world.first_period_end());
        let added: f64 = first_period.iter().flat_map(|expected| &expected.surges[n_recalls..]).sum();
        // The count is fixed, so a scenario's tickets displace others.
        let without = self.world.count as f64 / (self.world.count as f64 - added);
        let (mut surges, mut outages) = ((n_recalls..).zip(&impact.surges), impact.outages.iter());
        let effect = |scenario: &Scenario| {
            if *scenario == Scenario::DealerOutage {
                outages.next().map(|outage| self.of_outage(outage))
            } else {
                surges.next().map(|(i, _)| self.of_surge(*scenario, i, without))
            }
        };
        self.world.scenarios.iter().filter_map(effect).collect()
    }

    fn of_surge(&self, scenario: Scenario, i: usize, without: f64) -> ScenarioEffect {
        let surge = &self.arrivals.surges()[i];
        let counted = surge
            .shape
            .map(|shape| surge.from.plus_seconds((shape.decay_days * REPORTED_DECAY_TIMES * DAY_SECONDS) as i64));
        let until = counted.unwrap_or(surge.until).min(self.world.first_period_end());
        let markets: Vec<Market> =
            Market::ALL.iter().copied().filter(|market| surge.uplift[*market as usize] > 0.0).collect();
        let (mut added, mut others) = (0.0, 0.0);
        for expected in self.arrivals.expected(surge.from, until) {
            if markets.contains(&expected.market) {
                added += expected.surges[i];
                others += self.lookalikes(surge, i, &expected);
            }
        }
        let expected_without = others * without;
        ScenarioEffect {
            scenario,
            from: surge.from,
            until,
            markets,
            dealer_id: None,
            model_series: surge.cars.iter().flat_map(|cars| cars.series.clone()).collect(),
            model_years: surge.cars.as_ref().map(|cars| cars.model_years),
            category: Some(surge.category),
            expected_tickets: hundredths(added + others),
            expected_without: hundredths(expected_without),
            uplift: hundredths((added + others) / expected_without),
        }
    }

    /// Returns the tickets with the attributes of a surge's tickets that other causes bring.
    fn lookalikes(&self, surge: &DemandSurge, i: usize, expected: &ExpectedTickets) -> f64 {
        let month = self.month(expected.month);
        let is_match = |cohort: &CohortInMonth| {
            surge.cars.as_ref().is_none_or(|cars| cars.contains(cohort.series, cohort.model_year))
        };
        let baseline: f64 = (self.cohorts(None, expected.market, month).into_iter())
            .filter(|(cohort, _)| is_match(cohort))
            .map(|(cohort, share)| share * self.category_share(surge.category, expected.market, month, &cohort))
            .sum();
        let mut tickets = baseline * expected.baseline;
        for (j, (other, of_other)) in self.arrivals.surges().iter().zip(&expected.surges).enumerate() {
            if j != i && *of_other > 0.0 && other.category == surge.category {
                let cohorts = self.cohorts(Some(other), expected.market, month);
                let share: f64 = cohorts.iter().filter(|(cohort, _)| is_match(cohort)).map(|(_, share)| share).sum();
                tickets += of_other * share;
            }
        }
        tickets
    }

    fn of_outage(&self, outage: &Outage) -> ScenarioEffect {
        let market = outage.dealer.market;
        let until = outage.until.min(self.world.first_period_end());
        let all: f64 = (self.arrivals.expected(outage.from, until).iter())
            .filter(|expected| expected.market == market)
            .map(|expected| expected.baseline + expected.surges.iter().sum::<f64>())
            .sum();
        let tickets = hundredths(all * Fleet::dealer_share(WorldSeed::of(self.world), self.profile, outage.dealer));
        ScenarioEffect {
            scenario: Scenario::DealerOutage,
            from: outage.from,
            until: outage.until,
            markets: vec![market],
            dealer_id: Some(outage.dealer),
            model_series: Vec::new(),
            model_years: None,
            category: None,
            expected_tickets: tickets,
            expected_without: tickets,
            uplift: 1.0,
        }
    }

    /// Returns the cohorts that a surge (or the baseline) brings in a month, with their shares.
    fn cohorts(&self, surge: Option<&DemandSurge>, market: Market, month: i32) -> Vec<(CohortInMonth, f64)> {
        let market = market as usize;
        let recalled = surge.and_then(|surge| surge.cars.as_ref());
        let weights = recalled.map(|cars| self.fleet.recalled_weights(self.profile, cars, market, month));
        let weights = weights
            .filter(|weights| weights.iter().any(|weight| *weight > 0.0))
            .unwrap_or_else(|| self.fleet.baseline_weights(self.profile, market, month));
        let total: f64 = weights.iter().sum();
        let shares = weights.into_iter().map(|weight| if total > 0.0 { weight / total } else { 0.0 });
        let parts = |(cohort, share): (Vec<(CohortInMonth, f64)>, f64)| {
            cohort.into_iter().map(move |(of_an_age, part)| (of_an_age, part * share))
        };
        self.fleet.cohorts(month).zip(shares).flat_map(parts).collect()
    }

    fn category_share(&self, category: Category, market: Market, month: i32, cohort: &CohortInMonth) -> f64 {
        self.categories.share(category, market, month.rem_euclid(12) as usize, cohort.vehicle_class, cohort.age)
    }

    /// Converts months since the world's first month to months since January of the year 0.
    fn month(&self, since_first: u16) -> i32 {
        month(self.world.world_start) + i32::from(since_first)
    }
}

fn hundredths(number: f64) -> f64 {
    libm::round(number * 100.0) / 100.0
}
