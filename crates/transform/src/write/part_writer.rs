//! The Parquet files of each market: `part-0.parquet`, `part-1.parquet` …
//!
//! Row groups are encoded by any thread, and written in the order in which they were filled.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use executor::{CancellationToken, Sequencer};
use manifest::FileEntry;
use publish::Checksum;
use publish::{BLOCK_BYTES, PagedBytes, StagedFile, Staging};
use ticket_schema::columns::PARTITION_COLUMN;
use ticket_schema::names::TICKETS_DIR;

use crate::decode::Market;
use crate::parquet_file::{Compression, EncodedRowGroup, ParquetFile};

/// From how many bytes on a row group is written behind. Shorter ones stay in the page cache, for those who read them next.
const LONG_BYTES: usize = 1 << 20;

/// How the files are made.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// How their pages are compressed.
    pub compression: Compression,
    /// A row group that would make a file longer than this begins the next one.
    pub target_file_bytes: u64,
}

/// All files of a run.
pub struct PartWriter<'a> {
    staging: &'a Staging,
    layout: Layout,
    /// The number of the first new part of those markets that have others already.
    first: BTreeMap<Market, u64>,
    by_market: Mutex<BTreeMap<Market, Arc<Sequencer<PartsOfMarket>>>>,
}

/// One market's files; the last one may still be open.
struct PartsOfMarket {
    next: u64,
    open: Option<Part>,
    finished: Vec<FileEntry>,
}

struct Part {
    name: String,
    file: ParquetFile<StagedFile>,
}

impl<'a> PartWriter<'a> {
    /// No file yet.
    pub const fn new(staging: &'a Staging, layout: Layout, first: BTreeMap<Market, u64>) -> Self {
        Self { staging, layout, first, by_market: Mutex::new(BTreeMap::new()) }
    }

    /// Writes the row group of a number when those of its market before it have been written. `checksum` is that of its bytes.
    pub fn write(
        &self,
        market: Market,
        number: u64,
        row_group: EncodedRowGroup,
        checksum: &Checksum,
        stop: &CancellationToken,
    ) -> Result<PagedBytes> {
        let parts = {
            let mut by_market = self.by_market.lock().unwrap_or_else(PoisonError::into_inner);
            let first = self.first.get(&market).copied().unwrap_or(0);
            let new = || Arc::new(Sequencer::new(PartsOfMarket { next: first, open: None, finished: Vec::new() }));
            Arc::clone(by_market.entry(market).or_insert_with(new))
        };
        parts.visit(number, stop, |parts| parts.write(market, row_group, checksum, self.staging, self.layout))?
    }

    /// Ends all files; returns them by name.
    pub fn finish(self) -> Result<Vec<FileEntry>> {
        let mut files = Vec::new();
        for (_, parts) in self.by_market.into_inner().unwrap_or_else(PoisonError::into_inner) {
            let mut parts =
                Arc::into_inner(parts).context("a file is still being written; this is a bug")?.into_inner();
            parts.end_part()?;
            files.append(&mut parts.finished);
        }
        files.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(files)
    }
}

impl PartsOfMarket {
    fn write(
        &mut self,
        market: Market,
        row_group: EncodedRowGroup,
        checksum: &Checksum,
        staging: &Staging,
        layout: Layout,
    ) -> Result<PagedBytes> {
        let is_too_long = |part: &Part| part.file.n_bytes() + row_group.bytes().len() as u64 > layout.target_file_bytes;
        if self.open.as_ref().is_some_and(is_too_long) {
            self.end_part()?;
        }
        let part = match &mut self.open {
            Some(part) => part,
            open => open.insert(Part::create(name(market, self.next), staging)?),
        };
        let is_long = row_group.bytes().len() >= LONG_BYTES;
        if is_long {
            part.file.align(BLOCK_BYTES as u64).with_context(|| format!("cannot write {}", part.name))?;
        }
        let write = |file: &mut StagedFile, bytes: PagedBytes| {
            if is_long {
                return file.write_behind(bytes, checksum, staging);
            }
            file.write_known(&bytes, checksum).map(|()| bytes)
        };
        // An error names the file, which may be another one that was written behind.
        part.file.append_by(row_group, write)
    }

    fn end_part(&mut self) -> Result<()> {
        if let Some(part) = self.open.take() {
            self.finished.push(part.finish()?);
            self.next += 1;
        }
        Ok(())
    }
}

impl Part {
    fn create(name: String, staging: &Staging) -> Result<Self> {
        Ok(Self { file: ParquetFile::new(staging.create(&name)?)?, name })
    }

    fn finish(self) -> Result<FileEntry> {
        let name = self.name;
        let (file, rows) = self.file.finish().with_context(|| format!("cannot write {name}"))?;
        let checksum = file.checksum();
        Ok(FileEntry { name, rows, bytes: checksum.n_bytes(), crc64nvme: checksum.to_base64() })
    }
}

/// The path of a part below the data set's directory.
pub fn name(market: Market, number: u64) -> String {
    format!("{TICKETS_DIR}/{PARTITION_COLUMN}={}/part-{number}.parquet", market.as_str())
}

/// What [`name`] was made from.
pub fn market_and_number(name: &str) -> Option<(Market, u64)> {
    let rest = name.strip_prefix(TICKETS_DIR)?.strip_prefix('/')?.strip_prefix(PARTITION_COLUMN)?.strip_prefix('=')?;
    let (market, file) = rest.split_once("/part-")?;
    Some((Market::from_text(market)?, file.strip_suffix(".parquet")?.parse().ok()?))
}
