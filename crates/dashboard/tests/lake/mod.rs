//! A small lake for the tests of this crate.

use std::path::PathBuf;

use cli_support::Messages;
use manifest::WorldParameters;
use tempfile::{TempDir, tempdir};

/// A directory with `raw` and `curated`, removed with the value.
pub(crate) struct Lake(TempDir);

impl Lake {
    /// Generates and transforms a world.
    pub(crate) fn new(seed: u64, as_of: &str, days_back: u32, count: u64) -> Self {
        let lake = Self(tempdir().unwrap());
        let world = WorldParameters::new(seed, as_of.parse().unwrap(), days_back, count);
        let config = generate::Config::of(world);
        let target = generate::Target::Directory(lake.raw());
        generate::run_generate(&config, target, &Messages::silent()).unwrap();
        let config = transform::Config::new(lake.curated());
        let inputs = jsonl::input::Inputs::of_manifest(&lake.raw()).unwrap();
        transform::run_transform(&config, inputs, &Messages::silent()).unwrap();
        lake
    }

    /// The raw data set.
    pub(crate) fn raw(&self) -> PathBuf {
        self.0.path().join("raw")
    }

    /// The curated data set.
    pub(crate) fn curated(&self) -> PathBuf {
        self.0.path().join("curated")
    }
}
