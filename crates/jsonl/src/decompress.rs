//! The bytes of an input, decompress if its name says that it is packed, and the checksum of those that lie in the file.

use std::io::{self, BufReader, Read};

use flate2::read::MultiGzDecoder;
use publish::Checksum;

/// How much of a file is read at once: so little that it is still near the processor when its checksum is taken.
const READ_BYTES: usize = 1 << 17;

type File = Checksummed<Box<dyn Read + Send>>;

/// An input's bytes.
pub enum DecompressedReader {
    /// As they lie in the file.
    Plain(File),
    /// From gzip, any number of members.
    Gzip(Box<MultiGzDecoder<BufReader<File>>>),
    /// From Zstandard, any number of frames.
    Zstd(zstd::Decoder<'static, BufReader<File>>),
}

/// Counts and checksums what is read.
pub struct Checksummed<R> {
    reader: R,
    checksum: Checksum,
}

/// How a file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Gzip, any number of members.
    Gzip,
    /// Zstandard, any number of frames.
    Zstd,
}

impl Compression {
    /// As the end of a file's name says; `None` if it isn't packed.
    pub fn of(name: &str) -> Option<Self> {
        match name.rsplit_once('.')?.1 {
            "gz" => Some(Self::Gzip),
            "zst" => Some(Self::Zstd),
            _ => None,
        }
    }
}

impl DecompressedReader {
    /// What `file` holds; the end of `name` says how it is packed.
    pub fn new(file: Box<dyn Read + Send>, name: &str) -> io::Result<Self> {
        let file = Checksummed { reader: file, checksum: Checksum::default() };
        let buffered = |file| BufReader::with_capacity(READ_BYTES, file);
        Ok(match Compression::of(name) {
            Some(Compression::Gzip) => Self::Gzip(Box::new(MultiGzDecoder::new(buffered(file)))),
            Some(Compression::Zstd) => Self::Zstd(zstd::Decoder::with_buffer(buffered(file))?),
            None => Self::Plain(file),
        })
    }

    /// What `file` holds, whatever its name is.
    pub fn plain(file: Box<dyn Read + Send>) -> Self {
        Self::Plain(Checksummed { reader: file, checksum: Checksum::default() })
    }

    /// Checksum and length of what has been read of the file since this was asked.
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
        let n_most = buffer.len().min(READ_BYTES);
        let n = self.reader.read(&mut buffer[..n_most])?;
        self.checksum.update(&buffer[..n]);
        Ok(n)
    }
}
