//! What is to be expected of a world as a whole: how many tickets of which kind, and what its scenarios add.

use manifest::{Scenario, ScenarioEffect, WorldParameters};
use ticket_schema::enums::{Category, Market};

use crate::arrivals::{Arrivals, Expected};
use crate::calendar::month;
use crate::draws::Source;
use crate::fleet::{CohortInMonth, Fleet};
use crate::life::Outage;
use crate::profile::Profile;
use crate::scenarios::Effects;
use crate::trouble::{Categories, CategoriesByAge};
use crate::waves::Wave;

/// How long a recall's wave is counted for its effect, in multiples of the time in which it falls to 1/e.
const COUNTED: f64 = 3.0;

const DAY_SECONDS: f64 = 86_400.0;

/// What a world's tables let expect.
#[derive(Clone, Copy, Debug)]
pub struct Expectations<'a> {
    /// The world.
    pub world: &'a WorldParameters,
    /// Its profile.
    pub profile: &'a Profile,
    /// Its arrivals.
    pub arrivals: &'a Arrivals,
    /// Its cars.
    pub fleet: &'a Fleet,
    /// What breaks in them.
    pub categories: &'a Categories,
}

impl Expectations<'_> {
    /// The first period's tickets by category and age.
    pub fn categories_by_age(&self) -> CategoriesByAge {
        let mut tickets = CategoriesByAge::default();
        for expected in self.arrivals.expected(self.world.world_start, self.world.first_period_end()) {
            let month = self.month(expected.month);
            for (wave, of_wave) in self.arrivals.waves().iter().zip(&expected.waves) {
                if *of_wave > 0.0 {
                    for (cohort, share) in self.cohorts(Some(wave), expected.market, month) {
                        tickets[wave.category as usize][cohort.age] += of_wave * share;
                    }
                }
            }
            for (cohort, share) in self.cohorts(None, expected.market, month) {
                for category in Category::ALL {
                    tickets[*category as usize][cohort.age] +=
                        expected.ordinary * share * self.category_share(*category, expected.market, month, &cohort);
                }
            }
        }
        tickets
    }

    /// What each scenario does, in the order in which the world names them; the scenarios' waves are the last of all waves.
    pub fn of_scenarios(&self, effects: &Effects, n_recalls: usize) -> Vec<ScenarioEffect> {
        let first_period = self.arrivals.expected(self.world.world_start, self.world.first_period_end());
        let added: f64 = first_period.iter().flat_map(|expected| &expected.waves[n_recalls..]).sum();
        // The count is fixed, so what a scenario adds is taken from all others.
        let without = self.world.count as f64 / (self.world.count as f64 - added);
        let (mut waves, mut outages) = ((n_recalls..).zip(&effects.waves), effects.outages.iter());
        let effect = |scenario: &Scenario| {
            if *scenario == Scenario::DealerOutage {
                outages.next().map(|outage| self.of_outage(outage))
            } else {
                waves.next().map(|(i, _)| self.of_wave(*scenario, i, without))
            }
        };
        self.world.scenarios.iter().filter_map(effect).collect()
    }

    fn of_wave(&self, scenario: Scenario, i: usize, without: f64) -> ScenarioEffect {
        let wave = &self.arrivals.waves()[i];
        let counted =
            wave.course.map(|course| wave.from.plus_seconds((course.decay_days * COUNTED * DAY_SECONDS) as i64));
        let until = counted.unwrap_or(wave.until).min(self.world.first_period_end());
        let markets: Vec<Market> =
            Market::ALL.iter().copied().filter(|market| wave.uplift[*market as usize] > 0.0).collect();
        let (mut added, mut others) = (0.0, 0.0);
        for expected in self.arrivals.expected(wave.from, until) {
            if markets.contains(&expected.market) {
                added += expected.waves[i];
                others += self.alike(wave, i, &expected);
            }
        }
        let expected_without = others * without;
        ScenarioEffect {
            scenario,
            from: wave.from,
            until,
            markets,
            dealer_id: None,
            model_series: wave.cars.iter().flat_map(|cars| cars.series.clone()).collect(),
            model_years: wave.cars.as_ref().map(|cars| cars.model_years),
            category: Some(wave.category),
            expected_tickets: hundredths(added + others),
            expected_without: hundredths(expected_without),
            uplift: hundredths((added + others) / expected_without),
        }
    }

    /// Tickets that look like those of a wave, but don't come from it.
    fn alike(&self, wave: &Wave, i: usize, expected: &Expected) -> f64 {
        let month = self.month(expected.month);
        let is_alike = |cohort: &CohortInMonth| {
            wave.cars.as_ref().is_none_or(|cars| cars.contains(cohort.series, cohort.model_year))
        };
        let ordinary: f64 = (self.cohorts(None, expected.market, month).into_iter())
            .filter(|(cohort, _)| is_alike(cohort))
            .map(|(cohort, share)| share * self.category_share(wave.category, expected.market, month, &cohort))
            .sum();
        let mut tickets = ordinary * expected.ordinary;
        for (j, (other, of_other)) in self.arrivals.waves().iter().zip(&expected.waves).enumerate() {
            if j != i && *of_other > 0.0 && other.category == wave.category {
                let cohorts = self.cohorts(Some(other), expected.market, month);
                let share: f64 = cohorts.iter().filter(|(cohort, _)| is_alike(cohort)).map(|(_, share)| share).sum();
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
            .map(|expected| expected.ordinary + expected.waves.iter().sum::<f64>())
            .sum();
        let tickets = hundredths(all * Fleet::dealer_share(Source::of(self.world), self.profile, outage.dealer));
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

    /// The cohorts that a wave brings in a month, or that come anyway, with their shares.
    fn cohorts(&self, wave: Option<&Wave>, market: Market, month: i32) -> Vec<(CohortInMonth, f64)> {
        let market = market as usize;
        let recalled = wave.and_then(|wave| wave.cars.as_ref());
        let weights = recalled.map(|cars| self.fleet.recalled_weights(self.profile, cars, market, month));
        let weights = weights
            .filter(|weights| weights.iter().any(|weight| *weight > 0.0))
            .unwrap_or_else(|| self.fleet.ordinary_weights(self.profile, market, month));
        let total: f64 = weights.iter().sum();
        let shares = weights.into_iter().map(|weight| if total > 0.0 { weight / total } else { 0.0 });
        let parts = |(cohort, share): (Vec<(CohortInMonth, f64)>, f64)| {
            cohort.into_iter().map(move |(of_an_age, part)| (of_an_age, part * share))
        };
        self.fleet.cohorts(month).zip(shares).flat_map(parts).collect()
    }

    fn category_share(&self, category: Category, market: Market, month: i32, cohort: &CohortInMonth) -> f64 {
        self.categories.share(category, market, month.rem_euclid(12) as usize, cohort.kind, cohort.age)
    }

    /// The month that is so many after the world's first, counted from January of the year 0.
    fn month(&self, since_first: u16) -> i32 {
        month(self.world.world_start) + i32::from(since_first)
    }
}

fn hundredths(number: f64) -> f64 {
    libm::round(number * 100.0) / 100.0
}
