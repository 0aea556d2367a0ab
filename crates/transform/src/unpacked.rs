//! The bytes of an input, unpacked if its name says that it is packed, and the checksum of those that lie in the file.

use std::io::{self, BufReader, Read};

use cli_support::checksum::Checksum;
use flate2::read::MultiGzDecoder;

/// How much of a file is read at once: so little that it is still near the processor when its checksum is taken.
const READ_BYTES: usize = 1 << 17;

type File = Checksummed<Box<dyn Read + Send>>;

/// An input's bytes.
pub enum Unpacked {
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

impl Unpacked {
    /// What `file` holds; the end of `name` says how it is packed.
    pub fn new(file: Box<dyn Read + Send>, name: &str) -> io::Result<Self> {
        let file = Checksummed { reader: file, checksum: Checksum::default() };
        let buffered = |file| BufReader::with_capacity(READ_BYTES, file);
        Ok(match name.rsplit_once('.') {
            Some((_, "gz")) => Self::Gzip(Box::new(MultiGzDecoder::new(buffered(file)))),
            Some((_, "zst")) => Self::Zstd(zstd::Decoder::with_buffer(buffered(file))?),
            _ => Self::Plain(file),
        })
    }

    /// Checksum and length of what has been read of the file.
    pub fn checksum(&self) -> &Checksum {
        match self {
            Self::Plain(file) => &file.checksum,
            Self::Gzip(decoder) => &decoder.get_ref().get_ref().checksum,
            Self::Zstd(decoder) => &decoder.get_ref().get_ref().checksum,
        }
    }
}

impl Read for Unpacked {
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
