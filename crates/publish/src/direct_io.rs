//! Writes large blocks on a background thread with direct I/O, past the page cache.
//!
//! Output is not read soon, so a copy in the page cache only costs memory and processor time: in a virtual machine as much
//! as encoding the data. Measured gain: see the table in ARCHITECTURE.md.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender, TrySendError};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{Builder, JoinHandle};

use crate::page_aligned_buffer::PageAlignedBuffer;
use crate::staged_file::cannot_write;

/// Alignment of direct I/O in files and in memory, in bytes. No disk in use has larger sectors.
pub const BLOCK_BYTES: usize = 4096;

/// Requests that are queued while one is being written. A longer queue gained nothing.
const QUEUE_LENGTH: usize = 1;

/// The background thread, which runs from the first request to [`finish`](Self::finish).
#[derive(Debug)]
pub(super) struct BackgroundWriter {
    requests: SyncSender<WriteRequest>,
    /// Buffers of completed requests, for reuse.
    completed: Mutex<Receiver<PageAlignedBuffer>>,
    failure: Arc<OnceLock<io::Error>>,
    /// `None` if the system refused the thread.
    thread: Option<JoinHandle<()>>,
}

/// A buffer and its destination.
#[derive(Debug)]
pub(super) struct WriteRequest {
    /// Current path of the file.
    pub(super) path: PathBuf,
    /// Path after publication, for messages.
    pub(super) published: PathBuf,
    /// Offset in the file, in bytes.
    pub(super) offset: u64,
    pub(super) bytes: PageAlignedBuffer,
}

impl BackgroundWriter {
    pub(super) fn new() -> Self {
        let (requests, incoming) = mpsc::sync_channel(QUEUE_LENGTH);
        let (outgoing, completed) = mpsc::channel();
        let failure = Arc::new(OnceLock::new());
        let work = {
            let failure = Arc::clone(&failure);
            move || {
                if let Err(error) = write_all(&incoming, &outgoing) {
                    let _ = failure.set(error);
                }
            }
        };
        Self { requests, completed: Mutex::new(completed), failure, thread: Builder::new().spawn(work).ok() }
    }

    /// Queues a request, or executes it on the calling thread if the queue is full, since most disks handle several writes
    /// at once. Returns the buffer of a completed request, or an empty one.
    ///
    /// # Errors
    ///
    /// Fails if this or an earlier request failed.
    pub(super) fn write(&self, request: WriteRequest) -> io::Result<PageAlignedBuffer> {
        let request = match self.requests.try_send(request) {
            Ok(()) => {
                let completed = self.completed.lock().unwrap_or_else(PoisonError::into_inner);
                return Ok(completed.try_recv().unwrap_or_default());
            }
            Err(TrySendError::Full(request)) => request,
            Err(TrySendError::Disconnected(request)) if self.thread.is_none() => request,
            Err(TrySendError::Disconnected(_)) => return Err(self.failure()),
        };
        request.execute()?;
        Ok(request.bytes)
    }

    /// Returns the error that ended the thread; it is set before the channel closes.
    fn failure(&self) -> io::Error {
        let unknown = || io::Error::other("an earlier write failed");
        self.failure.get().map_or_else(unknown, |error| io::Error::new(error.kind(), error.to_string()))
    }

    /// Blocks until all requests are completed, and returns the first failure.
    pub(super) fn finish(self) -> io::Result<()> {
        let Self { requests, failure, thread, .. } = self;
        drop(requests);
        if let Some(thread) = thread {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
        Arc::into_inner(failure).and_then(OnceLock::into_inner).map_or(Ok(()), Err)
    }
}

fn write_all(requests: &Receiver<WriteRequest>, completed: &Sender<PageAlignedBuffer>) -> io::Result<()> {
    for request in requests {
        request.execute()?;
        let _ = completed.send(request.bytes);
    }
    Ok(())
}

impl WriteRequest {
    fn execute(&self) -> io::Result<()> {
        self.write().map_err(|error| cannot_write(&self.published, &error))
    }

    /// Writes with direct I/O if the file system supports it and the offset is aligned. Otherwise starts writeback at once,
    /// so that less is left for the final sync, which also reports errors of it.
    fn write(&self) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(&self.path)?;
        let is_aligned = self.offset.is_multiple_of(BLOCK_BYTES as u64);
        match open_direct(&self.path) {
            Ok(direct) if is_aligned => self.write_direct(&file, &direct),
            _ => {
                write_at(&file, self.offset, &self.bytes)?;
                let _ = file.sync_data();
                Ok(())
            }
        }
    }

    /// Writes the whole blocks with direct I/O, and the rest through the page cache: its block is shared with the next
    /// request.
    fn write_direct(&self, file: &File, direct: &File) -> io::Result<()> {
        let (blocks, rest) = self.bytes.split_at(self.bytes.len() - self.bytes.len() % BLOCK_BYTES);
        // A file system may reject direct I/O at any time. If the disk is at fault, the ordinary write fails as well.
        if write_at(direct, self.offset, blocks).is_err() {
            write_at(file, self.offset, blocks)?;
        }
        write_at(file, self.offset + blocks.len() as u64, rest)
    }
}

fn write_at(mut file: &File, offset: u64, bytes: &[u8]) -> io::Result<()> {
    file.seek(SeekFrom::Start(offset))?;
    file.write_all(bytes)
}

#[cfg(target_os = "linux")]
fn open_direct(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new().write(true).custom_flags(rustix::fs::OFlags::DIRECT.bits().cast_signed()).open(path)
}

#[cfg(not(target_os = "linux"))]
fn open_direct(_path: &Path) -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}
