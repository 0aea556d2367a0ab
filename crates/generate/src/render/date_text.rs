//! Timestamps as text: `2026-11-22T08:30:00Z`.

use ticket_schema::Timestamp;

use super::digits::{clock, decimal};

const DAY_SECONDS: u64 = 86_400;

/// `2026-11-22`.
type DateText = [u8; 10];

/// Formatter with the precomputed dates of a period; other dates are formatted on demand.
#[derive(Debug)]
pub(crate) struct TimestampFormatter {
    /// Start of the first day, in seconds since 1970.
    start: i64,
    dates: Vec<DateText>,
}

impl TimestampFormatter {
    /// Formats the days from `first` to `last`, both counted from 1970-01-01.
    pub(crate) fn new(first: i64, last: i64) -> Self {
        Self { start: Timestamp::from_day(first).seconds(), dates: (first..=last).map(date_text).collect() }
    }

    /// Formats a timestamp: `2026-11-22T08:30:00Z`.
    #[allow(clippy::inline_always, reason = "inlined three times a line; as a call it costs 2 % of the time of a line")]
    #[inline(always)]
    pub(crate) fn format(&self, time: Timestamp) -> [u8; 20] {
        // Times before the period wrap around to a day far beyond the table.
        let since_start = time.seconds().wrapping_sub(self.start) as u64;
        let (date, second) = match self.dates.get((since_start / DAY_SECONDS) as usize) {
            Some(date) => (*date, since_start % DAY_SECONDS),
            None => (date_text(time.day()), time.seconds().rem_euclid(DAY_SECONDS as i64) as u64),
        };
        let mut text = *b"0000-00-00T00:00:00Z";
        text[..10].copy_from_slice(&date);
        text[11..19].copy_from_slice(&clock(second as u32));
        text
    }
}

fn date_text(day: i64) -> DateText {
    let (year, month, day) = civil_date(day);
    let mut text = *b"0000-00-00";
    text[..4].copy_from_slice(&decimal(year));
    text[5..7].copy_from_slice(&decimal(month)[2..]);
    text[8..].copy_from_slice(&decimal(day)[2..]);
    text
}

/// Converts a day counted from 1970-01-01 to year, month and day of the proleptic Gregorian calendar, from the year 0
/// on.
///
/// Years start on 1 March, so that the leap day is the last day of a year (Howard Hinnant, "chrono-Compatible Low-Level
/// Date Algorithms").
fn civil_date(days_since_1970: i64) -> (u32, u32, u32) {
    let days = (days_since_1970 + 719_468) as u32;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u32::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::TimestampFormatter;
    use ticket_schema::Timestamp;

    fn text(formatter: &TimestampFormatter, time: Timestamp) -> String {
        String::from_utf8(formatter.format(time).to_vec()).unwrap()
    }

    #[test]
    fn dates_match_chrono_for_ten_millennia() {
        let day = |date: &str| date.parse::<Timestamp>().unwrap().day();
        let formatter = TimestampFormatter::new(day("1900-01-01"), day("2100-12-31"));
        for day in day("0000-03-01")..=day("9999-12-31") {
            let time = Timestamp::from_day(day);
            assert_eq!(text(&formatter, time), time.to_string());
        }
    }

    #[test]
    fn times_match_chrono_for_every_second_of_a_day() {
        let midnight: Timestamp = "2024-02-29".parse().unwrap();
        let (near, far) = (TimestampFormatter::new(midnight.day(), midnight.day()), TimestampFormatter::new(0, 0));
        for second in 0..86_400 {
            let time = midnight.plus_seconds(second);
            assert_eq!(text(&near, time), time.to_string());
            assert_eq!(text(&far, time), time.to_string());
        }
        // Before 1970, where seconds are negative.
        let time: Timestamp = "1969-12-31T23:59:58Z".parse().unwrap();
        assert_eq!(text(&far, time), time.to_string());
    }
}
