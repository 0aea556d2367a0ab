//! Numbers as digits, without a table, a loop or a branch: all digits of a number are worked out at the same time, each in a byte
//! of one register.

/// The lowest four decimal digits.
#[inline]
pub(crate) fn decimal(n: u32) -> [u8; 4] {
    let n = n % 10_000;
    let digits = tens_and_ones::<{ 1 | 1 << 16 }>(u64::from((n / 100) | ((n % 100) << 16)));
    (u32::from_le_bytes(*b"0000") + digits as u32).to_le_bytes()
}

/// `08:30:00`.
#[inline]
pub(crate) fn clock(second_of_day: u32) -> [u8; 8] {
    let (hour, minute, second) = (second_of_day / 3600, second_of_day / 60 % 60, second_of_day % 60);
    // Three characters from each to the next.
    let numbers = u64::from(hour) | u64::from(minute) << 24 | u64::from(second) << 48;
    let digits = tens_and_ones::<{ 1 | 1 << 24 | 1 << 48 }>(numbers);
    (u64::from_le_bytes(*b"00:00:00") + digits).to_le_bytes()
}

/// Splits numbers below 100 each into a byte with the tens and, above it, a byte with the ones. They stand where `PLACES` has a
/// bit, and there is room between them.
#[inline]
const fn tens_and_ones<const PLACES: u64>(numbers: u64) -> u64 {
    // For all numbers below 100, n / 10 is n * 103 / 1024. The mask cuts off what comes down from the number above.
    let tens = ((numbers * 103) >> 10) & (PLACES * 15);
    let ones = numbers - tens * 10;
    tens | ones << 8
}

/// Eight hexadecimal digits; `ten` is `a` or `A`.
#[inline]
pub(crate) fn hex(bits: u32, ten: u8) -> [u8; 8] {
    const EACH: u64 = 0x0101_0101_0101_0101;
    // Spread to four bits a byte, the first digit in the highest.
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
    fn every_decimal_number_agrees_with_the_library() {
        for n in 0..20_000 {
            assert_eq!(decimal(n), format!("{:04}", n % 10_000).as_bytes(), "{n}");
        }
    }

    #[test]
    fn every_second_of_a_day_is_right() {
        for n in 0..86_400 {
            assert_eq!(clock(n), format!("{:02}:{:02}:{:02}", n / 3600, n / 60 % 60, n % 60).as_bytes());
        }
    }

    #[test]
    fn each_hexadecimal_digit_is_right_at_each_place() {
        for place in 0..8 {
            for digit in 0..16_u32 {
                let bits = 0x7B2E_915C ^ digit << (4 * place);
                assert_eq!(hex(bits, b'a'), format!("{bits:08x}").as_bytes());
                assert_eq!(hex(bits, b'A'), format!("{bits:08X}").as_bytes());
            }
        }
    }
}
