//! What determines every ticket: the parameters of a world, and the part of it that a run makes.

use serde::{Deserialize, Serialize};

use ticket_schema::cars::ModelSeries;
use ticket_schema::enums::{Category, Market};
use ticket_schema::string_enum;
use ticket_schema::ticket::DealerId;
use ticket_schema::time::Timestamp;

const DAY_SECONDS: i64 = 86_400;

/// What determines every byte of every ticket.
///
/// All but `as_of` determines what a ticket is and what will become of it; `as_of` only how much of that has been seen. A
/// world goes on for ever at the rate of its first period, so a later `as_of` adds tickets and changes none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorldParameters {
    /// The seed.
    pub seed: u64,
    /// The present: no ticket knows of anything later.
    pub as_of: Timestamp,
    /// No ticket is opened earlier.
    pub world_start: Timestamp,
    /// How many days the first period has, from `world_start` on.
    pub days_back: u32,
    /// How many tickets are opened in the first period.
    pub count: u64,
    /// Where the world's weights come from.
    pub profile: ProfileRef,
    /// What happens in it out of the ordinary.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scenarios: Vec<Scenario>,
}

impl WorldParameters {
    /// A world of the default profile, without scenarios, whose first period ends at `as_of`.
    pub fn new(seed: u64, as_of: Timestamp, days_back: u32, count: u64) -> Self {
        let world_start = as_of.plus_seconds(-i64::from(days_back) * DAY_SECONDS);
        Self { seed, as_of, world_start, days_back, count, profile: ProfileRef::default(), scenarios: Vec::new() }
    }

    /// The end of the first period.
    pub const fn first_period_end(&self) -> Timestamp {
        self.world_start.plus_seconds(self.days_back as i64 * DAY_SECONDS)
    }
}

/// A profile, by name or file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileRef {
    /// `default`, `realistic`, or the path of a file.
    pub name: String,
    /// CRC-64/NVME of a file's content, as in [`FileEntry`](crate::FileEntry); none for the named ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crc64nvme: Option<String>,
}

impl Default for ProfileRef {
    fn default() -> Self {
        Self { name: "default".to_owned(), crc64nvme: None }
    }
}

string_enum! {
    /// Something out of the ordinary with a known effect.
    Scenario("scenario") {
        /// A recall is announced and its cars come in, many at first, then fewer.
        Recall = "recall",
        /// Frost kills batteries for some days.
        ColdWave = "cold-wave",
        /// A service centre does nothing for some days.
        DealerOutage = "dealer-outage",
    }
}

/// What a scenario does: which tickets it touches, when, and how many there are with and without it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScenarioEffect {
    /// The scenario.
    pub scenario: Scenario,
    /// When it begins.
    pub from: Timestamp,
    /// When it ends; a recall's wave goes on, weaker and weaker, but is counted to here.
    pub until: Timestamp,
    /// Where.
    pub markets: Vec<Market>,
    /// The service centre that does nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dealer_id: Option<DealerId>,
    /// The cars; all of them if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub model_series: Vec<ModelSeries>,
    /// First and last model year of the cars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_years: Option<(i32, i32)>,
    /// The category of the tickets that it adds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Category>,
    /// Tickets to be expected of these markets, cars and category, opened from `from` to `until`.
    pub expected_tickets: f64,
    /// The same in a world of as many tickets in which nothing happens.
    pub expected_without: f64,
    /// One over the other; for an outage 1, as it adds no tickets: of the centre's tickets none is resolved while it lasts.
    pub uplift: f64,
}

/// Part `index` of `of` equal parts, counted from one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// Which part, from 1.
    pub index: u32,
    /// How many parts there are.
    pub of: u32,
}

impl std::fmt::Display for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

impl std::str::FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let (index, of) = text.split_once('/')?;
            Some(Self { index: index.parse().ok()?, of: of.parse().ok()? })
        };
        parse()
            .filter(|shard| (1..=shard.of).contains(&shard.index))
            .ok_or_else(|| format!("`{text}` is not a shard: expected I/N with I from 1 to N, as in 2/5"))
    }
}
