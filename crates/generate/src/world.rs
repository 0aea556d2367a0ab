//! Ticket number in, ticket out.
//!
//! A [`World`] is fixed by its four [`WorldParameters`]; the tables built from them at start are all it keeps. The draws of
//! a ticket's fields are independent of each other, but for what the contract ties together: a dealer lies in the
//! ticket's market, a car was sold there and then, and status, times and SLA all come from one [life](crate::life).

use std::ops::Range;

use anyhow::{Context, Result, ensure};
use chrono::NaiveDate;
use ticket_schema::cars::{MODEL_YEARS, ModelSeries};
use ticket_schema::manifest::WorldParameters;
use ticket_schema::ticket::{CustomerId, DealerId, VinLast6};
use ticket_schema::vocabulary::{Category, Channel, Market, Severity};
use ticket_schema::{Ticket, Timestamp};

use crate::draws::{DrawStream, Draws, Use};
use crate::life::Lives;
use crate::weights::Weighted;

/// Everything that tickets are made from.
#[derive(Debug)]
pub struct World {
    parameters: WorldParameters,
    start: Timestamp,
    markets: Weighted<Market>,
    severities: Weighted<Severity>,
    categories: Weighted<Category>,
    channels: Weighted<Channel>,
    /// By newest model year on sale (from the first of [`MODEL_YEARS`]) and market.
    cars: Vec<Vec<Weighted<(ModelSeries, i32)>>>,
    /// When each of [`MODEL_YEARS`] goes on sale.
    model_year_starts: Vec<Timestamp>,
    lives: Lives,
}

impl World {
    /// The world of these parameters. Fails if it would lie before the first cars that the contract knows.
    pub fn new(parameters: WorldParameters) -> Result<Self> {
        let start = parameters.as_of.plus_seconds(-i64::from(parameters.days_back) * 86_400);
        let model_year_starts: Vec<Timestamp> = MODEL_YEARS.filter_map(model_year_start).collect();
        ensure!(parameters.days_back > 0, "--days-back must be at least 1");
        ensure!(
            model_year_starts.first().is_some_and(|first| *first <= start),
            "the period from {start} to {} starts before the first cars (model year {}, on sale from July {}); choose a \
             later --as-of or fewer --days-back",
            parameters.as_of,
            MODEL_YEARS.start(),
            MODEL_YEARS.start() - 1,
        );
        let table = "a table of weights is empty";
        Ok(Self {
            parameters,
            start,
            markets: Weighted::new(Market::ALL.iter().map(|market| (*market, market_weight(*market))))
                .context(table)?,
            severities: Weighted::new(Severity::ALL.iter().copied().zip([5, 15, 45, 35])).context(table)?,
            categories: Weighted::new(Category::ALL.iter().map(|category| (*category, category_weight(*category))))
                .context(table)?,
            channels: Weighted::new(Channel::ALL.iter().copied().zip([25, 20, 30, 15, 10])).context(table)?,
            cars: MODEL_YEARS
                .map(|newest| {
                    Market::ALL.iter().map(|market| cars_on_the_road(*market, newest).context(table)).collect()
                })
                .collect::<Result<_>>()?,
            model_year_starts,
            lives: Lives::new(),
        })
    }

    /// The parameters it was made from.
    pub const fn parameters(&self) -> &WorldParameters {
        &self.parameters
    }

    /// The tickets with these numbers, in order of creation. Each depends on the world and its own number alone.
    pub fn tickets(&self, numbers: Range<u64>) -> impl Iterator<Item = Ticket> {
        let mut draws = DrawStream::at(self.parameters.seed, numbers.start);
        numbers.map(move |n| self.ticket(n, self.parameters.as_of, &draws.next_ticket()))
    }

    /// Ticket `n` as it was at an earlier time than the world's as-of, but not before it was opened.
    pub fn ticket_seen_at(&self, n: u64, as_of: Timestamp) -> Ticket {
        self.ticket(n, as_of, &DrawStream::at(self.parameters.seed, n).next_ticket())
    }

    fn ticket(&self, n: u64, as_of: Timestamp, draws: &Draws) -> Ticket {
        let created_at = self.arrival(n, draws.word(Use::Arrival));
        let market = self.markets.pick(draws.word(Use::Market));
        let severity = self.severities.pick(draws.word(Use::Severity));
        let newest = self.model_year_starts.partition_point(|start| *start <= created_at) - 1;
        let (model_series, model_year) = self.cars[newest][market as usize].pick(draws.word(Use::Car));
        let seen = self.lives.seen(severity, created_at, as_of, draws);
        Ticket {
            ticket_id: uuid::Builder::from_random_bytes(draws.bytes(Use::TicketId)).into_uuid(),
            created_at,
            updated_at: seen.updated_at,
            resolved_at: seen.resolved_at,
            severity,
            status: seen.status,
            category: self.categories.pick(draws.word(Use::Category)),
            channel: self.channels.pick(draws.word(Use::Channel)),
            market,
            dealer_id: DealerId { market, number: dealer_number(market, draws) },
            customer_id: CustomerId::from_bits(u64::from_le_bytes(draws.bytes(Use::Customer))),
            vin_last6: VinLast6::from_number(draws.below(Use::Vin, VinLast6::COUNT)),
            model_series,
            model_year,
            sla_breached: seen.sla_breached,
        }
    }

    /// Ticket `n` of `count` is opened within the n-th of `count` equal slots of the period, so numbers are in time order
    /// and any range of them can be made by itself.
    fn arrival(&self, n: u64, word: u32) -> Timestamp {
        let period_seconds = u128::from(self.parameters.days_back) * 86_400;
        let slots_done = (u128::from(n) << 32) | u128::from(word);
        let place = (slots_done * period_seconds / u128::from(self.parameters.count)) >> 32;
        // The place lies within the period, which is below 2^49 seconds.
        self.start.plus_seconds(place as i64)
    }
}

/// When cars of a model year go on sale: July of the year before.
fn model_year_start(model_year: i32) -> Option<Timestamp> {
    let date = NaiveDate::from_ymd_opt(model_year - 1, 7, 1)?.and_hms_opt(0, 0, 0)?;
    Timestamp::from_seconds(date.and_utc().timestamp())
}

/// The contract's own market weights, in percent.
const fn market_weight(market: Market) -> u32 {
    match market {
        Market::De => 25,
        Market::Us => 20,
        Market::Cn => 15,
        Market::Gb => 10,
        Market::Fr => 7,
        Market::It => 6,
        Market::Jp => 5,
        Market::Kr | Market::Au | Market::Ae => 4,
    }
}

/// Shares of the categories, in per mille. Infotainment leads, then body and trim (J.D. Power VDS 2026); battery and
/// electrical trouble lead the breakdowns (ADAC 2021). The figures themselves are guesses.
const fn category_weight(category: Category) -> u32 {
    match category {
        Category::IDrive => 220,
        Category::Electrical => 160,
        Category::Engine => 120,
        Category::Bodywork => 105,
        Category::Warranty => 95,
        Category::Brake => 85,
        Category::Recall => 65,
        Category::Climate => 55,
        Category::Suspension => 50,
        Category::Other => 45,
    }
}

/// How many service centres a market has (guess, in proportion to the market).
const fn n_dealers(market: Market) -> u32 {
    match market {
        Market::De => 60,
        Market::Us => 48,
        Market::Cn => 40,
        Market::Gb => 28,
        Market::Fr => 20,
        Market::It => 18,
        Market::Jp => 16,
        Market::Kr | Market::Au => 12,
        Market::Ae => 8,
    }
}

fn dealer_number(market: Market, draws: &Draws) -> u16 {
    1 + draws.below(Use::Dealer, n_dealers(market)) as u16
}

/// Every car that was sold in `market` up to the model year `newest`, weighted by the series' sales and the car's age.
fn cars_on_the_road(market: Market, newest: i32) -> Option<Weighted<(ModelSeries, i32)>> {
    let years = || MODEL_YEARS.filter(|year| *year <= newest);
    let sold = |series: ModelSeries| years().filter(move |year| series.sold_in(market, *year));
    let weight = |series, year| series_weight(series) * age_weight(newest - year);
    let cars =
        ModelSeries::ALL.iter().flat_map(|series| sold(*series).map(|year| ((*series, year), weight(*series, year))));
    Weighted::new(cars)
}

/// Sales of a series, in per mille: world, first half of 2024, 1,096,486 cars (bmwblog, 2024-08-01) by pairs of series;
/// the split within a pair is a guess.
const fn series_weight(series: ModelSeries) -> u32 {
    match series {
        ModelSeries::Series3 => 150,
        ModelSeries::X3 => 146,
        ModelSeries::X1 => 110,
        ModelSeries::X5 => 90,
        ModelSeries::Series5 => 84,
        ModelSeries::Series4 => 70,
        ModelSeries::Series1 => 60,
        ModelSeries::X2 => 40,
        ModelSeries::Series2GranCoupe => 36,
        ModelSeries::Ix3 => 30,
        ModelSeries::I4 | ModelSeries::X7 => 28,
        ModelSeries::X6 => 25,
        ModelSeries::Series7 => 22,
        ModelSeries::I5 => 20,
        ModelSeries::Ix1 => 19,
        ModelSeries::Ix => 18,
        ModelSeries::M3 => 12,
        ModelSeries::I7 => 8,
        ModelSeries::M5 => 7,
        ModelSeries::Z4 => 5,
        ModelSeries::Xm => 4,
    }
}

/// How often cars of an age (in model years) come in: more from year to year, then fewer as they leave the dealers for
/// free garages (guess).
const fn age_weight(age: i32) -> u32 {
    match age {
        0 => 4,
        1 => 8,
        2 | 6 => 10,
        3 | 4 => 11,
        5 => 12,
        _ => 9,
    }
}
