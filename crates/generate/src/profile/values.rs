//! Value types of a profile. Each is validated during parsing, so that an error names its line.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use ticket_schema::enums::StringEnum;

/// Declares a number with a range.
macro_rules! number {
    ($(#[$meta:meta])* $name:ident, $expected:literal, $holds:expr) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct $name(f64);

        impl $name {
            /// Returns the number.
            pub const fn get(self) -> f64 {
                self.0
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let number = f64::deserialize(deserializer)?;
                let holds: fn(f64) -> bool = $holds;
                if number.is_finite() && holds(number) {
                    Ok(Self(number))
                } else {
                    Err(D::Error::custom(format_args!("{number} is not {}", $expected)))
                }
            }
        }
    };
}

number! {
    /// A relative weight.
    Weight, "a weight, from 0 to 1000000", |number| (0.0..=1e6).contains(&number)
}
number! {
    /// A positive factor or measure.
    Factor, "above 0 and at most 1000000", |number| number > 0.0 && number <= 1e6
}
number! {
    /// A share of the whole, 0 and 1 included.
    Share, "a share, from 0 to 1", |number| (0.0..=1.0).contains(&number)
}
number! {
    /// Number of service centres of a market.
    Dealers, "a whole number from 1 to 999", |number| (1.0..=999.0).contains(&number) && number.fract() == 0.0
}
number! {
    /// A share of the whole, above 0 and below one half.
    Rate, "a rate, above 0 and below 0.5", |number| number > 0.0 && number < 0.5
}

/// A value for some of an enum's variants.
#[derive(Clone, Debug)]
pub struct Sparse<K, V> {
    values: Vec<Option<V>>,
    key: PhantomData<K>,
}

/// A value for each of an enum's variants.
#[derive(Clone, Debug)]
pub struct Full<K, V> {
    values: Vec<V>,
    key: PhantomData<K>,
}

/// A weight for each of an enum's variants, at least one of them above 0.
#[derive(Clone, Debug)]
pub struct Weighting<K>(Full<K, Weight>);

/// A weight for each of `N` positions, at least one of them above 0.
#[derive(Clone, Copy, Debug)]
pub struct WeightSeries<const N: usize>([Weight; N]);

impl<const N: usize> WeightSeries<N> {
    /// Returns the weight at a position.
    pub const fn get(&self, position: usize) -> f64 {
        self.0[position].get()
    }
}

impl<K: StringEnum, V: Copy> Sparse<K, V> {
    /// Returns the value for `key`, if there is one.
    pub fn get(&self, key: K) -> Option<V> {
        self.values[key.index()]
    }
}

impl<K: StringEnum, V> Full<K, V> {
    /// Returns a reference to the value for `key`.
    pub fn of(&self, key: K) -> &V {
        &self.values[key.index()]
    }
}

impl<K: StringEnum, V: Copy> Full<K, V> {
    /// Returns the value for `key`.
    pub fn get(&self, key: K) -> V {
        *self.of(key)
    }
}

impl<K: StringEnum> Weighting<K> {
    /// Returns the weights normalised to a sum of 1, in the order of the variants.
    pub fn shares(&self) -> Vec<f64> {
        let total = self.0.total();
        self.0.values.iter().map(|weight| weight.get() / total).collect()
    }

    /// Returns the weight of `key`.
    pub fn get(&self, key: K) -> f64 {
        self.0.get(key).get()
    }
}

impl<K> Full<K, Weight> {
    fn total(&self) -> f64 {
        self.values.iter().map(|weight| weight.get()).sum()
    }
}

impl<'de, K: StringEnum, V: Deserialize<'de>> Deserialize<'de> for Sparse<K, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ByKey(PhantomData))
    }
}

impl<'de, K: StringEnum, V: Deserialize<'de>> Deserialize<'de> for Full<K, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let sparse = Sparse::<K, V>::deserialize(deserializer)?;
        let value = |(key, value): (&K, Option<V>)| {
            value.ok_or_else(|| D::Error::custom(format_args!("{} `{}` is missing", K::FIELD, key.text())))
        };
        let values = K::VALUES.iter().zip(sparse.values).map(value).collect::<Result<_, _>>()?;
        Ok(Self { values, key: PhantomData })
    }
}

impl<'de, K: StringEnum> Deserialize<'de> for Weighting<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let weights = Full::<K, Weight>::deserialize(deserializer)?;
        if weights.total() > 0.0 { Ok(Self(weights)) } else { Err(D::Error::custom(NO_WEIGHT)) }
    }
}

impl<'de, const N: usize> Deserialize<'de> for WeightSeries<N>
where
    [Weight; N]: Deserialize<'de>,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let weights = <[Weight; N]>::deserialize(deserializer)?;
        let is_one_above_0 = weights.iter().any(|weight| weight.get() > 0.0);
        if is_one_above_0 { Ok(Self(weights)) } else { Err(D::Error::custom(NO_WEIGHT)) }
    }
}

const NO_WEIGHT: &str = "all weights are 0; at least one must be above 0";

struct ByKey<K, V>(PhantomData<(K, V)>);

impl<'de, K: StringEnum, V: Deserialize<'de>> Visitor<'de> for ByKey<K, V> {
    type Value = Sparse<K, V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a table with a value for each {}", K::FIELD)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut values: Vec<Option<V>> = K::VALUES.iter().map(|_| None).collect();
        while let Some(key) = map.next_key::<String>()? {
            let key = K::parse(&key).map_err(A::Error::custom)?;
            values[key.index()] = Some(map.next_value()?);
        }
        Ok(Sparse { values, key: PhantomData })
    }
}
