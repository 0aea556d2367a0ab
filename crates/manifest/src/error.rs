//! Errors of reading a manifest.

use std::io;
use std::path::PathBuf;

/// The error of a manifest that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The file exists but cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The manifest.
        path: PathBuf,
        /// The error of the file system.
        source: io::Error,
    },
    /// The file is not a manifest of the expected stage and format.
    #[error("{} is not the manifest of {stage} tickets that this version writes", path.display())]
    Unknown {
        /// The manifest.
        path: PathBuf,
        /// `raw` or `curated`.
        stage: &'static str,
        /// The JSON error, with its position.
        source: serde_json::Error,
    },
}
