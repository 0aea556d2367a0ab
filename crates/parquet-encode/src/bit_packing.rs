//! Bit packing: integers of one width, concatenated from the least significant bit on; and LEB128 integers.

/// Returns the number of bits that a value needs.
pub(crate) const fn width_of(value: u64) -> u32 {
    u64::BITS - value.leading_zeros()
}

/// Appends eight values of `width` bits (at most 16) each, `width` bytes in total.
pub(crate) fn pack_8(values: &[u16; 8], width: u32, out: &mut Vec<u8>) {
    let lane = |index: usize| u64::from(values[index]) << (16 * (index % 4));
    let low = pack_4(lane(0) | lane(1) | lane(2) | lane(3), width);
    let high = pack_4(lane(4) | lane(5) | lane(6) | lane(7), width);
    let packed = u128::from(low) | u128::from(high) << (4 * width);
    out.extend_from_slice(&packed.to_le_bytes()[..width as usize]);
}

/// Compacts four lanes of 16 bits to `width` bits each: first within pairs, then the pairs.
const fn pack_4(lanes: u64, width: u32) -> u64 {
    const EVEN: u64 = 0x0000_FFFF_0000_FFFF;
    let pairs = (lanes & EVEN) | (lanes & !EVEN) >> (16 - width);
    (pairs & 0xFFFF_FFFF) | (pairs >> 32) << (2 * width)
}

/// Appends 32 values of `width` bits (at most 64) each, `4 * width` bytes in total.
pub(crate) fn pack_32(values: &[u64; 32], width: u32, out: &mut Vec<u8>) {
    // Sized for the maximum width, so that whole words are written without a bounds check.
    let mut packed = [0; 32 * 8];
    let mut words = packed.as_chunks_mut::<8>().0.iter_mut();
    let (mut word, mut n_bits) = (0_u64, 0);
    for value in values {
        word |= value << n_bits;
        n_bits += width;
        if n_bits >= u64::BITS {
            if let Some(next) = words.next() {
                *next = word.to_le_bytes();
            }
            n_bits -= u64::BITS;
            // The high bits of the value that did not fit, or 0 if it ended with the word.
            word = value.checked_shr(width - n_bits).unwrap_or(0);
        }
    }
    if let Some(next) = words.next() {
        *next = word.to_le_bytes();
    }
    out.extend_from_slice(&packed[..4 * width as usize]);
}

/// Appends an unsigned LEB128 integer.
pub(crate) fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a zigzag-encoded LEB128 integer: the sign is the lowest bit.
pub(crate) fn zigzag(value: i64, out: &mut Vec<u8>) {
    varint((value << 1 ^ value >> 63) as u64, out);
}
