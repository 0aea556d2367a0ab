//! Rates of the operations that every engine needs, measured with simple loops on one thread and on several. They bound the
//! speed and the scaling that an engine can reach on this machine.

use std::fs::{self, File};
use std::hint::black_box;
use std::io::{self, Read, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use publish::Checksum;

use crate::statistics::median;

/// Rates that the machine reaches.
#[derive(Clone, Copy, Debug)]
pub struct HardwareBaseline {
    /// Copying the JSON lines in memory.
    pub copy: Rate,
    /// Reading the files from the page cache.
    pub read: Rate,
    /// Computing the CRC-64/NVME of the lines.
    pub checksum: Rate,
    /// Compressing the lines with Snappy.
    pub snappy: Rate,
    /// Writing and syncing a file, in bytes per second.
    pub write: f64,
}

/// Bytes per second, each the median of several passes.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// Of one thread.
    pub alone: f64,
    /// Of all threads together.
    pub together: f64,
}

/// Bytes of tickets used: far more than any cache holds.
const SAMPLE: u64 = 256 << 20;

/// Bytes per operation, about the size of a core's private cache.
const PIECE: usize = 256 << 10;

const CACHE_LINE: usize = 64;

const N_PASSES: usize = 5;

impl HardwareBaseline {
    /// Measures the rates with the contents of some files and a scratch file in `dir`.
    ///
    /// # Errors
    ///
    /// Fails if a file cannot be read or written, or a thread cannot be started.
    pub fn measure(files: &[PathBuf], threads: NonZeroUsize, dir: &Path) -> Result<Self> {
        let mut text = Vec::new();
        for path in files {
            let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
            file.take(SAMPLE - text.len() as u64).read_to_end(&mut text)?;
        }
        let for_each_thread = vec![files; threads.get()];
        let scratch = dir.join("ceiling");
        let baseline = Self {
            copy: Rate::of(&text, threads, |text| {
                let mut copied = vec![0_u8; text.len()];
                move || {
                    black_box(&mut copied).copy_from_slice(black_box(text));
                    Ok(text.len())
                }
            })?,
            read: Rate::of(&for_each_thread, threads, |times| {
                let mut buffer = vec![0_u8; PIECE + CACHE_LINE];
                // Large allocations start 16 bytes into a page. Some processors copy from the start of a page to such an
                // address five times slower than to the start of a cache line.
                let from = buffer.as_ptr().align_offset(CACHE_LINE).min(CACHE_LINE);
                move || times.iter().map(|files| read(files, &mut buffer[from..from + PIECE])).sum()
            })?,
            checksum: Rate::of(&text, threads, |text| {
                || {
                    let mut checksum = Checksum::default();
                    checksum.update(text);
                    black_box(checksum);
                    Ok(text.len())
                }
            })?,
            snappy: Rate::of(&text, threads, |text| {
                let mut packed = vec![0_u8; snap::raw::max_compress_len(PIECE)];
                let mut snappy = snap::raw::Encoder::new();
                move || {
                    for piece in text.chunks(PIECE) {
                        black_box(snappy.compress(piece, &mut packed)?);
                    }
                    Ok(text.len())
                }
            })?,
            write: rate(&mut [|| write(&scratch, &text)])?,
        };
        fs::remove_file(&scratch).with_context(|| format!("cannot remove {}", scratch.display()))?;
        Ok(baseline)
    }
}

impl Rate {
    /// Measures `pass`, which processes its share of `all` and returns the number of bytes.
    fn of<'a, T, P>(all: &'a [T], threads: NonZeroUsize, pass: impl Fn(&'a [T]) -> P) -> Result<Self>
    where
        P: FnMut() -> Result<usize> + Send,
    {
        let shares = all.chunks(all.len().div_ceil(threads.get()).max(1));
        Ok(Self { alone: rate(&mut [pass(all)])?, together: rate(&mut shares.map(&pass).collect::<Vec<_>>())? })
    }
}

/// Returns the median rate of passes that run at once, each on its own thread, after a warm-up pass.
fn rate(passes: &mut [impl FnMut() -> Result<usize> + Send]) -> Result<f64> {
    let mut all_at_once = || {
        thread::scope(|scope| {
            let start = |pass| thread::Builder::new().spawn_scoped(scope, pass).context("cannot start a thread");
            let threads = passes.iter_mut().map(start).collect::<Result<Vec<_>>>()?;
            let join = |thread: thread::ScopedJoinHandle<'_, Result<usize>>| {
                thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            threads.into_iter().map(join).sum::<Result<usize>>()
        })
    };
    all_at_once()?;
    let mut rates = Vec::with_capacity(N_PASSES);
    for _ in 0..N_PASSES {
        let started = Instant::now();
        let n_bytes = all_at_once()?;
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

#[allow(clippy::disallowed_methods, reason = "a scratch file")]
fn write(path: &Path, bytes: &[u8]) -> Result<usize> {
    let whole = |path: &Path| -> io::Result<()> {
        let mut file = File::create(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    whole(path).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(bytes.len())
}
