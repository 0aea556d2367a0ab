//! The bytes of a page, compressed or not.

use std::io;

use anyhow::{Context, Result};
use parquet::basic::{Compression as ParquetCodec, ZstdLevel};
use publish::PagedBytes;

use super::bit_packing::{varint, width_of};

/// How the pages of a file are compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Compression {
    /// Fast, and read by everything
    #[default]
    Snappy,
    /// Smaller, and slower to write
    Zstd,
    /// As it is
    None,
}

/// Of higher levels the files get hardly smaller: what is left in them is mostly random.
const ZSTD_LEVEL: i32 = 3;

/// Snappy looks for repetitions in blocks of this size only, so that it is also a fair sample of a page.
const SNAPPY_BLOCK: usize = 1 << 16;

/// A page that Snappy makes less than this part smaller isn't worth the time to compress and decompress it.
const MIN_SAVED_PART: usize = 16;

/// A codec with all that it needs again and again.
pub(super) struct Compressor {
    codec: Codec,
    compressed: Vec<u8>,
}

enum Codec {
    Snappy(Box<snap::raw::Encoder>),
    Zstd(zstd::bulk::Compressor<'static>),
    None,
}

/// What was found out about a column chunk from its first page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum CompressionDecision {
    #[default]
    Unknown,
    Compressing,
    Storing,
}

impl Compressor {
    pub(super) fn new(compression: Compression) -> Result<Self> {
        let codec = match compression {
            Compression::Snappy => Codec::Snappy(Box::new(snap::raw::Encoder::new())),
            Compression::Zstd => Codec::Zstd(zstd::bulk::Compressor::new(ZSTD_LEVEL)?),
            Compression::None => Codec::None,
        };
        Ok(Self { codec, compressed: Vec::new() })
    }

    /// The codec as the file's metadata names it.
    pub(super) fn parquet_codec(&self) -> Result<ParquetCodec> {
        Ok(match self.codec {
            Codec::Snappy(_) => ParquetCodec::SNAPPY,
            Codec::Zstd(_) => ParquetCodec::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?),
            Codec::None => ParquetCodec::UNCOMPRESSED,
        })
    }

    /// The page as it will be in the file. `worth` is kept from page to page of a chunk.
    pub(super) fn compress<'a>(&'a mut self, page: &'a [u8], worth: &mut CompressionDecision) -> Result<PageBytes<'a>> {
        match &mut self.codec {
            Codec::None => Ok(PageBytes::Ready(page)),
            Codec::Zstd(encoder) => {
                self.compressed.clear();
                self.compressed.reserve(zstd::zstd_safe::compress_bound(page.len()));
                encoder.compress_to_buffer(page, &mut self.compressed).context("cannot compress a page")?;
                Ok(PageBytes::Ready(&self.compressed))
            }
            Codec::Snappy(encoder) => {
                if *worth == CompressionDecision::Unknown {
                    let sample = &page[..page.len().min(SNAPPY_BLOCK)];
                    let n_bytes = compress_snappy(encoder, sample, &mut self.compressed)?.len();
                    let is_smaller = n_bytes + sample.len() / MIN_SAVED_PART < sample.len();
                    *worth = if is_smaller { CompressionDecision::Compressing } else { CompressionDecision::Storing };
                }
                match worth {
                    CompressionDecision::Storing => Ok(PageBytes::SnappyLiterals(page)),
                    _ => compress_snappy(encoder, page, &mut self.compressed).map(PageBytes::Ready),
                }
            }
        }
    }
}

/// A page as it will be in the file.
#[derive(Clone, Copy)]
pub(super) enum PageBytes<'a> {
    /// These bytes.
    Ready(&'a [u8]),
    /// These bytes in Snappy's format, without looking for repetitions: each block is a literal.
    SnappyLiterals(&'a [u8]),
}

impl PageBytes<'_> {
    /// How many bytes [`append_to`](Self::append_to) appends, without what was in `head`.
    pub(super) fn len(self) -> usize {
        match self {
            Self::Ready(bytes) => bytes.len(),
            Self::SnappyLiterals(page) => {
                let n_length_bytes = width_of(page.len() as u64).div_ceil(7).max(1) as usize;
                n_length_bytes + 3 * page.len().div_ceil(SNAPPY_BLOCK) + page.len()
            }
        }
    }

    /// Appends the page, and before it what is in `head`, to which something may be added.
    pub(super) fn append_to(self, head: &mut Vec<u8>, out: &mut PagedBytes) -> io::Result<()> {
        /// A literal whose length, less one, stands in the next two bytes.
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
    let room = snap::raw::max_compress_len(page.len());
    if out.len() < room {
        out.resize(room, 0);
    }
    let n_bytes = encoder.compress(page, out).context("cannot compress a page")?;
    Ok(&out[..n_bytes])
}
