//! The deduplication index: finds the rows that a later state of the same ticket supersedes.
//!
//! The state with the latest `updated_at` is kept; of several with the same time, the one that is read last. The keys of all
//! rows are hash-partitioned by ticket into an unnamed scratch file, and each partition is sorted in memory.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::num::NonZeroUsize;
use std::path::Path;

use anyhow::{Context, Result};
use cli_support::Messages;
use executor::{CancellationToken, ReorderBuffer};
use publish::Checksum;

use crate::decode::batch::Batch;
use crate::dedup::stored_rows::StoredFile;
use crate::dedup::superseded_rows::{Origin, SupersededRows};
use crate::rows::row::Market;
use crate::run::workers::{Consumer, for_each_batch};
use jsonl::chunks::InputChecksum;
use jsonl::input::Source;

/// The number of hash partitions.
const N_PARTITIONS: usize = 256;

/// The number of bytes of a partition that are buffered before they are written.
const BLOCK_BYTES: usize = 1 << 15;

/// Finds the superseded rows among the rows of `stored` and `sources`. `scratch` is a directory for a temporary file of 32
/// bytes a row. Also returns the checksum of each source: the result holds only for inputs with these checksums.
///
/// # Errors
///
/// Fails if an input, an existing file or the temporary file cannot be read or written.
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
    let index = Index { keys, n_rows: BTreeMap::new(), checksum: InputChecksum::default(), checksums: Vec::new() };
    let indexer = Indexer { messages, index: ReorderBuffer::new(index, threads.get()) };
    for_each_batch(sources, threads, &indexer)?;
    let index = indexer.index.into_inner().context("a batch was not indexed; this is a bug")?;
    Ok((index.keys.into_superseded_rows()?, index.checksums))
}

struct Indexer<'a> {
    messages: &'a Messages,
    index: ReorderBuffer<Index, Batch>,
}

/// The keys of the batches so far.
struct Index {
    keys: Keys,
    /// The number of input rows by market.
    n_rows: BTreeMap<Market, u64>,
    /// The checksum of the current source.
    checksum: InputChecksum,
    /// The checksums of the completed sources.
    checksums: Vec<String>,
}

impl Consumer for Indexer<'_> {
    type State = ();

    fn new_state(&self) -> Result<()> {
        Ok(())
    }

    fn consume(&self, number: u64, batch: Batch, (): &mut (), stop: &CancellationToken) -> Result<Option<Batch>> {
        self.index.deliver(number, batch, stop, |Index { keys, n_rows, checksum, checksums }, batch| {
            for (market, rows) in &batch.markets {
                let n_indexed = n_rows.entry(*market).or_default();
                for (ticket_id, updated_at) in rows.ticket_id.iter().zip(&rows.updated_at) {
                    let (ticket_id, updated_at) = (*ticket_id, *updated_at);
                    keys.push(&Key { ticket_id, updated_at, origin: Origin::Input(*market), row: *n_indexed })?;
                    *n_indexed += 1;
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

/// The sort key of a row: by ticket, then from the oldest to the latest state.
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
        let packed = u64::from_le_bytes(bytes[24..].try_into().ok()?);
        let origin = match packed >> 40 {
            number if number >> 23 == 0 => Origin::Stored(number as u32),
            market => Origin::Input(Market::parse((market as u16).to_be_bytes())?),
        };
        Some(Self {
            ticket_id: bytes[..16].try_into().ok()?,
            updated_at: i64::from_le_bytes(bytes[16..24].try_into().ok()?),
            origin,
            row: packed & ((1 << 40) - 1),
        })
    }
}

/// The keys of all rows, hash-partitioned into a scratch file.
struct Keys {
    file: File,
    n_bytes: u64,
    partitions: Vec<Partition>,
}

#[derive(Clone, Default)]
struct Partition {
    buffered: Vec<u8>,
    /// The offsets of the partition's blocks in the file, of [`BLOCK_BYTES`] each.
    blocks: Vec<u64>,
}

impl Keys {
    fn new(scratch: &Path) -> Result<Self> {
        let file = tempfile::tempfile_in(scratch).context("cannot create a temporary file beside the output")?;
        Ok(Self { file, n_bytes: 0, partitions: vec![Partition::default(); N_PARTITIONS] })
    }

    fn push(&mut self, key: &Key) -> Result<()> {
        let partition = &mut self.partitions[partition_of(&key.ticket_id)];
        partition.buffered.extend_from_slice(&key.to_bytes());
        if partition.buffered.len() == BLOCK_BYTES {
            self.file.write_all(&partition.buffered).context("cannot write ticket keys to a temporary file")?;
            partition.blocks.push(self.n_bytes);
            partition.buffered.clear();
            self.n_bytes += BLOCK_BYTES as u64;
        }
        Ok(())
    }

    fn into_superseded_rows(mut self) -> Result<SupersededRows> {
        let mut superseded = SupersededRows::default();
        let mut keys: Vec<Key> = Vec::new();
        for partition in std::mem::take(&mut self.partitions) {
            keys.clear();
            let mut block = vec![0; BLOCK_BYTES];
            for start in partition.blocks {
                self.file.seek(SeekFrom::Start(start))?;
                self.file.read_exact(&mut block).context("cannot read ticket keys from a temporary file")?;
                keys.extend(keys_in(&block));
            }
            keys.extend(keys_in(&partition.buffered));
            keys.sort_unstable();
            for pair in keys.windows(2) {
                if pair[0].ticket_id == pair[1].ticket_id {
                    superseded.mark(pair[0].origin, pair[0].row);
                }
            }
        }
        Ok(superseded)
    }
}

/// Returns the partition of a ticket: FNV-1a over all bytes, because identifiers of foreign systems may not be random.
fn partition_of(ticket_id: &[u8; 16]) -> usize {
    let hash = |hash: u32, byte: &u8| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
    ticket_id.iter().fold(0x811c_9dc5, hash) as usize % N_PARTITIONS
}

/// Decodes the keys of a block.
fn keys_in(bytes: &[u8]) -> impl Iterator<Item = Key> {
    bytes.as_chunks().0.iter().filter_map(Key::from_bytes)
}
