//! World parameters, which determine every ticket, and the shard of a world that a run generates.

use serde::{Deserialize, Serialize};

use ticket_schema::cars::ModelSeries;
use ticket_schema::enums::{Category, Market};
use ticket_schema::string_enum;
use ticket_schema::ticket::DealerId;
use ticket_schema::time::Timestamp;

const DAY_SECONDS: i64 = 86_400;

/// The parameters that determine every byte of every ticket.
///
/// All parameters but `as_of` determine a ticket's full lifecycle; `as_of` determines how much of it is visible. A world
/// continues without end at the rate of its first period, so a later `as_of` adds tickets and lifecycle events and alters no
/// past one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorldParameters {
    /// Seed of the random number generators.
    pub seed: u64,
    /// The snapshot time: later events are not visible.
    pub as_of: Timestamp,
    /// The earliest creation time of a ticket.
    pub world_start: Timestamp,
    /// Length of the first period in days, from `world_start`.
    pub days_back: u32,
    /// Number of tickets created in the first period.
    pub count: u64,
    /// The profile that holds the world's weights.
    pub profile: ProfileRef,
    /// Scenarios, in the order in which they were given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scenarios: Vec<Scenario>,
}

impl WorldParameters {
    /// Creates a world of the default profile, without scenarios, whose first period ends at `as_of`.
    pub fn new(seed: u64, as_of: Timestamp, days_back: u32, count: u64) -> Self {
        let world_start = as_of.plus_seconds(-i64::from(days_back) * DAY_SECONDS);
        Self { seed, as_of, world_start, days_back, count, profile: ProfileRef::default(), scenarios: Vec::new() }
    }

    /// Returns the end of the first period.
    pub const fn first_period_end(&self) -> Timestamp {
        self.world_start.plus_seconds(self.days_back as i64 * DAY_SECONDS)
    }
}

/// A profile, by name or file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileRef {
    /// `default`, `realistic`, or the path of a file.
    pub name: String,
    /// CRC-64/NVME of a file's content, as in [`FileEntry`](crate::FileEntry); `None` for built-in profiles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crc64nvme: Option<String>,
}

impl Default for ProfileRef {
    fn default() -> Self {
        Self { name: "default".to_owned(), crc64nvme: None }
    }
}

string_enum! {
    /// A scenario: an event with a known effect on the tickets.
    Scenario("scenario") {
        /// A recall: a surge of tickets that decays over time.
        Recall = "recall",
        /// A cold wave: more battery failures for some days.
        ColdWave = "cold-wave",
        /// A service centre that resolves no tickets for some days.
        DealerOutage = "dealer-outage",
    }
}

/// The effect of a scenario: affected tickets, period, and expected counts with and without it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScenarioEffect {
    /// The scenario.
    pub scenario: Scenario,
    /// Start of the effect.
    pub from: Timestamp,
    /// End of the effect. A recall's surge decays beyond it, but is counted up to here.
    pub until: Timestamp,
    /// Affected markets.
    pub markets: Vec<Market>,
    /// The service centre of an outage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dealer_id: Option<DealerId>,
    /// Affected model series; all if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub model_series: Vec<ModelSeries>,
    /// First and last affected model year.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_years: Option<(i32, i32)>,
    /// Category of the added tickets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Category>,
    /// Expected number of tickets of these markets, cars and category, created from `from` to `until`.
    pub expected_tickets: f64,
    /// Expected number in a world of the same size without the scenario.
    pub expected_without: f64,
    /// `expected_tickets / expected_without`. An outage has 1: it adds no tickets, but resolves none of the centre's while
    /// it lasts.
    pub uplift: f64,
}

/// Shard `index` of `of` equal shards, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// Number of the shard, from 1.
    pub index: u32,
    /// Number of shards.
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
