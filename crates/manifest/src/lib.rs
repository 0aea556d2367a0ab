//! Manifests (`_manifest.json`): each stage records the tool, the files and the expected answers of the data set that it
//! writes, and the next stage reads them instead of guessing from names or modification times.
//!
//! * [`RawManifest`]: raw JSON-Lines. [`CuratedManifest`]: curated Parquet. [`Manifest`]: the operations of both.
//! * [`world`]: world parameters and scenarios.
//! * [`answer`]: query answers. [`defects`]: kinds of injected defects.
//!
//! A manifest holds no clock time, so the same input always gives the same manifest.
//!
//! ```
//! use manifest::{CuratedManifest, Manifest, RowCounts};
//!
//! let json = r#"{
//!     "format": 1, "stage": "curated", "tool": { "name": "transform", "version": "0.2.0" },
//!     "as_of": null, "world": null, "rows": { "read": 3, "written": 2, "quarantined": 1 },
//!     "markets": {}, "inputs": [], "files": [], "quarantine": [], "expected_answers": null
//! }"#;
//! let dir = tempfile::tempdir()?;
//! std::fs::write(dir.path().join("_manifest.json"), json)?;
//!
//! let manifest = CuratedManifest::load(dir.path())?.expect("there is a manifest");
//! assert_eq!(manifest.rows, RowCounts { read: 3, written: 2, quarantined: 1, duplicates: 0 });
//! assert!(manifest.rows.balance());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod answer;
pub mod defects;
pub mod world;

mod curated;
mod entries;
mod error;
mod raw;

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use ticket_schema::names::MANIFEST_FILE;

pub use crate::curated::{CuratedManifest, CuratedStage};
pub use crate::entries::{FileEntry, InputEntry, RowCounts, Tool};
pub use crate::error::ManifestError;
pub use crate::raw::{RawManifest, RawStage};
pub use crate::world::{ProfileRef, Scenario, ScenarioEffect, Shard, WorldParameters};

/// The manifest format version that this code reads and writes.
pub const FORMAT: u32 = 1;

/// The operations that both kinds of manifest share.
pub trait Manifest: Serialize + DeserializeOwned {
    /// `raw` or `curated`.
    const STAGE: &'static str;

    /// Returns the files that hold the data set's rows, without the manifest itself.
    fn files(&self) -> impl Iterator<Item = &FileEntry>;

    /// Reads the manifest of the data set in `dir`; `None` if there is none.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be read, or is not a manifest of this kind.
    fn load(dir: &Path) -> Result<Option<Self>, ManifestError> {
        let path = dir.join(MANIFEST_FILE);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(source) => return Err(ManifestError::Unreadable { path, source }),
        };
        serde_json::from_slice(&text).map(Some).map_err(|source| ManifestError::Unknown {
            path,
            stage: Self::STAGE,
            source,
        })
    }

    /// Returns the names of all files that belong to the data set, the manifest included.
    fn owned_files(&self) -> BTreeSet<String> {
        self.files().map(|file| file.name.clone()).chain([MANIFEST_FILE.to_owned()]).collect()
    }

    /// Returns the manifest as indented JSON with a trailing newline.
    ///
    /// # Errors
    ///
    /// Fails if a value cannot be serialised, such as a map key that is not a string.
    fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self).map(|json| json + "\n")
    }

    /// Writes the manifest as indented JSON with a trailing newline, without building the text in memory.
    ///
    /// # Errors
    ///
    /// Fails if `to` cannot be written.
    fn write_json(&self, mut to: impl io::Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut to, self)?;
        to.write_all(b"\n")
    }
}
