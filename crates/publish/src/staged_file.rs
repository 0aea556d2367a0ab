//! A file of a data set in the making.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::Checksum;
use crate::disk::Piece;
use crate::paged_bytes::PagedBytes;
use crate::staging::Staging;

/// A file of a [`Staging`]; it counts and checksums what is written to it.
#[derive(Debug)]
pub struct StagedFile {
    file: File,
    path: PathBuf,
    shown: PathBuf,
    checksum: Checksum,
}

impl StagedFile {
    /// An empty file, which is at `path` now and will be what is `shown`.
    pub(super) fn new(file: File, path: PathBuf, shown: PathBuf) -> Self {
        Self { file, path, shown, checksum: Checksum::default() }
    }

    /// Length and checksum of what has been written so far.
    pub const fn checksum(&self) -> &Checksum {
        &self.checksum
    }

    /// Writes bytes whose checksum is known already, so that they aren't read for it.
    pub fn write_known(&mut self, bytes: &[u8], checksum: &Checksum) -> io::Result<()> {
        debug_assert_eq!(bytes.len() as u64, checksum.n_bytes());
        self.file.write_all(bytes).map_err(|error| cannot_write(&self.shown, &error))?;
        self.checksum.append(checksum);
        Ok(())
    }

    /// Like [`write_known`](Self::write_known), but `staging`, which is the file's, does it while the caller goes on, and leaves no
    /// copy in the page cache, if the file has a multiple of [`BLOCK_BYTES`](crate::BLOCK_BYTES) before them: for pieces of megabytes
    /// that aren't read soon. Returns memory that is no longer needed.
    ///
    /// Where the disk can't keep up, it writes them itself. A failure shows in a later call, or when the data set is published.
    pub fn write_behind(
        &mut self,
        bytes: PagedBytes,
        checksum: &Checksum,
        staging: &Staging,
    ) -> io::Result<PagedBytes> {
        debug_assert_eq!(bytes.len() as u64, checksum.n_bytes());
        let start = self.checksum.n_bytes();
        self.checksum.append(checksum);
        let end = SeekFrom::Start(self.checksum.n_bytes());
        self.file.seek(end).map_err(|error| cannot_write(&self.shown, &error))?;
        staging.disk().write(Piece { path: self.path.clone(), shown: self.shown.clone(), start, bytes })
    }
}

impl Write for StagedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.file.write(bytes).map_err(|error| cannot_write(&self.shown, &error))?;
        self.checksum.update(&bytes[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

pub(super) fn cannot_write(shown: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot write {}: {error}", shown.display()))
}
