//! Splits inputs into chunks of whole lines, in bounded memory.
//!
//! A chunk never spans two inputs, and its end depends on the bytes alone, not on how they arrive. A line that is longer
//! than [`MAX_LINE_BYTES`] is split into pieces, each a chunk of its own.
//!
//! All threads share one [`ChunkReader`] under a lock, so its critical section must be short. For seekable files it only
//! finds chunk boundaries, and the worker reads the chunk (`positional_reader`); all other inputs, and irregular ends of
//! files, are read in the critical section (`stream_reader`).

use std::io;

use anyhow::{Context, Result, bail};
use publish::Checksum;

use crate::input::Source;
use crate::positional_reader::{PositionalReader, Section};
use crate::stream_reader::StreamReader;

/// The length limit of a line, in bytes; longer lines are split.
pub const MAX_LINE_BYTES: usize = 16 << 20;

/// The size of a chunk in bytes, large enough that threads rarely contend for the reader and for the consumer.
pub(crate) const CHUNK_BYTES: usize = 1 << 21;

/// A range of bytes of one input.
#[derive(Debug, Default)]
pub struct Chunk {
    /// Index of its input in the list of sources.
    pub source: usize,
    /// Offset in the decompressed input, in bytes from 0.
    pub byte_offset: u64,
    /// The kind of its bytes.
    pub content: Content,
    /// True for the last chunk of its input.
    pub is_last: bool,
    /// Checksum and length of the part of the file, as stored, that it was read from. Set once its bytes have been read.
    pub checksum: Checksum,
    /// The section of the file, until it is read.
    unread: Option<Section>,
    /// Holds its bytes up to `stop`, if they have been read.
    pub(crate) buffer: Vec<u8>,
    pub(crate) stop: usize,
}

/// The kind of bytes in a chunk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Content {
    /// Whole lines, each with its newline, which only the input's last line may lack.
    #[default]
    Lines,
    /// The first piece of a line of more than [`MAX_LINE_BYTES`].
    LongLine,
    /// A further piece of such a line, without its newline.
    MoreOfLongLine {
        /// True for the last piece of the line.
        is_last: bool,
    },
}

impl Chunk {
    fn set_unread(&mut self, section: Section, is_last: bool) {
        (self.byte_offset, self.content, self.is_last) = (section.start(), Content::Lines, is_last);
        self.unread = Some(section);
    }

    /// Returns whether its bytes have not been read yet. They are read piece by piece then, never all into memory.
    pub const fn is_unread(&self) -> bool {
        self.unread.is_some()
    }

    /// Returns its bytes; empty while [`is_unread`](Self::is_unread).
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[..self.stop]
    }

    /// Calls `take` with pieces of whole lines and the offset of each piece in the chunk. `sources` are those of the
    /// [`ChunkReader`].
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be read or has become shorter.
    pub fn for_each_piece(&mut self, sources: &[Source], mut take: impl FnMut(usize, &[u8])) -> Result<()> {
        let Some(section) = self.unread.take() else {
            take(0, self.bytes());
            return Ok(());
        };
        match section.for_each_piece(&mut self.buffer, take) {
            Ok(checksum) => self.checksum = checksum,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => bail!(
                "{} became shorter while it was read; run again when no process is writing it",
                sources[self.source].display_name()
            ),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", sources[self.source].display_name()))?,
        }
        Ok(())
    }
}

/// Reads the chunks of a list of inputs.
#[derive(Debug)]
pub struct ChunkReader<'a> {
    sources: &'a [Source],
    /// Number of sources opened so far.
    n_opened: usize,
    open: Option<Open>,
}

/// The input that is being read.
#[derive(Debug)]
enum Open {
    PositionalReader(PositionalReader),
    StreamReader(Box<StreamReader>),
}

impl<'a> ChunkReader<'a> {
    /// Creates a reader of `sources`, in their order.
    pub const fn new(sources: &'a [Source]) -> Self {
        Self { sources, n_opened: 0, open: None }
    }

    /// Reads the next chunk into `chunk`, whose memory is reused. Returns false at the end of the last input.
    ///
    /// # Errors
    ///
    /// Fails if an input cannot be opened, read or decompressed, or has become shorter.
    pub fn next(&mut self, chunk: &mut Chunk) -> Result<bool> {
        let open = if let Some(open) = self.open.take() {
            open
        } else {
            let Some(source) = self.sources.get(self.n_opened) else { return Ok(false) };
            self.n_opened += 1;
            Open::new(source).with_context(|| format!("cannot open {}", source.display_name()))?
        };
        chunk.source = self.n_opened - 1;
        self.open = open.read_next(chunk, &self.sources[self.n_opened - 1])?;
        Ok(true)
    }
}

impl Open {
    fn new(source: &Source) -> io::Result<Self> {
        Ok(match PositionalReader::open(source)? {
            Some(positional_reader) => Self::PositionalReader(positional_reader),
            None => Self::StreamReader(Box::new(StreamReader::open(source)?)),
        })
    }

    /// Reads the next chunk into `chunk`; returns the reader unless the input has ended.
    fn read_next(self, chunk: &mut Chunk, source: &Source) -> Result<Option<Self>> {
        let mut stream_reader = match self {
            Self::StreamReader(stream_reader) => stream_reader,
            Self::PositionalReader(mut positional_reader) => {
                if let Some((section, is_last)) = positional_reader.next(CHUNK_BYTES) {
                    chunk.set_unread(section, is_last);
                    return Ok((!is_last).then_some(Self::PositionalReader(positional_reader)));
                }
                let rest = StreamReader::rest_of(positional_reader)
                    .with_context(|| format!("cannot read {}", source.display_name()))?;
                Box::new(rest)
            }
        };
        chunk.unread = None;
        stream_reader.fill(chunk).with_context(|| format!("cannot read {}", source.display_name()))?;
        if chunk.is_last {
            stream_reader.ensure_not_truncated(source)?;
        }
        Ok((!chunk.is_last).then_some(Self::StreamReader(stream_reader)))
    }
}

/// The checksum of an input, combined from the checksums of its chunks.
#[derive(Debug, Default)]
pub struct InputChecksum(Checksum);

impl InputChecksum {
    /// Adds the checksum of the next chunk; returns the input's checksum after its last chunk.
    pub fn take(&mut self, chunk: &Chunk) -> Option<Checksum> {
        self.0.append(&chunk.checksum);
        chunk.is_last.then(|| std::mem::take(&mut self.0))
    }
}
