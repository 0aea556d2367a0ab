//! Temporary surges of demand: recalls and cold waves.
//!
//! A surge's height in a market is a multiple of the baseline of the same hour, so it follows the hours, weekdays and
//! holidays of the baseline.

use chrono::Datelike;
use ticket_schema::Timestamp;
use ticket_schema::cars::ModelSeries;
use ticket_schema::enums::{Category, Market};

use crate::profile::{Profile, Recall};

const DAY_SECONDS: f64 = 86_400.0;

/// End of a surge, as a multiple of `decay_days`; its level is then below one thousandth.
const END_IN_DECAY_TIMES: f64 = 7.0;

/// Tickets in addition to the baseline.
#[derive(Clone, Debug)]
pub struct DemandSurge {
    /// Start, inclusive.
    pub from: Timestamp,
    /// End, exclusive.
    pub until: Timestamp,
    /// Height by market, as a multiple of the baseline.
    pub uplift: [f64; Market::ALL.len()],
    /// Rise and decay; a surge without a shape has a constant level.
    pub shape: Option<SurgeShape>,
    /// Category of its tickets.
    pub category: Category,
    /// Cars that it affects; all cars if `None`.
    pub cars: Option<RecalledCars>,
}

/// Rise and decay of a surge.
#[derive(Clone, Copy, Debug)]
pub struct SurgeShape {
    /// Days from the start to the peak.
    pub rise_days: f64,
    /// Time constant of the exponential decay, in days.
    pub decay_days: f64,
}

/// The cars of a recall.
#[derive(Clone, Debug)]
pub struct RecalledCars {
    /// Recalled model series.
    pub series: Vec<ModelSeries>,
    /// First and last recalled model year.
    pub model_years: (i32, i32),
}

impl DemandSurge {
    /// Returns the surges of past recalls, ordered by name.
    pub fn of_recalls(profile: &Profile) -> Vec<Self> {
        profile.recalls.values().map(Self::of_recall).collect()
    }

    fn of_recall(recall: &Recall) -> Self {
        let uplift = std::array::from_fn(|market| recall.uplift.get(Market::ALL[market]).get());
        let cars = RecalledCars { series: recall.series.clone(), model_years: recall.model_years };
        let shape = SurgeShape { rise_days: recall.rise_days.get(), decay_days: recall.decay_days.get() };
        Self::recall(recall.announced, uplift, shape, cars)
    }

    /// Creates the surge of a recall announced at `from`. Its height is 0 in markets where none of the cars has been
    /// sold by then.
    pub fn recall(from: Timestamp, uplift: [f64; Market::ALL.len()], shape: SurgeShape, cars: RecalledCars) -> Self {
        let until = from.plus_seconds((END_IN_DECAY_TIMES * shape.decay_days * DAY_SECONDS) as i64);
        let uplift =
            std::array::from_fn(
                |market| {
                    if cars.are_on_the_road(Market::ALL[market], from) { uplift[market] } else { 0.0 }
                },
            );
        Self { from, until, uplift, shape: Some(shape), category: Category::Recall, cars: Some(cars) }
    }

    /// Returns the level at a point in time, relative to the height: at most 1, and 0 outside `from..until`.
    pub fn level(&self, time: Timestamp) -> f64 {
        if !(self.from..self.until).contains(&time) {
            return 0.0;
        }
        let days = (time.seconds() - self.from.seconds()) as f64 / DAY_SECONDS;
        self.shape.map_or(1.0, |shape| (days / shape.rise_days).min(1.0) * libm::exp(-days / shape.decay_days))
    }
}

impl RecalledCars {
    fn are_on_the_road(&self, market: Market, time: Timestamp) -> bool {
        let date = time.to_chrono();
        // A model year is on sale from July of the year before.
        let newest = date.year() + i32::from(date.month() >= 7);
        let years = || self.model_years.0..=self.model_years.1.min(newest);
        self.series.iter().any(|series| years().any(|year| series.sold_in(market, year)))
    }

    /// Returns true if a car is recalled.
    pub fn contains(&self, series: ModelSeries, model_year: i32) -> bool {
        self.series.contains(&series) && (self.model_years.0..=self.model_years.1).contains(&model_year)
    }
}
