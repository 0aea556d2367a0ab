//! Column chunks: the pages of one column of a row group, and their metadata.

use anyhow::Result;
use parquet::basic::{Encoding, PageType};
use parquet::file::metadata::{ColumnChunkMetaData, ColumnIndexBuilder, OffsetIndexBuilder, PageEncodingStats};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::page_index::offset_index::OffsetIndexMetaData;
use parquet::schema::types::ColumnDescPtr;
use publish::PageAlignedBuffer;

use crate::compressor::{CompressionDecision, Compressor};
use crate::page_header::{PageKind, page_header};
use crate::statistics::{PageStatistics, Value, boundary_order, merged};

/// The metadata of an encoded column chunk. Offsets are relative to the first byte of the row group.
#[derive(Debug)]
pub struct EncodedColumn {
    pub(crate) metadata: ColumnChunkMetaData,
    pub(crate) column_index: ColumnIndexMetaData,
    pub(crate) offset_index: OffsetIndexMetaData,
}

/// A column chunk that is being encoded.
pub(crate) struct ColumnChunk<'a, T> {
    /// The bytes of the row group; pages are appended.
    out: &'a mut PageAlignedBuffer,
    /// The header of the current page.
    head: Vec<u8>,
    compressor: &'a mut Compressor,
    decision: CompressionDecision,
    /// The offset of the chunk in `out`.
    start: usize,
    /// The uncompressed size of the pages, with their headers.
    plain_size: usize,
    dictionary_offset: Option<usize>,
    encoding: Encoding,
    statistics: Vec<PageStatistics<T>>,
    offset_index: OffsetIndexBuilder,
    first_data_page: Option<usize>,
    n_rows: usize,
}

impl<'a, T: Value> ColumnChunk<'a, T> {
    /// Begins a chunk without pages. All data pages will have the given encoding.
    pub(crate) fn new(encoding: Encoding, compressor: &'a mut Compressor, out: &'a mut PageAlignedBuffer) -> Self {
        Self {
            start: out.len(),
            out,
            head: Vec::new(),
            compressor,
            decision: CompressionDecision::default(),
            plain_size: 0,
            dictionary_offset: None,
            encoding,
            statistics: Vec::new(),
            offset_index: OffsetIndexBuilder::new(),
            first_data_page: None,
            n_rows: 0,
        }
    }

    /// Writes the dictionary page, which must be the first page.
    pub(crate) fn dictionary_page(&mut self, page: &[u8], n_values: usize) -> Result<()> {
        self.dictionary_offset = Some(self.out.len());
        // The dictionary compresses differently from the codes, so it must not decide for the data pages.
        self.page(PageKind::Dictionary { is_sorted: true }, page, n_values, &mut CompressionDecision::default())
    }

    /// Writes a data page.
    pub(crate) fn data_page(&mut self, page: &[u8], n_rows: usize, statistics: PageStatistics<T>) -> Result<()> {
        let offset = self.out.len();
        let mut decision = self.decision;
        self.page(PageKind::Data(self.encoding), page, n_rows, &mut decision)?;
        self.decision = decision;
        self.first_data_page.get_or_insert(offset);
        self.offset_index.append_row_count(i64::try_from(n_rows)?);
        self.offset_index.append_offset_and_size(i64::try_from(offset)?, i32::try_from(self.out.len() - offset)?);
        self.statistics.push(statistics);
        self.n_rows += n_rows;
        Ok(())
    }

    fn page(&mut self, kind: PageKind, page: &[u8], n_values: usize, decision: &mut CompressionDecision) -> Result<()> {
        let compressed = self.compressor.compress(page, decision)?;
        self.head.clear();
        page_header(kind, n_values, page.len(), compressed.len(), &mut self.head);
        self.plain_size += self.head.len() + page.len();
        compressed.append_to(&mut self.head, self.out)?;
        Ok(())
    }

    /// Ends the chunk and returns its metadata.
    pub(crate) fn finish(self, descriptor: ColumnDescPtr) -> Result<EncodedColumn> {
        let n_nulls = self.statistics.iter().map(|page| page.n_nulls).sum();
        let pages = |page_type, encoding, count| PageEncodingStats { page_type, encoding, count };
        let mut encodings = vec![self.encoding, Encoding::RLE];
        let mut encoding_stats = vec![pages(PageType::DATA_PAGE, self.encoding, i32::try_from(self.statistics.len())?)];
        if self.dictionary_offset.is_some() {
            encodings.push(Encoding::PLAIN);
            encoding_stats.insert(0, pages(PageType::DICTIONARY_PAGE, Encoding::PLAIN, 1));
        }
        let metadata = ColumnChunkMetaData::builder(descriptor)
            .set_compression(self.compressor.parquet_codec()?)
            .set_encodings(encodings)
            .set_page_encoding_stats(encoding_stats)
            .set_num_values(i64::try_from(self.n_rows)?)
            .set_total_compressed_size(i64::try_from(self.out.len() - self.start)?)
            .set_total_uncompressed_size(i64::try_from(self.plain_size)?)
            .set_dictionary_page_offset(self.dictionary_offset.map(i64::try_from).transpose()?)
            .set_data_page_offset(i64::try_from(self.first_data_page.unwrap_or(self.start))?)
            .set_statistics(T::statistics(merged(&self.statistics), n_nulls))
            .build()?;
        let mut column_index = ColumnIndexBuilder::new(T::TYPE);
        column_index.set_boundary_order(boundary_order(&self.statistics));
        for page in self.statistics {
            let (min, max) =
                page.bounds.as_ref().map(|(min, max)| (min.to_plain(), max.to_plain())).unwrap_or_default();
            column_index.append(page.bounds.is_none(), min, max, i64::try_from(page.n_nulls)?);
        }
        Ok(EncodedColumn { metadata, column_index: column_index.build()?, offset_index: self.offset_index.build() })
    }
}
