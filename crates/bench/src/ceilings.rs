//! How fast one thread of this machine does what no contestant can go without: simple loops, so that a reader sees how far a
//! contestant is from memory, the page cache and Snappy.

use std::fs::{self, File};
use std::hint::black_box;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use cli_support::checksum::Checksum;

use crate::statistics::median;

/// Bytes per second, each the median of several passes.
#[derive(Clone, Copy, Debug)]
pub struct Ceilings {
    /// Copying the tickets' text from one place in memory to another.
    pub copy: f64,
    /// Reading the files from the page cache.
    pub read: f64,
    /// The CRC-64/NVME of the text.
    pub checksum: f64,
    /// Packing the text with Snappy.
    pub snappy: f64,
    /// Writing a file and bringing it to disk.
    pub write: f64,
}

/// How much of the tickets is taken: far more than any cache holds.
const SAMPLE: u64 = 256 << 20;

/// What is read, copied, summed or packed at a time, about what stays in a core's own cache.
const PIECE: usize = 256 << 10;

const CACHE_LINE: usize = 64;

const N_PASSES: usize = 5;

impl Ceilings {
    /// Measures them with the text of some files, and with a scratch file in `dir`.
    pub fn measure(files: &[PathBuf], dir: &Path) -> Result<Self> {
        let mut text = Vec::new();
        for path in files {
            let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
            file.take(SAMPLE - text.len() as u64).read_to_end(&mut text)?;
        }
        let mut copied = vec![0_u8; text.len()];
        let mut buffer = vec![0_u8; PIECE + CACHE_LINE];
        // Large allocations begin 16 bytes into a page. Some processors copy to there, from the beginning of a page, five times
        // slower than to the beginning of a cache line.
        let from = buffer.as_ptr().align_offset(CACHE_LINE).min(CACHE_LINE);
        let mut packed = vec![0_u8; snap::raw::max_compress_len(PIECE)];
        let mut snappy = snap::raw::Encoder::new();
        let scratch = dir.join("ceiling");
        let ceilings = Self {
            copy: rate(|| {
                black_box(&mut copied).copy_from_slice(black_box(&text));
                Ok(text.len())
            })?,
            read: rate(|| read(files, &mut buffer[from..from + PIECE]))?,
            checksum: rate(|| {
                let mut checksum = Checksum::default();
                checksum.update(&text);
                black_box(checksum);
                Ok(text.len())
            })?,
            snappy: rate(|| {
                for piece in text.chunks(PIECE) {
                    black_box(snappy.compress(piece, &mut packed)?);
                }
                Ok(text.len())
            })?,
            write: rate(|| write(&scratch, &text))?,
        };
        fs::remove_file(&scratch).with_context(|| format!("cannot remove {}", scratch.display()))?;
        Ok(ceilings)
    }
}

/// The median rate of several passes, after one that isn't measured; a pass returns the bytes it went over.
fn rate(mut pass: impl FnMut() -> Result<usize>) -> Result<f64> {
    pass()?;
    let mut rates = Vec::with_capacity(N_PASSES);
    for _ in 0..N_PASSES {
        let started = Instant::now();
        let n_bytes = pass()?;
        rates.push(n_bytes as f64 / started.elapsed().max(Duration::from_nanos(1)).as_secs_f64());
    }
    Ok(median(&rates))
}

fn read(files: &[PathBuf], buffer: &mut [u8]) -> Result<usize> {
    let mut n_bytes = 0;
    for path in files {
        let mut file = File::open(path)?;
        while n_bytes < SAMPLE as usize {
            match file.read(buffer)? {
                0 => break,
                n => n_bytes += n,
            }
        }
    }
    Ok(n_bytes)
}

#[allow(clippy::disallowed_methods, reason = "a scratch file that nobody else reads")]
fn write(path: &Path, bytes: &[u8]) -> Result<usize> {
    let whole = |path: &Path| -> io::Result<()> {
        let mut file = File::create(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    whole(path).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(bytes.len())
}
