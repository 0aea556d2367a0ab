//! Public holidays of the ten markets: days on which service centres are closed nationwide.
//!
//! Fixed dates and rules are common knowledge. Holidays of lunar calendars are tables that end with 2030, which also
//! limits the worlds.

use chrono::{Datelike, Days, NaiveDate, Weekday};
use ticket_schema::enums::Market;

/// Last year with known holidays.
pub const LAST_YEAR: i32 = 2030;

const FIRST_YEAR: i32 = 2017;

/// Month and day of the Chinese New Year, from [`FIRST_YEAR`]. Korea's Seollal is on the same day or, because of the
/// time zone, on the next.
const LUNAR_NEW_YEAR: [(u32, u32); 14] = [
    (1, 28),
    (2, 16),
    (2, 5),
    (1, 25),
    (2, 12),
    (2, 1),
    (1, 22),
    (2, 10),
    (1, 29),
    (2, 17),
    (2, 6),
    (1, 26),
    (2, 13),
    (2, 3),
];

/// Mid-autumn full moon: Chuseok in Korea, Mid-Autumn Festival in China.
const MID_AUTUMN: [(u32, u32); 14] = [
    (10, 4),
    (9, 24),
    (9, 13),
    (10, 1),
    (9, 21),
    (9, 10),
    (9, 29),
    (9, 17),
    (10, 6),
    (9, 25),
    (9, 15),
    (10, 3),
    (9, 22),
    (9, 12),
];

/// First day of Eid al-Fitr in the Emirates. The second one of 2030, in the last days of that year, is omitted.
const EID_AL_FITR: [(u32, u32); 14] = [
    (6, 25),
    (6, 15),
    (6, 4),
    (5, 24),
    (5, 13),
    (5, 2),
    (4, 21),
    (4, 10),
    (3, 30),
    (3, 20),
    (3, 9),
    (2, 26),
    (2, 14),
    (2, 4),
];

/// First day of Eid al-Adha in the Emirates.
const EID_AL_ADHA: [(u32, u32); 14] = [
    (9, 1),
    (8, 21),
    (8, 11),
    (7, 31),
    (7, 20),
    (7, 9),
    (6, 28),
    (6, 16),
    (6, 6),
    (5, 27),
    (5, 16),
    (5, 5),
    (4, 24),
    (4, 13),
];

/// Returns true if `date` is a public holiday in `market`.
pub fn is_holiday(market: Market, date: NaiveDate) -> bool {
    let (month, day) = (date.month(), date.day());
    let fixed = |days: &[(u32, u32)]| days.contains(&(month, day));
    let easter = |offsets: &[i64]| {
        easter_sunday(date.year()).is_some_and(|sunday| offsets.contains(&(date - sunday).num_days()))
    };
    match market {
        Market::De => {
            fixed(&[(1, 1), (5, 1), (10, 3), (12, 24), (12, 25), (12, 26), (12, 31)]) || easter(&[-2, 1, 39, 50])
        }
        Market::Fr => {
            fixed(&[(1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25)]) || easter(&[1, 39, 50])
        }
        Market::It => {
            fixed(&[(1, 1), (1, 6), (4, 25), (5, 1), (6, 2), (8, 15), (11, 1), (12, 8), (12, 25), (12, 26)])
                || easter(&[1])
        }
        Market::Gb => {
            fixed(&[(1, 1), (12, 25), (12, 26)])
                || easter(&[-2, 1])
                || is_nth(date, 5, Weekday::Mon, 1)
                || is_last(date, 5, Weekday::Mon)
                || is_last(date, 8, Weekday::Mon)
        }
        Market::Us => {
            fixed(&[(1, 1), (7, 4), (12, 25)])
                // Federal holiday since 2021.
                || (month, day) == (6, 19) && date.year() >= 2021
                || is_nth(date, 1, Weekday::Mon, 3)
                || is_nth(date, 2, Weekday::Mon, 3)
                || is_last(date, 5, Weekday::Mon)
                || is_nth(date, 9, Weekday::Mon, 1)
                || is_nth(date, 11, Weekday::Thu, 4)
        }
        Market::Au => {
            fixed(&[(1, 1), (1, 26), (4, 25), (12, 25), (12, 26)])
                || easter(&[-2, 1])
                || is_nth(date, 6, Weekday::Mon, 2)
        }
        Market::Jp => {
            fixed(&[(1, 1), (1, 2), (1, 3), (2, 11), (3, 20), (4, 29), (5, 3), (5, 4), (5, 5), (8, 11), (9, 23), (11, 3), (11, 23)])
                // Birthday of the Emperor who acceded in 2019.
                || (month, day) == (2, 23) && date.year() >= 2020
                || is_nth(date, 1, Weekday::Mon, 2)
                || is_nth(date, 7, Weekday::Mon, 3)
                || is_nth(date, 9, Weekday::Mon, 3)
                || is_nth(date, 10, Weekday::Mon, 2)
        }
        Market::Kr => {
            fixed(&[(1, 1), (3, 1), (5, 5), (6, 6), (8, 15), (10, 3), (10, 9), (12, 25)])
                || lunar(date, &LUNAR_NEW_YEAR, -1..=1)
                || lunar(date, &MID_AUTUMN, -1..=1)
        }
        Market::Cn => {
            let qingming = if date.year() % 4 >= 2 { 5 } else { 4 };
            fixed(&[(1, 1), (4, qingming), (5, 1), (5, 2), (5, 3)])
                || (month == 10 && day <= 7)
                || lunar(date, &LUNAR_NEW_YEAR, -1..=6)
                || lunar(date, &MID_AUTUMN, 0..=0)
        }
        Market::Ae => {
            fixed(&[(1, 1), (12, 2), (12, 3)]) || lunar(date, &EID_AL_FITR, 0..=2) || lunar(date, &EID_AL_ADHA, -1..=2)
        }
    }
}

/// Returns Easter Sunday of the Gregorian calendar (Meeus, Jones and Butcher).
fn easter_sunday(year: i32) -> Option<NaiveDate> {
    let (a, b, c) = (year % 19, year / 100, year % 100);
    let moon = (19 * a + b - b / 4 - (b - (b + 8) / 25 + 1) / 3 + 15) % 30;
    let weekday = (32 + 2 * (b % 4) + 2 * (c / 4) - moon - c % 4) % 7;
    let late = (a + 11 * moon + 22 * weekday) / 451;
    let days = moon + weekday - 7 * late + 114;
    NaiveDate::from_ymd_opt(year, days.unsigned_abs() / 31, days.unsigned_abs() % 31 + 1)
}

fn lunar(date: NaiveDate, days: &[(u32, u32)], around: std::ops::RangeInclusive<i64>) -> bool {
    let days_of = |year: i32| days.get(usize::try_from(year - FIRST_YEAR).ok()?).copied();
    days_of(date.year())
        .and_then(|(month, day)| NaiveDate::from_ymd_opt(date.year(), month, day))
        .is_some_and(|first| around.contains(&(date - first).num_days()))
}

fn is_nth(date: NaiveDate, month: u32, weekday: Weekday, n: u32) -> bool {
    date.month() == month && date.weekday() == weekday && date.day().div_ceil(7) == n
}

fn is_last(date: NaiveDate, month: u32, weekday: Weekday) -> bool {
    let in_a_week = date.checked_add_days(Days::new(7));
    date.month() == month && date.weekday() == weekday && in_a_week.is_none_or(|date| date.month() != month)
}

#[cfg(test)]
mod tests {
    use super::{easter_sunday, is_holiday};
    use chrono::NaiveDate;
    use ticket_schema::enums::Market;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn easter_matches_known_dates() {
        for text in ["2018-04-01", "2019-04-21", "2021-04-04", "2024-03-31", "2026-04-05", "2030-04-21"] {
            assert_eq!(easter_sunday(text[..4].parse().unwrap()), Some(date(text)));
        }
    }

    #[test]
    fn movable_holidays_match_known_dates() {
        for (market, text) in [
            (Market::De, "2026-05-14"),
            (Market::Us, "2026-11-26"),
            (Market::Us, "2024-05-27"),
            (Market::Gb, "2026-08-31"),
            (Market::Cn, "2024-02-10"),
            (Market::Kr, "2025-10-06"),
            (Market::Ae, "2026-03-20"),
            (Market::Au, "2026-06-08"),
        ] {
            assert!(is_holiday(market, date(text)), "{market} {text}");
        }
        for (market, text) in [
            (Market::De, "2026-05-15"),
            (Market::Us, "2020-06-19"),
            (Market::Us, "2026-11-19"),
            (Market::Gb, "2026-08-24"),
        ] {
            assert!(!is_holiday(market, date(text)), "{market} {text}");
        }
    }
}
