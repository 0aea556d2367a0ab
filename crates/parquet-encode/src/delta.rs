//! The `DELTA_BINARY_PACKED` encoding: differences between consecutive integers, bit-packed in blocks of 128.

use crate::bit_packing::{pack_32, varint, width_of, zigzag};

const BLOCK: usize = 128;
const MINIBLOCK: usize = 32;
const MINIBLOCKS: usize = BLOCK / MINIBLOCK;

/// Appends integers.
pub(crate) fn encode(numbers: &[i64], out: &mut Vec<u8>) {
    header(numbers.len(), numbers.first().copied().unwrap_or(0), out);
    let mut deltas = [0; BLOCK];
    for start in (1..numbers.len()).step_by(BLOCK) {
        let after = &numbers[start..numbers.len().min(start + BLOCK)];
        let deltas = &mut deltas[..after.len()];
        for ((delta, after), before) in deltas.iter_mut().zip(after).zip(&numbers[start - 1..]) {
            // The format defines differences modulo 2^64, so none overflows.
            *delta = after.wrapping_sub(*before);
        }
        block(deltas, out);
    }
}

/// Appends the same integer `n` times.
pub(crate) fn encode_constant(number: i64, n: usize, out: &mut Vec<u8>) {
    header(n, number, out);
    let n_blocks = n.saturating_sub(1).div_ceil(BLOCK);
    // Each block has a minimum delta of 0 and miniblocks of width 0.
    out.resize(out.len() + n_blocks * (1 + MINIBLOCKS), 0);
}

fn header(n: usize, first: i64, out: &mut Vec<u8>) {
    varint(BLOCK as u64, out);
    varint(MINIBLOCKS as u64, out);
    varint(n as u64, out);
    zigzag(first, out);
}

fn block(deltas: &[i64], out: &mut Vec<u8>) {
    let min = deltas.iter().copied().min().unwrap_or(0);
    zigzag(min, out);
    let mut offsets = [0; BLOCK];
    for (offset, delta) in offsets.iter_mut().zip(deltas) {
        *offset = delta.wrapping_sub(min) as u64;
    }
    let miniblocks = offsets.as_chunks::<MINIBLOCK>().0;
    let mut widths = [0; MINIBLOCKS];
    for (width, values) in widths.iter_mut().zip(miniblocks) {
        *width = width_of(values.iter().fold(0, |all, value| all | value)) as u8;
    }
    out.extend_from_slice(&widths);
    for (width, values) in widths.iter().zip(miniblocks) {
        // A miniblock of width 0 has no bytes; those after the last value have width 0.
        if *width > 0 {
            pack_32(values, u32::from(*width), out);
        }
    }
}
