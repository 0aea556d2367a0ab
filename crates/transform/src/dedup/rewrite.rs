//! Rewrites the existing Parquet files that hold superseded rows.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use manifest::FileEntry;
use parquet_encode::FileWriter;
use publish::{StagedFile, Staging};

use crate::dedup::stored_rows::StoredFile;
use crate::dedup::superseded_rows::{Origin, SupersededRows};
use crate::partition::buffers::MAX_ROW_GROUP_ROWS;
use crate::rows::columns::Rows;
use crate::rows::row::Market;
use crate::write::part_writer::PartOptions;
use crate::write::row_group::Encoder;
use crate::write::ticket_file;

/// The changes to the existing files.
#[derive(Debug, Default)]
pub struct RewrittenFiles {
    /// The names of the files that were rewritten or have no rows left.
    pub replaced: Vec<String>,
    /// The rewritten files that have rows left.
    pub rewritten: Vec<FileEntry>,
    /// The number of removed rows by market.
    pub by_market: BTreeMap<Market, u64>,
}

impl RewrittenFiles {
    /// Returns the number of removed rows.
    pub fn n_rows(&self) -> u64 {
        self.by_market.values().sum()
    }
}

/// Rewrites the files of `stored` without their superseded rows. Files without superseded rows are not touched.
///
/// # Errors
///
/// Fails if a file cannot be read or written, or if its content differs from the manifest.
pub fn rewrite_stored_files(
    stored: &[StoredFile],
    superseded: &SupersededRows,
    staging: &Staging,
    options: PartOptions,
) -> Result<RewrittenFiles> {
    let mut result = RewrittenFiles::default();
    for (number, file) in stored.iter().enumerate() {
        let origin = Origin::Stored(u32::try_from(number)?);
        if superseded.is_empty_in(origin) {
            continue;
        }
        let mut rewrite =
            Rewrite { buffered: Rows::default(), encoder: Encoder::new(options.compression)?, file: None };
        let (mut n_read, mut n_removed) = (0, 0);
        file.for_each_rows(|rows| {
            let range = n_read..n_read + rows.len() as u64;
            n_read = range.end;
            n_removed += superseded.for_each_kept(origin, range, |kept| rewrite.buffered.append(rows, kept));
            rewrite.flush_if(MAX_ROW_GROUP_ROWS, &file.entry.name, staging)
        })?;
        rewrite.flush_if(1, &file.entry.name, staging)?;
        result.rewritten.extend(rewrite.finish(&file.entry.name)?);
        result.replaced.push(file.entry.name.clone());
        *result.by_market.entry(file.market).or_default() += n_removed;
    }
    Ok(result)
}

struct Rewrite {
    buffered: Rows,
    encoder: Encoder,
    /// `None` until the first row is written.
    file: Option<FileWriter<StagedFile>>,
}

impl Rewrite {
    /// Writes the buffered rows as a row group if there are at least `n_rows`.
    fn flush_if(&mut self, n_rows: usize, name: &str, staging: &Staging) -> Result<()> {
        if self.buffered.len() < n_rows {
            return Ok(());
        }
        let file = match &mut self.file {
            Some(file) => file,
            file => file.insert(ticket_file::create(staging.create(name)?)?),
        };
        let row_group = self.encoder.encode(std::slice::from_ref(&self.buffered))?;
        let bytes = file.append(row_group).with_context(|| format!("cannot write {name}"))?;
        self.encoder.recycle(bytes);
        self.buffered.clear();
        Ok(())
    }

    fn finish(self, name: &str) -> Result<Option<FileEntry>> {
        let Some(file) = self.file else { return Ok(None) };
        let (file, rows) = file.finish().with_context(|| format!("cannot write {name}"))?;
        let checksum = file.checksum();
        let (bytes, crc64nvme) = (checksum.n_bytes(), checksum.to_base64());
        Ok(Some(FileEntry { name: name.to_owned(), rows, bytes, crc64nvme }))
    }
}
