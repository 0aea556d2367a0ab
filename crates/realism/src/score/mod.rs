//! Scores: the similarity of a data set to a reference.
//!
//! * [`features`]: the columns and pairs of columns that are compared.
//! * [`sample`]: the distributions of these features in a set of tickets.
//! * [`statistics`]: similarity scores as defined by SDMetrics, chi-square and Cramér's V.
//! * [`mod@reference`]: worlds with the claimed parameters and other seeds.
//! * [`plausibility_metrics`]: properties of any plausible world, independent of its profile.
//! * [`comparison`]: scores and their targets.

pub mod comparison;
pub mod features;
pub mod plausibility_metrics;
pub mod reference;
pub mod sample;
pub mod statistics;
