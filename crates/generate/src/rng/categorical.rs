//! Picks by weight, in constant time: a few values by counting bounds, many by an alias table.
//!
//! Weights become whole numbers with operations that give the same bits on every machine, so every machine picks the same.

/// Up to `N` values with their shares of the uniform words.
#[derive(Clone, Debug)]
pub struct Categorical<const N: usize> {
    /// Where each value's share ends, in units of 2^-31; the last one's, and what is unused, is out of reach.
    ends: [u32; N],
}

impl<const N: usize> Categorical<N> {
    /// The values 0, 1, … by weight. A value of weight 0 is never picked; if all weights are 0, the first always is.
    ///
    /// There are at most `N` weights.
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

    /// The value in whose share `word` lies. There is no branch for the processor to guess.
    pub fn sample(&self, word: u32) -> usize {
        self.ends.iter().map(|end| usize::from(*end <= word >> 1)).sum()
    }

    /// The value in whose share `word` lies, and how far in: from 0 to below 1.
    pub fn sample_with_position(&self, word: u32) -> (usize, f64) {
        let value = self.sample(word);
        let (start, end) = self.bounds(value);
        (value, (f64::from(word) / 2.0 - start) / (end - start))
    }

    /// The share of a value.
    pub fn share(&self, value: usize) -> f64 {
        let (start, end) = self.bounds(value);
        (end - start) / f64::from(1_u32 << 31)
    }

    fn bounds(&self, value: usize) -> (f64, f64) {
        let end = |value: usize| f64::from(self.ends[value].min(1 << 31));
        (if value == 0 { 0.0 } else { end(value - 1) }, end(value))
    }
}

/// Any number of values with their shares of the uniform words (the alias method: Walker 1977, Vose 1991).
#[derive(Clone, Debug)]
pub struct AliasTable {
    slots: Vec<Slot>,
}

/// An equal part of all words; those from `until` on, within the slot, belong to another value.
#[derive(Clone, Copy, Debug)]
struct Slot {
    until: u32,
    other: u32,
}

impl AliasTable {
    /// The values 0, 1, … by weight. `None` if no weight is above 0.
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

    /// The value in whose share `word` lies.
    pub fn sample(&self, word: u32) -> usize {
        let place = u64::from(word) * self.slots.len() as u64;
        let slot = (place >> 32) as usize;
        let Slot { until, other } = self.slots[slot];
        if (place as u32) < until { slot } else { other as usize }
    }
}

#[cfg(test)]
mod tests {
    use super::{AliasTable, Categorical};

    #[test]
    fn shares_are_exact_at_their_borders() {
        let shares = Categorical::<4>::new(&[1.0, 0.0, 3.0]);
        assert_eq!([0, (1 << 30) - 1].map(|word| shares.sample(word)), [0, 0]);
        assert_eq!([1 << 30, u32::MAX].map(|word| shares.sample(word)), [2, 2]);
        assert_eq!(shares.sample_with_position(1 << 29), (0, 0.5));
        assert_eq!(Categorical::<4>::new(&[0.0, 1.0, 0.0]).sample(u32::MAX), 1);
        assert_eq!(Categorical::<4>::new(&[0.0, 1.0, 0.0]).sample(0), 1);
    }

    #[test]
    fn aliases_give_each_value_its_share() {
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
