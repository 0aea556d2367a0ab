//! Worker threads: each chunk is generated, counted, rendered and checksummed by one thread while it is in that core's
//! cache.

use std::num::NonZeroUsize;

use anyhow::Result;
use executor::ordered_map;
use publish::Checksum;
use ticket_schema::{Ticket, Timestamp};

use crate::defects::{DefectInjector, InjectedDefects};
use crate::expected_answers::ExpectedAnswers;
use crate::output::compression::{Compression, Compressor};
use crate::output::layout::{Chunk, Layout};
use crate::render::{MAX_LINE_BYTES, Renderer};
use crate::world::World;

/// One chunk of a file.
#[derive(Clone, Copy, Debug)]
pub struct RenderedChunk<'a> {
    /// The lines, compressed if requested.
    pub bytes: &'a [u8],
    /// Checksum of `bytes`.
    pub checksum: &'a Checksum,
    /// Number of lines, and the defects among them.
    pub injected: &'a InjectedDefects,
}

/// Selection of the lines to render.
#[derive(Clone, Copy, Debug)]
pub enum LineSelection {
    /// One line per ticket.
    All,
    /// One line per ticket that changed at this time or later.
    ChangedSince(Timestamp),
    /// All tickets, with injected defects.
    WithDefects(DefectInjector),
}

/// Renders every chunk of `layout` on `threads` threads, including the calling one, and passes the chunks to `consume`
/// in order, on the thread that completed the sequence.
///
/// Memory is bounded by two buffers per thread. Returns the expected answers over all tickets.
///
/// # Errors
///
/// Returns the first error of `consume`; fails if a thread panics or a compressor cannot be created.
pub fn render_in_order(
    world: &World,
    layout: &Layout,
    lines: LineSelection,
    compression: Compression,
    threads: NonZeroUsize,
    mut consume: impl FnMut(Chunk, RenderedChunk) -> Result<()> + Send,
) -> Result<ExpectedAnswers> {
    let parameters = world.parameters();
    let renderer = Renderer::new(parameters.world_start, parameters.as_of);
    let workers = ordered_map(
        0..layout.n_chunks(),
        threads,
        || {
            Ok(Worker {
                world,
                renderer: &renderer,
                lines,
                answers: ExpectedAnswers::new(parameters),
                compressor: Compressor::new(compression)?,
                tickets: Vec::new(),
            })
        },
        |worker, i, buffer| worker.render_chunk(&layout.chunk(i), buffer),
        |i, buffer| consume(layout.chunk(i), buffer.rendered()),
    )?;
    let mut answers = ExpectedAnswers::new(parameters);
    for worker in workers {
        answers.merge(&worker.answers);
    }
    Ok(answers)
}

/// Buffers of one chunk, recycled between chunks.
#[derive(Debug, Default)]
struct Buffer {
    /// Line buffer, of which the first `n_bytes` bytes are filled.
    lines: Vec<u8>,
    n_bytes: usize,
    /// The lines in compressed form, if compression is requested.
    compressed: Option<Vec<u8>>,
    checksum: Checksum,
    injected: InjectedDefects,
}

impl Buffer {
    fn rendered(&self) -> RenderedChunk<'_> {
        let bytes = self.compressed.as_deref().unwrap_or(&self.lines[..self.n_bytes]);
        RenderedChunk { bytes, checksum: &self.checksum, injected: &self.injected }
    }
}

/// State of a worker thread.
struct Worker<'a> {
    world: &'a World,
    renderer: &'a Renderer,
    lines: LineSelection,
    answers: ExpectedAnswers,
    compressor: Option<Compressor>,
    /// Tickets of the current chunk.
    tickets: Vec<Ticket>,
}

impl Worker<'_> {
    fn render_chunk(&mut self, chunk: &Chunk, buffer: &mut Buffer) -> Result<()> {
        let tickets = self.world.tickets(chunk.tickets.clone());
        match self.lines {
            LineSelection::All => self.fill(chunk, tickets, buffer),
            LineSelection::ChangedSince(since) => {
                let changed = tickets.filter(|ticket| ticket.updated_at >= since);
                self.fill(chunk, changed, buffer);
            }
            LineSelection::WithDefects(defects) => self.fill_with_defects(defects, chunk, buffer),
        }
        if let Some(compressor) = &mut self.compressor {
            compressor.compress(&buffer.lines[..buffer.n_bytes], buffer.compressed.get_or_insert_default())?;
        }
        let mut checksum = Checksum::default();
        checksum.update(buffer.rendered().bytes);
        buffer.checksum = checksum;
        Ok(())
    }

    /// Runs three separate loops (generate, count, render): out-of-order execution then overlaps several tickets, which
    /// gained 8 % over one loop.
    fn fill(&mut self, chunk: &Chunk, tickets: impl Iterator<Item = Ticket>, buffer: &mut Buffer) {
        let most = (chunk.tickets.end - chunk.tickets.start) as usize;
        buffer.lines.resize(buffer.lines.len().max(most * MAX_LINE_BYTES), 0);
        buffer.n_bytes = 0;
        self.tickets.clear();
        self.tickets.extend(tickets);
        for ticket in &self.tickets {
            self.answers.count(ticket);
        }
        for ticket in &self.tickets {
            buffer.n_bytes += self.renderer.render(ticket, &mut buffer.lines[buffer.n_bytes..]);
        }
        buffer.injected = InjectedDefects { n_lines: self.tickets.len() as u64, defects: Vec::new() };
    }

    fn fill_with_defects(&mut self, defects: DefectInjector, chunk: &Chunk, buffer: &mut Buffer) {
        buffer.lines.clear();
        let keep = |ticket: &Ticket| self.answers.count(ticket);
        buffer.injected = defects.inject(self.world, self.renderer, chunk.tickets.clone(), &mut buffer.lines, keep);
        buffer.n_bytes = buffer.lines.len();
    }
}
