//! Bytes that lie in memory as a disk wants them.

use std::io;
use std::ops::Deref;

use memmap2::{MmapMut, MmapOptions};

/// Megabytes in pages of their own, from where they can go to disk without being copied.
///
/// Where the kernel has huge pages it gives some. Each stands for five hundred small ones that would have to be got, and held while
/// a disk reads them, one by one, by processors that also make what is written.
#[derive(Debug, Default)]
pub struct PagedBytes {
    /// None as long as there was no byte.
    memory: Option<MmapMut>,
    n_bytes: usize,
}

impl PagedBytes {
    /// So much room that few bytes are ever moved. What of it isn't used is no memory yet.
    const MIN_ROOM: usize = 16 << 20;

    /// Appends bytes. Fails if there is no memory for them.
    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let end = self.n_bytes + bytes.len();
        if end > self.room() {
            self.make_room(end)?;
        }
        if let Some(memory) = &mut self.memory {
            memory[self.n_bytes..end].copy_from_slice(bytes);
            self.n_bytes = end;
        }
        Ok(())
    }

    /// Removes all bytes and keeps their memory.
    pub const fn clear(&mut self) {
        self.n_bytes = 0;
    }

    fn room(&self) -> usize {
        self.memory.as_ref().map_or(0, |memory| memory.len())
    }

    fn make_room(&mut self, n_bytes: usize) -> io::Result<()> {
        let n_bytes = n_bytes.max(2 * self.room()).next_multiple_of(Self::MIN_ROOM);
        let no_memory = |error: io::Error| {
            io::Error::new(error.kind(), format!("there is no memory for {} MiB: {error}", n_bytes >> 20))
        };
        let mut memory = MmapOptions::new().len(n_bytes).no_reserve_swap().map_anon().map_err(no_memory)?;
        // A kernel without huge pages goes on with small ones.
        #[cfg(target_os = "linux")]
        let _ = memory.advise(memmap2::Advice::HugePage);
        memory[..self.n_bytes].copy_from_slice(self);
        self.memory = Some(memory);
        Ok(())
    }
}

impl Deref for PagedBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.memory.as_ref().map_or(&[], |memory| &memory[..self.n_bytes])
    }
}
