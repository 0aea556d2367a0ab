//! A profile: the numbers that a world is made from, as data.
//!
//! `profiles/default.toml` holds all of them, each section with its source. Another profile is a file with some sections of
//! its own, which replace the default ones.

mod explain;
mod sections;
mod values;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use manifest::ProfileRef;
use publish::Checksum;
use serde::Deserialize;
use ticket_schema::cars::ModelSeries;
use ticket_schema::enums::{Category, Channel, Market, Severity};

pub use explain::explain;
pub use sections::*;
pub use values::{Dealers, Factor, Full, Rate, Share, Sparse, Weight, WeightSeries, Weighting};

const DEFAULT: &str = include_str!("../../profiles/default.toml");
const REALISTIC: &str = include_str!("../../profiles/realistic.toml");

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

impl Profile {
    /// The profile of this name (`default`, `realistic`) or else in this file.
    ///
    /// An error names the file, line and field, and what was expected there.
    pub fn load(name: &str) -> Result<Self> {
        match name {
            "default" => Self::read(DEFAULT.to_owned(), &ProfileRef::default()),
            "realistic" => Self::read(REALISTIC.to_owned(), &ProfileRef { name: name.to_owned(), crc64nvme: None }),
            file => {
                let text = std::fs::read_to_string(Path::new(file)).with_context(|| {
                    format!("cannot read the profile {file} (expected `default`, `realistic` or a TOML file)")
                })?;
                let mut checksum = Checksum::default();
                checksum.update(text.as_bytes());
                let reference = ProfileRef { name: file.to_owned(), crc64nvme: Some(checksum.to_base64()) };
                Self::read(text, &reference)
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

    fn read(text: String, reference: &ProfileRef) -> Result<Self> {
        let name = &reference.name;
        let sections = read_sections(&text).with_context(|| format!("the profile {name} can't be used"))?;
        let profile = sections.or_default(default_sections()?, reference.clone(), text)?;
        profile.check().with_context(|| format!("the profile {name} can't be used"))?;
        Ok(profile)
    }

    /// What the single values can't show.
    fn check(&self) -> Result<()> {
        for (market, series) in &self.market_series {
            let total: f64 = ModelSeries::ALL.iter().filter_map(|of| series.shares.get(*of)).map(Weight::get).sum();
            if total >= 100.0 {
                bail!(
                    "market_series.{market}.shares: {total} percent; expected less than 100, the rest is for other series"
                );
            }
        }
        for (name, recall) in &self.recalls {
            if recall.model_years.0 > recall.model_years.1 {
                bail!("recalls.{name}.model_years: the first is later than the last");
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

fn read_sections(text: &str) -> Result<Sections> {
    Ok(toml::from_str(text)?)
}

fn default_sections() -> Result<Sections> {
    read_sections(DEFAULT).context("the default profile is broken")
}
