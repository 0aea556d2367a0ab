//! Page compression.

use std::io;

use anyhow::{Context, Result};
use parquet::basic::{Compression as ParquetCodec, ZstdLevel};
use publish::PageAlignedBuffer;

use crate::bit_packing::{varint, width_of};

/// The compression codec of the pages of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Compression {
    /// Fast, and supported by every reader
    #[default]
    Snappy,
    /// Smaller files, slower to write
    Zstd,
    /// No compression
    None,
}

/// Higher levels hardly shrink the files further: the remaining bytes are mostly random identifiers.
const ZSTD_LEVEL: i32 = 3;

/// The block size of Snappy, which finds no matches across blocks. One block is therefore a representative sample of a page.
const SNAPPY_BLOCK: usize = 1 << 16;

/// The divisor for the minimum gain: column chunks of which Snappy saves less than a sixteenth are stored uncompressed.
const MIN_SAVED_PART: usize = 16;

/// A codec and its reusable buffers.
pub(crate) struct Compressor {
    codec: Codec,
    compressed: Vec<u8>,
}

enum Codec {
    Snappy(Box<snap::raw::Encoder>),
    Zstd(zstd::bulk::Compressor<'static>),
    None,
}

/// The decision whether to compress the pages of a column chunk, made on its first page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum CompressionDecision {
    #[default]
    Unknown,
    Compressing,
    Storing,
}

impl Compressor {
    pub(crate) fn new(compression: Compression) -> Result<Self> {
        let codec = match compression {
            Compression::Snappy => Codec::Snappy(Box::new(snap::raw::Encoder::new())),
            Compression::Zstd => Codec::Zstd(zstd::bulk::Compressor::new(ZSTD_LEVEL)?),
            Compression::None => Codec::None,
        };
        Ok(Self { codec, compressed: Vec::new() })
    }

    /// Returns the codec for the file metadata.
    pub(crate) fn parquet_codec(&self) -> Result<ParquetCodec> {
        Ok(match self.codec {
            Codec::Snappy(_) => ParquetCodec::SNAPPY,
            Codec::Zstd(_) => ParquetCodec::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?),
            Codec::None => ParquetCodec::UNCOMPRESSED,
        })
    }

    /// Compresses a page. `decision` is kept from page to page of a column chunk.
    pub(crate) fn compress<'a>(
        &'a mut self,
        page: &'a [u8],
        decision: &mut CompressionDecision,
    ) -> Result<PageBytes<'a>> {
        match &mut self.codec {
            Codec::None => Ok(PageBytes::Ready(page)),
            Codec::Zstd(encoder) => {
                self.compressed.clear();
                self.compressed.reserve(zstd::zstd_safe::compress_bound(page.len()));
                encoder.compress_to_buffer(page, &mut self.compressed).context("cannot compress a page")?;
                Ok(PageBytes::Ready(&self.compressed))
            }
            Codec::Snappy(encoder) => {
                if *decision == CompressionDecision::Unknown {
                    let sample = &page[..page.len().min(SNAPPY_BLOCK)];
                    let n_bytes = compress_snappy(encoder, sample, &mut self.compressed)?.len();
                    let is_smaller = n_bytes + sample.len() / MIN_SAVED_PART < sample.len();
                    *decision =
                        if is_smaller { CompressionDecision::Compressing } else { CompressionDecision::Storing };
                }
                match decision {
                    CompressionDecision::Storing => Ok(PageBytes::SnappyLiterals(page)),
                    _ => compress_snappy(encoder, page, &mut self.compressed).map(PageBytes::Ready),
                }
            }
        }
    }
}

/// The bytes of a page for the file.
#[derive(Clone, Copy)]
pub(crate) enum PageBytes<'a> {
    /// The bytes themselves.
    Ready(&'a [u8]),
    /// The uncompressed page, to be written in Snappy's format without a search for matches: each block is a literal.
    SnappyLiterals(&'a [u8]),
}

impl PageBytes<'_> {
    /// Returns the number of bytes that [`append_to`](Self::append_to) writes, without those of `head`.
    pub(crate) fn len(self) -> usize {
        match self {
            Self::Ready(bytes) => bytes.len(),
            Self::SnappyLiterals(page) => {
                let n_length_bytes = width_of(page.len() as u64).div_ceil(7).max(1) as usize;
                n_length_bytes + 3 * page.len().div_ceil(SNAPPY_BLOCK) + page.len()
            }
        }
    }

    /// Writes `head`, to which bytes may be appended, and the page.
    pub(crate) fn append_to(self, head: &mut Vec<u8>, out: &mut PageAlignedBuffer) -> io::Result<()> {
        /// The tag of a literal whose length minus one follows in two bytes.
        const LITERAL: u8 = 61 << 2;
        match self {
            Self::Ready(bytes) => {
                out.append(head)?;
                out.append(bytes)
            }
            Self::SnappyLiterals(page) => {
                varint(page.len() as u64, head);
                out.append(head)?;
                for block in page.chunks(SNAPPY_BLOCK) {
                    let [low, high] = ((block.len() - 1) as u16).to_le_bytes();
                    out.append(&[LITERAL, low, high])?;
                    out.append(block)?;
                }
                Ok(())
            }
        }
    }
}

fn compress_snappy<'a>(encoder: &mut snap::raw::Encoder, page: &[u8], out: &'a mut Vec<u8>) -> Result<&'a [u8]> {
    let max_bytes = snap::raw::max_compress_len(page.len());
    if out.len() < max_bytes {
        out.resize(max_bytes, 0);
    }
    let n_bytes = encoder.compress(page, out).context("cannot compress a page")?;
    Ok(&out[..n_bytes])
}
