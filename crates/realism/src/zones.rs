//! The clock of each market: when people there open tickets depends on it.

use chrono::{DateTime, Datelike, Timelike};
use chrono_tz::Tz;
use ticket_schema::vocabulary::Market;

/// The time zone of a market. The United States and Australia have several; the one with most people stands for all (guess).
pub const fn zone(market: Market) -> Tz {
    match market {
        Market::De => Tz::Europe__Berlin,
        Market::Us => Tz::America__New_York,
        Market::Gb => Tz::Europe__London,
        Market::Cn => Tz::Asia__Shanghai,
        Market::Fr => Tz::Europe__Paris,
        Market::It => Tz::Europe__Rome,
        Market::Jp => Tz::Asia__Tokyo,
        Market::Kr => Tz::Asia__Seoul,
        Market::Au => Tz::Australia__Sydney,
        Market::Ae => Tz::Asia__Dubai,
    }
}

/// What a wall clock and a calendar show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// 0 to 23.
    pub hour: u32,
    /// Days since Monday, 0 to 6.
    pub weekday: u32,
}

/// The names of the weekdays, by [`Clock::weekday`].
pub const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// The clock at `seconds` since 1970 in `market`; in UTC if the contract doesn't know the market.
pub fn local_clock(seconds: i64, market: Option<Market>) -> Clock {
    let moment = DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    let zone = market.map_or(Tz::UTC, zone);
    let local = moment.with_timezone(&zone);
    Clock { hour: local.hour(), weekday: local.weekday().num_days_from_monday() }
}

#[cfg(test)]
mod tests {
    use super::{Clock, local_clock};
    use ticket_schema::vocabulary::Market;

    #[test]
    fn clocks_differ_by_market_and_season() {
        let at =
            |text: &str, market| local_clock(chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp(), market);
        // A Monday in summer, a Thursday in winter.
        assert_eq!(at("2026-07-06T23:30:00Z", Some(Market::De)), Clock { hour: 1, weekday: 1 });
        assert_eq!(at("2026-01-01T23:30:00Z", Some(Market::De)), Clock { hour: 0, weekday: 4 });
        assert_eq!(at("2026-07-06T02:00:00Z", Some(Market::Us)), Clock { hour: 22, weekday: 6 });
        assert_eq!(at("2026-01-01T13:30:00Z", Some(Market::Au)), Clock { hour: 0, weekday: 4 });
        assert_eq!(at("2026-07-06T23:30:00Z", None), Clock { hour: 23, weekday: 0 });
    }
}
