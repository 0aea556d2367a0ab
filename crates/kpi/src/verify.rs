//! Comparison of a query result with the expected answer.

use std::collections::BTreeSet;

use manifest::answer::{Answer, Cell};

/// Relative tolerance for exact columns; covers rounding from different orders of summation.
const EXACT: f64 = 1e-9;
/// Relative tolerance for approximate columns. Trino documents no error bound for its t-digests; the largest error observed
/// on skewed durations is 2 %.
const APPROXIMATE: f64 = 0.1;
/// Minimum ticket count of a row for its approximate columns to be compared; with fewer tickets the error is unbounded.
const MIN_APPROXIMATED: i64 = 100;
/// Maximum number of differences reported.
const MAX_SHOWN: usize = 20;

/// Returns the differences, one line each; empty if the answers are equal up to rounding.
pub fn differences(expected: &Answer, measured: &Answer) -> Vec<String> {
    diff_with_tolerance(expected, measured, &BTreeSet::new())
}

/// Returns the differences for an engine that computes the columns in `approximate` approximately.
///
/// Numbers in these columns may differ by 10 %. In rows whose first integer (the count of tickets) is below 100 any number
/// is accepted, but not NULL.
pub fn diff_with_tolerance(expected: &Answer, measured: &Answer, approximate: &BTreeSet<String>) -> Vec<String> {
    if expected.columns != measured.columns {
        return vec![format!(
            "expected the columns {}, got {}",
            expected.columns.join(", "),
            measured.columns.join(", ")
        )];
    }
    let mut differences = Vec::new();
    for (i, (expected_row, measured_row)) in expected.rows.iter().zip(&measured.rows).enumerate() {
        let n_tickets = expected_row.iter().find_map(|cell| if let Cell::Integer(n) = cell { Some(*n) } else { None });
        for (column, (expected, measured)) in expected.columns.iter().zip(expected_row.iter().zip(measured_row)) {
            let tolerance = match approximate.contains(column) {
                true if n_tickets.is_some_and(|n| n < MIN_APPROXIMATED) => f64::INFINITY,
                true => APPROXIMATE,
                false => EXACT,
            };
            if !same(expected, measured, tolerance) {
                differences.push(format!(
                    "row {}, {column}: expected {}, got {}",
                    i + 1,
                    format_cell(expected),
                    format_cell(measured)
                ));
            }
        }
    }
    if expected.rows.len() != measured.rows.len() {
        differences.push(format!("expected {} rows, got {}", expected.rows.len(), measured.rows.len()));
    }
    if differences.len() > MAX_SHOWN {
        let more = differences.len() - MAX_SHOWN;
        differences.truncate(MAX_SHOWN);
        differences.push(format!("and {more} more"));
    }
    differences
}

fn same(expected: &Cell, measured: &Cell, tolerance: f64) -> bool {
    match (expected, measured) {
        (Cell::Integer(_) | Cell::Number(_), Cell::Integer(_) | Cell::Number(_)) if expected != measured => {
            let (expected, measured) = (number(expected), number(measured));
            (expected - measured).abs() <= tolerance * expected.abs().max(measured.abs())
        }
        _ => expected == measured,
    }
}

fn number(cell: &Cell) -> f64 {
    match cell {
        Cell::Integer(value) => *value as f64,
        Cell::Number(value) => *value,
        _ => f64::NAN,
    }
}

fn format_cell(cell: &Cell) -> String {
    match cell {
        Cell::Null => "no value".to_owned(),
        Cell::Boolean(value) => value.to_string(),
        Cell::Integer(value) => value.to_string(),
        Cell::Number(value) => value.to_string(),
        Cell::Text(text) => format!("`{text}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::{diff_with_tolerance, differences};
    use manifest::answer::{Answer, Cell};
    use std::collections::BTreeSet;

    fn answer(cells: &[Cell]) -> Answer {
        Answer { columns: vec!["n".into()], rows: cells.iter().map(|cell| vec![cell.clone()]).collect() }
    }

    #[test]
    fn only_rounding_errors_are_accepted() {
        let whole = answer(&[Cell::Integer(2)]);
        assert!(differences(&whole, &answer(&[Cell::Number(2.000_000_000_1)])).is_empty());
        for other in [Cell::Number(2.01), Cell::Integer(3), Cell::Null, Cell::Text("2".into())] {
            assert_eq!(differences(&whole, &answer(&[other])).len(), 1);
        }
        assert_eq!(differences(&whole, &answer(&[])), ["expected 1 rows, got 0"]);
        assert_eq!(differences(&whole, &Answer::with_columns(&["m"])).len(), 1);
    }

    #[test]
    fn approximate_columns_have_a_tolerance() {
        let row = |n, median| Answer {
            columns: vec!["n".into(), "median".into()],
            rows: vec![vec![Cell::Integer(n), Cell::Number(median)]],
        };
        let differences = |n, measured| {
            diff_with_tolerance(&row(n, 10.0), &row(n, measured), &BTreeSet::from(["median".to_owned()])).len()
        };
        assert_eq!([differences(100, 10.9), differences(100, 12.0), differences(99, 12.0)], [0, 1, 0]);
        let missing = Answer { rows: vec![vec![Cell::Integer(5), Cell::Null]], ..row(0, 0.0) };
        assert_eq!(diff_with_tolerance(&row(5, 10.0), &missing, &BTreeSet::from(["median".to_owned()])).len(), 1);
    }
}
