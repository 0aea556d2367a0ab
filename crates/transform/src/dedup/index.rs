//! Finds duplicates: of all states of a ticket the one with the latest `updated_at` is kept, of several of these the one that was
//! read last.
//!
//! The keys of all rows go to a file that has no name, cut into so many parts by the tickets' identifiers that each part fits in
//! memory; then each part is sorted by itself.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::num::NonZeroUsize;
use std::path::Path;

use anyhow::{Context, Result};
use cli_support::Messages;
use executor::{CancellationToken, ReorderBuffer};
use publish::Checksum;

use crate::decode::Market;
use crate::decode::batch::Batch;
use crate::dedup::stored_rows::StoredFile;
use crate::dedup::superseded_rows::{Origin, SupersededRows};
use crate::run::workers::{Consumer, for_each_batch};
use jsonl::chunks::InputChecksum;
use jsonl::input::Source;

/// How many parts there are.
const N_PARTS: usize = 256;

/// How many bytes of a part are collected before they are written.
const BLOCK_BYTES: usize = 1 << 15;

/// Finds the duplicates among the rows of `stored` and of `sources`; `scratch` is a directory on a disk with room for 32 bytes
/// a row. Returns also the checksum of each source: which rows are duplicates holds only as long as it is the same.
pub fn find_superseded_rows(
    stored: &[StoredFile],
    sources: &[Source],
    scratch: &Path,
    threads: NonZeroUsize,
    messages: &Messages,
) -> Result<(SupersededRows, Vec<String>)> {
    let mut keys = Keys::new(scratch)?;
    for (number, file) in stored.iter().enumerate() {
        let origin = Origin::Stored(u32::try_from(number)?);
        let mut row = 0;
        file.for_each_key(|ticket_id, updated_at| {
            row += 1;
            keys.push(&Key { ticket_id, updated_at, origin, row: row - 1 })
        })?;
    }
    let seen = Seen { keys, n_rows: BTreeMap::new(), checksum: InputChecksum::default(), checksums: Vec::new() };
    let survey = Survey { messages, seen: ReorderBuffer::new(seen, threads.get()) };
    for_each_batch(sources, threads, &survey)?;
    let seen = survey.seen.into_inner().context("a batch was not taken; this is a bug")?;
    Ok((seen.keys.into_duplicates()?, seen.checksums))
}

struct Survey<'a> {
    messages: &'a Messages,
    seen: ReorderBuffer<Seen, Batch>,
}

/// What has been seen of the sources.
struct Seen {
    keys: Keys,
    /// How many rows of each market.
    n_rows: BTreeMap<Market, u64>,
    /// That of the source that is being read.
    checksum: InputChecksum,
    /// Those of the sources that have been read to their end.
    checksums: Vec<String>,
}

impl Consumer for Survey<'_> {
    type Tools = ();

    fn tools(&self) -> Result<()> {
        Ok(())
    }

    fn take(&self, number: u64, batch: Batch, (): &mut (), stop: &CancellationToken) -> Result<Option<Batch>> {
        self.seen.deliver(number, batch, stop, |Seen { keys, n_rows, checksum, checksums }, batch| {
            for (market, rows) in &batch.markets {
                let n_seen = n_rows.entry(*market).or_default();
                for (ticket_id, updated_at) in rows.ticket_id.iter().zip(&rows.updated_at) {
                    let (ticket_id, updated_at) = (*ticket_id, *updated_at);
                    keys.push(&Key { ticket_id, updated_at, origin: Origin::Input(*market), row: *n_seen })?;
                    *n_seen += 1;
                }
            }
            checksums.extend(checksum.take(&batch.chunk).as_ref().map(Checksum::to_base64));
            self.messages.advance(batch.chunk.checksum.n_bytes());
            Ok(())
        })
    }

    fn finish(&self, _n_batches: u64, (): &mut (), _stop: &CancellationToken) -> Result<()> {
        Ok(())
    }
}

/// What a ticket's states are compared by, in this order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    ticket_id: [u8; 16],
    updated_at: i64,
    origin: Origin,
    row: u64,
}

impl Key {
    const BYTES: usize = 32;

    fn to_bytes(self) -> [u8; Self::BYTES] {
        let origin = match self.origin {
            Origin::Stored(number) => u64::from(number),
            Origin::Input(market) => 1 << 23 | u64::from(u16::from_be_bytes(market.letters())),
        };
        let mut bytes = [0; Self::BYTES];
        bytes[..16].copy_from_slice(&self.ticket_id);
        bytes[16..24].copy_from_slice(&self.updated_at.to_le_bytes());
        bytes[24..].copy_from_slice(&(origin << 40 | self.row).to_le_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8; Self::BYTES]) -> Option<Self> {
        let place = u64::from_le_bytes(bytes[24..].try_into().ok()?);
        let origin = match place >> 40 {
            number if number >> 23 == 0 => Origin::Stored(number as u32),
            market => Origin::Input(Market::parse((market as u16).to_be_bytes())?),
        };
        Some(Self {
            ticket_id: bytes[..16].try_into().ok()?,
            updated_at: i64::from_le_bytes(bytes[16..24].try_into().ok()?),
            origin,
            row: place & ((1 << 40) - 1),
        })
    }
}

/// The keys of all rows.
struct Keys {
    file: File,
    n_bytes: u64,
    parts: Vec<Part>,
}

#[derive(Clone, Default)]
struct Part {
    collected: Vec<u8>,
    /// Where in the file its blocks start; each has [`BLOCK_BYTES`].
    blocks: Vec<u64>,
}

impl Keys {
    fn new(scratch: &Path) -> Result<Self> {
        let file = tempfile::tempfile_in(scratch).context("cannot create a scratch file beside the output")?;
        Ok(Self { file, n_bytes: 0, parts: vec![Part::default(); N_PARTS] })
    }

    fn push(&mut self, key: &Key) -> Result<()> {
        let part = &mut self.parts[part_of(&key.ticket_id)];
        part.collected.extend_from_slice(&key.to_bytes());
        if part.collected.len() == BLOCK_BYTES {
            self.file.write_all(&part.collected).context("cannot write the keys of tickets to a scratch file")?;
            part.blocks.push(self.n_bytes);
            part.collected.clear();
            self.n_bytes += BLOCK_BYTES as u64;
        }
        Ok(())
    }

    fn into_duplicates(mut self) -> Result<SupersededRows> {
        let mut duplicates = SupersededRows::default();
        let mut keys: Vec<Key> = Vec::new();
        for part in std::mem::take(&mut self.parts) {
            keys.clear();
            let mut block = vec![0; BLOCK_BYTES];
            for start in part.blocks {
                self.file.seek(SeekFrom::Start(start))?;
                self.file.read_exact(&mut block).context("cannot read the keys of tickets from a scratch file")?;
                keys.extend(keys_in(&block));
            }
            keys.extend(keys_in(&part.collected));
            keys.sort_unstable();
            for pair in keys.windows(2) {
                if pair[0].ticket_id == pair[1].ticket_id {
                    duplicates.mark(pair[0].origin, pair[0].row);
                }
            }
        }
        Ok(duplicates)
    }
}

/// Identifiers are random, or at least they should be; if they aren't, all their bytes together are (FNV-1a).
fn part_of(ticket_id: &[u8; 16]) -> usize {
    let hash = |hash: u32, byte: &u8| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
    ticket_id.iter().fold(0x811c_9dc5, hash) as usize % N_PARTS
}

fn keys_in(bytes: &[u8]) -> impl Iterator<Item = Key> {
    bytes.as_chunks().0.iter().filter_map(Key::from_bytes)
}
