//! Sampling by weight in constant time: cumulative thresholds for a few values, an alias table for many.
//!
//! Weights are converted to integers with operations whose results are identical on every machine, so samples are
//! identical too.

/// Categorical distribution over up to `N` values, sampled by cumulative thresholds.
#[derive(Clone, Debug)]
pub struct Categorical<const N: usize> {
    /// Cumulative thresholds in units of 2^-31; the last value's, and unused entries, are out of reach.
    ends: [u32; N],
}

impl<const N: usize> Categorical<N> {
    /// Creates the distribution of the values 0, 1, … from at most `N` weights. Values of weight 0 are never sampled;
    /// if all weights are 0, the first value always is.
    pub fn new(weights: &[f64]) -> Self {
        let mut ends = [u32::MAX; N];
        let total: f64 = weights.iter().sum();
        if total > 0.0 {
            let last = weights.iter().rposition(|weight| *weight > 0.0).unwrap_or(0);
            let mut sum = 0.0;
            for (end, weight) in ends.iter_mut().zip(&weights[..last]) {
                sum += weight;
                *end = (sum / total * f64::from(1_u32 << 31)) as u32;
            }
        }
        Self { ends }
    }

    /// Maps a uniform word to a value, without branches.
    pub fn sample(&self, word: u32) -> usize {
        self.ends.iter().map(|end| usize::from(*end <= word >> 1)).sum()
    }

    /// Maps a uniform word to a value and the word's relative position within that value's range, from 0 to below 1.
    pub fn sample_with_position(&self, word: u32) -> (usize, f64) {
        let value = self.sample(word);
        let (start, end) = self.bounds(value);
        (value, (f64::from(word) / 2.0 - start) / (end - start))
    }

    /// Returns the probability of a value.
    pub fn share(&self, value: usize) -> f64 {
        let (start, end) = self.bounds(value);
        (end - start) / f64::from(1_u32 << 31)
    }

    fn bounds(&self, value: usize) -> (f64, f64) {
        let end = |value: usize| f64::from(self.ends[value].min(1 << 31));
        (if value == 0 { 0.0 } else { end(value - 1) }, end(value))
    }
}

/// Categorical distribution over any number of values (alias method: Walker 1977, Vose 1991).
#[derive(Clone, Debug)]
pub struct AliasTable {
    slots: Vec<Slot>,
}

/// An equal part of the words; those from `until` on, relative to the slot, map to `other`.
#[derive(Clone, Copy, Debug)]
struct Slot {
    until: u32,
    other: u32,
}

impl AliasTable {
    /// Creates the distribution of the values 0, 1, … from their weights. Returns `None` if no weight is above 0.
    pub fn new(weights: &[f64]) -> Option<Self> {
        let total: f64 = weights.iter().sum();
        if total <= 0.0 {
            return None;
        }
        let n = weights.len() as f64;
        let mut parts: Vec<f64> = weights.iter().map(|weight| weight / total * n).collect();
        let mut slots: Vec<Slot> = (0..parts.len()).map(|own| Slot { until: u32::MAX, other: own as u32 }).collect();
        let (mut small, mut large): (Vec<usize>, Vec<usize>) = (0..parts.len()).partition(|i| parts[*i] < 1.0);
        while let (Some(under), Some(over)) = (small.pop(), large.pop()) {
            slots[under] = Slot { until: (parts[under] * f64::from(u32::MAX)) as u32, other: over as u32 };
            parts[over] -= 1.0 - parts[under];
            if parts[over] < 1.0 { small.push(over) } else { large.push(over) }
        }
        Some(Self { slots })
    }

    /// Maps a uniform word to a value.
    pub fn sample(&self, word: u32) -> usize {
        let scaled = u64::from(word) * self.slots.len() as u64;
        let slot = (scaled >> 32) as usize;
        let Slot { until, other } = self.slots[slot];
        if (scaled as u32) < until { slot } else { other as usize }
    }
}

#[cfg(test)]
mod tests {
    use super::{AliasTable, Categorical};

    #[test]
    fn thresholds_are_exact() {
        let shares = Categorical::<4>::new(&[1.0, 0.0, 3.0]);
        assert_eq!([0, (1 << 30) - 1].map(|word| shares.sample(word)), [0, 0]);
        assert_eq!([1 << 30, u32::MAX].map(|word| shares.sample(word)), [2, 2]);
        assert_eq!(shares.sample_with_position(1 << 29), (0, 0.5));
        assert_eq!(Categorical::<4>::new(&[0.0, 1.0, 0.0]).sample(u32::MAX), 1);
        assert_eq!(Categorical::<4>::new(&[0.0, 1.0, 0.0]).sample(0), 1);
    }

    #[test]
    fn alias_table_samples_by_weight() {
        let weights = [5.0, 0.0, 1.0, 0.5, 3.5];
        let alias = AliasTable::new(&weights).unwrap();
        let mut counts = [0_u32; 5];
        for word in (0..=u32::MAX).step_by(4099) {
            counts[alias.sample(word)] += 1;
        }
        let total: u32 = counts.iter().sum();
        for (count, weight) in counts.iter().zip(weights) {
            let share = f64::from(*count) / f64::from(total);
            assert!((share - weight / 10.0).abs() < 1e-5, "{share} for {weight}");
        }
        assert!(AliasTable::new(&[0.0]).is_none());
    }
}
