//! A profile: the numbers that a world is made from, as data.
//!
//! `profiles/default.toml` holds all of them, each section with its source. Another profile is a file with some sections of
//! its own, which replace the default ones.

mod explain;
mod values;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use cli_support::checksum::Checksum;
use serde::Deserialize;
use ticket_schema::Timestamp;
use ticket_schema::cars::{ModelSeries, Segment};
use ticket_schema::manifest::ProfileRef;
use ticket_schema::vocabulary::{Category, Channel, Market, Severity};

pub use explain::explain;
pub use values::{Factor, Full, Rate, Share, Sparse, Weight};

const DEFAULT: &str = include_str!("../../profiles/default.toml");
const REALISTIC: &str = include_str!("../../profiles/realistic.toml");

/// How many ages in model years are told apart; the last stands for all older cars.
pub const AGES: usize = 10;

/// Declares the sections of a profile: all of them in [`Profile`], and those that a file happens to hold in `Sections`.
macro_rules! sections {
    ($($(#[$doc:meta])* $name:ident: $type:ty,)+) => {
        /// The numbers of a world.
        #[derive(Clone, Debug)]
        pub struct Profile {
            reference: ProfileRef,
            text: String,
            $($(#[$doc])* pub $name: $type,)+
        }

        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Sections {
            $($name: Option<$type>,)+
        }

        impl Sections {
            fn or_default(self, default: Self, reference: ProfileRef, text: String) -> Result<Profile> {
                Ok(Profile {
                    reference,
                    text,
                    $($name: self.$name.or(default.$name).context(concat!("the default profile lacks ", stringify!($name)))?,)+
                })
            }
        }
    };
}

sections! {
    /// Where tickets come from.
    markets: Weights<Market>,
    /// How bad they are.
    severities: Weights<Severity>,
    /// How they reach us.
    channels: Weights<Channel>,
    /// What they are about, for a car of four years with a combustion engine in a mild month.
    categories: Weights<Category>,
    /// Which cars are sold, over the world.
    series: Weights<ModelSeries>,
    /// Which cars are sold in a market, where that differs.
    market_series: BTreeMap<Market, MarketSeries>,
    /// What breaks in which kind of car.
    segments: Segments,
    /// What breaks in electric cars.
    powertrains: Powertrains,
    /// What breaks when, in a car's life.
    ages: Ages,
    /// What breaks when, in the year.
    seasons: Seasons,
    /// How many tickets there are in each month.
    months: Months,
    /// How many on each day of the week.
    weekdays: Weekdays,
    /// How many at each hour.
    hours: Hours,
    /// How many on holidays.
    holidays: Holidays,
    /// How much days vary.
    days: Days,
    /// Recalls that have happened.
    recalls: BTreeMap<String, Recall>,
    /// Who follows a recall.
    recall_completion: RecallCompletion,
    /// The cars and those who own and mend them.
    fleet: FleetNumbers,
    /// How bad what is.
    category_severities: CategorySeverities,
    /// How long it takes.
    resolution: Resolution,
    /// Who is faster and who is slower.
    resolution_factors: ResolutionFactors,
    /// How long it takes until somebody answers.
    first_answer: FirstAnswer,
    /// What rests on the way.
    waiting: Waiting,
    /// What comes back.
    reopening: Reopening,
    /// When a resolved ticket is closed.
    closing: Closing,
    /// What the scenarios do.
    scenarios: ScenarioNumbers,
}

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
        pub struct $name $(<$key: ticket_schema::vocabulary::FixedText>)? {
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
        weights: Full<K, Weight>,
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
    /// Factors on the categories' weights, by powertrain.
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
        opening: [Weight; 24],
        /// BMW App.
        app: [Weight; 24],
        /// Email.
        email: [Weight; 24],
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
        /// Tickets on the first day, as a multiple of the market's ordinary ones.
        uplift: Full<Market, Weight>,
        /// How many days it takes until a wave is down to 1/e.
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
        /// Service centres of each market, at most 999.
        dealers: Full<Market, Weight>,
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
        /// The median time from resolution to objection.
        median_hours: Factor,
        /// Its sigma.
        sigma: Factor,
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
        /// Recall tickets on the first day, as a multiple of the market's ordinary ones.
        recall_uplift: Factor,
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

/// Factors on the categories' weights, by powertrain.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PowertrainFactors {
    /// Of electric cars.
    pub electric: CategoryFactors,
}

impl Profile {
    /// The profile of this name (`default`, `realistic`) or else in this file.
    ///
    /// An error names the file, line and field, and what was expected there.
    pub fn load(name: &str) -> Result<Self> {
        match name {
            "default" => Self::read(DEFAULT.to_owned(), ProfileRef::default()),
            "realistic" => Self::read(REALISTIC.to_owned(), ProfileRef { name: name.to_owned(), crc64nvme: None }),
            file => {
                let text = std::fs::read_to_string(Path::new(file)).with_context(|| {
                    format!("cannot read the profile {file} (expected `default`, `realistic` or a TOML file)")
                })?;
                let mut checksum = Checksum::default();
                checksum.update(text.as_bytes());
                let reference = ProfileRef { name: file.to_owned(), crc64nvme: Some(checksum.to_base64()) };
                Self::read(text, reference)
            }
        }
    }

    /// The profile that a manifest names. Fails if it is a file that has changed since.
    pub fn of(reference: &ProfileRef) -> Result<Self> {
        let profile = Self::load(&reference.name)?;
        if profile.reference != *reference {
            bail!("the profile {} is not what it was when the tickets were made", reference.name);
        }
        Ok(profile)
    }

    /// Its name, as the manifest has it.
    pub const fn reference(&self) -> &ProfileRef {
        &self.reference
    }

    fn read(text: String, reference: ProfileRef) -> Result<Self> {
        let name = &reference.name;
        let sections = sections(&text).with_context(|| format!("the profile {name} can't be used"))?;
        let profile = sections.or_default(sections_of_default()?, reference.clone(), text)?;
        profile.check().with_context(|| format!("the profile {name} can't be used"))?;
        Ok(profile)
    }

    /// What the single values can't show.
    fn check(&self) -> Result<()> {
        for (name, total) in [
            ("markets", self.markets.total()),
            ("severities", self.severities.total()),
            ("channels", self.channels.total()),
            ("categories", self.categories.total()),
            ("series", self.series.total()),
            ("hours.opening", self.hours.opening.iter().map(|weight| weight.get()).sum()),
            ("hours.app", self.hours.app.iter().map(|weight| weight.get()).sum()),
            ("hours.email", self.hours.email.iter().map(|weight| weight.get()).sum()),
        ] {
            if total <= 0.0 {
                bail!("{name}: all weights are 0; at least one must be above");
            }
        }
        for market in Market::ALL {
            let dealers = self.fleet.dealers.get(*market).get();
            if !(1.0..=999.0).contains(&dealers) {
                bail!("fleet.dealers.{market}: {dealers} service centres; expected 1 to 999");
            }
        }
        for (market, series) in &self.market_series {
            let total: f64 = ModelSeries::ALL.iter().filter_map(|of| series.shares.get(*of)).map(Weight::get).sum();
            if total >= 100.0 {
                bail!(
                    "market_series.{market}.shares: {total} percent; expected less than 100, the rest is for other series"
                );
            }
        }
        if self.closing.longest_days.get() < self.closing.shortest_days.get() {
            bail!("closing: longest_days is less than shortest_days");
        }
        for severity in Severity::ALL {
            let (median, target) = (self.resolution.median_hours.get(*severity).get(), severity.sla_target_hours());
            if median >= f64::from(target) {
                bail!(
                    "resolution.median_hours.{severity}: {median} hours; expected less than its SLA target, {target} hours"
                );
            }
        }
        Ok(())
    }
}

impl<K: ticket_schema::vocabulary::FixedText> Weights<K> {
    fn total(&self) -> f64 {
        K::VALUES.iter().map(|key| self.weights.get(*key).get()).sum()
    }
}

fn sections(text: &str) -> Result<Sections> {
    Ok(toml::from_str(text)?)
}

fn sections_of_default() -> Result<Sections> {
    sections(DEFAULT).context("the default profile is broken")
}
