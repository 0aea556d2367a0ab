//! The cars, who owns them and who mends them.
//!
//! No fleet is kept in memory: a car is a number, and everything about it (series, model year, VIN, owner, service centre) is
//! a function of that number. So a car never contradicts itself, and neither does an owner. Cars of a series and model year
//! in a market form a cohort with consecutive numbers, of which the first come most often.

use ticket_schema::cars::{MODEL_YEARS, ModelSeries};
use ticket_schema::manifest::WorldParameters;
use ticket_schema::ticket::{CustomerId, DealerId, VinLast6};
use ticket_schema::vocabulary::Market;

use crate::calendar::month;
use crate::distributions::{lognormal_around_one, normal_below, normal_quantile};
use crate::draws::{Key, scale};
use crate::profile::{AGES, Profile};
use crate::shares::Alias;
use crate::volume::MARKETS;
use crate::waves::{Recalled, Wave};

const YEAR_DAYS: f64 = 365.25;

/// Customers have 40 bits.
const CUSTOMER_BITS: u64 = (1 << 40) - 1;

/// How many kinds of car break differently: each segment, with and without a combustion engine.
pub const KINDS: usize = 10;

/// A car, as far as its cohort determines it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Car {
    /// Its number among all cars of the world.
    pub number: u64,
    /// Its series.
    pub series: ModelSeries,
    /// Its model year.
    pub model_year: i32,
    /// What kind of car it is, below [`KINDS`].
    pub kind: u8,
    /// Its age in model years, below [`AGES`].
    pub age: u8,
}

/// The owner's and the service centre's names for a car.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Papers {
    /// Its owner.
    pub customer_id: CustomerId,
    /// Where it is mended.
    pub dealer_id: DealerId,
    /// The end of its VIN.
    pub vin_last6: VinLast6,
}

/// All cars.
#[derive(Debug)]
pub struct Fleet {
    cohorts: Vec<Cohort>,
    markets: Vec<MarketFleet>,
    /// Which cohort comes in, by month since the world's first and market.
    ordinary: Vec<Option<Alias>>,
    /// The same for the cars of each wave; empty for waves that bring any car.
    recalled: Vec<Vec<Option<Alias>>>,
    first_month: i32,
    /// The part of a cohort, from its first car on, that has a share of i / 1024 of its tickets, in units of 2^-32.
    visitors: Vec<u32>,
    /// Cars whose hash is below it belong to businesses.
    business_until: u32,
    cars: Key,
    owners: Key,
}

/// What the cars of a cohort are in some month.
#[derive(Clone, Copy, Debug)]
pub struct CohortInMonth {
    /// Their series.
    pub series: ModelSeries,
    /// Their model year.
    pub model_year: i32,
    /// What kind of car they are, below [`KINDS`].
    pub kind: usize,
    /// Their age in model years, below [`AGES`].
    pub age: usize,
}

/// The cars of one series and model year.
#[derive(Clone, Copy, Debug)]
struct Cohort {
    series: ModelSeries,
    model_year: i32,
    kind: u8,
}

#[derive(Debug)]
struct MarketFleet {
    /// By cohort; none where it wasn't sold.
    blocks: Vec<Block>,
    first_business: u64,
    n_businesses: u64,
    dealers: Option<Alias>,
}

/// A cohort's cars in a market.
#[derive(Clone, Copy, Debug, Default)]
struct Block {
    first: u64,
    /// When all have been sold.
    cars: u64,
    /// The series' share of the market's sales.
    sales: f64,
}

impl Fleet {
    /// The cars of a world, from its first month to its last.
    pub fn new(world: &WorldParameters, profile: &Profile, waves: &[Wave]) -> Self {
        let cohorts: Vec<Cohort> = ModelSeries::ALL.iter().flat_map(|series| cohorts_of(*series)).collect();
        let first_month = month(world.world_start);
        let reference = month(world.first_period_end());
        let cars_a_market =
            world.count as f64 / f64::from(world.days_back) * YEAR_DAYS / profile.fleet.tickets_a_year.get();
        let mut next = 0;
        let mut markets: Vec<MarketFleet> = (Market::ALL.iter().zip(profile.markets.weights.shares()))
            .map(|(market, share)| {
                let cars = cars_a_market * share;
                let blocks = blocks(*market, &cohorts, profile, reference, cars, &mut next);
                let business_cars = cars * profile.fleet.business_share.get();
                let n_businesses = (business_cars / profile.fleet.business_cars.get()).ceil().max(1.0) as u64;
                let dealers = Alias::new(&dealer_sizes(world.seed, *market, profile));
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
            ordinary: Vec::new(),
            recalled: Vec::new(),
            first_month,
            visitors: visitors(profile.fleet.rate_sigma.get()),
            business_until: (profile.fleet.business_share.get() * f64::from(u32::MAX)) as u32,
            cars: Key::new(world.seed, "car"),
            owners: Key::new(world.seed, "owner"),
        };
        let last_month = reference.max(month(world.as_of));
        fleet.ordinary =
            fleet.picks(first_month..=last_month, |market, month| fleet.ordinary_weights(profile, market, month));
        fleet.recalled =
            waves.iter().map(|wave| fleet.picks_of_wave(profile, wave, first_month..=last_month)).collect();
        fleet
    }

    fn picks(
        &self,
        months: std::ops::RangeInclusive<i32>,
        weights: impl Fn(usize, i32) -> Vec<f64>,
    ) -> Vec<Option<Alias>> {
        months
            .flat_map(|month| (0..MARKETS).map(move |market| (market, month)))
            .map(|(market, month)| Alias::new(&weights(market, month)))
            .collect()
    }

    fn picks_of_wave(
        &self,
        profile: &Profile,
        wave: &Wave,
        months: std::ops::RangeInclusive<i32>,
    ) -> Vec<Option<Alias>> {
        let Some(recalled) = &wave.cars else { return Vec::new() };
        let during = month(wave.from)..=month(wave.until);
        self.picks(months, |market, month| {
            if during.contains(&month) { self.recalled_weights(profile, recalled, market, month) } else { Vec::new() }
        })
    }

    /// How many tickets each cohort has in a month, relative to the others.
    pub fn ordinary_weights(&self, profile: &Profile, market: usize, month: i32) -> Vec<f64> {
        self.weights(market, month, |_, age| profile.ages.visits[age].get())
    }

    /// The same for the tickets of a recall.
    pub fn recalled_weights(&self, profile: &Profile, recalled: &Recalled, market: usize, month: i32) -> Vec<f64> {
        self.weights(market, month, |cohort, age| {
            let is_recalled = recalled.contains(cohort.series, cohort.model_year);
            if is_recalled { profile.recall_completion.by_age[age].get() } else { 0.0 }
        })
    }

    fn weights(&self, market: usize, month: i32, rate: impl Fn(&Cohort, usize) -> f64) -> Vec<f64> {
        let blocks = &self.markets[market].blocks;
        let weight = |(cohort, block): (&Cohort, &Block)| {
            let on_the_road = block.sales * cohort.part_sold(month);
            if on_the_road > 0.0 { on_the_road * rate(cohort, cohort.age(month)) } else { 0.0 }
        };
        self.cohorts.iter().zip(blocks).map(weight).collect()
    }

    /// The cohorts in a month, in the order of the weights.
    pub fn cohorts(&self, month: i32) -> impl Iterator<Item = CohortInMonth> {
        self.cohorts.iter().map(move |cohort| CohortInMonth {
            series: cohort.series,
            model_year: cohort.model_year,
            kind: usize::from(cohort.kind),
            age: cohort.age(month),
        })
    }

    /// The share of a service centre in its market's cars.
    pub fn dealer_share(seed: u64, profile: &Profile, dealer: DealerId) -> f64 {
        let sizes = dealer_sizes(seed, dealer.market, profile);
        sizes[usize::from(dealer.number) - 1] / sizes.iter().sum::<f64>()
    }

    /// The car that comes to a market in a month (counted from the world's first): because of a wave, or any.
    pub fn car(&self, month: u16, market: Market, wave: Option<usize>, cohort: u32, car: u32) -> Car {
        let place = usize::from(month) * MARKETS + market as usize;
        let recalled = wave.and_then(|wave| self.recalled[wave].get(place)?.as_ref());
        let (pick, is_recalled) = match recalled {
            Some(recalled) => (Some(recalled), true),
            None => (self.ordinary[place].as_ref(), false),
        };
        let i = pick.map_or(0, |pick| pick.pick(cohort));
        let (cohort, block) = (&self.cohorts[i], &self.markets[market as usize].blocks[i]);
        let month = self.first_month + i32::from(month);
        let sold = (block.cars * u64::from(cohort.months_sold(month)) / 12).max(1);
        // A recall calls each car once; otherwise some come more often than others.
        let place = if is_recalled { car } else { self.visitor(car) };
        Car {
            number: block.first + ((u128::from(sold) * u128::from(place)) >> 32) as u64,
            series: cohort.series,
            model_year: cohort.model_year,
            kind: cohort.kind,
            age: cohort.age(month) as u8,
        }
    }

    fn visitor(&self, word: u32) -> u32 {
        let place = (word >> 22) as usize;
        let (low, high) = (self.visitors[place], self.visitors[place + 1]);
        low + scale(word << 10, high - low)
    }

    /// Owner, service centre and VIN of a car.
    pub fn papers(&self, market: Market, car: &Car) -> Papers {
        let fleet = &self.markets[market as usize];
        let hash = self.cars.hash(car.number);
        let owner = if (hash as u32) < self.business_until {
            fleet.first_business + ((u128::from(hash >> 32) * u128::from(fleet.n_businesses)) >> 32) as u64
        } else {
            car.number
        };
        let dealer = fleet.dealers.as_ref().map_or(0, |dealers| dealers.pick((self.owners.hash(owner) >> 32) as u32));
        Papers {
            customer_id: CustomerId::from_bits(self.pseudonym(owner)),
            dealer_id: DealerId { market, number: dealer as u16 + 1 },
            vin_last6: VinLast6::from_number(self.vin(car.number)),
        }
    }

    /// A different 40-bit number for each owner: every step can be undone.
    fn pseudonym(&self, owner: u64) -> u64 {
        let mut bits = (owner ^ self.owners.hash(0)) & CUSTOMER_BITS;
        for factor in [0x9E_3779_B97F, 0xC2_B2AE_3D27] {
            bits = bits.wrapping_mul(factor) & CUSTOMER_BITS;
            bits ^= bits >> 21;
        }
        bits
    }

    /// Of 3,300,000 cars with consecutive numbers no two have the same: the step shares no factor with their number.
    fn vin(&self, car: u64) -> u32 {
        const STEP: u64 = 1_618_033;
        let count = u64::from(VinLast6::COUNT);
        ((car % count * STEP + self.cars.hash(0) % count) % count) as u32
    }
}

impl Cohort {
    /// Months since the first car was sold: in July of the year before the model year.
    const fn months_since_start(&self, month: i32) -> i32 {
        month - ((self.model_year - 1) * 12 + 6)
    }

    /// How many of the twelve months have begun in which its cars are sold.
    fn months_sold(&self, month: i32) -> u32 {
        (self.months_since_start(month) + 1).clamp(0, 12).unsigned_abs()
    }

    fn part_sold(&self, month: i32) -> f64 {
        f64::from(self.months_sold(month)) / 12.0
    }

    fn age(&self, month: i32) -> usize {
        (self.months_since_start(month).div_euclid(12).max(0) as usize).min(AGES - 1)
    }
}

/// What kind of car a series is, below [`KINDS`].
pub const fn kind(series: ModelSeries) -> u8 {
    series.segment() as u8 * 2 + series.is_electric() as u8
}

fn cohorts_of(series: ModelSeries) -> impl Iterator<Item = Cohort> {
    MODEL_YEARS
        .filter(move |year| Market::ALL.iter().any(|market| series.sold_in(*market, *year)))
        .map(move |model_year| Cohort { series, model_year, kind: kind(series) })
}

/// The cohorts of a market: as many cars as bring its tickets in the month `reference`, and as many later ones as keep that up.
fn blocks(
    market: Market,
    cohorts: &[Cohort],
    profile: &Profile,
    reference: i32,
    cars: f64,
    next: &mut u64,
) -> Vec<Block> {
    let sales = |cohort: &Cohort| {
        if cohort.series.sold_in(market, cohort.model_year) { sales_share(market, cohort.series, profile) } else { 0.0 }
    };
    let on_the_road: f64 = cohorts.iter().map(|cohort| sales(cohort) * cohort.part_sold(reference)).sum();
    let block = |cohort: &Cohort| {
        let sales = sales(cohort);
        if sales <= 0.0 {
            return Block::default();
        }
        let cars = (sales / on_the_road * cars).ceil().max(1.0) as u64;
        let first = *next;
        *next += cars;
        Block { first, cars, sales }
    };
    cohorts.iter().map(block).collect()
}

/// The share of a series in a market's sales: its own where the profile has one, else its part of what is left.
fn sales_share(market: Market, series: ModelSeries, profile: &Profile) -> f64 {
    let own =
        |series: ModelSeries| profile.market_series.get(&market)?.shares.get(series).map(|share| share.get() / 100.0);
    own(series).unwrap_or_else(|| {
        let all = ModelSeries::ALL.iter().copied();
        let taken: f64 = all.clone().filter_map(own).sum();
        let others: f64 =
            all.filter(|series| own(*series).is_none()).map(|series| profile.series.weights.get(series).get()).sum();
        profile.series.weights.get(series).get() / others * (1.0 - taken)
    })
}

/// How large the service centres of a market are, relative to each other.
fn dealer_sizes(seed: u64, market: Market, profile: &Profile) -> Vec<f64> {
    let key = Key::new(seed, market.as_str());
    let sigma = profile.fleet.dealer_size_sigma.get();
    (0..profile.fleet.dealers.get(market).get() as u64)
        .map(|dealer| lognormal_around_one(sigma, key.unit(dealer)))
        .collect()
}

/// Which part of the cars has a share of i / 1024 of the tickets, if their own rates are lognormal with this sigma: the Lorenz
/// curve, the other way round.
fn visitors(sigma: f64) -> Vec<u32> {
    let part = |i: u32| 1.0 - normal_below(normal_quantile(1.0 - f64::from(i) / 1024.0) + sigma);
    (0..=1024).map(|i| (part(i) * f64::from(u32::MAX)) as u32).collect()
}
