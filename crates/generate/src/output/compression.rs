//! Files that are compressed as they are made.
//!
//! Each chunk becomes a gzip member or a Zstandard frame of its own, and a file is these one after the other, which
//! every reader of either format takes for one file. So chunks are compressed in parallel, and the bytes depend on the layout
//! alone.

use std::io::Write;

use anyhow::{Context, Result};
use zstd::zstd_safe::CParameter;

/// How files are compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Compression {
    /// Not at all, as .jsonl
    #[default]
    None,
    /// With gzip, as .jsonl.gz
    Gzip,
    /// With Zstandard, as .jsonl.zst
    Zstd,
}

impl Compression {
    /// What a file's name gets at its end.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Gzip => ".gz",
            Self::Zstd => ".zst",
        }
    }

    /// How the command line says it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

/// Compresses chunk by chunk.
pub(crate) enum Compressor {
    Gzip,
    Zstd(zstd::bulk::Compressor<'static>),
}

impl Compressor {
    /// `None` if nothing is to be compressed.
    pub(crate) fn new(compression: Compression) -> Result<Option<Self>> {
        Ok(match compression {
            Compression::None => None,
            Compression::Gzip => Some(Self::Gzip),
            Compression::Zstd => {
                let mut compressor = zstd::bulk::Compressor::new(zstd::DEFAULT_COMPRESSION_LEVEL)?;
                // As every gzip member has one.
                compressor.set_parameter(CParameter::ChecksumFlag(true))?;
                Some(Self::Zstd(compressor))
            }
        })
    }

    /// Replaces `compressed` by `bytes` in compressed form.
    pub(crate) fn compress(&mut self, bytes: &[u8], compressed: &mut Vec<u8>) -> Result<()> {
        compressed.clear();
        match self {
            Self::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(compressed, flate2::Compression::default());
                encoder.write_all(bytes).and_then(|()| encoder.try_finish()).context("cannot compress with gzip")
            }
            Self::Zstd(compressor) => {
                compressed.reserve(zstd::zstd_safe::compress_bound(bytes.len()));
                compressor.compress_to_buffer(bytes, compressed).map(drop).context("cannot compress with zstd")
            }
        }
    }
}
