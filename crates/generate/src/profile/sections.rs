//! The sections of a profile: their values, and the source of these.

use serde::Deserialize;
use ticket_schema::Timestamp;
use ticket_schema::cars::{ModelSeries, Segment};
use ticket_schema::enums::{Category, Channel, Market, Severity};

use super::values::{Dealers, Factor, Full, Rate, Share, Sparse, Weight, WeightSeries, Weighting};

/// Number of ages in model years; the last one includes all older cars.
pub const AGES: usize = 10;

/// Provenance of the numbers of a section.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// Reliability of the numbers.
    pub basis: Basis,
    /// Publication that the numbers are taken from, or reasoning behind the guess.
    pub source: String,
    /// Year that the numbers refer to.
    pub year: Option<u16>,
}

/// Reliability of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    /// Fixed by the ticket contract.
    Contract,
    /// Taken from a published measurement.
    Sourced,
    /// Plausible, but not measured.
    Guess,
}

/// Declares a section: its values and their provenance.
macro_rules! section {
    ($(#[$meta:meta])* $name:ident $(<$key:ident>)? { $($(#[$doc:meta])* $field:ident: $type:ty,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        #[serde(bound = "")]
        pub struct $name $(<$key: ticket_schema::enums::StringEnum>)? {
            /// Provenance of the numbers.
            pub about: Option<About>,
            $($(#[$doc])* pub $field: $type,)+
        }
    };
}

section! {
    /// Relative weights.
    Weights<K> {
        /// Weight of each value.
        weights: Weighting<K>,
    }
}
section! {
    /// Sales mix of one market.
    MarketSeries {
        /// Percentage of the market's sales; the remaining series share the rest.
        shares: Sparse<ModelSeries, Weight>,
    }
}
section! {
    /// Factors on the categories' weights, by segment.
    Segments {
        /// By segment, then category; 1 if absent.
        factors: Full<Segment, CategoryFactors>,
    }
}
section! {
    /// Factors on the categories' shares, by powertrain; the remaining categories are scaled to fill the rest.
    Powertrains {
        /// By powertrain; combustion is the reference.
        factors: PowertrainFactors,
    }
}
section! {
    /// Effects of a car's age, by age in model years.
    Ages {
        /// Relative frequency of visits.
        visits: [Factor; AGES],
        /// Factors on the categories' weights; 1 if absent.
        factors: Sparse<Category, [Factor; AGES]>,
    }
}
section! {
    /// Effects of the season: factors on the categories' weights, from January.
    Seasons {
        /// Markets with cold winters; the southern hemisphere is shifted by half a year.
        temperate: Sparse<Category, [Factor; 12]>,
        /// Markets without cold winters.
        desert: Sparse<Category, [Factor; 12]>,
    }
}
section! {
    /// Factors on the ticket volume.
    Months {
        /// From January.
        factors: [Factor; 12],
    }
}
section! {
    /// Factors on the ticket volume, from the first working day of the week.
    Weekdays {
        /// Channels with opening hours.
        opening: [Factor; 7],
        /// Online channels.
        online: [Factor; 7],
    }
}
section! {
    /// Factors on the ticket volume, by local hour.
    Hours {
        /// Phone, Walk-In and Dealer Portal.
        opening: WeightSeries<24>,
        /// BMW App.
        app: WeightSeries<24>,
        /// Email.
        email: WeightSeries<24>,
    }
}
section! {
    /// Factors on the ticket volume.
    Holidays {
        /// On a public holiday.
        holiday: Factor,
        /// On the day after.
        day_after: Factor,
    }
}
section! {
    /// Random variation of the daily volume.
    Days {
        /// Standard deviation of a market's daily factor, relative to its mean.
        spread: Share,
    }
}
section! {
    /// A recall and its surge of tickets.
    Recall {
        /// Date of the announcement.
        announced: Timestamp,
        /// Recalled model series.
        series: Vec<ModelSeries>,
        /// First and last recalled model year.
        model_years: (i32, i32),
        /// Peak of the surge before decay, as a multiple of the market's baseline tickets.
        uplift: Full<Market, Weight>,
        /// Days from the announcement to the peak.
        rise_days: Factor,
        /// Time constant of the exponential decay, in days.
        decay_days: Factor,
    }
}
section! {
    /// Completion rate of recalls.
    RecallCompletion {
        /// Share of recalled cars that are brought in, by age in model years.
        by_age: [Share; AGES],
    }
}
section! {
    /// Cars, owners and service centres.
    FleetNumbers {
        /// Tickets per car and year, on average.
        tickets_a_year: Factor,
        /// Spread of the cars' visit rates: sigma of a lognormal distribution.
        rate_sigma: Factor,
        /// Share of cars owned by businesses.
        business_share: Share,
        /// Number of cars per business.
        business_cars: Factor,
        /// Spread of the service centres' sizes: sigma of a lognormal distribution.
        dealer_size_sigma: Factor,
        /// Number of service centres per market.
        dealers: Full<Market, Dealers>,
    }
}
section! {
    /// Severity factors by category.
    CategorySeverities {
        /// Factors on the severities' weights, P1 to P4.
        factors: Full<Category, [Factor; 4]>,
        /// Factor on P1 and P2 per model year of age.
        a_year_older: Factor,
    }
}
section! {
    /// Time to resolution before any factor is applied.
    Resolution {
        /// Median in hours, by severity.
        median_hours: Full<Severity, Factor>,
        /// Share of tickets that miss the SLA target, by severity.
        breach_rate: Full<Severity, Rate>,
    }
}
section! {
    /// Factors on the time to resolution.
    ResolutionFactors {
        /// By category.
        categories: Full<Category, Factor>,
        /// By channel.
        channels: Full<Channel, Factor>,
        /// By market.
        markets: Full<Market, Factor>,
        /// Spread of the service centres' factors: sigma of a lognormal distribution.
        dealer_sigma: Factor,
    }
}
section! {
    /// Time to the first response: lognormal.
    FirstAnswer {
        /// Median in hours, by channel.
        median_hours: Full<Channel, Factor>,
        /// Sigma of the distribution.
        sigma: Factor,
    }
}
section! {
    /// Waiting periods, for parts or for the customer.
    Waiting {
        /// Share of tickets with a waiting period, by category.
        shares: Full<Category, Share>,
    }
}
section! {
    /// Re-opened tickets.
    Reopening {
        /// Share of tickets that are re-opened once.
        share: Share,
    }
}
section! {
    /// Time from the last resolution to closing: uniform between two limits.
    Closing {
        /// Lower limit in days.
        shortest_days: Factor,
        /// Upper limit in days.
        longest_days: Factor,
    }
}
section! {
    /// Size and duration of the scenarios' effects.
    ScenarioNumbers {
        /// Peak of the recall surge before decay, as a multiple of the market's baseline tickets.
        recall_uplift: Factor,
        /// Days from the announcement to the peak.
        recall_rise_days: Factor,
        /// Time constant of the exponential decay, in days.
        recall_decay_days: Factor,
        /// Duration of a cold wave in days, rounded up.
        cold_wave_days: Factor,
        /// Additional tickets during a cold wave, as a multiple of the market's baseline tickets.
        cold_wave_uplift: Factor,
        /// Duration of a service centre's outage in days, rounded up.
        dealer_outage_days: Factor,
    }
}

/// Factors on some categories' weights; 1 for the others.
pub type CategoryFactors = Sparse<Category, Factor>;

/// Factors on the categories' shares, by powertrain.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PowertrainFactors {
    /// Factors of electric cars.
    pub electric: CategoryFactors,
}
