//! Assignment of tickets to files, and of files to chunks: a function of the options alone.

use std::ops::Range;

use manifest::Shard;

/// Largest number of tickets per chunk: about 0.2 MB of lines, which stays in a core's L2 cache until it is written.
const CHUNK_TICKETS: u64 = 512;

/// The files of a run.
#[derive(Clone, Debug)]
pub struct Layout {
    tickets: Range<u64>,
    batch_size: u64,
}

/// A range of tickets within one file: the unit of work of a thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// File number, counted from 0.
    pub file: u64,
    /// Ticket numbers.
    pub tickets: Range<u64>,
}

impl Layout {
    /// Creates the layout of one shard (or all) of these tickets, with `batch_size` tickets per file.
    pub fn new(tickets: Range<u64>, shard: Option<Shard>, batch_size: u64) -> Self {
        let tickets = shard.map_or(tickets.clone(), |shard| part(&tickets, shard));
        Self { tickets, batch_size: batch_size.max(1) }
    }

    /// Returns the numbers of all tickets.
    pub fn tickets(&self) -> Range<u64> {
        self.tickets.clone()
    }

    /// Returns the number of files.
    pub fn n_files(&self) -> u64 {
        self.n_tickets().div_ceil(self.batch_size)
    }

    /// Returns the number of chunks.
    pub fn n_chunks(&self) -> u64 {
        let full_files = self.n_tickets() / self.batch_size;
        full_files * self.chunks_per_file() + (self.n_tickets() % self.batch_size).div_ceil(CHUNK_TICKETS)
    }

    /// Returns chunk `i`; chunks are ordered by ticket number.
    pub fn chunk(&self, i: u64) -> Chunk {
        let (file, part) = (i / self.chunks_per_file(), i % self.chunks_per_file());
        let file_start = self.tickets.start + file * self.batch_size;
        let file_end = file_start.saturating_add(self.batch_size).min(self.tickets.end);
        let start = file_start + part * CHUNK_TICKETS;
        Chunk { file, tickets: start..(start + CHUNK_TICKETS).min(file_end) }
    }

    fn n_tickets(&self) -> u64 {
        self.tickets.end - self.tickets.start
    }

    fn chunks_per_file(&self) -> u64 {
        // A file never has more tickets than the run, however large the batch size.
        self.batch_size.min(self.n_tickets()).div_ceil(CHUNK_TICKETS).max(1)
    }
}

/// Returns the tickets of a shard: shards differ by at most one ticket.
fn part(tickets: &Range<u64>, shard: Shard) -> Range<u64> {
    let count = tickets.end - tickets.start;
    let border = |i: u32| tickets.start + (u128::from(count) * u128::from(i) / u128::from(shard.of)) as u64;
    border(shard.index - 1)..border(shard.index)
}

#[cfg(test)]
mod tests {
    use super::{CHUNK_TICKETS, Layout};
    use manifest::Shard;

    #[test]
    fn chunks_cover_every_ticket_once_in_order() {
        let big = CHUNK_TICKETS * 3;
        for (count, batch_size) in
            [(1, 1), (10, 3), (5000, 1000), (big + 1, big), (big, big - 1), (7, u64::MAX), (9999, 2050)]
        {
            for of in [1, 2, 7, 20] {
                let mut next = 0;
                for index in 1..=of {
                    let layout = Layout::new(0..count, Some(Shard { index, of }), batch_size);
                    let mut last_file = 0;
                    for i in 0..layout.n_chunks() {
                        let chunk = layout.chunk(i);
                        assert_eq!(chunk.tickets.start, next, "{count} {batch_size} {index}/{of}");
                        assert!(chunk.tickets.end > next, "{count} {batch_size} {index}/{of}");
                        assert_eq!(chunk.file, (next - layout.tickets.start) / batch_size);
                        (next, last_file) = (chunk.tickets.end, chunk.file);
                    }
                    assert_eq!(next, layout.tickets.end);
                    assert_eq!(layout.n_files(), if layout.n_tickets() == 0 { 0 } else { last_file + 1 });
                }
                assert_eq!(next, count);
            }
        }
    }
}
