//! Picks from a list by weight, with whole numbers only, so that every machine picks the same.

/// Values with their shares of the 32-bit numbers.
#[derive(Clone, Debug)]
pub struct Weighted<T> {
    /// Each value with the first number above its share; the last one's is 2^32.
    shares: Vec<(u64, T)>,
}

impl<T: Copy> Weighted<T> {
    /// Values by weight; a value of weight 0 is never picked. `None` if no weight is above 0.
    pub fn new(weights: impl IntoIterator<Item = (T, u32)>) -> Option<Self> {
        let weights: Vec<_> = weights.into_iter().filter(|(_, weight)| *weight > 0).collect();
        let total: u64 = weights.iter().map(|(_, weight)| u64::from(*weight)).sum();
        let mut sum = 0;
        let shares = weights.into_iter().map(|(value, weight)| {
            sum += u64::from(weight);
            ((sum << 32) / total, value)
        });
        Some(Self { shares: shares.collect() }).filter(|weighted| !weighted.shares.is_empty())
    }

    /// The value in whose share `word` lies.
    pub fn pick(&self, word: u32) -> T {
        let place = self.shares.partition_point(|(end, _)| *end <= u64::from(word));
        self.shares[place].1
    }
}

#[cfg(test)]
mod tests {
    use super::Weighted;

    #[test]
    fn shares_are_exact_at_their_borders() {
        let weighted = Weighted::new([('a', 1), ('-', 0), ('b', 3)]).unwrap();
        assert_eq!([0, (1 << 30) - 1].map(|word| weighted.pick(word)), ['a', 'a']);
        assert_eq!([1 << 30, u32::MAX].map(|word| weighted.pick(word)), ['b', 'b']);
        assert!(Weighted::new([('a', 0)]).is_none());
    }
}
