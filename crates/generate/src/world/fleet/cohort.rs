//! Cohorts: the cars of one series and model year, their sales and ages.

use ticket_schema::cars::{MODEL_YEARS, ModelSeries};
use ticket_schema::enums::Market;

use crate::profile::{AGES, Profile};

/// The cars of a cohort that have one age in a given month.
#[derive(Clone, Copy, Debug)]
pub struct CohortInMonth {
    /// Model series.
    pub series: ModelSeries,
    /// Model year.
    pub model_year: i32,
    /// Vehicle class, below [`VEHICLE_CLASSES`](super::VEHICLE_CLASSES).
    pub vehicle_class: usize,
    /// Age in model years, below [`AGES`].
    pub age: usize,
}

/// The cars of one series and model year.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cohort {
    pub(super) series: ModelSeries,
    pub(super) model_year: i32,
    pub(super) vehicle_class: u8,
}

/// The cars of a cohort in one market.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CohortBlock {
    pub(super) first: u64,
    /// Total number of cars after twelve months of sales.
    pub(super) cars: u64,
    /// Time between two sales, in months.
    pub(super) months_per_car: f64,
    /// The series' share of the market's sales.
    pub(super) sales: f64,
}

impl Cohort {
    /// Returns the months since the first sale, in July of the year before the model year.
    pub(super) const fn months_since_start(self, month: i32) -> i32 {
        month - ((self.model_year - 1) * 12 + 6)
    }

    /// Returns the number of started months of sales, out of twelve.
    pub(super) fn months_sold(self, month: i32) -> u32 {
        (self.months_since_start(month) + 1).clamp(0, 12).unsigned_abs()
    }

    pub(super) fn part_sold(self, month: i32) -> f64 {
        f64::from(self.months_sold(month)) / 12.0
    }

    /// Returns the age in model years of a car that was sold `month_of_sale` months after the first one.
    pub(super) fn age(self, month: i32, month_of_sale: i32) -> usize {
        ((self.months_since_start(month) - month_of_sale).div_euclid(12).max(0) as usize).min(AGES - 1)
    }

    /// Returns the ages of the cars sold so far, each with its share of all cars of the cohort.
    pub(super) fn ages(self, month: i32) -> impl Iterator<Item = (usize, f64)> {
        let n_months = self.months_sold(month) as i32;
        let age = move |month_of_sale| self.age(month, month_of_sale);
        // Cars sold within twelve months have at most two ages.
        let n_older = (0..n_months).filter(|month_of_sale| age(*month_of_sale) == age(0)).count() as i32;
        let parts = [(age(0), n_older), (age(n_months - 1), n_months - n_older)];
        parts.into_iter().filter(|(_, n)| *n > 0).map(|(age, n)| (age, f64::from(n) / 12.0))
    }
}

/// Returns the vehicle class of a series, below [`VEHICLE_CLASSES`](super::VEHICLE_CLASSES).
pub const fn vehicle_class(series: ModelSeries) -> u8 {
    series.segment() as u8 * 2 + series.is_electric() as u8
}

pub(super) fn cohorts_of(series: ModelSeries) -> impl Iterator<Item = Cohort> {
    MODEL_YEARS
        .filter(move |year| Market::ALL.iter().any(|market| series.sold_in(*market, *year)))
        .map(move |model_year| Cohort { series, model_year, vehicle_class: vehicle_class(series) })
}

/// Returns the cohorts of a market. Their size is chosen so that the cars on the road in the month `reference` generate
/// the market's tickets; later cohorts continue at the same rate.
pub(super) fn cohort_blocks(
    market: Market,
    cohorts: &[Cohort],
    profile: &Profile,
    reference: i32,
    cars: f64,
    next: &mut u64,
) -> Vec<CohortBlock> {
    let sales = |cohort: &Cohort| sales_share(market, cohort.series, cohort.model_year, profile);
    let on_the_road: f64 = cohorts.iter().map(|cohort| sales(cohort) * cohort.part_sold(reference)).sum();
    let block = |cohort: &Cohort| {
        let sales = sales(cohort);
        if sales <= 0.0 {
            return CohortBlock::default();
        }
        let cars = if on_the_road > 0.0 { (sales / on_the_road * cars).ceil().max(1.0) as u64 } else { 1 };
        let first = *next;
        *next += cars;
        CohortBlock { first, cars, months_per_car: 12.0 / cars as f64, sales }
    };
    cohorts.iter().map(block).collect()
}

/// Returns the share of a series in a market's sales of a model year: the market's own figure if the profile has one,
/// otherwise a proportional part of the rest. Series that are not on sale have a share of 0.
fn sales_share(market: Market, series: ModelSeries, model_year: i32, profile: &Profile) -> f64 {
    let own =
        |series: ModelSeries| profile.market_series.get(&market)?.shares.get(series).map(|share| share.get() / 100.0);
    let on_sale = || ModelSeries::ALL.iter().copied().filter(|series| series.sold_in(market, model_year));
    if !series.sold_in(market, model_year) {
        return 0.0;
    }
    own(series).unwrap_or_else(|| {
        let assigned: f64 = on_sale().filter_map(own).sum();
        let others: f64 =
            on_sale().filter(|series| own(*series).is_none()).map(|series| profile.series.weights.get(series)).sum();
        if others > 0.0 { profile.series.weights.get(series) / others * (1.0 - assigned) } else { 0.0 }
    })
}
