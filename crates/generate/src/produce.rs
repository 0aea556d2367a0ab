//! From a layout to bytes: each piece is made, counted and checksummed by one thread while it is in that core's cache.

use std::num::NonZeroUsize;

use anyhow::Result;
use executor::ordered_map;
use publish::Checksum;
use ticket_schema::{Ticket, Timestamp};

use crate::compression::{Compression, Compressor};
use crate::defects::{Defects, Planted};
use crate::layout::{Layout, Piece};
use crate::render::{MAX_LINE_BYTES, Renderer};
use crate::truth::Truth;
use crate::world::World;

/// What belongs into the file for one piece.
#[derive(Clone, Copy, Debug)]
pub struct Made<'a> {
    /// The lines, compressed if asked for.
    pub bytes: &'a [u8],
    /// The checksum of `bytes`.
    pub checksum: &'a Checksum,
    /// How many lines there are, and which of them have a defect.
    pub planted: &'a Planted,
}

/// Which lines are made of the tickets.
#[derive(Clone, Copy, Debug)]
pub enum Lines {
    /// One of each.
    All,
    /// One of each that changed at this time or later.
    ChangedSince(Timestamp),
    /// With defects.
    Dirty(Defects),
}

/// Makes every piece of `layout` on `threads` threads, the calling one among them, and gives them to `take` in order, on
/// whichever thread has just finished one.
///
/// Memory is bounded by a fixed number of buffers for each thread. Returns the answers counted on the way. Ends early with the
/// first error of `take`.
pub fn produce(
    world: &World,
    layout: &Layout,
    lines: Lines,
    compression: Compression,
    threads: NonZeroUsize,
    mut take: impl FnMut(Piece, Made) -> Result<()> + Send,
) -> Result<Truth> {
    let parameters = world.parameters();
    let renderer = Renderer::new(parameters.world_start, parameters.as_of);
    let makers = ordered_map(
        0..layout.n_pieces(),
        threads,
        || {
            Ok(Maker {
                world,
                renderer: &renderer,
                lines,
                truth: Truth::new(parameters),
                compressor: Compressor::new(compression)?,
                tickets: Vec::new(),
            })
        },
        |maker, i, buffer| maker.make(&layout.piece(i), buffer),
        |i, buffer| take(layout.piece(i), buffer.made()),
    )?;
    let mut truth = Truth::new(parameters);
    for maker in makers {
        truth.merge(&maker.truth);
    }
    Ok(truth)
}

/// A piece's memory, used again and again.
#[derive(Debug, Default)]
struct Buffer {
    /// Room for lines, of which the first `n_bytes` are filled.
    lines: Vec<u8>,
    n_bytes: usize,
    /// The lines in compressed form, if they are to be compressed.
    packed: Option<Vec<u8>>,
    checksum: Checksum,
    planted: Planted,
}

impl Buffer {
    fn made(&self) -> Made<'_> {
        let bytes = self.packed.as_deref().unwrap_or(&self.lines[..self.n_bytes]);
        Made { bytes, checksum: &self.checksum, planted: &self.planted }
    }
}

/// What a thread makes pieces with.
struct Maker<'a> {
    world: &'a World,
    renderer: &'a Renderer,
    lines: Lines,
    truth: Truth,
    compressor: Option<Compressor>,
    /// The piece's tickets.
    tickets: Vec<Ticket>,
}

impl Maker<'_> {
    fn make(&mut self, piece: &Piece, buffer: &mut Buffer) -> Result<()> {
        let tickets = self.world.tickets(piece.tickets.clone());
        match self.lines {
            Lines::All => self.fill(piece, tickets, buffer),
            Lines::ChangedSince(since) => self.fill(piece, tickets.filter(|ticket| ticket.updated_at >= since), buffer),
            Lines::Dirty(defects) => self.fill_dirty(defects, piece, buffer),
        }
        if let Some(compressor) = &mut self.compressor {
            compressor.compress(&buffer.lines[..buffer.n_bytes], buffer.packed.get_or_insert_default())?;
        }
        let mut checksum = Checksum::default();
        checksum.update(buffer.made().bytes);
        buffer.checksum = checksum;
        Ok(())
    }

    /// In three rounds, each of which is small enough for the processor to work on several tickets at once.
    #[inline]
    fn fill(&mut self, piece: &Piece, tickets: impl Iterator<Item = Ticket>, buffer: &mut Buffer) {
        let most = (piece.tickets.end - piece.tickets.start) as usize;
        buffer.lines.resize(buffer.lines.len().max(most * MAX_LINE_BYTES), 0);
        buffer.n_bytes = 0;
        self.tickets.clear();
        self.tickets.extend(tickets);
        for ticket in &self.tickets {
            self.truth.count(ticket);
        }
        for ticket in &self.tickets {
            buffer.n_bytes += self.renderer.render(ticket, &mut buffer.lines[buffer.n_bytes..]);
        }
        buffer.planted = Planted { n_lines: self.tickets.len() as u64, defects: Vec::new() };
    }

    fn fill_dirty(&mut self, defects: Defects, piece: &Piece, buffer: &mut Buffer) {
        buffer.lines.clear();
        let keep = |ticket: &Ticket| self.truth.count(ticket);
        buffer.planted = defects.make(self.world, self.renderer, piece.tickets.clone(), &mut buffer.lines, keep);
        buffer.n_bytes = buffer.lines.len();
    }
}
