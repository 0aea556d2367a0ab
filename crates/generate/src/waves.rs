//! What adds tickets for a while: recalls and cold waves.
//!
//! A wave's height in a market is a multiple of the ordinary tickets of the same hour, so it follows the clock, the week and
//! the holidays as they do.

use ticket_schema::Timestamp;
use ticket_schema::cars::ModelSeries;
use ticket_schema::vocabulary::{Category, Market};

use crate::profile::{Profile, Recall};

const DAY_SECONDS: f64 = 86_400.0;

/// How many times `decay_days` a wave goes on; it is below a thousandth then.
const FADED: f64 = 7.0;

/// Tickets that come on top of the ordinary ones.
#[derive(Clone, Debug)]
pub struct Wave {
    /// The first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub until: Timestamp,
    /// Its height at first, by market, as a multiple of the ordinary tickets.
    pub uplift: [f64; Market::ALL.len()],
    /// How many days it takes until it is down to 1/e; a wave without stays as high as it is.
    pub decay_days: Option<f64>,
    /// What its tickets are about.
    pub category: Category,
    /// Which cars it brings; any, if there are none.
    pub cars: Option<Recalled>,
}

/// The cars of a recall.
#[derive(Clone, Debug)]
pub struct Recalled {
    /// Their series.
    pub series: Vec<ModelSeries>,
    /// Their first and last model year.
    pub model_years: (i32, i32),
}

impl Wave {
    /// The waves of the recalls that have happened, in the order of their names.
    pub fn of_recalls(profile: &Profile) -> Vec<Self> {
        profile.recalls.values().map(Self::of_recall).collect()
    }

    fn of_recall(recall: &Recall) -> Self {
        let uplift = std::array::from_fn(|market| recall.uplift.get(Market::ALL[market]).get());
        let cars = Recalled { series: recall.series.clone(), model_years: recall.model_years };
        Self::recall(recall.announced, uplift, recall.decay_days.get(), cars)
    }

    /// The wave of a recall announced at `from`.
    pub fn recall(from: Timestamp, uplift: [f64; Market::ALL.len()], decay_days: f64, cars: Recalled) -> Self {
        let until = from.plus_seconds((FADED * decay_days * DAY_SECONDS) as i64);
        Self { from, until, uplift, decay_days: Some(decay_days), category: Category::Recall, cars: Some(cars) }
    }

    /// What of its first height is left at a point in time: 1 at first, 0 before and after.
    pub fn level(&self, moment: Timestamp) -> f64 {
        if !(self.from..self.until).contains(&moment) {
            return 0.0;
        }
        let days = (moment.seconds() - self.from.seconds()) as f64 / DAY_SECONDS;
        self.decay_days.map_or(1.0, |decay_days| libm::exp(-days / decay_days))
    }
}

impl Recalled {
    /// Whether a car is one of them.
    pub fn contains(&self, series: ModelSeries, model_year: i32) -> bool {
        self.series.contains(&series) && (self.model_years.0..=self.model_years.1).contains(&model_year)
    }
}
