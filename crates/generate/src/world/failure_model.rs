//! Category and severity of a ticket.

use ticket_schema::cars::Segment;
use ticket_schema::enums::{Category, Market, Severity, StringEnum};

use crate::profile::{AGES, Factor, Profile, Sparse};
use crate::rng::categorical::Categorical;
use crate::world::calendar::Climate;
use crate::world::fleet::{Car, VEHICLE_CLASSES};

const CATEGORIES: usize = Category::ALL.len();
const SEVERITIES: usize = Severity::ALL.len();
const MONTHS: usize = 12;

/// Iterations of proportional fitting; it converges to machine precision much earlier.
const ITERATIONS: usize = 100;

/// Number of tickets by category and age.
pub type TicketsByCategoryAndAge = [[f64; AGES]; CATEGORIES];

/// Distributions of the category.
#[derive(Debug)]
pub struct Categories {
    /// By climate, month, vehicle class and age.
    shares: Vec<Categorical<CATEGORIES>>,
}

impl Categories {
    /// Computes the distributions of a profile.
    pub fn new(profile: &Profile) -> Self {
        let mut shares = Vec::with_capacity(Climate::ALL.len() * MONTHS * VEHICLE_CLASSES * AGES);
        for climate in Climate::ALL {
            for month in 0..MONTHS {
                for vehicle_class in 0..VEHICLE_CLASSES {
                    shares.extend(
                        (0..AGES).map(|age| Categorical::new(&weights(profile, climate, month, vehicle_class, age))),
                    );
                }
            }
        }
        Self { shares }
    }

    /// Samples the category of a baseline ticket in a month (from 0).
    pub fn sample(&self, market: Market, month0: usize, car: &Car, word: u32) -> Category {
        Category::ALL[self.at(market, month0, usize::from(car.vehicle_class), usize::from(car.age)).sample(word)]
    }

    /// Returns a category's share of the baseline tickets of a vehicle class and age.
    pub fn share(&self, category: Category, market: Market, month0: usize, vehicle_class: usize, age: usize) -> f64 {
        self.at(market, month0, vehicle_class, age).share(category as usize)
    }

    fn at(&self, market: Market, month0: usize, vehicle_class: usize, age: usize) -> &Categorical<CATEGORIES> {
        &self.shares[((Climate::of(market) as usize * MONTHS + month0) * VEHICLE_CLASSES + vehicle_class) * AGES + age]
    }
}

fn weights(profile: &Profile, climate: Climate, month0: usize, vehicle_class: usize, age: usize) -> [f64; CATEGORIES] {
    let (segment, is_electric) = (Segment::VALUES[vehicle_class / 2], vehicle_class % 2 == 1);
    let month = climate.northern_month(month0);
    let season = if climate == Climate::Desert { &profile.seasons.desert } else { &profile.seasons.temperate };
    let combustion = std::array::from_fn(|i| {
        let category = Category::ALL[i];
        profile.categories.weights.get(category)
            * factor(profile.segments.factors.of(segment), category)
            * profile.ages.factors.get(category).map_or(1.0, |by_age| by_age[age].get())
            * season.get(category).map_or(1.0, |by_month| by_month[month].get())
    });
    if is_electric { electric(profile, &combustion) } else { combustion }
}

/// Converts the weights of a combustion car to those of an electric one: some categories have a share of their own, the
/// remaining ones are scaled to fill the rest.
fn electric(profile: &Profile, combustion: &[f64; CATEGORIES]) -> [f64; CATEGORIES] {
    let factors = &profile.powertrains.factors.electric;
    let total: f64 = combustion.iter().sum();
    let fixed = |i: usize| factors.get(Category::ALL[i]).map(|factor| combustion[i] / total * factor.get());
    let assigned: f64 = (0..CATEGORIES).filter_map(fixed).sum();
    let others: f64 = (0..CATEGORIES).filter(|i| fixed(*i).is_none()).map(|i| combustion[i]).sum();
    let rest = if others > 0.0 { (1.0 - assigned).max(0.0) / others } else { 0.0 };
    std::array::from_fn(|i| fixed(i).unwrap_or(combustion[i] * rest))
}

fn factor(factors: &Sparse<Category, Factor>, category: Category) -> f64 {
    factors.get(category).map_or(1.0, Factor::get)
}

/// Distributions of the severity, by category and age.
#[derive(Debug)]
pub struct Severities {
    shares: [[Categorical<SEVERITIES>; AGES]; CATEGORIES],
}

impl Severities {
    /// Computes the distributions of a profile. The weights are fitted so that over `tickets` the severities have the
    /// profile's shares (iterative proportional fitting).
    pub fn new(profile: &Profile, tickets: &TicketsByCategoryAndAge) -> Self {
        let target = profile.severities.weights.shares();
        let mut weights: [f64; SEVERITIES] = std::array::from_fn(|severity| target[severity]);
        let total: f64 = tickets.iter().flatten().sum();
        for _ in 0..ITERATIONS {
            let mut shares = [0.0; SEVERITIES];
            for (category, ages) in Category::ALL.iter().zip(tickets) {
                for (age, tickets) in ages.iter().enumerate() {
                    let parts = parts(profile, &weights, *category, age);
                    let sum: f64 = parts.iter().sum();
                    for (share, part) in shares.iter_mut().zip(parts) {
                        *share += tickets / total * part / sum;
                    }
                }
            }
            for ((weight, target), share) in weights.iter_mut().zip(&target).zip(shares) {
                if share > 0.0 {
                    *weight *= target / share;
                }
            }
        }
        let shares =
            |category: usize, age: usize| Categorical::new(&parts(profile, &weights, Category::ALL[category], age));
        Self { shares: std::array::from_fn(|category| std::array::from_fn(|age| shares(category, age))) }
    }

    /// Samples the severity.
    pub fn sample(&self, category: Category, age: u8, word: u32) -> Severity {
        Severity::ALL[self.shares[category as usize][usize::from(age)].sample(word)]
    }
}

fn parts(profile: &Profile, weights: &[f64; SEVERITIES], category: Category, age: usize) -> [f64; SEVERITIES] {
    let factors = profile.category_severities.factors.get(category);
    let older = libm::pow(profile.category_severities.a_year_older.get(), age as f64);
    std::array::from_fn(|i| {
        let urgent = matches!(Severity::ALL[i], Severity::P1 | Severity::P2);
        weights[i] * factors[i].get() * if urgent { older } else { 1.0 }
    })
}
