//! Decompresses inputs by file extension and checksums the stored bytes.

use std::io::{self, BufReader, Read};

use flate2::read::MultiGzDecoder;
use publish::Checksum;

/// Read size in bytes, small enough that the bytes are still in the CPU cache when they are checksummed.
const READ_BYTES: usize = 1 << 17;

type File = Checksummed<Box<dyn Read + Send>>;

/// A reader of an input's decompressed bytes.
pub enum DecompressedReader {
    /// Uncompressed.
    Plain(File),
    /// Gzip, any number of members.
    Gzip(Box<MultiGzDecoder<BufReader<File>>>),
    /// Zstandard, any number of frames.
    Zstd(zstd::Decoder<'static, BufReader<File>>),
}

/// A reader that counts and checksums its bytes.
pub struct Checksummed<R> {
    reader: R,
    checksum: Checksum,
}

/// The compression format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Gzip, any number of members.
    Gzip,
    /// Zstandard, any number of frames.
    Zstd,
}

impl Compression {
    /// Returns the format for a file name, by its extension; `None` if it is uncompressed.
    pub fn of(name: &str) -> Option<Self> {
        match name.rsplit_once('.')?.1 {
            "gz" => Some(Self::Gzip),
            "zst" => Some(Self::Zstd),
            _ => None,
        }
    }
}

impl DecompressedReader {
    /// Creates a reader of `file`, decompressed by the extension of `name`.
    ///
    /// # Errors
    ///
    /// Fails if the Zstandard decoder cannot be created.
    pub fn new(file: Box<dyn Read + Send>, name: &str) -> io::Result<Self> {
        let file = Checksummed { reader: file, checksum: Checksum::default() };
        let buffered = |file| BufReader::with_capacity(READ_BYTES, file);
        Ok(match Compression::of(name) {
            Some(Compression::Gzip) => Self::Gzip(Box::new(MultiGzDecoder::new(buffered(file)))),
            Some(Compression::Zstd) => Self::Zstd(zstd::Decoder::with_buffer(buffered(file))?),
            None => Self::Plain(file),
        })
    }

    /// Creates a reader of `file` without decompression.
    pub fn plain(file: Box<dyn Read + Send>) -> Self {
        Self::Plain(Checksummed { reader: file, checksum: Checksum::default() })
    }

    /// Returns checksum and length of the stored bytes read since the last call.
    pub fn take_checksum(&mut self) -> Checksum {
        std::mem::take(match self {
            Self::Plain(file) => &mut file.checksum,
            Self::Gzip(decoder) => &mut decoder.get_mut().get_mut().checksum,
            Self::Zstd(decoder) => &mut decoder.get_mut().get_mut().checksum,
        })
    }
}

impl Read for DecompressedReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.read(buffer),
            Self::Gzip(decoder) => decoder.read(buffer),
            Self::Zstd(decoder) => decoder.read(buffer),
        }
    }
}

impl<R: Read> Read for Checksummed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n_max = buffer.len().min(READ_BYTES);
        let n = self.reader.read(&mut buffer[..n_max])?;
        self.checksum.update(&buffer[..n]);
        Ok(n)
    }
}
