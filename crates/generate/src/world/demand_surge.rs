//! What adds tickets for a while: recalls and cold surges.
//!
//! A surge's height in a market is a multiple of the baseline tickets of the same hour, so it follows the clock, the week and
//! the holidays as they do.

use chrono::Datelike;
use ticket_schema::Timestamp;
use ticket_schema::cars::ModelSeries;
use ticket_schema::enums::{Category, Market};

use crate::profile::{Profile, Recall};

const DAY_SECONDS: f64 = 86_400.0;

/// How many times `decay_days` a surge goes on; it is below a thousandth then.
const FADED: f64 = 7.0;

/// Tickets that come on top of the baseline ones.
#[derive(Clone, Debug)]
pub struct DemandSurge {
    /// The first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub until: Timestamp,
    /// Its height, by market, as a multiple of the baseline tickets.
    pub uplift: [f64; Market::ALL.len()],
    /// How it rises and falls; a surge without is as high as it is from its beginning to its end.
    pub course: Option<SurgeShape>,
    /// What its tickets are about.
    pub category: Category,
    /// Which cars it brings; any, if there are none.
    pub cars: Option<RecalledCars>,
}

/// How a surge rises and falls.
#[derive(Clone, Copy, Debug)]
pub struct SurgeShape {
    /// How many days it takes until it is at its height.
    pub rise_days: f64,
    /// How many days it takes until it is down to 1/e.
    pub decay_days: f64,
}

/// The cars of a recall.
#[derive(Clone, Debug)]
pub struct RecalledCars {
    /// Their series.
    pub series: Vec<ModelSeries>,
    /// Their first and last model year.
    pub model_years: (i32, i32),
}

impl DemandSurge {
    /// The surges of the recalls that have happened, in the order of their names.
    pub fn of_recalls(profile: &Profile) -> Vec<Self> {
        profile.recalls.values().map(Self::of_recall).collect()
    }

    fn of_recall(recall: &Recall) -> Self {
        let uplift = std::array::from_fn(|market| recall.uplift.get(Market::ALL[market]).get());
        let cars = RecalledCars { series: recall.series.clone(), model_years: recall.model_years };
        let course = SurgeShape { rise_days: recall.rise_days.get(), decay_days: recall.decay_days.get() };
        Self::recall(recall.announced, uplift, course, cars)
    }

    /// The surge of a recall announced at `from`. Where none of its cars has been sold by then, it is of no height.
    pub fn recall(from: Timestamp, uplift: [f64; Market::ALL.len()], course: SurgeShape, cars: RecalledCars) -> Self {
        let until = from.plus_seconds((FADED * course.decay_days * DAY_SECONDS) as i64);
        let uplift =
            std::array::from_fn(
                |market| {
                    if cars.are_on_the_road(Market::ALL[market], from) { uplift[market] } else { 0.0 }
                },
            );
        Self { from, until, uplift, course: Some(course), category: Category::Recall, cars: Some(cars) }
    }

    /// What of its height there is at a point in time: at most 1, and 0 before and after.
    pub fn level(&self, moment: Timestamp) -> f64 {
        if !(self.from..self.until).contains(&moment) {
            return 0.0;
        }
        let days = (moment.seconds() - self.from.seconds()) as f64 / DAY_SECONDS;
        self.course.map_or(1.0, |course| (days / course.rise_days).min(1.0) * libm::exp(-days / course.decay_days))
    }
}

impl RecalledCars {
    fn are_on_the_road(&self, market: Market, moment: Timestamp) -> bool {
        let date = moment.to_chrono();
        // A model year is on sale from July of the year before.
        let newest = date.year() + i32::from(date.month() >= 7);
        let years = || self.model_years.0..=self.model_years.1.min(newest);
        self.series.iter().any(|series| years().any(|year| series.sold_in(market, year)))
    }

    /// Whether a car is one of them.
    pub fn contains(&self, series: ModelSeries, model_year: i32) -> bool {
        self.series.contains(&series) && (self.model_years.0..=self.model_years.1).contains(&model_year)
    }
}
