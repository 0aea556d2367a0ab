//! Model series: segment, drive, and the model years and markets in which each was sold. Generated tickets have no other cars.
//!
//! The ranges are common knowledge of the model line, unsourced except where a comment names a source.

use std::ops::RangeInclusive;

use crate::enums::Market;
use crate::string_enum;

/// The model years of the contract.
pub const MODEL_YEARS: RangeInclusive<i32> = 2018..=2026;

string_enum! {
    /// The series that tickets are generated for. (The contract itself accepts any non-empty text.)
    #[allow(missing_docs, reason = "each variant is its own text")]
    ModelSeries("model_series") {
        Series1 = "1 Series",
        Series2GranCoupe = "2 Series Gran Coupé",
        Series3 = "3 Series",
        Series4 = "4 Series",
        Series5 = "5 Series",
        Series7 = "7 Series",
        X1 = "X1",
        X2 = "X2",
        X3 = "X3",
        X5 = "X5",
        X6 = "X6",
        X7 = "X7",
        Xm = "XM",
        Z4 = "Z4",
        M3 = "M3",
        M5 = "M5",
        I4 = "i4",
        I5 = "i5",
        I7 = "i7",
        Ix = "iX",
        Ix1 = "iX1",
        Ix3 = "iX3",
    }
}

string_enum! {
    /// The market segment of a series, on which the frequent categories of failure depend.
    Segment("segment") {
        /// Small cars, front-wheel drive.
        Compact = "compact",
        /// Saloons, coupés and estates of the middle class.
        Saloon = "saloon",
        /// Sport utility vehicles of the middle class and above.
        Suv = "suv",
        /// Luxury cars.
        Luxury = "luxury",
        /// Sports cars and M models.
        Sport = "sport",
    }
}

impl ModelSeries {
    /// Returns its segment.
    pub const fn segment(self) -> Segment {
        match self {
            Self::Series1 | Self::Series2GranCoupe | Self::X1 | Self::X2 | Self::Ix1 => Segment::Compact,
            Self::Series3 | Self::Series4 | Self::Series5 | Self::I4 | Self::I5 => Segment::Saloon,
            Self::X3 | Self::X5 | Self::X6 | Self::Ix3 | Self::Ix => Segment::Suv,
            Self::Series7 | Self::X7 | Self::I7 | Self::Xm => Segment::Luxury,
            Self::Z4 | Self::M3 | Self::M5 => Segment::Sport,
        }
    }

    /// Returns whether it is purely electric.
    pub const fn is_electric(self) -> bool {
        matches!(self, Self::I4 | Self::I5 | Self::I7 | Self::Ix | Self::Ix1 | Self::Ix3)
    }

    /// Returns the model years in which the series was sold in any market.
    pub const fn model_years(self) -> &'static [RangeInclusive<i32>] {
        match self {
            // Shown in late 2018 as a model of 2019 (autoevolution).
            Self::X7 | Self::Z4 => &[2019..=2026],
            Self::Series2GranCoupe => &[2020..=2026],
            Self::Series4 | Self::Ix3 => &[2021..=2026],
            Self::I4 | Self::Ix => &[2022..=2026],
            Self::I7 | Self::Ix1 | Self::Xm => &[2023..=2026],
            Self::I5 => &[2024..=2026],
            // No M3 was sold between two generations.
            Self::M3 => &[2018..=2018, 2021..=2026],
            // The next M5 went on sale in November 2024.
            Self::M5 => &[2018..=2023, 2025..=2026],
            Self::Series1
            | Self::Series3
            | Self::Series5
            | Self::Series7
            | Self::X1
            | Self::X2
            | Self::X3
            | Self::X5
            | Self::X6 => &[MODEL_YEARS],
        }
    }

    /// Returns whether cars of this series and model year were sold in `market`.
    pub fn sold_in(self, market: Market, model_year: i32) -> bool {
        let anywhere = self.model_years().iter().any(|years| years.contains(&model_year));
        let there = match (market, self) {
            (Market::Us, Self::Series1 | Self::Ix1) => false,
            // The first iX3 never came to the United States (motorauthority).
            (Market::Us, Self::Ix3) => model_year >= 2026,
            _ => true,
        };
        anywhere && there
    }
}

#[cfg(test)]
mod tests {
    use super::{MODEL_YEARS, ModelSeries};
    use crate::enums::Market;

    #[test]
    fn model_years_exclude_gaps_between_generations() {
        let sold = |series: ModelSeries| -> Vec<i32> {
            MODEL_YEARS.filter(|year| series.sold_in(Market::De, *year)).collect()
        };
        assert_eq!(sold(ModelSeries::M3), [2018, 2021, 2022, 2023, 2024, 2025, 2026]);
        assert_eq!(sold(ModelSeries::M5), [2018, 2019, 2020, 2021, 2022, 2023, 2025, 2026]);
        assert_eq!(sold(ModelSeries::I5), [2024, 2025, 2026]);
        assert_eq!(sold(ModelSeries::X5).len(), 9);
    }

    #[test]
    fn some_series_are_not_sold_in_the_united_states() {
        let years = |series: ModelSeries| MODEL_YEARS.filter(|year| series.sold_in(Market::Us, *year)).count();
        assert_eq!(years(ModelSeries::Series1), 0);
        assert_eq!(years(ModelSeries::Ix1), 0);
        assert_eq!(years(ModelSeries::Ix3), 1);
    }
}
