//! How many bad lines a run bears before it gives up.

use std::fmt;
use std::str::FromStr;

use anyhow::{Result, bail};
use cli_support::human;
use manifest::RowCounts;

/// The most rejected lines that a run publishes in spite of.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum ErrorLimit {
    /// Any number.
    #[default]
    Any,
    /// This many.
    Lines(u64),
    /// This share of all lines that are read, from 0 to 100.
    Percent(f64),
}

impl ErrorLimit {
    /// Whether it is certain, before all is read, that so many lines are too many.
    pub const fn is_exceeded_by(self, n_rejected: u64) -> bool {
        match self {
            Self::Any => false,
            Self::Lines(limit) => n_rejected > limit,
            // One of the lines to come may be good, unless none may be bad.
            Self::Percent(limit) => n_rejected > 0 && limit == 0.0,
        }
    }

    /// Fails if more lines were rejected than that.
    pub fn judge(self, rows: RowCounts) -> Result<()> {
        let is_too_many = match self {
            Self::Percent(limit) => rows.quarantined as f64 * 100.0 > limit * rows.read as f64,
            _ => self.is_exceeded_by(rows.quarantined),
        };
        if is_too_many {
            let rejected = human::counted(rows.quarantined, "line");
            bail!("{rejected} of {} rejected; {self}; nothing was published", human::count(rows.read));
        }
        Ok(())
    }
}

impl fmt::Display for ErrorLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any number is borne"),
            Self::Lines(0) => f.write_str("no bad line is borne"),
            Self::Lines(limit) => write!(f, "at most {} are borne", human::count(*limit)),
            Self::Percent(limit) => write!(f, "at most {limit} % are borne"),
        }
    }
}

impl FromStr for ErrorLimit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected =
            || format!("`{text}` is neither a number of lines, such as 10, nor a share of them, such as 0.5%");
        match text.strip_suffix('%') {
            Some(percent) => match percent.trim_end().parse::<f64>() {
                Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(Self::Percent(percent)),
                _ => Err(expected()),
            },
            None => text.parse().map(Self::Lines).map_err(|_| expected()),
        }
    }
}
