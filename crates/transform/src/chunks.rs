//! Inputs to chunks of whole lines, one after the other, in bounded memory.
//!
//! A chunk never spans two inputs, and where it ends depends on the bytes alone, never on how they arrive. A line that is too
//! long to be looked at as a whole comes in pieces, each a chunk of its own.

use std::io::{self, Read};

use anyhow::{Context, Result, ensure};
use cli_support::checksum::Checksum;

use crate::input::Source;
use crate::unpacked::Unpacked;

/// The longest line that is looked at as a whole.
pub const MAX_LINE_BYTES: usize = 16 << 20;

/// How many bytes of whole lines make a chunk: few enough to stay in the processor's cache until they are decoded, so many that
/// threads seldom wake each other to read the next.
const CHUNK_BYTES: usize = 1 << 21;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Bytes of one input.
#[derive(Debug, Default)]
pub struct Chunk {
    /// Where in the order of inputs its input stands, from 0.
    pub source: usize,
    /// Where in the (unpacked) input it starts, in bytes from 0.
    pub byte_offset: u64,
    /// What its bytes are.
    pub content: Content,
    /// How many bytes of the input's file were read for it: fewer than it has if the file is packed.
    pub n_bytes_read: u64,
    /// Set if the input ends with this chunk: checksum and length of the whole input, as it lies in its file.
    pub end: Option<Checksum>,
    buffer: Vec<u8>,
    start: usize,
    stop: usize,
}

/// What a chunk holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Content {
    /// Whole lines, each with its newline, which only the input's last line may lack.
    #[default]
    Lines,
    /// The first piece of a line of more than [`MAX_LINE_BYTES`].
    LongLine,
    /// A further piece of it, without its newline.
    MoreOfLongLine {
        /// Whether the line ends with this piece.
        is_last: bool,
    },
}

impl Chunk {
    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.stop]
    }
}

/// Gives out the chunks of inputs.
#[derive(Debug)]
pub struct Feed<'a> {
    sources: &'a [Source],
    /// How many of the sources have been opened.
    n_opened: usize,
    open: Option<Open>,
}

/// The input that is being read.
struct Open {
    reader: Unpacked,
    /// What the file system says of its length.
    n_bytes_expected: Option<u64>,
    /// Bytes that were read and not yet given out: the beginning of a line.
    rest: Vec<u8>,
    /// Where `rest` starts in the unpacked input.
    byte_offset: u64,
    in_long_line: bool,
}

impl std::fmt::Debug for Open {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Open").field("byte_offset", &self.byte_offset).finish_non_exhaustive()
    }
}

impl<'a> Feed<'a> {
    /// The chunks of `sources`, in their order.
    pub const fn new(sources: &'a [Source]) -> Self {
        Self { sources, n_opened: 0, open: None }
    }

    /// Fills `chunk`, whose memory is used again, with the next bytes; says whether there were any, or an input's end.
    pub fn next(&mut self, chunk: &mut Chunk) -> Result<bool> {
        let mut open = if let Some(open) = self.open.take() {
            open
        } else {
            let Some(source) = self.sources.get(self.n_opened) else { return Ok(false) };
            self.n_opened += 1;
            Open::new(source).with_context(|| format!("cannot open {}", source.shown()))?
        };
        let source = &self.sources[self.n_opened - 1];
        chunk.source = self.n_opened - 1;
        open.fill(chunk).with_context(|| format!("cannot read {}", source.shown()))?;
        if chunk.end.is_none() {
            self.open = Some(open);
        } else {
            open.ensure_not_cut(source)?;
        }
        Ok(true)
    }
}

impl Open {
    fn new(source: &Source) -> io::Result<Self> {
        let mut open = Self {
            n_bytes_expected: source.n_bytes(),
            reader: source.open()?,
            rest: Vec::new(),
            byte_offset: 0,
            in_long_line: false,
        };
        open.skip_byte_order_mark()?;
        Ok(open)
    }

    fn skip_byte_order_mark(&mut self) -> io::Result<()> {
        (&mut self.reader).take(BYTE_ORDER_MARK.len() as u64).read_to_end(&mut self.rest)?;
        if self.rest == BYTE_ORDER_MARK {
            self.rest.clear();
            self.byte_offset = BYTE_ORDER_MARK.len() as u64;
        }
        Ok(())
    }

    fn fill(&mut self, chunk: &mut Chunk) -> io::Result<()> {
        let n_bytes_before = self.reader.checksum().n_bytes();
        let result = self.fill_with_lines(chunk);
        chunk.n_bytes_read = self.reader.checksum().n_bytes() - n_bytes_before;
        result
    }

    fn fill_with_lines(&mut self, chunk: &mut Chunk) -> io::Result<()> {
        self.read_into(chunk)?;
        let at_end = chunk.bytes().len() < CHUNK_BYTES;
        chunk.byte_offset = self.byte_offset;
        chunk.end = None;
        if self.in_long_line {
            self.fill_with_long_line(chunk, at_end);
            return Ok(());
        }
        chunk.content = Content::Lines;
        if at_end {
            chunk.end = Some(self.reader.checksum().clone());
        } else if let Some(newline) = memchr::memrchr(b'\n', chunk.bytes()) {
            self.give_back(chunk, newline + 1);
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
                self.give_back(chunk, searched + newline + 1);
                return Ok(());
            }
            if n_bytes < step {
                chunk.end = Some(self.reader.checksum().clone());
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
            // What follows the newline is given out with the next chunk, even at the end.
            self.byte_offset -= (chunk.bytes().len() - newline - 1) as u64;
            self.give_back(chunk, newline + 1);
            chunk.stop -= 1;
        } else if at_end {
            chunk.end = Some(self.reader.checksum().clone());
        }
    }

    /// Keeps what lies behind the first `n_bytes` of a chunk for the next one.
    fn give_back(&mut self, chunk: &mut Chunk, n_bytes: usize) {
        self.rest.extend_from_slice(&chunk.bytes()[n_bytes..]);
        chunk.stop = chunk.start + n_bytes;
    }

    /// Fills a chunk with the rest and what follows it: with fewer bytes than a chunk's only at the end.
    ///
    /// What is read begins at the start of a page of memory. The kernel copies from whole pages, and if its copy lies a few
    /// bytes further into a page than the original, many processors take each load for one of what was just stored, and wait:
    /// a fifth of the speed.
    fn read_into(&mut self, chunk: &mut Chunk) -> io::Result<()> {
        const PAGE_BYTES: usize = 4096;
        let n_rest = self.rest.len();
        let n_before = n_rest.next_multiple_of(PAGE_BYTES);
        chunk.buffer.resize(n_before + CHUNK_BYTES + PAGE_BYTES, 0);
        let place = chunk.buffer.as_ptr().align_offset(PAGE_BYTES).min(PAGE_BYTES) + n_before;
        chunk.start = place - n_rest;
        chunk.buffer[chunk.start..place].copy_from_slice(&self.rest);
        self.rest.clear();
        let n_read = read_fully(&mut self.reader, &mut chunk.buffer[place..place + CHUNK_BYTES - n_rest])?;
        chunk.stop = place + n_read;
        Ok(())
    }

    /// A file that became shorter while it was read was cut by somebody else, perhaps in the middle of a line.
    fn ensure_not_cut(&self, source: &Source) -> Result<()> {
        let n_bytes = self.reader.checksum().n_bytes();
        let n_bytes_expected = self.n_bytes_expected.unwrap_or(0);
        ensure!(
            n_bytes >= n_bytes_expected,
            "{} became shorter while it was read: it had {n_bytes_expected} bytes, and ended after {n_bytes}; run again when \
             nobody writes it",
            source.shown()
        );
        Ok(())
    }
}

/// Fills `buffer` as far as there are bytes: a pipe gives them in pieces of any length.
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
