//! Which state of a data set a page shows: its manifest's checksum, or what its files look like from outside.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use ticket_schema::names::{MANIFEST_FILE, TICKETS_DIR};

/// What tells this state of the data set from others: the SHA-256 of its manifest. Where no manifest says what the files
/// hold, it is that of their names, sizes and times, so files written by others are seen to change, too.
pub(crate) fn version(data: &Path) -> Result<String> {
    match manifest_sha256(data)? {
        Some(sha256) => Ok(sha256),
        None => files_sha256(&data.join(TICKETS_DIR)),
    }
}

/// SHA-256 of the data set's manifest in hexadecimal, `None` if it has none.
pub(crate) fn manifest_sha256(data: &Path) -> Result<Option<String>> {
    let path = data.join(MANIFEST_FILE);
    match fs::read(&path) {
        Ok(text) => Ok(Some(hexadecimal(&Sha256::digest(text)))),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

fn files_sha256(tickets: &Path) -> Result<String> {
    let mut files = Vec::new();
    list(tickets, &mut files).with_context(|| format!("cannot list {}", tickets.display()))?;
    files.sort();
    let mut digest = Sha256::new();
    for (path, bytes, nanoseconds) in files {
        digest.update(format!("{}\0{bytes}\0{nanoseconds}\n", path.display()));
    }
    Ok(hexadecimal(&digest.finalize()))
}

/// Adds the path, the size and the time of the last change of every file below `directory`, if it is there.
fn list(directory: &Path, files: &mut Vec<(PathBuf, u64, u128)>) -> io::Result<()> {
    let entries = match fs::read_dir(directory) {
        Err(error) if is_absent(&error) => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => list(&path, files)?,
            Ok(metadata) => {
                let changed = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
                files.push((path, metadata.len(), changed.as_nanos()));
            }
            // It went away meanwhile.
            Err(error) if is_absent(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
