//! The dashboard as one HTML file.
//!
//! * [`cube`]: ticket counts from which the page computes every visual under any filter.
//! * [`payload`]: the data of the page in compressed form.
//! * [`page`]: the HTML, with the charting library, the style sheet and the scripts of `page/` inlined.

pub mod cube;
pub mod page;
pub mod payload;
