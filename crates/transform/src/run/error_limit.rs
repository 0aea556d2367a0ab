//! The limit on rejected lines above which a run publishes nothing.

use std::fmt;
use std::str::FromStr;

use anyhow::{Result, bail};
use cli_support::human;
use manifest::RowCounts;

/// The maximum number of rejected lines with which a run publishes its output.
///
/// # Examples
///
/// ```
/// use transform::run::error_limit::ErrorLimit;
///
/// assert_eq!("10".parse(), Ok(ErrorLimit::Lines(10)));
/// assert_eq!("0.5%".parse(), Ok(ErrorLimit::Percent(0.5)));
/// assert!(ErrorLimit::Lines(10).is_exceeded_by(11));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum ErrorLimit {
    /// No limit.
    #[default]
    Unlimited,
    /// A number of lines.
    Lines(u64),
    /// A percentage of all lines that are read, from 0 to 100.
    Percent(f64),
}

impl ErrorLimit {
    /// Returns true if `n_rejected` lines exceed the limit however many lines are still to be read.
    pub const fn is_exceeded_by(self, n_rejected: u64) -> bool {
        match self {
            Self::Unlimited => false,
            Self::Lines(limit) => n_rejected > limit,
            // Further valid lines can bring any percentage below the limit, unless the limit is 0.
            Self::Percent(limit) => n_rejected > 0 && limit == 0.0,
        }
    }

    /// Checks the row counts of all inputs against the limit.
    ///
    /// # Errors
    ///
    /// Fails if more lines were rejected than the limit allows.
    pub fn check(self, rows: RowCounts) -> Result<()> {
        let is_exceeded = match self {
            Self::Percent(limit) => rows.quarantined as f64 * 100.0 > limit * rows.read as f64,
            _ => self.is_exceeded_by(rows.quarantined),
        };
        if is_exceeded {
            let rejected = human::counted(rows.quarantined, "line");
            bail!("{rejected} of {} rejected; {self}; nothing was published", human::count(rows.read));
        }
        Ok(())
    }
}

impl fmt::Display for ErrorLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unlimited => f.write_str("no error limit"),
            Self::Lines(0) => f.write_str("no rejected line is allowed"),
            Self::Lines(limit) => write!(f, "at most {} rejected are allowed", human::counted(*limit, "line")),
            Self::Percent(limit) => write!(f, "at most {limit} % rejected lines are allowed"),
        }
    }
}

impl FromStr for ErrorLimit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || format!("`{text}` is neither a number of lines, such as 10, nor a percentage, such as 0.5%");
        match text.strip_suffix('%') {
            Some(percent) => match percent.trim_end().parse::<f64>() {
                Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(Self::Percent(percent)),
                _ => Err(expected()),
            },
            None => text.parse().map(Self::Lines).map_err(|_| expected()),
        }
    }
}
