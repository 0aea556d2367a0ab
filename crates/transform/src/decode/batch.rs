//! A chunk, decoded: its rows by market, and its rejected lines.

use std::ops::Range;

use anyhow::Result;

use crate::decode::{Decoder, Market, RejectReason};
use crate::partition::columns::Rows;
use jsonl::chunks::{Chunk, ChunkReader, Content, MAX_LINE_BYTES};
use jsonl::input::Source;

/// A chunk and what was found in it. Its memory is used again for the next chunk.
#[derive(Debug, Default)]
pub struct Batch {
    /// The bytes.
    pub chunk: Chunk,
    /// The accepted rows, with no market twice.
    pub markets: Vec<(Market, Rows)>,
    /// The rejected lines, in their order.
    pub rejected: Vec<RejectedLine>,
    /// The bytes of rejected lines, if the chunk doesn't hold them because it was read piece by piece.
    refused_bytes: Option<Vec<u8>>,
    /// How many lines there are, blank ones included.
    pub n_lines: u64,
    /// How many of them are blank.
    pub n_blank_lines: u64,
    /// The latest `updated_at` of the accepted rows, in whole seconds rounded up.
    pub latest_change: Option<i64>,
    slots: Slots,
}

/// A line of a chunk that is no ticket.
#[derive(Clone, Debug)]
pub struct RejectedLine {
    /// How many lines of the chunk stand before it.
    pub n_before: u64,
    /// Where in the chunk it starts.
    pub start: usize,
    /// Why.
    pub refusal: RejectReason,
    /// Where in what holds them its bytes are.
    bytes: Range<usize>,
}

impl Batch {
    /// Takes the next chunk of `reader`; says whether there was one.
    pub fn next(&mut self, reader: &mut ChunkReader) -> Result<bool> {
        reader.next(&mut self.chunk)
    }

    /// How many rows were accepted.
    pub fn n_rows(&self) -> u64 {
        self.markets.iter().map(|(_, rows)| rows.len() as u64).sum()
    }

    /// The bytes of a rejected line, without the newline; of one that is too long those of its first piece.
    pub fn line(&self, rejected: &RejectedLine) -> &[u8] {
        let bytes = self.refused_bytes.as_deref().unwrap_or(self.chunk.bytes());
        &bytes[rejected.bytes.clone()]
    }

    /// Decodes the chunk's lines, and reads them if nobody has. `sources` are those of the reader.
    pub fn decode(&mut self, sources: &[Source], decoder: &mut Decoder) -> Result<()> {
        self.clear();
        match self.chunk.content {
            Content::Lines => {
                let mut chunk = std::mem::take(&mut self.chunk);
                self.refused_bytes = chunk.is_unread().then(Vec::new);
                chunk.for_each_piece(sources, |start, lines| self.decode_lines(start, lines, decoder))?;
                self.chunk = chunk;
            }
            Content::LongLine => self.refuse_long_line(),
            // Its first piece has been counted.
            Content::MoreOfLongLine { .. } => {}
        }
        Ok(())
    }

    fn clear(&mut self) {
        self.markets.iter_mut().for_each(|(_, rows)| rows.clear());
        self.rejected.clear();
        self.refused_bytes = None;
        (self.n_lines, self.n_blank_lines, self.latest_change) = (0, 0, None);
    }

    /// Decodes lines that start at a place in the chunk.
    fn decode_lines(&mut self, place: usize, bytes: &[u8], decoder: &mut Decoder) {
        let mut latest_change = i64::MIN;
        let mut start = 0;
        while start < bytes.len() {
            let n_bytes = memchr::memchr(b'\n', &bytes[start..]).unwrap_or(bytes.len() - start);
            let line = &bytes[start..start + n_bytes];
            match decoder.decode(line) {
                Ok(row) => {
                    latest_change = latest_change.max(row.updated_at.seconds_rounded_up());
                    self.slots.rows(&mut self.markets, row.market).push(&row);
                }
                Err(_) if is_blank(line) => self.n_blank_lines += 1,
                Err(refusal) => {
                    let bytes = match &mut self.refused_bytes {
                        Some(kept) => {
                            kept.extend_from_slice(line);
                            kept.len() - line.len()..kept.len()
                        }
                        None => start..start + n_bytes,
                    };
                    self.rejected.push(RejectedLine { n_before: self.n_lines, start: place + start, refusal, bytes });
                }
            }
            self.n_lines += 1;
            start += n_bytes + 1;
        }
        self.latest_change = self.latest_change.max((latest_change > i64::MIN).then_some(latest_change));
    }

    fn refuse_long_line(&mut self) {
        let refusal = RejectReason::of_line(format!("is longer than {} MiB", MAX_LINE_BYTES >> 20));
        self.rejected.push(RejectedLine { n_before: 0, start: 0, refusal, bytes: 0..self.chunk.bytes().len() });
        self.n_lines = 1;
    }
}

fn is_blank(line: &[u8]) -> bool {
    line.iter().all(|byte| b" \t\r".contains(byte))
}

/// Where in a list of markets each market stands: a table that is looked up without a search.
#[derive(Debug)]
struct Slots(Box<[u8; 1 << 10]>);

impl Default for Slots {
    fn default() -> Self {
        Self(Box::new([u8::MAX; 1 << 10]))
    }
}

impl Slots {
    /// The rows of a market, which joins the list if it isn't there yet.
    fn rows<'m>(&mut self, markets: &'m mut Vec<(Market, Rows)>, market: Market) -> &'m mut Rows {
        // Five bits of a capital letter tell it from the others. There are fewer than 255 countries.
        let [a, b] = market.letters();
        let slot = &mut self.0[usize::from(a & 31) << 5 | usize::from(b & 31)];
        if *slot == u8::MAX {
            *slot = markets.len() as u8;
            markets.push((market, Rows::default()));
        }
        &mut markets[usize::from(*slot)].1
    }
}
