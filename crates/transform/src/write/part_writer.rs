//! Writes the Parquet parts of each market: `part-0.parquet`, `part-1.parquet` and so on.
//!
//! Any thread encodes a row group; the row groups of a market are written in the order in which they were filled.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use executor::{CancellationToken, Sequencer};
use manifest::FileEntry;
use parquet_encode::{Compression, EncodedRowGroup, FileWriter};
use publish::{BLOCK_BYTES, Checksum, PageAlignedBuffer, StagedFile, Staging};
use ticket_schema::names::parse_part_path;

use crate::rows::row::Market;
use crate::write::ticket_file;

/// The size in bytes from which a row group is written directly to disk. Smaller ones go through the page cache, because a
/// reader is likely to follow soon.
const MIN_DIRECT_BYTES: usize = 1 << 20;

/// Properties of the Parquet parts.
#[derive(Clone, Copy, Debug)]
pub struct PartOptions {
    /// The compression codec of the pages.
    pub compression: Compression,
    /// The target size of a file in bytes. A row group that would make a file larger begins the next one.
    pub target_file_bytes: u64,
}

/// The parts of all markets of a run.
pub struct PartWriter<'a> {
    staging: &'a Staging,
    options: PartOptions,
    /// The number of the first new part of each market that has parts already.
    first: BTreeMap<Market, u64>,
    by_market: Mutex<BTreeMap<Market, Arc<Sequencer<MarketParts>>>>,
}

/// The parts of one market; the last one may still be open.
struct MarketParts {
    next: u64,
    open: Option<Part>,
    finished: Vec<FileEntry>,
}

struct Part {
    path: String,
    file: FileWriter<StagedFile>,
}

impl<'a> PartWriter<'a> {
    /// Creates a writer without files. `first` holds the number of the first new part of each market that has parts already.
    pub const fn new(staging: &'a Staging, options: PartOptions, first: BTreeMap<Market, u64>) -> Self {
        Self { staging, options, first, by_market: Mutex::new(BTreeMap::new()) }
    }

    /// Writes row group `number` of a market; blocks until all lower numbers of the market have been written. `checksum` is
    /// the checksum of the row group's bytes. Returns a buffer for reuse.
    ///
    /// # Errors
    ///
    /// Fails if a file cannot be written, or if another thread has cancelled the run.
    pub fn write(
        &self,
        market: Market,
        number: u64,
        row_group: EncodedRowGroup,
        checksum: &Checksum,
        stop: &CancellationToken,
    ) -> Result<PageAlignedBuffer> {
        let parts = {
            let mut by_market = self.by_market.lock().unwrap_or_else(PoisonError::into_inner);
            let first = self.first.get(&market).copied().unwrap_or(0);
            let new = || Arc::new(Sequencer::new(MarketParts { next: first, open: None, finished: Vec::new() }));
            Arc::clone(by_market.entry(market).or_insert_with(new))
        };
        parts.visit(number, stop, |parts| parts.write(market, row_group, checksum, self.staging, self.options))?
    }

    /// Finishes all files and returns them sorted by path.
    ///
    /// # Errors
    ///
    /// Fails if a file cannot be written.
    pub fn finish(self) -> Result<Vec<FileEntry>> {
        let mut files = Vec::new();
        for (_, parts) in self.by_market.into_inner().unwrap_or_else(PoisonError::into_inner) {
            let mut parts =
                Arc::into_inner(parts).context("a file is still being written; this is a bug")?.into_inner();
            parts.finish_part()?;
            files.append(&mut parts.finished);
        }
        files.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(files)
    }
}

impl MarketParts {
    fn write(
        &mut self,
        market: Market,
        row_group: EncodedRowGroup,
        checksum: &Checksum,
        staging: &Staging,
        options: PartOptions,
    ) -> Result<PageAlignedBuffer> {
        let exceeds_target =
            |part: &Part| part.file.n_bytes() + row_group.bytes().len() as u64 > options.target_file_bytes;
        if self.open.as_ref().is_some_and(exceeds_target) {
            self.finish_part()?;
        }
        let part = match &mut self.open {
            Some(part) => part,
            open => open.insert(Part::create(part_path(market, self.next), staging)?),
        };
        let is_direct = row_group.bytes().len() >= MIN_DIRECT_BYTES;
        if is_direct {
            part.file.align(BLOCK_BYTES as u64).with_context(|| format!("cannot write {}", part.path))?;
        }
        let write = |file: &mut StagedFile, bytes: PageAlignedBuffer| {
            if is_direct {
                return file.write_behind(bytes, checksum, staging);
            }
            file.write_known(&bytes, checksum).map(|()| bytes)
        };
        // No context: the error already names the file, which may be another one whose direct write failed in the
        // background.
        part.file.append_by(row_group, write)
    }

    fn finish_part(&mut self) -> Result<()> {
        if let Some(part) = self.open.take() {
            self.finished.push(part.finish()?);
            self.next += 1;
        }
        Ok(())
    }
}

impl Part {
    fn create(path: String, staging: &Staging) -> Result<Self> {
        Ok(Self { file: ticket_file::create(staging.create(&path)?)?, path })
    }

    fn finish(self) -> Result<FileEntry> {
        let path = self.path;
        let (file, rows) = self.file.finish().with_context(|| format!("cannot write {path}"))?;
        let checksum = file.checksum();
        Ok(FileEntry { name: path, rows, bytes: checksum.n_bytes(), crc64nvme: checksum.to_base64() })
    }
}

/// Returns the path of a market's part below the data set's directory.
pub fn part_path(market: Market, number: u64) -> String {
    ticket_schema::names::part_path(market.as_str(), number)
}

/// Returns the market and the number in the path of a part, or `None` for any other path.
pub fn market_and_number(path: &str) -> Option<(Market, u64)> {
    let (market, number) = parse_part_path(path)?;
    Some((Market::from_text(market)?, number))
}
