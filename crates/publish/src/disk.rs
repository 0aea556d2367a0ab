//! Long pieces of files go to disk on a thread of their own, unless that is behind, and past the page cache.
//!
//! What is written once needs no second copy in the kernel's memory. New pages for one cost processor time, in a virtual machine
//! as much as it took to encode what is written, and what they displace may be what others are about to read.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender, TrySendError};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{Builder, JoinHandle};

use crate::paged_bytes::PagedBytes;
use crate::staged_file::cannot_write;

/// What places in a file and in memory must be multiples of to go past the page cache: no disk in use has longer sectors.
pub const BLOCK_BYTES: usize = 4096;

/// How many pieces wait while one is written. More would only take memory.
const MAX_WAITING: usize = 1;

/// The thread; it begins with the first piece and ends with the last.
#[derive(Debug)]
pub(super) struct Disk {
    pieces: SyncSender<Piece>,
    /// The memory of pieces that have been written.
    written: Mutex<Receiver<PagedBytes>>,
    failure: Arc<OnceLock<io::Error>>,
    /// Missing if the system has refused it.
    thread: Option<JoinHandle<()>>,
}

/// Bytes and the place they belong to.
#[derive(Debug)]
pub(super) struct Piece {
    /// Where the file is now, and where it will be.
    pub(super) path: PathBuf,
    pub(super) shown: PathBuf,
    pub(super) start: u64,
    pub(super) bytes: PagedBytes,
}

impl Disk {
    pub(super) fn new() -> Self {
        let (pieces, incoming) = mpsc::sync_channel(MAX_WAITING);
        let (outgoing, written) = mpsc::channel();
        let failure = Arc::new(OnceLock::new());
        let work = {
            let failure = Arc::clone(&failure);
            move || {
                if let Err(error) = write_all(&incoming, &outgoing) {
                    let _ = failure.set(error);
                }
            }
        };
        Self { pieces, written: Mutex::new(written), failure, thread: Builder::new().spawn(work).ok() }
    }

    /// Has a piece written, or writes it while others wait to be, since most disks can do more than one thing at once. Returns the
    /// memory of a piece that has been written. Fails if one could not be written.
    pub(super) fn write(&self, piece: Piece) -> io::Result<PagedBytes> {
        let piece = match self.pieces.try_send(piece) {
            Ok(()) => {
                let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
                return Ok(written.try_recv().unwrap_or_default());
            }
            Err(TrySendError::Full(piece)) => piece,
            Err(TrySendError::Disconnected(piece)) if self.thread.is_none() => piece,
            Err(TrySendError::Disconnected(_)) => return Err(self.failure()),
        };
        piece.write().map_err(|error| cannot_write(&piece.shown, &error))?;
        Ok(piece.bytes)
    }

    /// Why the thread takes nothing any more. It says so before it goes, and all who ask are told.
    fn failure(&self) -> io::Error {
        let unknown = || io::Error::other("an earlier write has failed");
        self.failure.get().map_or_else(unknown, |error| io::Error::new(error.kind(), error.to_string()))
    }

    /// Waits until everything has been written.
    pub(super) fn finish(self) -> io::Result<()> {
        let Self { pieces, failure, thread, .. } = self;
        drop(pieces);
        if let Some(thread) = thread {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
        Arc::into_inner(failure).and_then(OnceLock::into_inner).map_or(Ok(()), Err)
    }
}

fn write_all(pieces: &Receiver<Piece>, written: &Sender<PagedBytes>) -> io::Result<()> {
    for piece in pieces {
        piece.write().map_err(|error| cannot_write(&piece.shown, &error))?;
        let _ = written.send(piece.bytes);
    }
    Ok(())
}

impl Piece {
    /// Where nothing goes past the page cache, what it has taken is brought to disk at once, so that less is left to wait for
    /// at the end. An error of that shows then.
    fn write(&self) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(&self.path)?;
        let begins_a_block = self.start.is_multiple_of(BLOCK_BYTES as u64);
        match open_past_cache(&self.path) {
            Ok(past_cache) if begins_a_block => self.write_past_cache(&file, &past_cache),
            _ => {
                write_at(&file, self.start, &self.bytes)?;
                let _ = file.sync_data();
                Ok(())
            }
        }
    }

    /// All whole blocks; what is after them shares its block with what follows.
    fn write_past_cache(&self, file: &File, past_cache: &File) -> io::Result<()> {
        let (blocks, rest) = self.bytes.split_at(self.bytes.len() - self.bytes.len() % BLOCK_BYTES);
        // A file system may refuse this at any time. It says what is really wrong if it refuses the usual way too.
        if write_at(past_cache, self.start, blocks).is_err() {
            write_at(file, self.start, blocks)?;
        }
        write_at(file, self.start + blocks.len() as u64, rest)
    }
}

fn write_at(mut file: &File, place: u64, bytes: &[u8]) -> io::Result<()> {
    file.seek(SeekFrom::Start(place))?;
    file.write_all(bytes)
}

#[cfg(target_os = "linux")]
fn open_past_cache(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new().write(true).custom_flags(rustix::fs::OFlags::DIRECT.bits().cast_signed()).open(path)
}

#[cfg(not(target_os = "linux"))]
fn open_past_cache(_path: &Path) -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}
