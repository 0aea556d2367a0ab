//! Local time of a market: hour of the week, holidays and season.

pub mod holidays;

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, Timelike, Utc};
use chrono_tz::Tz;
use ticket_schema::Timestamp;
use ticket_schema::enums::Market;

/// Number of hours in a week.
pub const WEEK_HOURS: usize = 7 * 24;

/// Climate zone, as far as it affects cars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Climate {
    /// Cold in January.
    Temperate,
    /// Cold in July.
    South,
    /// Never cold, and very hot in July.
    Desert,
}

impl Climate {
    /// Every climate.
    pub const ALL: [Self; 3] = [Self::Temperate, Self::South, Self::Desert];

    /// Returns the climate of a market.
    pub const fn of(market: Market) -> Self {
        match market {
            Market::Au => Self::South,
            Market::Ae => Self::Desert,
            _ => Self::Temperate,
        }
    }

    /// Returns the northern-hemisphere month (from 0) with the same weather.
    pub const fn northern_month(self, month0: usize) -> usize {
        match self {
            Self::South => (month0 + 6) % 12,
            Self::Temperate | Self::Desert => month0,
        }
    }
}

/// A local hour of a market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalHour {
    /// Local date.
    pub date: NaiveDate,
    /// Hours since the start of the working week, from 0 to [`WEEK_HOURS`] - 1.
    pub hour_of_week: u8,
}

impl LocalHour {
    /// Converts a point in time to `market`'s local time.
    pub fn at(market: Market, time: DateTime<Utc>) -> Self {
        let local: NaiveDateTime = time.with_timezone(&time_zone(market)).naive_local();
        let day = working_day(market, local.date());
        Self { date: local.date(), hour_of_week: (day * 24 + local.hour()) as u8 }
    }
}

/// Returns a market's time zone. The United States count as one zone (guess).
const fn time_zone(market: Market) -> Tz {
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

/// Returns the day of the working week, from 0; 5 and 6 are the weekend. In the Emirates that was Friday and Saturday
/// until 2021.
pub fn working_day(market: Market, date: NaiveDate) -> u32 {
    let from_monday = date.weekday().num_days_from_monday();
    if market == Market::Ae && date.year() < 2022 { (from_monday + 1) % 7 } else { from_monday }
}

/// Returns true if a date is the first working day after a holiday.
pub fn is_day_after_holiday(market: Market, date: NaiveDate) -> bool {
    let is_weekend = |date| working_day(market, date) >= 5;
    if is_weekend(date) || holidays::is_holiday(market, date) {
        return false;
    }
    // The uninterrupted days off before `date`.
    let days_before = (1..).map_while(|days| date.checked_sub_days(Days::new(days)));
    let mut rest = days_before.take_while(|date| is_weekend(*date) || holidays::is_holiday(market, *date));
    rest.any(|date| holidays::is_holiday(market, date))
}

/// Returns the month of a point in time, counted from January of the year 0.
pub fn month(time: Timestamp) -> i32 {
    let date = time.to_chrono();
    date.year() * 12 + date.month0() as i32
}

#[cfg(test)]
mod tests {
    use super::{LocalHour, working_day};
    use ticket_schema::Timestamp;
    use ticket_schema::enums::Market;

    fn hour_of_week(market: Market, text: &str) -> u8 {
        LocalHour::at(market, text.parse::<Timestamp>().unwrap().to_chrono()).hour_of_week
    }

    #[test]
    fn local_hours_follow_daylight_saving_time() {
        // 2026-03-29, a Sunday (day 6): daylight saving time starts in Berlin; in New York it starts on 2026-03-08.
        assert_eq!(hour_of_week(Market::De, "2026-03-29T00:00:00Z"), 6 * 24 + 1);
        assert_eq!(hour_of_week(Market::De, "2026-03-29T01:00:00Z"), 6 * 24 + 3);
        assert_eq!(hour_of_week(Market::Us, "2026-03-08T06:00:00Z"), 6 * 24 + 1);
        assert_eq!(hour_of_week(Market::Us, "2026-03-08T07:00:00Z"), 6 * 24 + 3);
        // Thursdays in January and July in the southern hemisphere.
        assert_eq!(hour_of_week(Market::Au, "2026-01-01T00:00:00Z"), 3 * 24 + 11);
        assert_eq!(hour_of_week(Market::Au, "2026-07-02T00:00:00Z"), 3 * 24 + 10);
    }

    #[test]
    fn emirates_weekend_changes_in_2022() {
        let day = |text: &str| working_day(Market::Ae, text.parse().unwrap());
        // Friday and Sunday before and after the change.
        assert_eq!((day("2021-12-24"), day("2021-12-26")), (5, 0));
        assert_eq!((day("2022-01-07"), day("2022-01-09")), (4, 6));
    }
}
