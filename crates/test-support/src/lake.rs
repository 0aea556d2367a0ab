//! A small data lake in a temporary directory.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a failure fails the test that uses it")]

use std::path::{Path, PathBuf};

use cli_support::Messages;
use manifest::{CuratedManifest, Manifest, WorldParameters};
use tempfile::{TempDir, tempdir};

/// A temporary directory with `data/raw` and `data/curated`.
///
/// ```
/// use test_support::lake::Lake;
///
/// let lake = Lake::new(42, 100);
/// assert!(lake.curated().join("_manifest.json").exists());
/// ```
#[derive(Debug)]
pub struct Lake(TempDir);

impl Lake {
    /// Generates and transforms a world of 90 days up to 2026-11-22.
    pub fn new(seed: u64, count: u64) -> Self {
        Self::of_period(seed, "2026-11-22", 90, count)
    }

    /// Generates and transforms a world of `days_back` days up to `as_of`.
    pub fn of_period(seed: u64, as_of: &str, days_back: u32, count: u64) -> Self {
        let lake = Self(tempdir().unwrap());
        lake.write(WorldParameters::new(seed, as_of.parse().unwrap(), days_back, count));
        lake
    }

    /// Replaces both data sets with those of [`new`](Self::new).
    pub fn replace(&self, seed: u64, count: u64) {
        self.write(WorldParameters::new(seed, "2026-11-22".parse().unwrap(), 90, count));
    }

    fn write(&self, world: WorldParameters) {
        let target = generate::Target::Directory(self.raw());
        generate::run_generate(&generate::Config::of(world), target, &Messages::silent()).unwrap();
        let inputs = jsonl::input::Inputs::of_manifest(&self.raw()).unwrap();
        transform::run_transform(&transform::Config::new(self.curated()), inputs, &Messages::silent()).unwrap();
    }

    /// Returns the working directory for tools.
    pub fn dir(&self) -> &Path {
        self.0.path()
    }

    /// Returns the directory of the raw data set.
    pub fn raw(&self) -> PathBuf {
        self.dir().join("data/raw")
    }

    /// Returns the directory of the curated data set.
    pub fn curated(&self) -> PathBuf {
        self.dir().join("data/curated")
    }

    /// Returns the markets with tickets.
    pub fn markets(&self) -> Vec<String> {
        CuratedManifest::load(&self.curated()).unwrap().unwrap().markets.into_keys().collect()
    }
}
