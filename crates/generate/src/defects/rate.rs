//! The share of tickets with a defect, parsed from `0.01` or `1%`.

const BILLION: u32 = 1_000_000_000;

/// A share of all tickets, with a resolution of one billionth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate {
    billionths: u32,
}

/// Error for a text that is not a share.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a rate: expected a share from 0 to 1 as in 0.01, or a percentage as in 1%")]
pub struct ParseRateError(String);

impl Rate {
    /// Returns true if no ticket gets a defect.
    pub const fn is_zero(self) -> bool {
        self.billionths == 0
    }

    /// Returns true if `word` lies in this share of the 32-bit numbers. A share contains every smaller share.
    pub const fn covers(self, word: u32) -> bool {
        (word as u64) < ((self.billionths as u64) << 32) / BILLION as u64
    }
}

impl std::fmt::Display for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", f64::from(self.billionths) / f64::from(BILLION))
    }
}

impl std::str::FromStr for Rate {
    type Err = ParseRateError;

    fn from_str(text: &str) -> Result<Self, ParseRateError> {
        let (number, whole) = text.strip_suffix('%').map_or((text, 1.0), |number| (number, 100.0));
        let share = number.parse::<f64>().ok().map(|number| number / whole).filter(|share| (0.0..=1.0).contains(share));
        // Rounded, so that 0.7% and 0.007 are the same rate.
        let billionths = share.map(|share| (share * f64::from(BILLION)).round() as u32);
        billionths.map(|billionths| Self { billionths }).ok_or_else(|| ParseRateError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::Rate;

    fn rate(text: &str) -> Rate {
        text.parse().unwrap()
    }

    #[test]
    fn shares_and_percentages_are_equivalent() {
        for (share, percentage) in [("0", "0%"), ("0.01", "1%"), ("0.007", "0.7%"), ("1", "100%"), ("1e-3", ".1%")] {
            assert_eq!(rate(share), rate(percentage));
            assert_eq!(rate(&rate(share).to_string()), rate(share));
        }
        assert_eq!(rate("0.7%").to_string(), "0.007");
    }

    #[test]
    fn rejects_texts_that_are_not_shares() {
        for text in ["", "%", "1.1", "101%", "-0.1", "-1%", "NaN", "inf", "1%%", "1 %", "one", "0,01"] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }

    #[test]
    fn rate_covers_its_share_of_the_words() {
        assert!(rate("0").is_zero() && !rate("0").covers(0));
        assert!(rate("1").covers(u32::MAX));
        assert!(rate("0.5").covers((1 << 31) - 1) && !rate("0.5").covers(1 << 31));
    }
}
