//! Number formatting by SWAR (SIMD within a register): all digits are computed at once, one per byte, without tables,
//! loops or branches.

/// Formats the lowest four decimal digits.
pub(crate) fn decimal(n: u32) -> [u8; 4] {
    let n = n % 10_000;
    let digits = tens_and_ones::<{ 1 | 1 << 16 }>(u64::from((n / 100) | ((n % 100) << 16)));
    (u32::from_le_bytes(*b"0000") + digits as u32).to_le_bytes()
}

/// Formats a second of the day as `08:30:00`.
pub(crate) fn clock(second_of_day: u32) -> [u8; 8] {
    let (hour, minute, second) = (second_of_day / 3600, second_of_day / 60 % 60, second_of_day % 60);
    // Hour, minute and second are three characters apart.
    let numbers = u64::from(hour) | u64::from(minute) << 24 | u64::from(second) << 48;
    let digits = tens_and_ones::<{ 1 | 1 << 24 | 1 << 48 }>(numbers);
    (u64::from_le_bytes(*b"00:00:00") + digits).to_le_bytes()
}

/// Splits packed numbers below 100 into tens and ones, in two adjacent bytes each. `PLACES` has one bit at the position
/// of each number; adjacent numbers are at least two bytes apart.
const fn tens_and_ones<const PLACES: u64>(numbers: u64) -> u64 {
    // n / 10 = n * 103 / 1024 for all n below 100. The mask removes bits shifted in from the number above.
    let tens = ((numbers * 103) >> 10) & (PLACES * 15);
    let ones = numbers - tens * 10;
    tens | ones << 8
}

/// Formats eight hexadecimal digits; `ten` is `a` or `A`.
pub(crate) fn hex(bits: u32, ten: u8) -> [u8; 8] {
    const EACH: u64 = 0x0101_0101_0101_0101;
    // Spreads the digits to one per byte, the first one in the most significant byte.
    let bits = u64::from(bits);
    let bits = (bits | bits << 16) & 0x0000_FFFF_0000_FFFF;
    let bits = (bits | bits << 8) & 0x00FF_00FF_00FF_00FF;
    let values = (bits | bits << 4) & (EACH * 15);
    let letters = (values + EACH * 6) >> 4 & EACH;
    (values + EACH * u64::from(b'0') + letters * u64::from(ten - 10 - b'0')).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::{clock, decimal, hex};

    #[test]
    fn decimal_matches_format() {
        for n in 0..20_000 {
            assert_eq!(decimal(n), format!("{:04}", n % 10_000).as_bytes(), "{n}");
        }
    }

    #[test]
    fn clock_matches_format_for_every_second_of_a_day() {
        for n in 0..86_400 {
            assert_eq!(clock(n), format!("{:02}:{:02}:{:02}", n / 3600, n / 60 % 60, n % 60).as_bytes());
        }
    }

    #[test]
    fn hex_matches_format_for_each_digit_and_position() {
        for position in 0..8 {
            for digit in 0..16_u32 {
                let bits = 0x7B2E_915C ^ digit << (4 * position);
                assert_eq!(hex(bits, b'a'), format!("{bits:08x}").as_bytes());
                assert_eq!(hex(bits, b'A'), format!("{bits:08X}").as_bytes());
            }
        }
    }
}
