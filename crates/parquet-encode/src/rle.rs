//! The RLE/bit-packing hybrid encoding: runs of one value, with bit-packed values between them.

use crate::bit_packing::{pack_8, varint, width_of};

/// The number of bytes that a run must save to make up for the header of the bit-packed values after it.
const MIN_SAVED_BYTES: usize = 8;

/// Returns the bit width for codes up to `max`: at least 1, because some readers do not support a width of 0.
pub(crate) fn code_width(max: u16) -> u32 {
    width_of(u64::from(max)).max(1)
}

/// Appends codes of at most `width` bits each.
pub(crate) fn encode(codes: &[u16], width: u32, out: &mut Vec<u8>) {
    let (groups, rest) = codes.as_chunks::<8>();
    let (mut start, mut next) = (0, 0);
    while let Some(group) = groups.get(next) {
        if !is_constant(group) {
            next += 1;
            continue;
        }
        let n_equal = groups[next..].iter().take_while(|other| *other == group).count();
        if n_equal * width as usize >= MIN_SAVED_BYTES {
            bit_packed(&groups[start..next], &[], width, out);
            start = next + n_equal;
            if start == groups.len() && rest.iter().all(|code| *code == group[0]) {
                run(group[0], 8 * n_equal + rest.len(), width, out);
                return;
            }
            run(group[0], 8 * n_equal, width, out);
        }
        next += n_equal;
    }
    bit_packed(&groups[start..], rest, width, out);
}

fn is_constant(group: &[u16; 8]) -> bool {
    *group == [group[0]; 8]
}

/// Appends a run of one code.
fn run(code: u16, n: usize, width: u32, out: &mut Vec<u8>) {
    varint((n as u64) << 1, out);
    out.extend_from_slice(&code.to_le_bytes()[..width.div_ceil(8) as usize]);
}

/// Appends groups of eight codes; an incomplete last group is padded with zeros.
fn bit_packed(groups: &[[u16; 8]], rest: &[u16], width: u32, out: &mut Vec<u8>) {
    let n_groups = groups.len() + usize::from(!rest.is_empty());
    if n_groups == 0 {
        return;
    }
    varint((n_groups as u64) << 1 | 1, out);
    for group in groups {
        pack_8(group, width, out);
    }
    if !rest.is_empty() {
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        pack_8(&last, width, out);
    }
}
