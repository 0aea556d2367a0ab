//! An answer against the expected one.

use ticket_schema::answer::{Answer, Cell};

/// How far two numbers may lie apart: what different orders of adding leave behind.
const RELATIVE_TOLERANCE: f64 = 1e-9;
/// How many differences are worth reading.
const MAX_SHOWN: usize = 20;

/// What is different, a line each; empty if the answers agree.
pub fn differences(expected: &Answer, measured: &Answer) -> Vec<String> {
    if expected.columns != measured.columns {
        return vec![format!(
            "expected the columns {}, got {}",
            expected.columns.join(", "),
            measured.columns.join(", ")
        )];
    }
    let mut differences = Vec::new();
    for (i, (expected_row, measured_row)) in expected.rows.iter().zip(&measured.rows).enumerate() {
        for (column, (expected, measured)) in expected.columns.iter().zip(expected_row.iter().zip(measured_row)) {
            if !same(expected, measured) {
                differences.push(format!(
                    "row {}, {column}: expected {}, got {}",
                    i + 1,
                    shown(expected),
                    shown(measured)
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

fn same(expected: &Cell, measured: &Cell) -> bool {
    match (expected, measured) {
        (Cell::Integer(_) | Cell::Number(_), Cell::Integer(_) | Cell::Number(_)) if expected != measured => {
            let (expected, measured) = (number(expected), number(measured));
            (expected - measured).abs() <= RELATIVE_TOLERANCE * expected.abs().max(measured.abs())
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

fn shown(cell: &Cell) -> String {
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
    use super::differences;
    use ticket_schema::answer::{Answer, Cell};

    fn answer(cells: &[Cell]) -> Answer {
        Answer { columns: vec!["n".into()], rows: cells.iter().map(|cell| vec![cell.clone()]).collect() }
    }

    #[test]
    fn numbers_agree_up_to_rounding_and_nothing_else_does() {
        let whole = answer(&[Cell::Integer(2)]);
        assert!(differences(&whole, &answer(&[Cell::Number(2.000_000_000_1)])).is_empty());
        for other in [Cell::Number(2.01), Cell::Integer(3), Cell::Null, Cell::Text("2".into())] {
            assert_eq!(differences(&whole, &answer(&[other])).len(), 1);
        }
        assert_eq!(differences(&whole, &answer(&[])), ["expected 1 rows, got 0"]);
        assert_eq!(differences(&whole, &Answer::with_columns(&["m"])).len(), 1);
    }
}
