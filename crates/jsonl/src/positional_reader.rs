//! Seekable files: finds chunk boundaries; the worker reads the chunk.

use std::fs::File;
use std::io;
use std::sync::Arc;

use publish::Checksum;

use crate::input::Source;
use crate::stream_reader::BYTE_ORDER_MARK;

/// Number of bytes searched for the last newline of a chunk; most lines are shorter.
const SEARCHED_BYTES: usize = 1 << 12;

/// Read size in bytes, small enough that the bytes stay in the CPU cache while their lines are decoded.
const PIECE_BYTES: u64 = 1 << 17;

/// A file whose chunks have been handed out up to an offset.
#[derive(Debug)]
pub(crate) struct PositionalReader {
    file: Arc<File>,
    /// Its length when it was opened.
    n_bytes: u64,
    at: u64,
    /// Buffer for the searched bytes.
    searched: Vec<u8>,
}

/// A range of whole lines of a file.
#[derive(Debug)]
pub(crate) struct Section {
    file: Arc<File>,
    start: u64,
    end: u64,
}

impl PositionalReader {
    /// Opens a source if it is seekable, uncompressed and without a byte order mark.
    pub(crate) fn open(source: &Source) -> io::Result<Option<Self>> {
        let Some(n_bytes) = source.n_bytes().filter(|_| !source.is_compressed()) else { return Ok(None) };
        let Some(file) = source.open_file()? else { return Ok(None) };
        let mut start = [0; BYTE_ORDER_MARK.len()];
        let can_be_read = read_at(&file, &mut start, 0).is_ok() && start != BYTE_ORDER_MARK;
        Ok(can_be_read.then(|| Self { file: Arc::new(file), n_bytes, at: 0, searched: vec![0; SEARCHED_BYTES] }))
    }

    /// Returns the next section of whole lines of at most `max_bytes`, and true if the file ends with it. `None` leaves the
    /// rest to the stream reader: a line is too long, the last one is incomplete, or the file's length has changed.
    pub(crate) fn next(&mut self, max_bytes: usize) -> Option<(Section, bool)> {
        let limit = self.at + max_bytes as u64;
        // One byte beyond the expected end detects a file that has grown.
        let end = limit.min(self.n_bytes + 1);
        let start = end.saturating_sub(SEARCHED_BYTES as u64).max(self.at);
        let searched = &mut self.searched[..(end - start) as usize];
        let n_found = read_at(&self.file, searched, start).ok()?;
        let found = &searched[..n_found];
        let end_of_lines = memchr::memrchr(b'\n', found).map(|newline| start + newline as u64 + 1);
        let is_last = n_found < searched.len();
        let end = if is_last {
            let end_of_file = start + n_found as u64;
            let is_whole = end_of_file == self.n_bytes && (end_of_file == self.at || end_of_lines == Some(end_of_file));
            is_whole.then_some(end_of_file)?
        } else {
            end_of_lines.filter(|_| end == limit)?
        };
        let section = Section { file: Arc::clone(&self.file), start: self.at, end };
        self.at = end;
        Some((section, is_last))
    }

    /// Returns the file, the number of bytes handed out, and its length.
    pub(crate) fn into_rest(self) -> (Arc<File>, u64, u64) {
        (self.file, self.at, self.n_bytes)
    }
}

impl Section {
    /// Returns the section's offset in the file.
    pub(crate) const fn start(&self) -> u64 {
        self.start
    }

    /// Reads the lines piece by piece and calls `take` with the offset of each piece in the section. Returns their checksum.
    pub(crate) fn for_each_piece(
        &self,
        buffer: &mut Vec<u8>,
        mut take: impl FnMut(usize, &[u8]),
    ) -> io::Result<Checksum> {
        let mut checksum = Checksum::default();
        let mut at = self.start;
        // Bytes after the last newline of the piece.
        let mut rest = 0..0;
        while at < self.end {
            let next = self.end.min((at / PIECE_BYTES + 1) * PIECE_BYTES);
            let n_bytes = (next - at) as usize;
            let n_rest = rest.len();
            buffer.copy_within(rest, 0);
            buffer.resize(buffer.len().max(n_rest + n_bytes), 0);
            let piece = &mut buffer[n_rest..n_rest + n_bytes];
            if read_at(&self.file, piece, at)? < n_bytes {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            checksum.update(piece);
            let end = memchr::memrchr(b'\n', piece).map_or(0, |newline| n_rest + newline + 1);
            take((at - self.start) as usize - n_rest, &buffer[..end]);
            rest = end..n_rest + n_bytes;
            at = next;
        }
        // Reached only if another process has overwritten the last newline.
        if !rest.is_empty() {
            take((self.end - self.start) as usize - rest.len(), &buffer[rest]);
        }
        Ok(checksum)
    }
}

/// Reads from an offset until `buffer` is full or the file ends; returns the number of bytes.
#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], start: u64) -> io::Result<usize> {
    use std::os::unix::fs::FileExt;
    let mut n_bytes = 0;
    while n_bytes < buffer.len() {
        match file.read_at(&mut buffer[n_bytes..], start + n_bytes as u64) {
            Ok(0) => break,
            Ok(n) => n_bytes += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(n_bytes)
}

#[cfg(not(unix))]
fn read_at(_file: &File, _buffer: &mut [u8], _start: u64) -> io::Result<usize> {
    Err(io::ErrorKind::Unsupported.into())
}
