//! Row groups to a Parquet file.

use std::io::{self, Write};

use anyhow::Result;
use parquet::basic::ColumnOrder;
use parquet::file::metadata::{
    FileMetaData, ParquetMetaDataBuilder, ParquetMetaDataWriter, RowGroupMetaData, SortingColumn,
};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::page_index::offset_index::OffsetIndexMetaData;
use parquet::file::writer::TrackedWrite;
use parquet::schema::types::SchemaDescPtr;
use publish::PagedBytes;
use ticket_schema::columns::file_columns;

use super::row_group::{EncodedRowGroup, file_schema};

/// How a Parquet file begins and ends.
const MAGIC: &[u8] = b"PAR1";

/// The format's version that readers are told. It is about types that didn't exist in it, not about encodings or pages.
const FORMAT_VERSION: i32 = 1;

/// A file that is being written. It depends on the row groups alone, and on their order.
pub struct ParquetFile<W: Write + Send> {
    sink: W,
    n_bytes: u64,
    schema: SchemaDescPtr,
    row_groups: Vec<RowGroupMetaData>,
    column_indexes: Vec<Vec<ColumnIndexMetaData>>,
    offset_indexes: Vec<Vec<OffsetIndexMetaData>>,
    n_rows: u64,
}

impl<W: Write + Send> ParquetFile<W> {
    /// A file without a row.
    pub fn new(mut sink: W) -> Result<Self> {
        sink.write_all(MAGIC)?;
        Ok(Self {
            sink,
            n_bytes: MAGIC.len() as u64,
            schema: file_schema()?,
            row_groups: Vec::new(),
            column_indexes: Vec::new(),
            offset_indexes: Vec::new(),
            n_rows: 0,
        })
    }

    /// How many bytes the file has so far; its metadata, which come last, will add to them.
    pub const fn n_bytes(&self) -> u64 {
        self.n_bytes
    }

    /// How many rows the file has so far.
    pub const fn n_rows(&self) -> u64 {
        self.n_rows
    }

    /// Has the next row group start at a multiple of a number of bytes, as readers allow; zeros come before it.
    pub fn align(&mut self, n_bytes: u64) -> Result<()> {
        let end = self.n_bytes.next_multiple_of(n_bytes);
        self.sink.write_all(&vec![0; usize::try_from(end - self.n_bytes)?])?;
        self.n_bytes = end;
        Ok(())
    }

    /// Writes a row group. One without rows leaves no trace.
    /// Returns the memory of its bytes.
    pub fn append(&mut self, group: EncodedRowGroup) -> Result<PagedBytes> {
        self.append_by(group, |sink, bytes| sink.write_all(&bytes).map(|()| bytes))
    }

    /// Like [`append`](Self::append), for a sink that has its own way to write bytes that it need not look at. `write` is given
    /// [all bytes](EncodedRowGroup::bytes) of the row group, must write them all, and returns their memory or some other.
    pub fn append_by(
        &mut self,
        group: EncodedRowGroup,
        write: impl FnOnce(&mut W, PagedBytes) -> io::Result<PagedBytes>,
    ) -> Result<PagedBytes> {
        if group.n_rows == 0 {
            return Ok(group.bytes);
        }
        let start = i64::try_from(self.n_bytes)?;
        self.n_bytes += group.bytes().len() as u64;
        let memory = write(&mut self.sink, group.bytes)?;
        let mut columns = Vec::with_capacity(group.columns.len());
        let mut column_indexes = Vec::with_capacity(group.columns.len());
        let mut offset_indexes = Vec::with_capacity(group.columns.len());
        for mut column in group.columns {
            let data_page_offset = start + column.metadata.data_page_offset();
            let dictionary_page_offset = column.metadata.dictionary_page_offset().map(|offset| start + offset);
            let metadata = column.metadata.into_builder();
            let metadata = metadata.set_data_page_offset(data_page_offset);
            columns.push(metadata.set_dictionary_page_offset(dictionary_page_offset).build()?);
            column.offset_index.page_locations.iter_mut().for_each(|page| page.offset += start);
            column_indexes.push(column.column_index);
            offset_indexes.push(column.offset_index);
        }
        let n_plain_bytes = columns.iter().map(parquet::file::metadata::ColumnChunkMetaData::uncompressed_size).sum();
        let row_group = RowGroupMetaData::builder(self.schema.clone())
            .set_num_rows(i64::try_from(group.n_rows)?)
            .set_total_byte_size(n_plain_bytes)
            .set_column_metadata(columns)
            .set_sorting_columns(Some(vec![by_creation()?]))
            .set_ordinal(i16::try_from(self.row_groups.len())?)
            .set_file_offset(start)
            .build()?;
        self.row_groups.push(row_group);
        self.column_indexes.push(column_indexes);
        self.offset_indexes.push(offset_indexes);
        self.n_rows += group.n_rows as u64;
        Ok(memory)
    }

    /// Writes the indexes and the metadata. Returns the sink and the number of rows.
    pub fn finish(mut self) -> Result<(W, u64)> {
        let column_orders = self.schema.columns().iter().map(|column| {
            ColumnOrder::TYPE_DEFINED_ORDER(ColumnOrder::sort_order_for_type(
                column.logical_type_ref(),
                column.converted_type(),
                column.physical_type(),
            ))
        });
        let file_metadata = FileMetaData::new(
            FORMAT_VERSION,
            i64::try_from(self.n_rows)?,
            Some(concat!("aftersales transform version ", env!("CARGO_PKG_VERSION")).to_owned()),
            None,
            self.schema.clone(),
            Some(column_orders.collect()),
        );
        let metadata = ParquetMetaDataBuilder::new(file_metadata)
            .set_row_groups(self.row_groups)
            .set_column_index(Some(self.column_indexes))
            .set_offset_index(Some(self.offset_indexes))
            .build();
        let mut end = EndOfFile { n_before: usize::try_from(self.n_bytes)?, bytes: Vec::new() };
        ParquetMetaDataWriter::new_with_tracked(end.tracked()?, &metadata).finish()?;
        self.sink.write_all(&end.bytes)?;
        self.sink.flush()?;
        Ok((self.sink, self.n_rows))
    }
}

/// Takes the metadata. Their writer gives no sink back, and no error of its last bytes, so it isn't given the file's.
struct EndOfFile {
    n_before: usize,
    bytes: Vec<u8>,
}

impl EndOfFile {
    /// A writer that counts from where the metadata begin.
    fn tracked(&mut self) -> io::Result<TrackedWrite<&mut Self>> {
        static NOTHING: [u8; 1 << 16] = [0; 1 << 16];
        let mut n_before = self.n_before;
        let mut tracked = TrackedWrite::new(self);
        while n_before > 0 {
            let n = n_before.min(NOTHING.len());
            tracked.write_all(&NOTHING[..n])?;
            n_before -= n;
        }
        Ok(tracked)
    }
}

impl Write for EndOfFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n_skipped = self.n_before.min(bytes.len());
        self.n_before -= n_skipped;
        self.bytes.extend_from_slice(&bytes[n_skipped..]);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn by_creation() -> Result<SortingColumn> {
    let place = file_columns().position(|column| column.name == "created_at").unwrap_or_default();
    Ok(SortingColumn { column_idx: i32::try_from(place)?, descending: false, nulls_first: false })
}
