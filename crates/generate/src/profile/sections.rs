//! The sections of a profile: what each holds, and where that comes from.

use serde::Deserialize;
use ticket_schema::Timestamp;
use ticket_schema::cars::{ModelSeries, Segment};
use ticket_schema::enums::{Category, Channel, Market, Severity};

use super::values::{Dealers, Factor, Full, Rate, Share, Sparse, Weight, WeightSeries, Weighting};

/// How many ages in model years are told apart; the last stands for all older cars.
pub const AGES: usize = 10;

/// Where the numbers of a section come from.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// Whether they are known.
    pub basis: Basis,
    /// Who says so, or what the guess goes by.
    pub source: String,
    /// Which year they are of.
    pub year: Option<u16>,
}

/// Whether a number is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    /// The ticket contract fixes it.
    Contract,
    /// Somebody measured it.
    Sourced,
    /// It is plausible, and measured by nobody.
    Guess,
}

/// Declares a section: its values, and what it says about them.
macro_rules! section {
    ($(#[$meta:meta])* $name:ident $(<$key:ident>)? { $($(#[$doc:meta])* $field:ident: $type:ty,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        #[serde(bound = "")]
        pub struct $name $(<$key: ticket_schema::enums::StringEnum>)? {
            /// Where the numbers come from.
            pub about: Option<About>,
            $($(#[$doc])* pub $field: $type,)+
        }
    };
}

section! {
    /// Relative weights.
    Weights<K> {
        /// By value.
        weights: Weighting<K>,
    }
}
section! {
    /// What one market buys.
    MarketSeries {
        /// Percent of the market's sales; the other series share the rest.
        shares: Sparse<ModelSeries, Weight>,
    }
}
section! {
    /// Factors on the categories' weights, by segment.
    Segments {
        /// By segment, then category; 1 where there is none.
        factors: Full<Segment, CategoryFactors>,
    }
}
section! {
    /// Factors on the categories' shares, by powertrain; the other categories divide the rest among them.
    Powertrains {
        /// By powertrain; combustion is what all else is measured by.
        factors: PowertrainFactors,
    }
}
section! {
    /// What age does.
    Ages {
        /// How often a car comes.
        visits: [Factor; AGES],
        /// Factors on the categories' weights; 1 where there are none.
        factors: Sparse<Category, [Factor; AGES]>,
    }
}
section! {
    /// What the season does, from January: factors on the categories' weights.
    Seasons {
        /// Where winters are cold; the south has the same, half a year later.
        temperate: Sparse<Category, [Factor; 12]>,
        /// Where they aren't.
        desert: Sparse<Category, [Factor; 12]>,
    }
}
section! {
    /// Factors on the volume.
    Months {
        /// From January.
        factors: [Factor; 12],
    }
}
section! {
    /// Factors on the volume, from the first working day of the week on.
    Weekdays {
        /// Where people have to be there.
        opening: [Factor; 7],
        /// Where they needn't be.
        online: [Factor; 7],
    }
}
section! {
    /// Factors on the volume, by local hour.
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
    /// Factors on the volume.
    Holidays {
        /// On a public holiday.
        holiday: Factor,
        /// On the day after.
        day_after: Factor,
    }
}
section! {
    /// How much days vary.
    Days {
        /// The standard deviation of a market's day, as a part of its mean.
        spread: Share,
    }
}
section! {
    /// A recall and its wave of tickets.
    Recall {
        /// When it was announced.
        announced: Timestamp,
        /// Which cars.
        series: Vec<ModelSeries>,
        /// First and last model year.
        model_years: (i32, i32),
        /// The wave's tickets, as a multiple of the market's ordinary ones, if it didn't fall while it rises.
        uplift: Full<Market, Weight>,
        /// How many days it takes until the wave is at its height.
        rise_days: Factor,
        /// How many days it takes until it is down to 1/e.
        decay_days: Factor,
    }
}
section! {
    /// Who follows a recall.
    RecallCompletion {
        /// The share of cars that come in.
        by_age: [Share; AGES],
    }
}
section! {
    /// The cars, their owners and the service centres.
    FleetNumbers {
        /// Tickets of the average car a year.
        tickets_a_year: Factor,
        /// Spread of the cars' own rates: the sigma of a lognormal distribution.
        rate_sigma: Factor,
        /// The share of cars that belong to businesses.
        business_share: Share,
        /// How many cars a business has.
        business_cars: Factor,
        /// Spread of the service centres' sizes: the sigma of a lognormal distribution.
        dealer_size_sigma: Factor,
        /// Service centres of each market.
        dealers: Full<Market, Dealers>,
    }
}
section! {
    /// How bad what is.
    CategorySeverities {
        /// Factors on the severities' weights.
        factors: Full<Category, [Factor; 4]>,
        /// The factor on P1 and P2 for each model year of age.
        a_year_older: Factor,
    }
}
section! {
    /// Time to resolution before any factor.
    Resolution {
        /// The median.
        median_hours: Full<Severity, Factor>,
        /// The share that misses the SLA target.
        breach_rate: Full<Severity, Rate>,
    }
}
section! {
    /// Factors on the time to resolution.
    ResolutionFactors {
        /// What it is about.
        categories: Full<Category, Factor>,
        /// How it reached us.
        channels: Full<Channel, Factor>,
        /// Where.
        markets: Full<Market, Factor>,
        /// Spread of the service centres' own factors: the sigma of a lognormal distribution.
        dealer_sigma: Factor,
    }
}
section! {
    /// Time to the first answer: lognormal.
    FirstAnswer {
        /// The median.
        median_hours: Full<Channel, Factor>,
        /// The sigma.
        sigma: Factor,
    }
}
section! {
    /// What rests on the way.
    Waiting {
        /// The share of tickets.
        shares: Full<Category, Share>,
    }
}
section! {
    /// What comes back.
    Reopening {
        /// The share of tickets.
        share: Share,
    }
}
section! {
    /// When a resolved ticket is closed: evenly between two times after its last resolution.
    Closing {
        /// At the earliest.
        shortest_days: Factor,
        /// At the latest.
        longest_days: Factor,
    }
}
section! {
    /// What the scenarios do.
    ScenarioNumbers {
        /// Recall tickets, as a multiple of the market's ordinary ones, if the wave didn't fall while it rises.
        recall_uplift: Factor,
        /// How many days it takes until the wave is at its height.
        recall_rise_days: Factor,
        /// How many days it takes until the wave is down to 1/e.
        recall_decay_days: Factor,
        /// How long a cold wave lasts.
        cold_wave_days: Factor,
        /// Tickets that it adds, as a multiple of the market's ordinary ones.
        cold_wave_uplift: Factor,
        /// How long a service centre does nothing.
        dealer_outage_days: Factor,
    }
}

/// Factors on some categories' weights; 1 for the others.
pub type CategoryFactors = Sparse<Category, Factor>;

/// Factors on the categories' shares, by powertrain.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PowertrainFactors {
    /// Of electric cars.
    pub electric: CategoryFactors,
}
