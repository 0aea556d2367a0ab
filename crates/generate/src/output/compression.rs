//! Compression of the output, one chunk at a time.
//!
//! Each chunk becomes a gzip member or a Zstandard frame; a file is their concatenation, which every reader of either
//! format accepts. Chunks are compressed in parallel, and the bytes depend on the layout alone.

use std::io::Write;

use anyhow::{Context, Result};
use zstd::zstd_safe::CParameter;

/// Compression format of the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Compression {
    /// Uncompressed files, .jsonl
    #[default]
    None,
    /// One gzip member per chunk, .jsonl.gz
    Gzip,
    /// One Zstandard frame per chunk, .jsonl.zst
    Zstd,
}

impl Compression {
    /// Returns the file name suffix.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Gzip => ".gz",
            Self::Zstd => ".zst",
        }
    }

    /// Returns the name on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

/// Compressor of single chunks.
pub(crate) enum Compressor {
    Gzip,
    Zstd(zstd::bulk::Compressor<'static>),
}

impl Compressor {
    /// Returns `None` for [`Compression::None`].
    ///
    /// # Errors
    ///
    /// Fails if Zstandard cannot allocate its context.
    pub(crate) fn new(compression: Compression) -> Result<Option<Self>> {
        Ok(match compression {
            Compression::None => None,
            Compression::Gzip => Some(Self::Gzip),
            Compression::Zstd => {
                let mut compressor = zstd::bulk::Compressor::new(zstd::DEFAULT_COMPRESSION_LEVEL)?;
                // gzip members carry a checksum too.
                compressor.set_parameter(CParameter::ChecksumFlag(true))?;
                Some(Self::Zstd(compressor))
            }
        })
    }

    /// Replaces the contents of `compressed` with `bytes` in compressed form.
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
