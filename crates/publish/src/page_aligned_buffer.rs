//! Byte buffer in memory pages of its own.

use std::io;
use std::ops::Deref;

use memmap2::{MmapMut, MmapOptions};

/// Growable buffer for megabytes of output that starts at a page boundary, as direct I/O requires.
///
/// It asks the kernel for huge pages. Each replaces 512 small ones, which would have to be allocated one by one and pinned
/// while the disk reads them. Measured gain: see the table in ARCHITECTURE.md.
///
/// ```
/// let mut buffer = publish::PageAlignedBuffer::default();
/// buffer.append(b"row group")?;
/// assert_eq!(*buffer, *b"row group");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct PageAlignedBuffer {
    /// `None` until the first byte is appended.
    memory: Option<MmapMut>,
    n_bytes: usize,
}

impl PageAlignedBuffer {
    /// Unit of the capacity. Large, so that the buffer is rarely copied; pages that are never touched take no memory.
    const CAPACITY_STEP: usize = 16 << 20;

    /// Appends bytes.
    ///
    /// # Errors
    ///
    /// Fails if memory cannot be allocated.
    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let end = self.n_bytes + bytes.len();
        if end > self.capacity() {
            self.grow(end)?;
        }
        if let Some(memory) = &mut self.memory {
            memory[self.n_bytes..end].copy_from_slice(bytes);
            self.n_bytes = end;
        }
        Ok(())
    }

    /// Removes all bytes and keeps the memory.
    pub const fn clear(&mut self) {
        self.n_bytes = 0;
    }

    fn capacity(&self) -> usize {
        self.memory.as_ref().map_or(0, |memory| memory.len())
    }

    fn grow(&mut self, min_capacity: usize) -> io::Result<()> {
        let capacity = min_capacity.max(2 * self.capacity()).next_multiple_of(Self::CAPACITY_STEP);
        let no_memory =
            |error: io::Error| io::Error::new(error.kind(), format!("cannot allocate {} MiB: {error}", capacity >> 20));
        let mut memory = MmapOptions::new().len(capacity).no_reserve_swap().map_anon().map_err(no_memory)?;
        // Without huge pages the kernel uses small ones.
        #[cfg(target_os = "linux")]
        let _ = memory.advise(memmap2::Advice::HugePage);
        memory[..self.n_bytes].copy_from_slice(self);
        self.memory = Some(memory);
        Ok(())
    }
}

impl Deref for PageAlignedBuffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.memory.as_ref().map_or(&[], |memory| &memory[..self.n_bytes])
    }
}
