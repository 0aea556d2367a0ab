//! The contract's timestamp: whole seconds, UTC, formatted as RFC 3339 with a `Z`.

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A point in time in whole seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// The error of a text that is not a timestamp in the contract's format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a time: expected whole seconds as in 2026-11-22T00:00:00Z, or a date as in 2026-11-22")]
pub struct BadTimestamp(String);

const DAY_SECONDS: i64 = 86_400;

impl Timestamp {
    /// Returns the time `seconds` after 1970-01-01T00:00:00Z, or `None` outside the years of RFC 3339 (0 to 9999).
    pub fn from_seconds(seconds: i64) -> Option<Self> {
        let moment = DateTime::from_timestamp(seconds, 0)?;
        (0..=9999).contains(&chrono::Datelike::year(&moment)).then_some(Self(seconds))
    }

    /// Returns the seconds since 1970-01-01T00:00:00Z.
    pub const fn seconds(self) -> i64 {
        self.0
    }

    /// Returns midnight UTC of a day, counted from 1970-01-01.
    pub const fn from_day(day: i64) -> Self {
        Self(day.saturating_mul(DAY_SECONDS))
    }

    /// Returns its UTC day, counted from 1970-01-01.
    pub const fn day(self) -> i64 {
        self.0.div_euclid(DAY_SECONDS)
    }

    /// Returns the time `seconds` later (earlier if negative).
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// Returns midnight UTC of the day of `moment`.
    pub fn midnight_before(moment: DateTime<Utc>) -> Self {
        Self::from_day(Self(moment.timestamp()).day())
    }

    /// Converts to chrono's type, for calendar arithmetic.
    pub fn to_chrono(self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.0, 0).unwrap_or_default()
    }

    /// Formats it for file names: `20261122_000000`.
    pub fn compact(self) -> String {
        self.to_chrono().format("%Y%m%d_%H%M%S").to_string()
    }
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.to_chrono().to_rfc3339_opts(SecondsFormat::Secs, true))
    }
}

impl std::str::FromStr for Timestamp {
    type Err = BadTimestamp;

    /// Parses RFC 3339 with any offset, or a date, which stands for midnight UTC.
    fn from_str(text: &str) -> Result<Self, BadTimestamp> {
        let bad = || BadTimestamp(text.to_owned());
        let moment = match DateTime::parse_from_rfc3339(text) {
            Ok(moment) => moment.to_utc(),
            Err(_) => NaiveDate::parse_from_str(text, "%Y-%m-%d")
                .ok()
                .and_then(|date| date.and_hms_opt(0, 0, 0))
                .ok_or_else(bad)?
                .and_utc(),
        };
        if moment.timestamp_subsec_nanos() != 0 {
            return Err(bad());
        }
        Self::from_seconds(moment.timestamp()).ok_or_else(bad)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::Timestamp;

    #[test]
    fn dates_and_offsets_are_parsed_and_other_texts_rejected() {
        let seconds = |text: &str| text.parse::<Timestamp>().map(Timestamp::seconds);
        assert_eq!(seconds("1970-01-02"), Ok(86_400));
        assert_eq!(seconds("1970-01-01T00:00:01Z"), Ok(1));
        assert_eq!(seconds("1970-01-01T01:00:00+01:00"), Ok(0));
        for text in ["", "now", "2026-02-30", "2026-01-01T00:00:00", "2026-01-01T00:00:00.5Z", "99999-01-01"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }

    #[test]
    fn formatted_timestamps_parse_to_the_same_value() {
        for text in ["2026-11-22T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"] {
            assert_eq!(text.parse::<Timestamp>().map(|t| t.to_string()).as_deref(), Ok(text));
        }
        assert_eq!(
            "2026-11-22T01:02:03Z".parse::<Timestamp>().map(Timestamp::compact).as_deref(),
            Ok("20261122_010203")
        );
    }
}
