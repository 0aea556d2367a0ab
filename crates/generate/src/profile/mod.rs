//! Profiles: the numbers that a world is generated from, as data.
//!
//! `profiles/default.toml` contains all of them, each section with its source. Any other profile is a file with some of
//! these sections, each of which replaces the default one.

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

/// Declares the sections of a profile: all of them in [`Profile`], and the optional ones of a file in `Sections`.
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
                    $($name: self.$name.or(default.$name).context(concat!("the default profile has no section ", stringify!($name)))?,)+
                })
            }
        }
    };
}

sections! {
    /// Share of tickets by market.
    markets: Weights<Market>,
    /// Share of tickets by severity.
    severities: Weights<Severity>,
    /// Share of tickets by channel.
    channels: Weights<Channel>,
    /// Weight of each category, for a four-year-old car with a combustion engine in a mild month.
    categories: Weights<Category>,
    /// Worldwide sales by model series.
    series: Weights<ModelSeries>,
    /// Sales by model series in markets that differ from the world.
    market_series: BTreeMap<Market, MarketSeries>,
    /// Category factors by segment.
    segments: Segments,
    /// Category factors of electric cars.
    powertrains: Powertrains,
    /// Category and visit factors by age of the car.
    ages: Ages,
    /// Category factors by month of the year.
    seasons: Seasons,
    /// Ticket volume by month.
    months: Months,
    /// Ticket volume by day of the week.
    weekdays: Weekdays,
    /// Ticket volume by hour of the day.
    hours: Hours,
    /// Ticket volume on holidays.
    holidays: Holidays,
    /// Random variation of the daily volume.
    days: Days,
    /// Past recalls.
    recalls: BTreeMap<String, Recall>,
    /// Share of recalled cars that are brought in.
    recall_completion: RecallCompletion,
    /// Cars, owners and service centres.
    fleet: FleetNumbers,
    /// Severity factors by category.
    category_severities: CategorySeverities,
    /// Time to resolution.
    resolution: Resolution,
    /// Factors on the time to resolution.
    resolution_factors: ResolutionFactors,
    /// Time to the first response.
    first_answer: FirstAnswer,
    /// Share of tickets with a waiting period.
    waiting: Waiting,
    /// Share of tickets that are re-opened.
    reopening: Reopening,
    /// Time from resolution to closing.
    closing: Closing,
    /// Size and duration of the scenarios' effects.
    scenarios: ScenarioNumbers,
}

impl Profile {
    /// Loads the built-in profile of this name (`default`, `realistic`), or else the file at this path.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be read, is not valid TOML, or contains an invalid value; the message names file, line,
    /// field and expectation.
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

    /// Loads the profile that a manifest names.
    ///
    /// # Errors
    ///
    /// Fails like [`Profile::load`], and if the file has changed since the manifest was written.
    pub fn of(reference: &ProfileRef) -> Result<Self> {
        let profile = Self::load(&reference.name)?;
        if profile.reference != *reference {
            bail!(
                "the profile {} has changed since the tickets were generated; restore it or generate the tickets again",
                reference.name
            );
        }
        Ok(profile)
    }

    /// Returns the profile's name and checksum as recorded in the manifest.
    pub const fn reference(&self) -> &ProfileRef {
        &self.reference
    }

    fn read(text: String, reference: &ProfileRef) -> Result<Self> {
        let name = &reference.name;
        let sections = read_sections(&text).with_context(|| format!("the profile {name} is invalid"))?;
        let profile = sections.or_default(default_sections()?, reference.clone(), text)?;
        profile.check().with_context(|| format!("the profile {name} is invalid"))?;
        Ok(profile)
    }

    /// Checks constraints between several values.
    fn check(&self) -> Result<()> {
        for (market, series) in &self.market_series {
            let total: f64 = ModelSeries::ALL.iter().filter_map(|of| series.shares.get(*of)).map(Weight::get).sum();
            if total >= 100.0 {
                bail!(
                    "market_series.{market}.shares: {total} percent in total; expected less than 100, as other series share the rest"
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
    read_sections(DEFAULT).context("the built-in default profile is invalid")
}
