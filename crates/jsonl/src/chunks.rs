//! Inputs to chunks of whole lines, one after the other, in bounded memory.
//!
//! A chunk never spans two inputs, and where it ends depends on the bytes alone, never on how they arrive. A line that is too
//! long to be looked at as a whole comes in pieces, each a chunk of its own.
//!
//! All threads take their chunks here, one after the other, so what is done here must be short. Of a file that can be read at
//! any place it is only said which lines are next, and whoever takes them reads them (`positional_reader`); all others, and what isn't
//! lines as usual, are read here (`stream_reader`).

use std::io;

use anyhow::{Context, Result, bail};
use publish::Checksum;

use crate::input::Source;
use crate::positional_reader::{PositionalReader, Section};
use crate::stream_reader::StreamReader;

/// The longest line that is looked at as a whole.
pub const MAX_LINE_BYTES: usize = 16 << 20;

/// How many bytes of whole lines make a chunk: so many that threads seldom meet where they take the next one, or lay down what
/// they have found in it.
pub(crate) const CHUNK_BYTES: usize = 1 << 21;

/// Bytes of one input.
#[derive(Debug, Default)]
pub struct Chunk {
    /// Where in the order of inputs its input stands, from 0.
    pub source: usize,
    /// Where in the (decompress) input it starts, in bytes from 0.
    pub byte_offset: u64,
    /// What its bytes are.
    pub content: Content,
    /// Whether its input ends with it.
    pub is_last: bool,
    /// Checksum and length of that part of the input's file, packed or not, that it was made of. Known once its bytes have been
    /// looked at.
    pub checksum: Checksum,
    /// Its bytes, if they are yet to be read.
    unread: Option<Section>,
    /// Holds its bytes up to `stop`, if they have been read.
    pub(crate) buffer: Vec<u8>,
    pub(crate) stop: usize,
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
    fn set_unread(&mut self, section: Section, is_last: bool) {
        (self.byte_offset, self.content, self.is_last) = (section.start(), Content::Lines, is_last);
        self.unread = Some(section);
    }

    /// Whether its bytes are yet to be read; they are never all in memory then.
    pub const fn is_unread(&self) -> bool {
        self.unread.is_some()
    }

    /// Its bytes, unless they are read piece by piece.
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[..self.stop]
    }

    /// Gives out whole lines, many at a time, with the place of the first one in the chunk. `sources` are those of the feed.
    pub fn for_each_piece(&mut self, sources: &[Source], mut take: impl FnMut(usize, &[u8])) -> Result<()> {
        let Some(section) = self.unread.take() else {
            take(0, self.bytes());
            return Ok(());
        };
        match section.for_each_piece(&mut self.buffer, take) {
            Ok(checksum) => self.checksum = checksum,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => bail!(
                "{} became shorter while it was read; run again when nobody writes it",
                sources[self.source].shown()
            ),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", sources[self.source].shown()))?,
        }
        Ok(())
    }
}

/// Gives out the chunks of inputs.
#[derive(Debug)]
pub struct ChunkReader<'a> {
    sources: &'a [Source],
    /// How many of the sources have been opened.
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
    /// The chunks of `sources`, in their order.
    pub const fn new(sources: &'a [Source]) -> Self {
        Self { sources, n_opened: 0, open: None }
    }

    /// Makes `chunk`, whose memory is used again, the next one; says whether there was one.
    pub fn next(&mut self, chunk: &mut Chunk) -> Result<bool> {
        let open = if let Some(open) = self.open.take() {
            open
        } else {
            let Some(source) = self.sources.get(self.n_opened) else { return Ok(false) };
            self.n_opened += 1;
            Open::new(source).with_context(|| format!("cannot open {}", source.shown()))?
        };
        chunk.source = self.n_opened - 1;
        self.open = open.give(chunk, &self.sources[self.n_opened - 1])?;
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

    /// Makes `chunk` the next one; returns what is left.
    fn give(self, chunk: &mut Chunk, source: &Source) -> Result<Option<Self>> {
        let mut stream_reader = match self {
            Self::StreamReader(stream_reader) => stream_reader,
            Self::PositionalReader(mut positional_reader) => {
                if let Some((section, is_last)) = positional_reader.next(CHUNK_BYTES) {
                    chunk.set_unread(section, is_last);
                    return Ok((!is_last).then_some(Self::PositionalReader(positional_reader)));
                }
                let rest = StreamReader::rest_of(positional_reader)
                    .with_context(|| format!("cannot read {}", source.shown()))?;
                Box::new(rest)
            }
        };
        chunk.unread = None;
        stream_reader.fill(chunk).with_context(|| format!("cannot read {}", source.shown()))?;
        if chunk.is_last {
            stream_reader.ensure_not_cut(source)?;
        }
        Ok((!chunk.is_last).then_some(Self::StreamReader(stream_reader)))
    }
}

/// The checksum of a whole input, from those of its chunks.
#[derive(Debug, Default)]
pub struct InputChecksum(Checksum);

impl InputChecksum {
    /// Takes in that of the next chunk; returns the whole input's if that was its last.
    pub fn take(&mut self, chunk: &Chunk) -> Option<Checksum> {
        self.0.append(&chunk.checksum);
        chunk.is_last.then(|| std::mem::take(&mut self.0))
    }
}
