//! Parses RFC 3339 timestamps with any offset and any fraction, and rejects dates and times that do not exist.

/// A point in time with nanosecond resolution. Further digits of a fraction are truncated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DateTime {
    seconds: i64,
    nanoseconds: u32,
}

/// The supported range in seconds since 1970: from 0001-01-01T00:00:00Z to before 10000-01-01T00:00:00Z, which every engine
/// represents.
const RANGE_SECONDS: std::ops::Range<i64> = -62_135_596_800..253_402_300_800;

impl DateTime {
    /// Returns milliseconds since 1970-01-01T00:00:00Z, rounded down: the unit of the Parquet files.
    pub const fn milliseconds(self) -> i64 {
        self.seconds * 1000 + (self.nanoseconds / 1_000_000) as i64
    }

    /// Returns whole seconds since 1970-01-01T00:00:00Z, rounded up.
    pub const fn seconds_rounded_up(self) -> i64 {
        self.seconds + (self.nanoseconds > 0) as i64
    }

    /// Parses a timestamp.
    ///
    /// # Errors
    ///
    /// Returns the reason, as the predicate of a sentence, if the text is not an RFC 3339 timestamp in the years 1 to 9999.
    /// Leap seconds (`23:59:60`) are invalid, because no engine represents them.
    #[inline]
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let common = text.as_bytes().try_into().ok().and_then(Self::parse_common);
        common.map_or_else(|| Self::parse_any(text.as_bytes()), Ok)
    }

    /// Parses the common form, `2026-11-22T08:30:00Z`, eight bytes at a time. Returns `None` for any other form and for
    /// times that do not exist, which [`parse_any`](Self::parse_any) handles.
    #[inline(always)]
    pub(crate) fn parse_common(text: &[u8; 20]) -> Option<Self> {
        const DATE: Form = Form::new(*b"0000-00-");
        const HOUR: Form = Form::new(*b"00T00:00");
        const REST: Form = Form::new(*b"0:00:00Z");
        let (date, hour, rest) = (DATE.pairs(text, 0)?, HOUR.pairs(text, 8)?, REST.pairs(text, 12)?);
        let (year, month, day) =
            (u32::from(date[0]) * 100 + u32::from(date[2]), u32::from(date[5]), u32::from(hour[0]));
        let (hour, minute, second) = (u32::from(hour[3]), u32::from(rest[2]), u32::from(rest[5]));
        let date_exists = year >= 1
            && (1..=12).contains(&month)
            && (1..=31).contains(&day)
            && (day <= 28 || day <= days_in_month(year, month));
        if !date_exists || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let second_of_day = hour * 3600 + minute * 60 + second;
        let seconds = days_since_1970(year, month, day) * 86_400 + i64::from(second_of_day);
        Some(Self { seconds, nanoseconds: 0 })
    }

    /// Parses any form.
    #[cold]
    fn parse_any(text: &[u8]) -> Result<Self, &'static str> {
        const FORM: &str = "is not an RFC 3339 time such as 2026-11-22T08:30:00Z";
        let Some((date_and_time, rest)) = text.split_at_checked(19) else { return Err(FORM) };
        let separators = [(4, b'-'), (7, b'-'), (13, b':'), (16, b':')];
        let separated = separators.iter().all(|(index, byte)| date_and_time[*index] == *byte);
        if !separated || !matches!(date_and_time[10], b'T' | b't') {
            return Err(FORM);
        }
        let number = |from: usize, to: usize| digits(&date_and_time[from..to]).ok_or(FORM);
        let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
        let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
        if !(1..=12).contains(&month) || !(1..=days_in_month(year, month)).contains(&day) {
            return Err("has a date that does not exist");
        }
        if hour > 23 || minute > 59 || second > 59 {
            return Err("has a time of day that does not exist");
        }
        let (nanoseconds, zone) = fraction(rest).ok_or(FORM)?;
        let offset_minutes = offset_minutes(zone).ok_or("has no offset such as Z or +01:00")?;
        let local = days_since_1970(year, month, day) * 86_400 + i64::from(hour * 3600 + minute * 60 + second);
        let seconds = local - offset_minutes * 60;
        if RANGE_SECONDS.contains(&seconds) {
            Ok(Self { seconds, nanoseconds })
        } else {
            Err("is not in the years 1 to 9999")
        }
    }
}

/// A pattern of eight bytes of a timestamp.
struct Form {
    bytes: u64,
    /// For each byte, the largest number that leaves the top bit clear when it is added to the highest valid value.
    addend: u64,
}

impl Form {
    /// Creates a pattern in which a zero stands for any digit and any other byte for itself.
    const fn new(form: [u8; 8]) -> Self {
        let mut addend = [0x7F; 8];
        let mut index = 0;
        while index < form.len() {
            if form[index] == b'0' {
                addend[index] = 0x7F - 9;
            }
            index += 1;
        }
        Self { bytes: u64::from_le_bytes(form), addend: u64::from_le_bytes(addend) }
    }

    /// Matches the pattern at an offset. Returns, at each index where two digits begin, their value; `None` if it does not
    /// match.
    #[inline(always)]
    fn pairs(&self, time: &[u8; 20], start: usize) -> Option<[u8; 8]> {
        const TOP_BITS: u64 = 0x8080_8080_8080_8080;
        // The XOR leaves a digit's value, or 0 for another matching byte. A mismatch leaves the top bit set, or a value that
        // adding `addend` sets.
        let values = u64::from_le_bytes(*time[start..].first_chunk()?) ^ self.bytes;
        let matches = (values | values.wrapping_add(self.addend)) & TOP_BITS == 0;
        // No byte overflows: each is at most 9 * 10 + 9.
        matches.then(|| (values * 10 + (values >> 8)).to_le_bytes())
    }
}

fn digits(text: &[u8]) -> Option<u32> {
    text.iter().try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + u32::from(byte - b'0')))
}

/// Parses an optional leading fraction (`.25`). Returns its nanoseconds and the rest of the text.
fn fraction(text: &[u8]) -> Option<(u32, &[u8])> {
    let Some(text) = text.strip_prefix(b".") else { return Some((0, text)) };
    let n_digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (fraction, rest) = text.split_at(n_digits);
    let nanoseconds =
        (0..9).fold(0, |number, index| number * 10 + fraction.get(index).map_or(0, |byte| u32::from(byte - b'0')));
    (n_digits > 0).then_some((nanoseconds, rest))
}

/// Returns the minutes by which an offset (`Z`, `+01:00`) is ahead of UTC.
fn offset_minutes(zone: &[u8]) -> Option<i64> {
    match zone {
        b"Z" | b"z" => Some(0),
        [sign @ (b'+' | b'-'), hours @ .., b':', m1, m2] if hours.len() == 2 => {
            let (hours, minutes) = (digits(hours)?, digits(&[*m1, *m2])?);
            let ahead = i64::from(hours * 60 + minutes);
            (hours <= 23 && minutes <= 59).then_some(if *sign == b'-' { -ahead } else { ahead })
        }
        _ => None,
    }
}

const fn is_leap_year(year: u32) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

const fn days_in_month(year: u32, month: u32) -> u32 {
    match month {
        2 if is_leap_year(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Returns the days since 1970-01-01 in the proleptic Gregorian calendar (Howard Hinnant, "chrono-Compatible Low-Level Date
/// Algorithms"). Years are counted from March, so that the leap day is the last one.
fn days_since_1970(year: u32, month: u32, day: u32) -> i64 {
    // The calendar repeats every 400 years; adding them keeps years non-negative.
    let year = year + 400 - u32::from(month <= 2);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    i64::from(year * 365 + year / 4 - year / 100 + year / 400 + day_of_year) - 719_468 - 146_097
}

#[cfg(test)]
mod tests {
    use super::DateTime;

    #[test]
    fn every_rfc_3339_form_is_parsed() {
        for (text, milliseconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1970-01-01t00:00:00z", 0),
            ("1970-01-01T00:00:00-00:00", 0),
            ("1970-01-01T01:30:00+01:30", 0),
            ("1969-12-31T00:00:00-23:59", -60_000),
            ("1969-12-31T23:59:59.999999999999Z", -1),
            ("1970-01-01T00:00:00.0019Z", 1),
            ("2024-02-29T12:00:00Z", 1_709_208_000_000),
            ("2000-02-29T00:00:00.5+00:00", 951_782_400_500),
            ("0001-01-01T00:00:00Z", -62_135_596_800_000),
            ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
        ] {
            assert_eq!(DateTime::parse(text).map(DateTime::milliseconds), Ok(milliseconds), "{text}");
        }
    }

    #[test]
    fn invalid_timestamps_are_rejected() {
        for text in [
            "",
            "2026-11-22",
            "2026-11-22T08:30:00",
            "2026-11-22 08:30:00Z",
            "2026-11-22T08:30Z",
            "2026-11-22T08:30:00.Z",
            "2026-11-22T08:30:00,5Z",
            "2026-11-22T08:30:00+0100",
            "2026-11-22T08:30:00+01",
            "2026-11-22T08:30:00+24:00",
            "2026-11-22T08:30:00+01:60",
            "2026-11-22T08:30:00Z ",
            " 2026-11-22T08:30:00Z",
            "2026-11-22T08:30:00ZZ",
            "2026-1-22T08:30:00Z",
            "20261122T083000Z",
            "+2026-11-22T08:30:00Z",
            "2026-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-04-31T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:60:00Z",
            "2016-12-31T23:59:60Z",
            "0000-12-31T00:00:00Z",
            "0001-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
            "２026-11-22T08:30:00Z",
            "2026-11-22T08:30:00\u{e9}",
        ] {
            assert!(DateTime::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn common_form_agrees_with_general_parser() {
        let agrees = |text: &[u8; 20]| {
            let any = DateTime::parse_any(text);
            let common = DateTime::parse_common(text);
            assert!(common.is_none() || common == any.ok(), "{}", text.escape_ascii());
            common.is_some() || any.is_err()
        };
        let mut text = *b"2024-02-29T12:34:56Z";
        for index in 0..text.len() {
            let original = text[index];
            for byte in 0..=u8::MAX {
                text[index] = byte;
                assert!(agrees(&text) || byte.is_ascii_lowercase(), "{}", text.escape_ascii());
            }
            text[index] = original;
        }
        // Every day of a few centuries, and days that do not exist.
        for year in (0..=400).chain(1899..=2101).chain(9998..=9999) {
            for month in 0..=13 {
                for day in 0..=32 {
                    let text = format!("{year:04}-{month:02}-{day:02}T23:59:59Z");
                    assert!(agrees(text.as_bytes().try_into().unwrap()), "{text}");
                }
            }
        }
    }

    #[test]
    fn fractions_are_compared() {
        let parse = |text| DateTime::parse(text).unwrap();
        assert!(parse("2026-01-01T00:00:00.0000002Z") > parse("2026-01-01T00:00:00.0000001Z"));
        assert_eq!(parse("1970-01-01T00:00:00.0000001Z").seconds_rounded_up(), 1);
        assert_eq!(parse("1969-12-31T23:59:59.5Z").seconds_rounded_up(), 0);
    }
}
