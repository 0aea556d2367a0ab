//! Timestamps as text: `2026-11-22T08:30:00`.

use ticket_schema::Timestamp;

use super::digits::{clock, decimal};
use super::template::put;

const DAY_SECONDS: u64 = 86_400;

/// `2026-11-22T`, padded to the width of a vector register.
type DateText = [u8; 16];
const DATE_LEN: usize = 11;

/// Precomputed texts of a period's days; other days are formatted on demand.
#[derive(Debug)]
pub(crate) struct DateTexts {
    /// Start of the first day, in seconds since 1970.
    start: i64,
    days: Vec<DateText>,
}

impl DateTexts {
    /// Formats the days from `first` to `last`, both counted from 1970-01-01.
    pub(crate) fn new(first: i64, last: i64) -> Self {
        Self { start: Timestamp::from_day(first).seconds(), days: (first..=last).map(date_text).collect() }
    }

    /// Writes `2026-11-22T08:30:00` to the 19 bytes from `at`.
    #[inline]
    pub(crate) fn put(&self, line: &mut [u8], at: usize, time: Timestamp) {
        // Times before the period wrap around to an index far beyond the table.
        let since_start = time.seconds().wrapping_sub(self.start) as u64;
        if let Some(date) = self.days.get((since_start / DAY_SECONDS) as usize) {
            put(line, at, date);
            put(line, at + DATE_LEN, &clock((since_start % DAY_SECONDS) as u32));
        } else {
            put_uncached(line, at, time);
        }
    }
}

#[cold]
fn put_uncached(line: &mut [u8], at: usize, time: Timestamp) {
    put(line, at, &date_text(time.day()));
    put(line, at + DATE_LEN, &clock(time.seconds().rem_euclid(DAY_SECONDS as i64) as u32));
}

fn date_text(day: i64) -> DateText {
    let (year, month, day) = civil_date(day);
    let mut text = *b"0000-00-00T     ";
    text[0..4].copy_from_slice(&decimal(year));
    text[5..7].copy_from_slice(&decimal(month)[2..]);
    text[8..10].copy_from_slice(&decimal(day)[2..]);
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
    use super::DateTexts;
    use ticket_schema::Timestamp;

    fn text(texts: &DateTexts, time: Timestamp) -> String {
        let mut line = *b"...................Z....";
        texts.put(&mut line, 0, time);
        String::from_utf8(line[..20].to_vec()).unwrap()
    }

    #[test]
    fn dates_match_chrono_for_ten_millennia() {
        let day = |date: &str| date.parse::<Timestamp>().unwrap().day();
        let texts = DateTexts::new(day("1900-01-01"), day("2100-12-31"));
        for day in day("0000-03-01")..=day("9999-12-31") {
            let time = Timestamp::from_day(day);
            assert_eq!(text(&texts, time), time.to_string());
        }
    }

    #[test]
    fn times_match_chrono_for_every_second_of_a_day() {
        let midnight: Timestamp = "2024-02-29".parse().unwrap();
        let (near, far) = (DateTexts::new(midnight.day(), midnight.day()), DateTexts::new(0, 0));
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
