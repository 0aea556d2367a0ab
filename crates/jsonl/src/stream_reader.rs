//! Inputs that are read sequentially: pipes, compressed files, and lines longer than a chunk.

use std::io::{self, Read, Seek, SeekFrom};

use anyhow::{Result, ensure};

use crate::chunks::{CHUNK_BYTES, Chunk, Content, MAX_LINE_BYTES};
use crate::decompress::DecompressedReader;
use crate::input::Source;
use crate::positional_reader::PositionalReader;

/// The UTF-8 byte order mark, which is skipped.
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// An input that has been read up to an offset.
pub(crate) struct StreamReader {
    reader: DecompressedReader,
    /// Length of the file when it was opened.
    n_bytes_expected: u64,
    /// Number of stored bytes in the chunks so far.
    n_bytes_read: u64,
    /// Bytes read but not yet in a chunk: the beginning of a line.
    rest: Vec<u8>,
    /// Offset of `rest` in the decompressed input.
    byte_offset: u64,
    in_long_line: bool,
}

impl std::fmt::Debug for StreamReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StreamReader").field("byte_offset", &self.byte_offset).finish_non_exhaustive()
    }
}

impl StreamReader {
    pub(crate) fn open(source: &Source) -> io::Result<Self> {
        let n_bytes_expected = source.n_bytes().unwrap_or(0);
        let mut input = Self::new(source.open()?, n_bytes_expected);
        input.skip_byte_order_mark()?;
        Ok(input)
    }

    /// Continues a file after the sections that its positional reader has handed out.
    pub(crate) fn rest_of(file: PositionalReader) -> io::Result<Self> {
        let (mut file, at, n_bytes_expected) = file.into_rest();
        file.seek(SeekFrom::Start(at))?;
        let input = Self::new(DecompressedReader::plain(Box::new(file)), n_bytes_expected);
        Ok(Self { n_bytes_read: at, byte_offset: at, ..input })
    }

    const fn new(reader: DecompressedReader, n_bytes_expected: u64) -> Self {
        Self { reader, n_bytes_expected, n_bytes_read: 0, rest: Vec::new(), byte_offset: 0, in_long_line: false }
    }

    fn skip_byte_order_mark(&mut self) -> io::Result<()> {
        (&mut self.reader).take(BYTE_ORDER_MARK.len() as u64).read_to_end(&mut self.rest)?;
        if self.rest == BYTE_ORDER_MARK {
            self.rest.clear();
            self.byte_offset = BYTE_ORDER_MARK.len() as u64;
        }
        Ok(())
    }

    /// Reads the next chunk into `chunk`.
    pub(crate) fn fill(&mut self, chunk: &mut Chunk) -> io::Result<()> {
        self.read_into(chunk)?;
        let at_end = chunk.bytes().len() < CHUNK_BYTES;
        chunk.byte_offset = self.byte_offset;
        chunk.is_last = false;
        if self.in_long_line {
            self.fill_with_long_line(chunk, at_end);
        } else {
            self.fill_with_lines(chunk, at_end)?;
        }
        // Includes the bytes kept for the next chunk, which must not be counted twice.
        chunk.checksum = self.reader.take_checksum();
        self.n_bytes_read += chunk.checksum.n_bytes();
        Ok(())
    }

    fn fill_with_lines(&mut self, chunk: &mut Chunk, at_end: bool) -> io::Result<()> {
        chunk.content = Content::Lines;
        if at_end {
            chunk.is_last = true;
        } else if let Some(newline) = memchr::memrchr(b'\n', chunk.bytes()) {
            self.keep_rest(chunk, newline + 1);
        } else {
            self.fill_with_one_line(chunk)?;
        }
        self.byte_offset += chunk.bytes().len() as u64;
        Ok(())
    }

    /// Reads on to the end of a line that is longer than a chunk, as far as that may be.
    fn fill_with_one_line(&mut self, chunk: &mut Chunk) -> io::Result<()> {
        // One more for the newline.
        const LIMIT: usize = MAX_LINE_BYTES + 1;
        while chunk.bytes().len() < LIMIT {
            let searched = chunk.bytes().len();
            let step = CHUNK_BYTES.min(LIMIT - searched);
            chunk.buffer.resize(chunk.stop + step, 0);
            let n_bytes = read_fully(&mut self.reader, &mut chunk.buffer[chunk.stop..])?;
            chunk.stop += n_bytes;
            if let Some(newline) = memchr::memchr(b'\n', &chunk.bytes()[searched..]) {
                self.keep_rest(chunk, searched + newline + 1);
                return Ok(());
            }
            if n_bytes < step {
                chunk.is_last = true;
                return Ok(());
            }
        }
        chunk.content = Content::LongLine;
        self.in_long_line = true;
        Ok(())
    }

    fn fill_with_long_line(&mut self, chunk: &mut Chunk, at_end: bool) {
        let newline = memchr::memchr(b'\n', chunk.bytes());
        chunk.content = Content::MoreOfLongLine { is_last: newline.is_some() || at_end };
        self.in_long_line = newline.is_none();
        self.byte_offset += chunk.bytes().len() as u64;
        if let Some(newline) = newline {
            // The bytes after the newline belong to the next chunk, even at the end.
            self.byte_offset -= (chunk.bytes().len() - newline - 1) as u64;
            self.keep_rest(chunk, newline + 1);
            chunk.stop -= 1;
        } else if at_end {
            chunk.is_last = true;
        }
    }

    /// Keeps the bytes after the first `n_bytes` of a chunk for the next one.
    fn keep_rest(&mut self, chunk: &mut Chunk, n_bytes: usize) {
        self.rest.extend_from_slice(&chunk.bytes()[n_bytes..]);
        chunk.stop = n_bytes;
    }

    /// Fills a chunk with the kept bytes and those that follow, up to [`CHUNK_BYTES`]; with fewer only at the end of the
    /// input.
    fn read_into(&mut self, chunk: &mut Chunk) -> io::Result<()> {
        let n_rest = self.rest.len();
        chunk.buffer.resize(CHUNK_BYTES, 0);
        chunk.buffer[..n_rest].copy_from_slice(&self.rest);
        self.rest.clear();
        chunk.stop = n_rest + read_fully(&mut self.reader, &mut chunk.buffer[n_rest..])?;
        Ok(())
    }

    /// Fails if the file has become shorter: another process has truncated it, perhaps within a line.
    pub(crate) fn ensure_not_truncated(&self, source: &Source) -> Result<()> {
        let Self { n_bytes_read, n_bytes_expected, .. } = self;
        ensure!(
            n_bytes_read >= n_bytes_expected,
            "{} became shorter while it was read: it had {n_bytes_expected} bytes, and ended after {n_bytes_read}; run again \
             when no process is writing it",
            source.display_name()
        );
        Ok(())
    }
}

/// Reads until `buffer` is full or the input ends; a pipe returns short reads.
fn read_fully(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut n_bytes = 0;
    while n_bytes < buffer.len() {
        match reader.read(&mut buffer[n_bytes..]) {
            Ok(0) => break,
            Ok(n) => n_bytes += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(n_bytes)
}
