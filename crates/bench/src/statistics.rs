//! Medians, spreads and ratios of paired runs.

use std::time::Duration;

/// Returns the median; 0 of no values.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        n if n.is_multiple_of(2) => f64::midpoint(sorted[middle - 1], sorted[middle]),
        _ => sorted[middle],
    }
}

/// Returns the median of durations.
pub fn median_duration(durations: impl IntoIterator<Item = Duration>) -> Duration {
    let seconds: Vec<f64> = durations.into_iter().map(|duration| duration.as_secs_f64()).collect();
    Duration::from_secs_f64(median(&seconds))
}

/// Returns the median of `theirs / ours` over pairs of the same round, which cancels slow phases of the machine.
pub fn paired_ratio(theirs: &[f64], ours: &[f64]) -> f64 {
    let ratios: Vec<f64> = theirs.iter().zip(ours).map(|(theirs, ours)| theirs / ours).collect();
    median(&ratios)
}

/// Returns the order of `n` engines in a round. An engine's predecessor affects its run through caches and memory, so the
/// orders form a Williams design (E. J. Williams, 1949): in `n` rounds (`2 n` if `n` is odd) each engine follows each other
/// equally often.
pub fn order(n: usize, round: usize) -> Vec<usize> {
    // 0, 1, n - 1, 2, n - 2 …: of an even number, no two neighbours lie as far apart as two others.
    let zigzag = (0..n).map(|turn| if turn % 2 == 1 { turn.div_ceil(2) } else { n - turn / 2 });
    let mut order: Vec<usize> = zigzag.map(|engine| (engine + round) % n).collect();
    if n % 2 == 1 && round / n % 2 == 1 {
        order.reverse();
    }
    order
}
