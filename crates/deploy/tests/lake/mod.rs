//! Small data lake for the tests of this crate.

use std::path::Path;

use cli_support::Messages;
use manifest::{CuratedManifest, Manifest, WorldParameters};
use tempfile::{TempDir, tempdir};

/// Temporary directory with `data/raw` and `data/curated`.
pub(crate) struct Lake(TempDir);

impl Lake {
    /// Generates and transforms a world.
    pub(crate) fn new(seed: u64, count: u64) -> Self {
        let lake = Self(tempdir().unwrap());
        lake.replace(seed, count);
        lake
    }

    /// Replaces both data sets with those of another world.
    pub(crate) fn replace(&self, seed: u64, count: u64) {
        let (raw, curated) = (self.dir().join("data/raw"), self.dir().join("data/curated"));
        let world = WorldParameters::new(seed, "2026-11-22".parse().unwrap(), 90, count);
        let config = generate::Config::of(world);
        let target = generate::Target::Directory(raw.clone());
        generate::run_generate(&config, target, &Messages::silent()).unwrap();
        let config = transform::Config::new(curated);
        let inputs = jsonl::input::Inputs::of_manifest(&raw).unwrap();
        transform::run_transform(&config, inputs, &Messages::silent()).unwrap();
    }

    /// Returns the working directory for the tools.
    pub(crate) fn dir(&self) -> &Path {
        self.0.path()
    }

    /// Returns the markets with tickets.
    pub(crate) fn markets(&self) -> Vec<String> {
        let manifest = CuratedManifest::load(&self.dir().join("data/curated")).unwrap().unwrap();
        manifest.markets.into_keys().collect()
    }
}
