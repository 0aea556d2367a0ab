//! Page headers: `PageHeader` of parquet.thrift in Thrift's compact protocol.

use parquet::basic::Encoding;

use crate::bit_packing::zigzag;

/// The type of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PageKind {
    /// A data page of version 1 with values in this encoding.
    Data(Encoding),
    /// The distinct values of a column, in `PLAIN` encoding.
    Dictionary {
        /// True if the values are in ascending order.
        is_sorted: bool,
    },
}

// A field begins with the difference of its identifier to the previous field's, and its type.
const NEXT_I32: u8 = 0x15;
const NEXT_TRUE: u8 = 0x11;
const NEXT_FALSE: u8 = 0x12;
/// `data_page_header`, field 5 after field 3.
const DATA_PAGE_HEADER: u8 = 0x2C;
/// `dictionary_page_header`, field 7 after field 3.
const DICTIONARY_PAGE_HEADER: u8 = 0x4C;
const END: u8 = 0;

/// Appends a header. `plain_size` and `size` are the uncompressed and compressed sizes of the page in bytes, without the
/// header.
pub(crate) fn page_header(kind: PageKind, n_values: usize, plain_size: usize, size: usize, out: &mut Vec<u8>) {
    let i32 = |value: usize, out: &mut Vec<u8>| {
        out.push(NEXT_I32);
        zigzag(value as i64, out);
    };
    let (page_type, header) = match kind {
        PageKind::Data(_) => (0, DATA_PAGE_HEADER),
        PageKind::Dictionary { .. } => (2, DICTIONARY_PAGE_HEADER),
    };
    i32(page_type, out);
    i32(plain_size, out);
    i32(size, out);
    out.push(header);
    i32(n_values, out);
    match kind {
        PageKind::Data(encoding) => {
            i32(encoding as usize, out);
            i32(Encoding::RLE as usize, out);
            i32(Encoding::RLE as usize, out);
        }
        PageKind::Dictionary { is_sorted } => {
            i32(Encoding::PLAIN as usize, out);
            out.push(if is_sorted { NEXT_TRUE } else { NEXT_FALSE });
        }
    }
    out.extend_from_slice(&[END, END]);
}
