//! One support ticket, as the generator makes it and the contract describes it.
//!
//! Every part is a small value that is copied, never allocated, so that a ticket can be made and written by the
//! million. The serde form is the contract's JSON; it is the slow, obvious rendering that faster ones are tested against.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::enums::Market;
use crate::ticket_columns;

macro_rules! ticket {
    ($($name:ident: $kind:ident($type:ty), $constraint:literal, $meaning:literal;)*) => {
        /// A ticket, with the columns of [`COLUMNS`](crate::columns::COLUMNS) in their order.
        ///
        /// `created_at < resolved_at <= updated_at`, and `resolved_at` is set exactly when the status
        /// [is resolved](crate::enums::Status::is_resolved).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct Ticket {
            $(#[doc = $meaning] pub $name: $type,)*
        }
    };
}
ticket_columns!(ticket);

/// A service centre: `DLR-DE-003`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DealerId {
    /// The market it lies in.
    pub market: Market,
    /// Its number within the market, 1 to 999.
    pub number: u16,
}

/// A customer's pseudonym: 40 bits, written as `CUST-` and ten upper-case hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CustomerId(u64);

/// The last six characters of a vehicle identification number: one of `A`-`Z` without `I`, `O` and `Q`, or a digit, then
/// five digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VinLast6([u8; 6]);

impl CustomerId {
    /// The customer with these lowest 40 bits.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits & 0xFF_FFFF_FFFF)
    }

    /// The 40 bits.
    pub const fn bits(self) -> u64 {
        self.0
    }
}

impl VinLast6 {
    /// The characters that may stand first.
    pub const FIRST: &[u8; 33] = b"ABCDEFGHJKLMNPRSTUVWXYZ0123456789";

    /// How many different values there are.
    pub const COUNT: u32 = 33 * 100_000;

    /// The value with this number; numbers from [`COUNT`](Self::COUNT) on start again at the first.
    pub const fn from_number(number: u32) -> Self {
        let number = number % Self::COUNT;
        let mut text = [Self::FIRST[(number / 100_000) as usize]; 6];
        let mut rest = number % 100_000;
        let mut place = 5;
        while place > 0 {
            text[place] = b'0' + (rest % 10) as u8;
            rest /= 10;
            place -= 1;
        }
        Self(text)
    }

    /// The six characters, all ASCII.
    pub const fn as_bytes(&self) -> &[u8; 6] {
        &self.0
    }
}

impl std::fmt::Display for DealerId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DLR-{}-{:03}", self.market, self.number)
    }
}

impl std::fmt::Display for CustomerId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CUST-{:010X}", self.0)
    }
}

impl std::fmt::Display for VinLast6 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{}", char::from(*byte)))
    }
}

/// A text that is not an identifier of the kind it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not of the form {expected}")]
pub struct BadIdentifier {
    text: String,
    expected: &'static str,
}

impl std::str::FromStr for DealerId {
    type Err = BadIdentifier;

    fn from_str(text: &str) -> Result<Self, BadIdentifier> {
        let parse = || {
            let (market, number) = text.strip_prefix("DLR-")?.split_once('-')?;
            let digits = number.len() == 3 && number.bytes().all(|byte| byte.is_ascii_digit());
            Some(Self { market: Market::from_text(market)?, number: number.parse().ok().filter(|n| digits && *n > 0)? })
        };
        parse().ok_or_else(|| BadIdentifier { text: text.to_owned(), expected: "DLR-DE-003" })
    }
}

impl std::str::FromStr for CustomerId {
    type Err = BadIdentifier;

    fn from_str(text: &str) -> Result<Self, BadIdentifier> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'A'..=b'F');
        text.strip_prefix("CUST-")
            .filter(|digits| digits.len() == 10 && digits.bytes().all(is_digit))
            .and_then(|digits| u64::from_str_radix(digits, 16).ok())
            .map(Self)
            .ok_or_else(|| BadIdentifier {
                text: text.to_owned(),
                expected: "CUST-0123456789 (upper-case hexadecimal)",
            })
    }
}

impl std::str::FromStr for VinLast6 {
    type Err = BadIdentifier;

    fn from_str(text: &str) -> Result<Self, BadIdentifier> {
        <[u8; 6]>::try_from(text.as_bytes())
            .ok()
            .filter(|bytes| Self::FIRST.contains(&bytes[0]) && bytes[1..].iter().all(u8::is_ascii_digit))
            .map(Self)
            .ok_or_else(|| BadIdentifier { text: text.to_owned(), expected: "A12345 (no I, O or Q; then five digits)" })
    }
}

/// Gives an identifier its text as its serde form.
macro_rules! serde_as_text {
    ($($name:ident),+) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
            }
        }
    )+};
}
serde_as_text!(DealerId, CustomerId, VinLast6);

#[cfg(test)]
mod tests {
    use super::{CustomerId, DealerId, VinLast6};

    #[test]
    fn identifiers_read_what_they_write_and_nothing_else() {
        for text in ["DLR-DE-003", "DLR-AE-999"] {
            assert_eq!(text.parse::<DealerId>().map(|id| id.to_string()).as_deref(), Ok(text));
        }
        for text in ["DLR-DE-3", "DLR-XX-003", "DLR-DE-000", "DLR-DE-+03", "dlr-DE-003"] {
            assert!(text.parse::<DealerId>().is_err(), "{text}");
        }
        assert_eq!("CUST-00000000FF".parse::<CustomerId>().map(CustomerId::bits), Ok(255));
        for text in ["CUST-00000000ff", "CUST-FF", "CUST-+0000000FF"] {
            assert!(text.parse::<CustomerId>().is_err(), "{text}");
        }
    }

    #[test]
    fn vins_have_no_look_alike_letters() {
        assert_eq!(VinLast6::from_number(0).to_string(), "A00000");
        assert_eq!(VinLast6::from_number(VinLast6::COUNT - 1).to_string(), "999999");
        assert_eq!(VinLast6::from_number(VinLast6::COUNT).to_string(), "A00000");
        for text in ["I12345", "O12345", "Q12345", "A1234", "A1234B", "a12345"] {
            assert!(text.parse::<VinLast6>().is_err(), "{text}");
        }
    }
}
