//! Parquet files from encoded row groups.

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
use publish::PageAlignedBuffer;

use crate::row_group::EncodedRowGroup;

/// The first and the last bytes of a Parquet file.
const MAGIC: &[u8] = b"PAR1";

/// The format version in the file metadata. Version 2 stands for newer logical types, not for encodings or pages.
const FORMAT_VERSION: i32 = 1;

/// File metadata that the row groups do not determine.
#[derive(Clone, Debug, Default)]
pub struct FileOptions {
    /// The application that writes the file, in the form `application version 1.2.3`.
    pub created_by: Option<String>,
    /// The columns by which the rows of every row group are sorted. The writer does not check the order.
    pub sorting_columns: Vec<SortingColumn>,
}

/// Writes a Parquet file. Its bytes depend only on the schema, the options and the row groups in their order.
pub struct FileWriter<W: Write + Send> {
    sink: W,
    n_bytes: u64,
    schema: SchemaDescPtr,
    options: FileOptions,
    row_groups: Vec<RowGroupMetaData>,
    column_indexes: Vec<Vec<ColumnIndexMetaData>>,
    offset_indexes: Vec<Vec<OffsetIndexMetaData>>,
    n_rows: u64,
}

impl<W: Write + Send> FileWriter<W> {
    /// Begins a file without rows.
    ///
    /// # Errors
    ///
    /// Fails if the sink cannot be written.
    pub fn new(mut sink: W, schema: SchemaDescPtr, options: FileOptions) -> Result<Self> {
        sink.write_all(MAGIC)?;
        Ok(Self {
            sink,
            n_bytes: MAGIC.len() as u64,
            schema,
            options,
            row_groups: Vec::new(),
            column_indexes: Vec::new(),
            offset_indexes: Vec::new(),
            n_rows: 0,
        })
    }

    /// The number of bytes written so far. [`finish`](Self::finish) appends the file metadata.
    pub const fn n_bytes(&self) -> u64 {
        self.n_bytes
    }

    /// The number of rows written so far.
    pub const fn n_rows(&self) -> u64 {
        self.n_rows
    }

    /// Pads the file with zeros to a multiple of `n_bytes`, where the next row group starts. Readers accept such gaps.
    ///
    /// # Errors
    ///
    /// Fails if the sink cannot be written.
    pub fn align(&mut self, n_bytes: u64) -> Result<()> {
        let end = self.n_bytes.next_multiple_of(n_bytes);
        self.sink.write_all(&vec![0; usize::try_from(end - self.n_bytes)?])?;
        self.n_bytes = end;
        Ok(())
    }

    /// Writes a row group and returns the buffer of its bytes. A row group without rows is skipped.
    ///
    /// # Errors
    ///
    /// Fails if the sink cannot be written, or if a size or count exceeds what the format can express.
    pub fn append(&mut self, group: EncodedRowGroup) -> Result<PageAlignedBuffer> {
        self.append_by(group, |sink, bytes| sink.write_all(&bytes).map(|()| bytes))
    }

    /// Writes a row group as [`append`](Self::append) does, with a function of the caller for its bytes. `write` must write
    /// all [bytes](EncodedRowGroup::bytes) to the sink, and returns their buffer or another one.
    ///
    /// # Errors
    ///
    /// Fails if `write` fails, or if a size or count exceeds what the format can express.
    pub fn append_by(
        &mut self,
        group: EncodedRowGroup,
        write: impl FnOnce(&mut W, PageAlignedBuffer) -> io::Result<PageAlignedBuffer>,
    ) -> Result<PageAlignedBuffer> {
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
        let sorting_columns = Some(self.options.sorting_columns.clone()).filter(|columns| !columns.is_empty());
        let row_group = RowGroupMetaData::builder(self.schema.clone())
            .set_num_rows(i64::try_from(group.n_rows)?)
            .set_total_byte_size(n_plain_bytes)
            .set_column_metadata(columns)
            .set_sorting_columns(sorting_columns)
            .set_ordinal(i16::try_from(self.row_groups.len())?)
            .set_file_offset(start)
            .build()?;
        self.row_groups.push(row_group);
        self.column_indexes.push(column_indexes);
        self.offset_indexes.push(offset_indexes);
        self.n_rows += group.n_rows as u64;
        Ok(memory)
    }

    /// Writes the page indexes and the file metadata. Returns the sink and the number of rows.
    ///
    /// # Errors
    ///
    /// Fails if the sink cannot be written, or if a size or count exceeds what the format can express.
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
            self.options.created_by,
            None,
            self.schema.clone(),
            Some(column_orders.collect()),
        );
        let metadata = ParquetMetaDataBuilder::new(file_metadata)
            .set_row_groups(self.row_groups)
            .set_column_index(Some(self.column_indexes))
            .set_offset_index(Some(self.offset_indexes))
            .build();
        let mut end = FooterSink { n_before: usize::try_from(self.n_bytes)?, bytes: Vec::new() };
        ParquetMetaDataWriter::new_with_tracked(end.tracked()?, &metadata).finish()?;
        self.sink.write_all(&end.bytes)?;
        self.sink.flush()?;
        Ok((self.sink, self.n_rows))
    }
}

/// Collects the page indexes and the file metadata. The `parquet` crate's metadata writer neither returns its sink nor
/// reports errors of its last bytes, so it does not get the file's sink.
struct FooterSink {
    /// The number of bytes before the indexes that are still to be skipped.
    n_before: usize,
    bytes: Vec<u8>,
}

impl FooterSink {
    /// Returns a writer whose position is the end of the row groups.
    fn tracked(&mut self) -> io::Result<TrackedWrite<&mut Self>> {
        static ZEROS: [u8; 1 << 16] = [0; 1 << 16];
        let mut n_before = self.n_before;
        let mut tracked = TrackedWrite::new(self);
        while n_before > 0 {
            let n = n_before.min(ZEROS.len());
            tracked.write_all(&ZEROS[..n])?;
            n_before -= n;
        }
        Ok(tracked)
    }
}

impl Write for FooterSink {
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
