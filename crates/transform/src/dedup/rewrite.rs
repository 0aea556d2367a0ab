//! Takes rows that gave way to later ones out of the files that are there already: a file is written anew, or goes.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use manifest::FileEntry;
use publish::{StagedFile, Staging};

use crate::decode::Market;
use crate::dedup::stored_rows::StoredFile;
use crate::dedup::superseded_rows::{Origin, SupersededRows};
use crate::parquet_file::{Encoder, MAX_ROW_GROUP_ROWS, ParquetFile};
use crate::partition::columns::Rows;
use crate::write::part_writer::Layout;

/// What has become of the files.
#[derive(Debug, Default)]
pub struct Superseded {
    /// The names of those that are not as they were.
    pub replaced: Vec<String>,
    /// Those that were written anew.
    pub rewritten: Vec<FileEntry>,
    /// How many rows are gone, in each market.
    pub by_market: BTreeMap<Market, u64>,
}

impl Superseded {
    /// How many rows are gone.
    pub fn n_rows(&self) -> u64 {
        self.by_market.values().sum()
    }
}

/// Leaves the marked rows out of the files of `stored`. Files without any are not touched.
pub fn supersede(
    stored: &[StoredFile],
    duplicates: &SupersededRows,
    staging: &Staging,
    layout: Layout,
) -> Result<Superseded> {
    let mut superseded = Superseded::default();
    for (number, file) in stored.iter().enumerate() {
        let origin = Origin::Stored(u32::try_from(number)?);
        if duplicates.none_in(origin) {
            continue;
        }
        let mut rewriting =
            Rewriting { waiting: Rows::default(), encoder: Encoder::new(layout.compression)?, file: None };
        let (mut n_read, mut n_gone) = (0, 0);
        file.for_each_rows(|rows| {
            let range = n_read..n_read + rows.len() as u64;
            n_read = range.end;
            n_gone += duplicates.kept_of(origin, range, |kept| rewriting.waiting.append(rows, kept));
            rewriting.write_if(MAX_ROW_GROUP_ROWS, &file.entry.name, staging)
        })?;
        rewriting.write_if(1, &file.entry.name, staging)?;
        superseded.rewritten.extend(rewriting.finish(&file.entry.name)?);
        superseded.replaced.push(file.entry.name.clone());
        *superseded.by_market.entry(file.market).or_default() += n_gone;
    }
    Ok(superseded)
}

struct Rewriting {
    waiting: Rows,
    encoder: Encoder,
    /// Missing as long as no row has been kept.
    file: Option<ParquetFile<StagedFile>>,
}

impl Rewriting {
    /// Writes the waiting rows if there are at least so many.
    fn write_if(&mut self, n_rows: usize, name: &str, staging: &Staging) -> Result<()> {
        if self.waiting.len() < n_rows {
            return Ok(());
        }
        let file = match &mut self.file {
            Some(file) => file,
            file => file.insert(ParquetFile::new(staging.create(name)?)?),
        };
        let row_group = self.encoder.encode(std::slice::from_ref(&self.waiting))?;
        let bytes = file.append(row_group).with_context(|| format!("cannot write {name}"))?;
        self.encoder.use_again(bytes);
        self.waiting.clear();
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
