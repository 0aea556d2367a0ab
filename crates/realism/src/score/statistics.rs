//! Similarity scores as defined by SDMetrics (docs.sdv.dev/sdmetrics), chi-square and Cramér's V.
//!
//! Scores range from 0 (disjoint) to 1 (identical): `KSComplement` for numbers, `TVComplement` for categories,
//! `ContingencySimilarity` for pairs.
//!
//! ```
//! use realism::score::statistics::{Table, frequency_similarity};
//! let (mut a, mut b) = (Table::default(), Table::default());
//! a.add(0, 0);
//! a.add(0, 1);
//! b.add(0, 0);
//! assert_eq!(frequency_similarity(&a, &b), 0.5);
//! ```

use statrs::distribution::{ChiSquared, ContinuousCDF};

/// Contingency table of two categories. A single category is a table with one row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table(Vec<Vec<u64>>);

impl Table {
    /// Increments a cell.
    pub fn add(&mut self, row: usize, column: usize) {
        *self.cell(row, column) += 1;
    }

    /// Adds another table's counts.
    pub fn merge(&mut self, other: &Self) {
        for (row, counts) in other.0.iter().enumerate() {
            for (column, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
                *self.cell(row, column) += count;
            }
        }
    }

    /// Returns the count of a cell.
    pub fn count(&self, row: usize, column: usize) -> u64 {
        self.0.get(row).and_then(|counts| counts.get(column)).copied().unwrap_or(0)
    }

    /// Returns the sum of all counts.
    pub fn total(&self) -> u64 {
        self.0.iter().flatten().sum()
    }

    /// Returns the total of each row.
    pub fn row_totals(&self) -> Vec<u64> {
        self.0.iter().map(|counts| counts.iter().sum()).collect()
    }

    /// Returns the total of each column.
    pub fn column_totals(&self) -> Vec<u64> {
        (0..self.n_columns()).map(|column| (0..self.0.len()).map(|row| self.count(row, column)).sum()).collect()
    }

    fn n_columns(&self) -> usize {
        self.0.iter().map(Vec::len).max().unwrap_or(0)
    }

    fn cell(&mut self, row: usize, column: usize) -> &mut u64 {
        if self.0.len() <= row {
            self.0.resize(row + 1, Vec::new());
        }
        let counts = &mut self.0[row];
        if counts.len() <= column {
            counts.resize(column + 1, 0);
        }
        &mut counts[column]
    }
}

/// Returns 1 minus half the summed absolute differences of relative frequencies: SDMetrics' `TVComplement` for a table
/// with one row, its `ContingencySimilarity` for any other. An empty table has similarity 0 to one that is not empty.
pub fn frequency_similarity(a: &Table, b: &Table) -> f64 {
    let (total_a, total_b) = (a.total(), b.total());
    if total_a == 0 || total_b == 0 {
        return if total_a == total_b { 1.0 } else { 0.0 };
    }
    let rows = a.0.len().max(b.0.len());
    let columns = a.n_columns().max(b.n_columns());
    let share = |table: &Table, total, row, column| table.count(row, column) as f64 / total as f64;
    let difference = |row, column| (share(a, total_a, row, column) - share(b, total_b, row, column)).abs();
    let sum: f64 =
        (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column))).map(|(r, c)| difference(r, c)).sum();
    1.0 - sum / 2.0
}

/// Returns 1 minus the Kolmogorov-Smirnov distance of two sorted samples: SDMetrics' `KSComplement`.
pub fn ks_similarity(a: &[u32], b: &[u32]) -> f64 {
    if a.is_empty() || b.is_empty() {
        return if a.len() == b.len() { 1.0 } else { 0.0 };
    }
    let (mut below_a, mut below_b) = (0, 0);
    let mut distance: f64 = 0.0;
    while below_a < a.len() && below_b < b.len() {
        let value = a[below_a].min(b[below_b]);
        below_a += a[below_a..].iter().take_while(|x| **x == value).count();
        below_b += b[below_b..].iter().take_while(|x| **x == value).count();
        distance = distance.max((below_a as f64 / a.len() as f64 - below_b as f64 / b.len() as f64).abs());
    }
    1.0 - distance
}

/// Result of Pearson's chi-square test of counts against weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChiSquare {
    /// Test statistic.
    pub statistic: f64,
    /// Degrees of freedom.
    pub degrees: usize,
    /// Probability of a statistic at least this high under the weights.
    pub p: f64,
}

/// Tests counts against weights of any sum. A count with weight 0 makes the statistic infinite.
pub fn chi_square(counts: &[u64], weights: &[f64]) -> ChiSquare {
    let total: f64 = counts.iter().map(|count| *count as f64).sum();
    let sum: f64 = weights.iter().sum();
    let indexes = 0..counts.len().max(weights.len());
    let statistic = indexes.map(|index| {
        let count = counts.get(index).map_or(0.0, |count| *count as f64);
        let expected = weights.get(index).copied().unwrap_or(0.0) / sum * total;
        if count == 0.0 && expected == 0.0 { 0.0 } else { (count - expected).powi(2) / expected }
    });
    let statistic: f64 = statistic.sum();
    let degrees = weights.iter().filter(|weight| **weight > 0.0).count().saturating_sub(1);
    // The distribution is undefined only for 0 degrees of freedom, where the counts are certain.
    let p = ChiSquared::new(degrees as f64).map_or(1.0, |distribution| distribution.sf(statistic));
    ChiSquare { statistic, degrees, p: if statistic.is_finite() { p } else { 0.0 } }
}

/// Returns the bias-corrected Cramér's V (Bergsma, 2013): 0 for independent categories, 1 if one determines the other.
///
/// Without the correction, V of independent draws grows with the number of cells.
pub fn cramers_v(table: &Table) -> f64 {
    let (rows, columns) = (table.row_totals(), table.column_totals());
    let n = table.total() as f64;
    let (n_rows, n_columns) = (n_used(&rows), n_used(&columns));
    if n < 2.0 || n_rows < 2.0 || n_columns < 2.0 {
        return 0.0;
    }
    let mut phi_squared = 0.0;
    for (row, row_total) in rows.iter().enumerate().filter(|(_, total)| **total > 0) {
        for (column, column_total) in columns.iter().enumerate().filter(|(_, total)| **total > 0) {
            let expected = *row_total as f64 * *column_total as f64 / n;
            phi_squared += (table.count(row, column) as f64 - expected).powi(2) / expected / n;
        }
    }
    let phi_squared = (phi_squared - (n_rows - 1.0) * (n_columns - 1.0) / (n - 1.0)).max(0.0);
    let corrected = |size: f64| size - (size - 1.0).powi(2) / (n - 1.0);
    (phi_squared / (corrected(n_rows).min(corrected(n_columns)) - 1.0)).sqrt()
}

fn n_used(totals: &[u64]) -> f64 {
    totals.iter().filter(|total| **total > 0).count() as f64
}

#[cfg(test)]
mod tests {
    use super::{Table, chi_square, cramers_v, frequency_similarity, ks_similarity};

    fn table(rows: &[&[u64]]) -> Table {
        Table(rows.iter().map(|row| row.to_vec()).collect())
    }

    fn assert_close(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-9, "{a} is not {b}");
    }

    #[test]
    fn frequency_similarity_compares_each_cell() {
        // Shares .5 .5 against .25 .75: half of .25 + .25.
        assert_close(frequency_similarity(&table(&[&[1, 1]]), &table(&[&[1, 3]])), 0.75);
        // A cell that is empty in one of the tables.
        assert_close(frequency_similarity(&table(&[&[2, 2]]), &table(&[&[1, 1, 0, 2]])), 0.5);
        // Equal margins, but disjoint pairs.
        assert_close(frequency_similarity(&table(&[&[1, 0], &[0, 1]]), &table(&[&[0, 1], &[1]])), 0.0);
        assert_close(frequency_similarity(&table(&[&[3, 1], &[0, 4]]), &table(&[&[6, 2], &[0, 8]])), 1.0);
        assert_close(frequency_similarity(&Table::default(), &table(&[&[1]])), 0.0);
        assert_close(frequency_similarity(&Table::default(), &Table::default()), 1.0);
    }

    #[test]
    fn ks_similarity_uses_the_largest_distance() {
        assert_close(ks_similarity(&[1, 2, 3, 4], &[1, 2, 3, 4]), 1.0);
        assert_close(ks_similarity(&[1, 2], &[3, 4]), 0.0);
        // After 2: 2/4 against 1/2; after 3: 3/4 against 1/2; after 9: 3/4 against 2/2.
        assert_close(ks_similarity(&[1, 2, 3, 10], &[2, 9]), 0.75);
        // Ties are counted together: after 5 the values are 3/4 and 1/4.
        assert_close(ks_similarity(&[5, 5, 5, 6], &[5, 6, 6, 6]), 0.5);
        assert_close(ks_similarity(&[], &[1]), 0.0);
        assert_close(ks_similarity(&[], &[]), 1.0);
    }

    #[test]
    fn chi_square_matches_published_tables() {
        // 10²/50 twice; published tables give 3.841 as the 5 % point for one degree of freedom, and 10.828 as the 0.1 %
        // point.
        let coin = chi_square(&[60, 40], &[1.0, 1.0]);
        assert_close(coin.statistic, 4.0);
        assert_eq!(coin.degrees, 1);
        assert!((coin.p - 0.045_500_264).abs() < 1e-8, "{}", coin.p);
        // 16.919 is the 5 % point for nine degrees of freedom.
        let nine = chi_square(&[0; 10], &[1.0; 10]).degrees;
        assert_eq!(nine, 9);
        let p = chi_square(&[100, 100, 100, 100, 100, 100, 100, 100, 100, 141], &[1.0; 10]).p;
        assert!((0.04..0.15).contains(&p), "{p}");
    }

    #[test]
    fn counts_without_weight_give_p_0() {
        assert_close(chi_square(&[5, 5, 1], &[1.0, 1.0]).p, 0.0);
        assert_close(chi_square(&[5, 5, 0], &[1.0, 1.0, 0.0]).p, 1.0);
    }

    #[test]
    fn cramers_v_is_0_for_independent_and_1_for_dependent_pairs() {
        assert_close(cramers_v(&table(&[&[20, 30], &[40, 60]])), 0.0);
        assert_close(cramers_v(&table(&[&[500, 0], &[0, 500]])), 1.0);
        // phi² = 0.16 of 100 pairs; (0.16 - 1/99) / (2 - 1/99 - 1).
        let v = cramers_v(&table(&[&[35, 15], &[15, 35]]));
        assert_close(v, ((0.16 - 1.0 / 99.0) / (1.0 - 1.0 / 99.0_f64)).sqrt());
        assert_close(cramers_v(&table(&[&[5, 9]])), 0.0);
    }
}
