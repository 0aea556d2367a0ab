//! Distributions with bit-identical results on every machine: functions come from `libm`, random numbers from a
//! [`HashKey`].

use std::sync::LazyLock;

use crate::rng::{HashKey, scale};

/// Returns the standard normal quantile of `p` in (0, 1), within one or two units in the last place.
///
/// Bisection over functions that are bit-identical on every machine; it runs only about a thousand times, at start.
pub fn normal_quantile(p: f64) -> f64 {
    let (mut low, mut high) = (-10.0, 10.0);
    for _ in 0..64 {
        let middle = f64::midpoint(low, high);
        if normal_cdf(middle) < p { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

/// The standard normal quantiles 0/1024, 1/1024 … 1024/1024; the two outermost are those of 1/65536 and 65535/65536.
pub static NORMAL_QUANTILES: LazyLock<[f64; 1025]> = LazyLock::new(|| {
    let nearest = 1.0 / 65_536.0;
    std::array::from_fn(|i| normal_quantile((i as f64 / 1024.0).clamp(nearest, 1.0 - nearest)))
});

/// Returns the standard normal cumulative distribution at `z`.
pub fn normal_cdf(z: f64) -> f64 {
    libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2) / 2.0
}

/// Returns the quantile `unit` of a lognormal distribution with mean 1.
pub fn lognormal_mean_one(sigma: f64, unit: f64) -> f64 {
    libm::exp(sigma * normal_quantile(unit) - sigma * sigma / 2.0)
}

/// Returns `n` lognormal numbers with mean 1, one per stratum of the distribution, in an order that depends on the key.
/// Stratification keeps the average over all service centres the same in every world.
pub fn stratified_lognormal(n: usize, sigma: f64, key: HashKey) -> Vec<f64> {
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by_key(|i| key.hash(*i as u64));
    let mut numbers = vec![0.0; n];
    for (rank, i) in order.into_iter().enumerate() {
        numbers[i] = lognormal_mean_one(sigma, (rank as f64 + 0.5) / n as f64);
    }
    numbers
}

/// Returns a gamma-distributed number with this shape and scale 1: the time until the `shape`-th event of a unit-rate
/// Poisson process. `number` identifies the draw.
///
/// Rejection sampling (Marsaglia and Tsang 2000), with their boost for shapes below 1.
pub fn gamma(shape: f64, key: HashKey, number: u64) -> f64 {
    if shape <= 0.0 {
        return 0.0;
    }
    let mut number = number.wrapping_mul(64);
    let mut unit = || {
        number = number.wrapping_add(1);
        key.unit(number)
    };
    let (d, boost) =
        if shape < 1.0 { (shape + 2.0 / 3.0, libm::pow(unit(), 1.0 / shape)) } else { (shape - 1.0 / 3.0, 1.0) };
    let c = 1.0 / libm::sqrt(9.0 * d);
    loop {
        // Box-Muller transform.
        let z = libm::sqrt(-2.0 * libm::log(unit())) * libm::cos(std::f64::consts::TAU * unit());
        let v = libm::pow(1.0 + c * z, 3.0);
        if v > 0.0 && libm::log(unit()) < z * z / 2.0 + d - d * v + d * libm::log(v) {
            return boost * d * v;
        }
    }
}

/// Lognormal distribution of durations in whole seconds, as a table of quantiles.
#[derive(Clone, Debug)]
pub struct DurationQuantiles {
    /// The quantiles of [`NORMAL_QUANTILES`].
    quantiles: Vec<u32>,
}

impl DurationQuantiles {
    /// Creates the distribution with this median and sigma.
    pub fn lognormal(median_seconds: f64, sigma: f64) -> Self {
        // Medians are at most a million hours; durations are capped at 68 years (`i32::MAX` seconds).
        let quantile = |z: &f64| libm::round(median_seconds * libm::exp(sigma * z)).min(f64::from(i32::MAX)) as u32;
        Self { quantiles: NORMAL_QUANTILES.iter().map(quantile).collect() }
    }

    /// Returns the quantile `word` / 2^32.
    pub fn sample(&self, word: u32) -> u32 {
        let index = (word >> 22) as usize;
        let (low, high) = (self.quantiles[index], self.quantiles[index + 1]);
        low + scale(word << 10, high - low)
    }

    /// Returns the longest duration.
    pub fn max(&self) -> u32 {
        self.quantiles[1024]
    }
}

#[cfg(test)]
mod tests {
    use super::{DurationQuantiles, gamma, lognormal_mean_one, normal_quantile};
    use crate::rng::HashKey;

    #[test]
    fn normal_quantiles_match_the_printed_table() {
        for (p, z) in [(0.5, 0.0), (0.9, 1.281_552), (0.95, 1.644_854), (0.975, 1.959_964), (0.001, -3.090_232)] {
            assert!((normal_quantile(p) - z).abs() < 1e-6, "{p}");
        }
    }

    #[test]
    fn duration_quantiles_are_monotonic() {
        let durations = DurationQuantiles::lognormal(3600.0, 1.5);
        let picks: Vec<u32> = (0..=u32::MAX).step_by(65_537).map(|word| durations.sample(word)).collect();
        assert!(picks.is_sorted());
        assert_eq!(durations.sample(1 << 31), 3600);
    }

    #[test]
    fn means_and_variances_match_the_parameters() {
        let key = HashKey::new(3, "test");
        let moments = |numbers: &[f64]| {
            let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
            (mean, numbers.iter().map(|number| (number - mean) * (number - mean)).sum::<f64>() / numbers.len() as f64)
        };
        for shape in [0.2, 1.0, 7.5, 400.0] {
            let numbers: Vec<f64> = (0..20_000).map(|n| gamma(shape, key, n)).collect();
            let (mean, variance) = moments(&numbers);
            assert!((mean / shape - 1.0).abs() < 0.08 / shape.sqrt(), "{shape}: {mean}");
            assert!((variance / shape - 1.0).abs() < 0.15, "{shape}: {variance}");
        }
        let numbers: Vec<f64> = (0..20_000).map(|n| lognormal_mean_one(0.1, key.unit(n))).collect();
        let (mean, variance) = moments(&numbers);
        assert!((mean - 1.0).abs() < 0.004 && (variance.sqrt() - 0.1).abs() < 0.004, "{mean} {variance}");
    }
}
