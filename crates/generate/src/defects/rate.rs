//! How many of the tickets get a defect, as a person says it: `0.01` or `1%`.

const BILLION: u32 = 1_000_000_000;

/// A share of all tickets, to a billionth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate {
    billionths: u32,
}

/// A text that is no share.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a rate: expected a share from 0 to 1 as in 0.01, or a percentage as in 1%")]
pub struct BadRate(String);

impl Rate {
    /// Whether no ticket is meant.
    pub const fn is_zero(self) -> bool {
        self.billionths == 0
    }

    /// Whether `word` lies in this share of the 32-bit numbers. What lies in a share lies in every greater one.
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
    type Err = BadRate;

    fn from_str(text: &str) -> Result<Self, BadRate> {
        let (number, whole) = text.strip_suffix('%').map_or((text, 1.0), |number| (number, 100.0));
        let share = number.parse::<f64>().ok().map(|number| number / whole).filter(|share| (0.0..=1.0).contains(share));
        // Rounded, so that 0.7% and 0.007 are the same rate.
        let billionths = share.map(|share| (share * f64::from(BILLION)).round() as u32);
        billionths.map(|billionths| Self { billionths }).ok_or_else(|| BadRate(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::Rate;

    fn rate(text: &str) -> Rate {
        text.parse().unwrap()
    }

    #[test]
    fn shares_and_percentages_are_the_same() {
        for (share, percentage) in [("0", "0%"), ("0.01", "1%"), ("0.007", "0.7%"), ("1", "100%"), ("1e-3", ".1%")] {
            assert_eq!(rate(share), rate(percentage));
            assert_eq!(rate(&rate(share).to_string()), rate(share));
        }
        assert_eq!(rate("0.7%").to_string(), "0.007");
    }

    #[test]
    fn what_is_no_share_is_refused() {
        for text in ["", "%", "1.1", "101%", "-0.1", "-1%", "NaN", "inf", "1%%", "1 %", "one", "0,01"] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_rate_covers_its_share_of_the_words() {
        assert!(rate("0").is_zero() && !rate("0").covers(0));
        assert!(rate("1").covers(u32::MAX));
        assert!(rate("0.5").covers((1 << 31) - 1) && !rate("0.5").covers(1 << 31));
    }
}
