//! Bytes that lie in memory as a disk wants them.

use super::disk::BLOCK_BYTES;

/// Bytes that begin where a block may begin in memory, as long as their memory isn't moved. From there they can go to disk without
/// being copied; from elsewhere they can go, too.
#[derive(Debug, Default)]
pub struct AlignedBytes {
    memory: Vec<u8>,
    start: usize,
}

impl AlignedBytes {
    /// So much memory is seldom moved by allocators when it grows: they rather map it anew.
    const MIN_CAPACITY: usize = 1 << 20;

    /// No bytes yet; uses memory again whose bytes are no longer needed.
    pub fn in_memory(mut memory: Vec<u8>) -> Self {
        memory.clear();
        memory.reserve(Self::MIN_CAPACITY);
        let start = memory.as_ptr().align_offset(BLOCK_BYTES).min(BLOCK_BYTES);
        memory.resize(start, 0);
        Self { memory, start }
    }

    /// Where in [`memory`](Self::memory) they start.
    pub const fn start(&self) -> usize {
        self.start
    }

    /// The memory, to append further bytes.
    pub const fn memory(&mut self) -> &mut Vec<u8> {
        &mut self.memory
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        &self.memory[self.start..]
    }

    /// The same bytes, copied to where they are aligned.
    pub(super) fn copy(&mut self, bytes: &[u8]) -> &[u8] {
        let mut memory = std::mem::take(&mut self.memory);
        memory.clear();
        memory.reserve(BLOCK_BYTES + bytes.len());
        *self = Self::in_memory(memory);
        self.memory.extend_from_slice(bytes);
        self.as_slice()
    }

    /// The memory, to be used again.
    pub fn into_memory(self) -> Vec<u8> {
        self.memory
    }
}

/// Wherever they are.
impl From<Vec<u8>> for AlignedBytes {
    fn from(memory: Vec<u8>) -> Self {
        Self { memory, start: 0 }
    }
}
