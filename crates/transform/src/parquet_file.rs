//! STAND-IN until the encoder is there.
use crate::rows::{NO_TIME, Rows, Texts};
use anyhow::Result;
use arrow::array::*;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use std::io::Write;
use std::sync::Arc;
use ticket_schema::columns::arrow_types;
use ticket_schema::vocabulary::*;
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Compression {
    #[default]
    Snappy,
    Zstd,
    None,
}
pub struct EncodedRowGroup(Rows);
impl EncodedRowGroup {
    pub fn n_bytes(&self) -> u64 {
        self.0.n_bytes() as u64 / 2
    }
}
#[derive(Default)]
pub struct Encoder;
impl Encoder {
    pub fn encode(&mut self, rows: &Rows, _c: Compression) -> Result<EncodedRowGroup> {
        Ok(EncodedRowGroup(rows.clone()))
    }
}
pub struct ParquetFile<W: Write + Send>(ArrowWriter<W>, u64);
impl<W: Write + Send> ParquetFile<W> {
    pub fn new(sink: W, _c: Compression) -> Result<Self> {
        let options = ArrowWriterOptions::new()
            .with_properties(crate::parquet_layout::writer_properties())
            .with_skip_arrow_metadata(true);
        Ok(Self(ArrowWriter::try_new_with_options(sink, arrow_types::file_schema(), options)?, 0))
    }
    pub fn n_bytes(&self) -> u64 {
        self.0.bytes_written() as u64
    }
    pub fn append(&mut self, g: EncodedRowGroup) -> Result<()> {
        let r = g.0;
        self.1 += r.len() as u64;
        let t = |v: &Texts| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(
                (0..v.ends.len()).map(|i| std::str::from_utf8(v.get(i)).unwrap_or_default()),
            ))
        };
        let time = |v: &Vec<i64>| -> ArrayRef {
            Arc::new(
                v.iter()
                    .map(|x| (*x != NO_TIME).then_some(*x))
                    .collect::<TimestampMillisecondArray>()
                    .with_timezone("UTC"),
            )
        };
        fn code<T: FixedText>(v: &[u8]) -> ArrayRef {
            Arc::new(StringArray::from_iter_values(v.iter().map(|c| T::VALUES[*c as usize].text())))
        }
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from_iter_values(
                r.ticket_id.iter().map(|u| uuid::Uuid::from_bytes(*u).hyphenated().to_string()),
            )),
            time(&r.created_at),
            time(&r.updated_at),
            time(&r.resolved_at),
            code::<Severity>(&r.severity),
            code::<Status>(&r.status),
            code::<Category>(&r.category),
            code::<Channel>(&r.channel),
            t(&r.dealer_id),
            t(&r.customer_id),
            t(&r.vin_last6),
            t(&r.model_series),
            Arc::new(Int32Array::from(r.model_year)),
            Arc::new(BooleanArray::from(r.sla_breached)),
        ];
        self.0.write(&RecordBatch::try_new(arrow_types::file_schema(), columns)?)?;
        self.0.flush()?;
        Ok(())
    }
    pub fn finish(self) -> Result<(W, u64)> {
        Ok((self.0.into_inner()?, self.1))
    }
}
