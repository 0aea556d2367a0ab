//! The version of a data set: the checksum of its manifest, or of the metadata of its files.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use ticket_schema::names::{MANIFEST_FILE, TICKETS_DIR};

/// Returns the version of the data set: the SHA-256 of its manifest, or without a manifest the SHA-256 of the names, sizes
/// and modification times of its files.
pub(crate) fn version(data: &Path) -> Result<String> {
    match manifest_sha256(data)? {
        Some(sha256) => Ok(sha256),
        None => files_sha256(&data.join(TICKETS_DIR)),
    }
}

/// Returns the SHA-256 of the manifest in hexadecimal; `None` if there is none.
pub(crate) fn manifest_sha256(data: &Path) -> Result<Option<String>> {
    let path = data.join(MANIFEST_FILE);
    match fs::read(&path) {
        Ok(text) => Ok(Some(hex::encode(Sha256::digest(text)))),
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
    Ok(hex::encode(digest.finalize()))
}

/// Appends path, size and modification time (nanoseconds since 1970) of every file below `directory`, if it exists.
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
                let modified = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
                files.push((path, metadata.len(), modified.as_nanos()));
            }
            // The file was deleted after it was listed.
            Err(error) if is_absent(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}
