//! A file of a data set that is being written.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::Checksum;
use crate::direct_io::WriteRequest;
use crate::page_aligned_buffer::PageAlignedBuffer;
use crate::staging::Staging;

/// A file of a [`Staging`] that counts and checksums the bytes written to it.
#[derive(Debug)]
pub struct StagedFile {
    file: File,
    /// Current path, in the staging directory.
    path: PathBuf,
    /// Path after publication, for messages.
    published: PathBuf,
    checksum: Checksum,
}

impl StagedFile {
    /// Wraps an empty file at `path` that will be renamed to `published`.
    pub(super) fn new(file: File, path: PathBuf, published: PathBuf) -> Self {
        Self { file, path, published, checksum: Checksum::default() }
    }

    /// Returns the length and checksum of the bytes written so far.
    pub const fn checksum(&self) -> &Checksum {
        &self.checksum
    }

    /// Writes bytes whose checksum is already known.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be written.
    pub fn write_known(&mut self, bytes: &[u8], checksum: &Checksum) -> io::Result<()> {
        debug_assert_eq!(bytes.len() as u64, checksum.n_bytes());
        self.file.write_all(bytes).map_err(|error| cannot_write(&self.published, &error))?;
        self.checksum.append(checksum);
        Ok(())
    }

    /// Writes bytes asynchronously on the writer thread of `staging`, the file's own. Bypasses the page cache if the file's
    /// length before them is a multiple of [`BLOCK_BYTES`](crate::BLOCK_BYTES). Meant for blocks of megabytes that are not
    /// read soon. Returns a buffer for reuse.
    ///
    /// The calling thread writes if the writer thread is busy.
    ///
    /// # Errors
    ///
    /// Fails if these or earlier bytes cannot be written; a failure may be reported by a later call or by
    /// [`Staging::publish`] only.
    pub fn write_behind(
        &mut self,
        bytes: PageAlignedBuffer,
        checksum: &Checksum,
        staging: &Staging,
    ) -> io::Result<PageAlignedBuffer> {
        debug_assert_eq!(bytes.len() as u64, checksum.n_bytes());
        let offset = self.checksum.n_bytes();
        self.checksum.append(checksum);
        let end = SeekFrom::Start(self.checksum.n_bytes());
        self.file.seek(end).map_err(|error| cannot_write(&self.published, &error))?;
        staging.background_writer().write(WriteRequest {
            path: self.path.clone(),
            published: self.published.clone(),
            offset,
            bytes,
        })
    }
}

impl Write for StagedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.file.write(bytes).map_err(|error| cannot_write(&self.published, &error))?;
        self.checksum.update(&bytes[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

pub(super) fn cannot_write(published: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot write {}: {error}", published.display()))
}
