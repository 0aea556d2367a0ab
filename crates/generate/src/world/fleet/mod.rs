//! Cars, their owners and their service centres.
//!
//! The fleet is not stored: a car is a number, and all its attributes (series, model year, VIN, owner, service centre)
//! are functions of that number. Cars and owners are therefore always consistent. The cars of a series and model year
//! in a market form a cohort with consecutive numbers, in the order of sale over twelve months.

use std::ops::RangeInclusive;

use anyhow::{Result, ensure};
use manifest::WorldParameters;
use ticket_schema::cars::ModelSeries;
use ticket_schema::enums::Market;
use ticket_schema::ticket::{CustomerId, DealerId, VinLast6};

use crate::profile::Profile;
use crate::rng::categorical::AliasTable;
use crate::rng::distributions::{normal_cdf, normal_quantile, stratified_lognormal};
use crate::rng::{HashKey, WorldSeed, scale};
use crate::world::arrival_rate::MARKETS;
use crate::world::calendar::month;
use crate::world::demand_surge::{DemandSurge, RecalledCars};

mod cohort;

use cohort::{Cohort, CohortBlock, cohort_blocks, cohorts_of};
pub use cohort::{CohortInMonth, vehicle_class};

const YEAR_DAYS: f64 = 365.25;

/// Customer identifiers have 40 bits.
const CUSTOMER_BITS: u64 = (1 << 40) - 1;

/// Number of different VIN endings.
const VINS: u64 = VinLast6::COUNT as u64;

/// Number of vehicle classes with distinct failure rates: each segment, with and without a combustion engine.
pub const VEHICLE_CLASSES: usize = 10;

/// A car, as far as its cohort determines it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Car {
    /// Number among all cars of the world.
    pub number: u64,
    /// Model series.
    pub series: ModelSeries,
    /// Model year.
    pub model_year: i32,
    /// Vehicle class, below [`VEHICLE_CLASSES`].
    pub vehicle_class: u8,
    /// Age in model years, below [`AGES`](crate::profile::AGES).
    pub age: u8,
}

/// Identifiers of a car, its owner and its service centre.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registration {
    /// Owner.
    pub customer_id: CustomerId,
    /// Service centre.
    pub dealer_id: DealerId,
    /// Last six characters of the VIN.
    pub vin_last6: VinLast6,
}

/// The cars of a world.
#[derive(Debug)]
pub struct Fleet {
    cohorts: Vec<Cohort>,
    markets: Vec<MarketFleet>,
    /// Distribution of the cohorts in the baseline, by month since the world's first and market.
    baseline: Vec<Option<AliasTable>>,
    /// The same for the cars of each surge; empty for surges that affect all cars.
    recalled: Vec<Vec<Option<AliasTable>>>,
    first_month: i32,
    /// Inverse Lorenz curve of visits: the fraction of a cohort's cars, most frequent visitors first, that accounts for
    /// i / 1024 of its tickets; in units of 2^-32.
    visit_quantiles: Vec<u32>,
    /// Threshold on the car's hash below which it is owned by a business.
    business_until: u32,
    cars: HashKey,
    /// Permutation that assigns visit ranks to cars.
    ranks: HashKey,
    owners: HashKey,
    pseudonym: u64,
}

#[derive(Debug)]
struct MarketFleet {
    /// By cohort; empty where the series was not sold.
    blocks: Vec<CohortBlock>,
    first_business: u64,
    n_businesses: u64,
    dealers: Option<AliasTable>,
}

impl Fleet {
    /// Builds the fleet of a world, from its first month to its last.
    ///
    /// # Errors
    ///
    /// Fails if a market with tickets has no car on the road in some month, which only a custom profile can cause.
    pub fn new(world: &WorldParameters, profile: &Profile, surges: &[DemandSurge]) -> Result<Self> {
        let cohorts: Vec<Cohort> = ModelSeries::ALL.iter().flat_map(|series| cohorts_of(*series)).collect();
        let seed = WorldSeed::of(world);
        let first_month = month(world.world_start);
        let reference = month(world.first_period_end());
        let cars_per_market =
            world.count as f64 / f64::from(world.days_back) * YEAR_DAYS / profile.fleet.tickets_a_year.get();
        let mut next = 0;
        let mut markets: Vec<MarketFleet> = (Market::ALL.iter().zip(profile.markets.weights.shares()))
            .map(|(market, share)| {
                let cars = cars_per_market * share;
                let blocks = cohort_blocks(*market, &cohorts, profile, reference, cars, &mut next);
                let business_cars = cars * profile.fleet.business_share.get();
                let n_businesses = (business_cars / profile.fleet.business_cars.get()).ceil().max(1.0) as u64;
                let dealers = AliasTable::new(&dealer_sizes(seed, *market, profile));
                MarketFleet { blocks, first_business: 0, n_businesses, dealers }
            })
            .collect();
        for market in &mut markets {
            market.first_business = next;
            next += market.n_businesses;
        }
        let mut fleet = Self {
            cohorts,
            markets,
            baseline: Vec::new(),
            recalled: Vec::new(),
            first_month,
            visit_quantiles: visit_quantiles(profile.fleet.rate_sigma.get()),
            business_until: (profile.fleet.business_share.get() * f64::from(u32::MAX)) as u32,
            cars: seed.key("car"),
            ranks: seed.key("rank"),
            owners: seed.key("owner"),
            pseudonym: seed.key("pseudonym").hash(0),
        };
        let last_month = reference.max(month(world.as_of));
        fleet.baseline =
            cohort_tables(first_month..=last_month, |market, month| fleet.baseline_weights(profile, market, month));
        fleet.check(profile)?;
        fleet.recalled =
            surges.iter().map(|surge| fleet.surge_tables(profile, surge, first_month..=last_month)).collect();
        Ok(fleet)
    }

    fn check(&self, profile: &Profile) -> Result<()> {
        for (market, share) in Market::ALL.iter().zip(profile.markets.weights.shares()) {
            let has_cars = self.baseline.iter().skip(*market as usize).step_by(MARKETS).all(Option::is_some);
            ensure!(
                share == 0.0 || has_cars,
                "the profile {} has tickets in {market} at times when none of its series is on the road there; give more \
                 series a weight, or choose a later period",
                profile.reference().name
            );
        }
        Ok(())
    }

    fn surge_tables(
        &self,
        profile: &Profile,
        surge: &DemandSurge,
        months: RangeInclusive<i32>,
    ) -> Vec<Option<AliasTable>> {
        let Some(recalled) = &surge.cars else { return Vec::new() };
        let during = month(surge.from)..=month(surge.until);
        cohort_tables(months, |market, month| {
            if during.contains(&month) { self.recalled_weights(profile, recalled, market, month) } else { Vec::new() }
        })
    }

    /// Returns the cohorts' relative numbers of baseline tickets in a month.
    pub fn baseline_weights(&self, profile: &Profile, market: usize, month: i32) -> Vec<f64> {
        self.weights(market, month, |_, age| profile.ages.visits[age].get())
    }

    /// Returns the cohorts' relative numbers of tickets of a recall in a month.
    pub fn recalled_weights(&self, profile: &Profile, recalled: &RecalledCars, market: usize, month: i32) -> Vec<f64> {
        self.weights(market, month, |cohort, age| {
            let is_recalled = recalled.contains(cohort.series, cohort.model_year);
            if is_recalled { profile.recall_completion.by_age[age].get() } else { 0.0 }
        })
    }

    fn weights(&self, market: usize, month: i32, rate: impl Fn(&Cohort, usize) -> f64) -> Vec<f64> {
        let blocks = &self.markets[market].blocks;
        let weight = |(cohort, block): (&Cohort, &CohortBlock)| {
            let rates = cohort.ages(month).map(|(age, part)| part * rate(cohort, age));
            block.sales * rates.sum::<f64>()
        };
        self.cohorts.iter().zip(blocks).map(weight).collect()
    }

    /// Returns the cohorts' composition by age in a month, in the order of the weights.
    pub fn cohorts(&self, month: i32) -> impl Iterator<Item = Vec<(CohortInMonth, f64)>> {
        self.cohorts.iter().map(move |cohort| {
            let (series, model_year, vehicle_class) =
                (cohort.series, cohort.model_year, usize::from(cohort.vehicle_class));
            let sold = cohort.part_sold(month);
            let ages = cohort.ages(month);
            ages.map(|(age, part)| (CohortInMonth { series, model_year, vehicle_class, age }, part / sold)).collect()
        })
    }

    /// Returns a service centre's share of its market's cars.
    pub fn dealer_share(seed: WorldSeed, profile: &Profile, dealer: DealerId) -> f64 {
        let sizes = dealer_sizes(seed, dealer.market, profile);
        sizes[usize::from(dealer.number) - 1] / sizes.iter().sum::<f64>()
    }

    /// Samples the car of a ticket in a market and month (counted from the world's first), for a surge or for the
    /// baseline.
    pub fn car(&self, month: u16, market: Market, surge: Option<usize>, cohort: u32, car: u32) -> Car {
        let index = usize::from(month) * MARKETS + market as usize;
        let recalled = surge.and_then(|surge| self.recalled[surge].get(index)?.as_ref());
        let (table, is_recalled) = match recalled {
            Some(recalled) => (Some(recalled), true),
            None => (self.baseline[index].as_ref(), false),
        };
        let i = table.map_or(0, |table| table.sample(cohort));
        let (cohort, block) = (&self.cohorts[i], &self.markets[market as usize].blocks[i]);
        let month = self.first_month + i32::from(month);
        let sold = (block.cars * u64::from(cohort.months_sold(month)) / 12).max(1);
        let among_sold = |word: u64, bits: u32| ((u128::from(sold) * u128::from(word)) >> bits) as u64;
        let i = if is_recalled {
            // A recall affects all cars of a cohort equally.
            among_sold(u64::from(car), 32)
        } else {
            // Visit rates differ between cars; the rank is hashed so that it is independent of the order of sale.
            among_sold(self.ranks.hash(block.first + among_sold(u64::from(self.visit_rank(car)), 32)), 64)
        };
        let month_of_sale = (i as f64 * block.months_per_car) as i32;
        Car {
            number: block.first + i,
            series: cohort.series,
            model_year: cohort.model_year,
            vehicle_class: cohort.vehicle_class,
            age: cohort.age(month, month_of_sale) as u8,
        }
    }

    fn visit_rank(&self, word: u32) -> u32 {
        let index = (word >> 22) as usize;
        let (low, high) = (self.visit_quantiles[index], self.visit_quantiles[index + 1]);
        low + scale(word << 10, high - low)
    }

    /// Returns owner, service centre and VIN of a car.
    pub fn registration(&self, market: Market, car: &Car) -> Registration {
        let fleet = &self.markets[market as usize];
        let hash = self.cars.hash(car.number);
        let (owner, vin) = if (hash as u32) < self.business_until {
            let business = ((u128::from(hash >> 32) * u128::from(fleet.n_businesses)) >> 32) as u64;
            (fleet.first_business + business, vin_of_business(car.number))
        } else {
            (car.number, (hash >> 32) % VINS)
        };
        let dealer = fleet.dealers.as_ref().map_or(0, |dealers| dealers.sample((self.owners.hash(owner) >> 32) as u32));
        Registration {
            customer_id: CustomerId::from_bits(self.pseudonym(owner)),
            dealer_id: DealerId { market, number: dealer as u16 + 1 },
            vin_last6: VinLast6::from_number(vin as u32),
        }
    }

    /// Maps owners to 40-bit identifiers bijectively: every step is invertible.
    fn pseudonym(&self, owner: u64) -> u64 {
        let mut bits = (owner ^ self.pseudonym) & CUSTOMER_BITS;
        for factor in [0x9E_3779_B97F, 0xC2_B2AE_3D27] {
            bits = bits.wrapping_mul(factor) & CUSTOMER_BITS;
            bits ^= bits >> 21;
        }
        bits
    }
}

/// Returns the VIN ending of a business car. It is unique among 3,300,000 consecutive car numbers (the step is coprime
/// to the number of endings), so that a business's cars are distinguishable.
const fn vin_of_business(car: u64) -> u64 {
    const STEP: u64 = 1_618_033;
    car.wrapping_mul(STEP) % VINS
}

/// Builds the distributions of the cohorts, by month and market.
fn cohort_tables(months: RangeInclusive<i32>, weights: impl Fn(usize, i32) -> Vec<f64>) -> Vec<Option<AliasTable>> {
    months
        .flat_map(|month| (0..MARKETS).map(move |market| (market, month)))
        .map(|(market, month)| AliasTable::new(&weights(market, month)))
        .collect()
}

/// Returns the relative sizes of a market's service centres.
fn dealer_sizes(seed: WorldSeed, market: Market, profile: &Profile) -> Vec<f64> {
    let n_dealers = profile.fleet.dealers.get(market).get() as usize;
    stratified_lognormal(n_dealers, profile.fleet.dealer_size_sigma.get(), seed.key(market.as_str()))
}

/// Returns the fraction of cars that accounts for i / 1024 of the tickets if the cars' rates are lognormal with this
/// sigma: the inverse Lorenz curve.
fn visit_quantiles(sigma: f64) -> Vec<u32> {
    let part = |i: u32| 1.0 - normal_cdf(normal_quantile(1.0 - f64::from(i) / 1024.0) + sigma);
    (0..=1024).map(|i| (part(i) * f64::from(u32::MAX)) as u32).collect()
}
