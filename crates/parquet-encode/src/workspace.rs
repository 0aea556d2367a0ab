//! What the encoders of all columns use again and again, so that nothing is allocated for a page.

use publish::PagedBytes;

use super::compressor::Compressor;
use super::text_table::Interner;

/// Buffers of one thread.
pub(super) struct Workspace {
    pub(super) compressor: Compressor,
    /// The bytes of the row group so far.
    pub(super) out: PagedBytes,
    /// A page before it is compressed.
    pub(super) page: Vec<u8>,
    /// Numbers of a page: times without nulls, or lengths.
    pub(super) numbers: Vec<i64>,
    /// The codes of a column: places in its dictionary.
    pub(super) codes: Vec<u16>,
    /// The distinct texts of a column.
    pub(super) table: Interner,
}

impl Workspace {
    pub(super) fn new(compressor: Compressor) -> Self {
        Self {
            compressor,
            out: PagedBytes::default(),
            page: Vec::new(),
            numbers: Vec::new(),
            codes: Vec::new(),
            table: Interner::default(),
        }
    }
}
