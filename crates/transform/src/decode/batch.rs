//! Batches: the decoded rows of a chunk by market, and its rejected records.

use std::ops::Range;

use anyhow::Result;
use jsonl::chunks::{Chunk, ChunkReader, Content, MAX_LINE_BYTES};
use jsonl::input::Source;

use crate::decode::{Decoder, RejectReason};
use crate::rows::columns::Rows;
use crate::rows::row::Market;

/// A chunk and its decoded rows. The buffers are reused for the next chunk.
#[derive(Debug, Default)]
pub struct Batch {
    /// The chunk.
    pub chunk: Chunk,
    /// The accepted rows, one entry for each market.
    pub markets: Vec<(Market, Rows)>,
    /// The rejected records in input order.
    pub rejected: Vec<RejectedRecord>,
    /// The bytes of rejected records, if the chunk was read piece by piece and does not hold them.
    rejected_bytes: Option<Vec<u8>>,
    /// The number of lines, including blank ones.
    pub n_lines: u64,
    /// The number of blank lines.
    pub n_blank_lines: u64,
    /// The latest `updated_at` of the accepted rows, in whole seconds since 1970, rounded up.
    pub latest_change: Option<i64>,
    market_index: MarketIndex,
}

/// A line of a chunk that breaks the contract.
#[derive(Clone, Debug)]
pub struct RejectedRecord {
    /// The number of lines before it in the chunk.
    pub n_lines_before: u64,
    /// The offset of its first byte in the chunk.
    pub start: usize,
    /// The reason for the rejection.
    pub reason: RejectReason,
    /// The range of its bytes in the chunk or in the batch's copies of rejected records.
    bytes: Range<usize>,
}

impl Batch {
    /// Takes the next chunk of `reader`. Returns false if there is none.
    ///
    /// # Errors
    ///
    /// Fails if an input cannot be read.
    pub fn next(&mut self, reader: &mut ChunkReader) -> Result<bool> {
        reader.next(&mut self.chunk)
    }

    /// Returns the number of accepted rows.
    pub fn n_rows(&self) -> u64 {
        self.markets.iter().map(|(_, rows)| rows.len() as u64).sum()
    }

    /// Returns the bytes of a rejected record without the newline; of an overlong line, the bytes of its first piece.
    pub fn rejected_bytes(&self, rejected: &RejectedRecord) -> &[u8] {
        let bytes = self.rejected_bytes.as_deref().unwrap_or(self.chunk.bytes());
        &bytes[rejected.bytes.clone()]
    }

    /// Decodes the chunk's lines, and reads them first if the reader has only located them. `sources` are those of the
    /// reader.
    ///
    /// # Errors
    ///
    /// Fails if an input cannot be read.
    pub fn decode(&mut self, sources: &[Source], decoder: &mut Decoder) -> Result<()> {
        self.clear();
        match self.chunk.content {
            Content::Lines => {
                let mut chunk = std::mem::take(&mut self.chunk);
                self.rejected_bytes = chunk.is_unread().then(Vec::new);
                chunk.for_each_piece(sources, |start, lines| self.decode_lines(start, lines, decoder))?;
                self.chunk = chunk;
            }
            Content::LongLine => self.reject_long_line(),
            // The line was counted with its first piece.
            Content::MoreOfLongLine { .. } => {}
        }
        Ok(())
    }

    fn clear(&mut self) {
        self.markets.iter_mut().for_each(|(_, rows)| rows.clear());
        self.rejected.clear();
        self.rejected_bytes = None;
        (self.n_lines, self.n_blank_lines, self.latest_change) = (0, 0, None);
    }

    /// Decodes lines that start at an offset in the chunk.
    fn decode_lines(&mut self, offset: usize, bytes: &[u8], decoder: &mut Decoder) {
        let mut latest_change = i64::MIN;
        let mut start = 0;
        while start < bytes.len() {
            let n_bytes = memchr::memchr(b'\n', &bytes[start..]).unwrap_or(bytes.len() - start);
            let line = &bytes[start..start + n_bytes];
            match decoder.decode(line) {
                Ok(row) => {
                    latest_change = latest_change.max(row.updated_at.seconds_rounded_up());
                    self.market_index.rows(&mut self.markets, row.market).push(&row);
                }
                Err(_) if is_blank(line) => self.n_blank_lines += 1,
                Err(reason) => {
                    let bytes = match &mut self.rejected_bytes {
                        Some(kept) => {
                            kept.extend_from_slice(line);
                            kept.len() - line.len()..kept.len()
                        }
                        None => start..start + n_bytes,
                    };
                    let n_lines_before = self.n_lines;
                    self.rejected.push(RejectedRecord { n_lines_before, start: offset + start, reason, bytes });
                }
            }
            self.n_lines += 1;
            start += n_bytes + 1;
        }
        self.latest_change = self.latest_change.max((latest_change > i64::MIN).then_some(latest_change));
    }

    fn reject_long_line(&mut self) {
        let reason = RejectReason::of_line(format!("is longer than {} MiB", MAX_LINE_BYTES >> 20));
        self.rejected.push(RejectedRecord { n_lines_before: 0, start: 0, reason, bytes: 0..self.chunk.bytes().len() });
        self.n_lines = 1;
    }
}

fn is_blank(line: &[u8]) -> bool {
    line.iter().all(|byte| b" \t\r".contains(byte))
}

/// The index of each market in a list of markets: a table indexed by the letters of the code, without hashing.
#[derive(Debug)]
struct MarketIndex(Box<[u8; 1 << 10]>);

impl Default for MarketIndex {
    fn default() -> Self {
        Self(Box::new([u8::MAX; 1 << 10]))
    }
}

impl MarketIndex {
    /// Returns the rows of a market, which is added to the list if it is new.
    fn rows<'m>(&mut self, markets: &'m mut Vec<(Market, Rows)>, market: Market) -> &'m mut Rows {
        // The low five bits distinguish capital letters. ISO 3166-1 has fewer than 255 codes, so an index fits in a byte.
        let [a, b] = market.letters();
        let index = &mut self.0[usize::from(a & 31) << 5 | usize::from(b & 31)];
        if *index == u8::MAX {
            *index = markets.len() as u8;
            markets.push((market, Rows::default()));
        }
        &mut markets[usize::from(*index)].1
    }
}
