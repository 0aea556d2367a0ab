//! Builds the page from a curated data set.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use cli_support::human;
use manifest::CuratedManifest;
use publish::replace_file;
use query::{Engine, QueryEngine};
use ticket_schema::Timestamp;

use crate::definition::DASHBOARD;
use crate::html::cube::Cube;
use crate::html::page::{self, Delivery};
use crate::html::payload::{About, Contents};
use crate::queries;
use crate::version::{manifest_sha256, version};

/// The KPI whose percentiles the page contains.
const RESOLUTION_TIMES: &str = "resolution_time_by_severity";

/// Maximum number of attempts to read a data set that is being replaced.
const MAX_ATTEMPTS: usize = 3;

/// The data set of a dashboard.
#[derive(Clone, Debug)]
pub struct Config {
    /// Directory of the curated data set.
    pub data: PathBuf,
    /// Value of `current_timestamp`; `None` takes it from the manifest.
    pub as_of: Option<Timestamp>,
}

/// A page in memory.
#[derive(Clone, Debug)]
pub struct Page {
    /// HTML text.
    pub html: String,
    /// SHA-256 of the manifest in hexadecimal; `None` without a manifest.
    pub manifest_sha256: Option<String>,
    /// Version of the data set.
    pub version: String,
    /// Number of tickets.
    pub tickets: u64,
}

/// A page on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Number of tickets.
    pub tickets: u64,
    /// Size in bytes.
    pub bytes: u64,
}

impl Written {
    /// Returns a one-line summary.
    pub fn summary(&self) -> String {
        let visuals = human::counted(DASHBOARD.visuals.len() as u64, "visual");
        format!("{visuals} of {}, {}", human::counted(self.tickets, "ticket"), human::bytes(self.bytes))
    }
}

/// Writes the page to the file `output` atomically.
///
/// # Errors
///
/// As [`build`], and if the file can't be written.
pub fn run_dashboard(config: &Config, output: &Path) -> Result<Written> {
    let page = build(config, Delivery::FromFile)?;
    replace_file(output, page.html.as_bytes())?;
    Ok(Written { tickets: page.tickets, bytes: page.html.len() as u64 })
}

/// Builds the page. If the data set is replaced meanwhile, it is read again, so that all numbers belong to one version.
///
/// # Errors
///
/// Fails if the data set can't be read, differs from its manifest, or keeps changing.
pub fn build(config: &Config, delivery: Delivery) -> Result<Page> {
    for _ in 0..MAX_ATTEMPTS {
        let before = version(&config.data)?;
        let built = build_from(config, delivery, &before);
        if before == version(&config.data)? {
            return built;
        }
    }
    bail!("{} keeps changing; try again after the writing process has finished", config.data.display())
}

fn build_from(config: &Config, delivery: Delivery, version: &str) -> Result<Page> {
    let manifest_sha256 = manifest_sha256(&config.data)?;
    let engine = Engine::open(&config.data, config.as_of)?;
    let manifest = engine.manifest();
    let query =
        |name: &str| engine.query(&queries::sql(name)?).with_context(|| format!("query `{name}` of the dashboard"));
    let cube = Cube::from_answer(&query(queries::CUBE)?)?;
    if let Some(manifest) = manifest {
        check_markets(&cube, manifest, &config.data)?;
    }
    let [kpi] = &kpi::catalogue::select(&[RESOLUTION_TIMES.to_owned()])?[..] else {
        bail!("{RESOLUTION_TIMES} is not exactly one KPI")
    };
    let contents = Contents {
        definition: &DASHBOARD,
        about: About {
            as_of: engine.as_of().context("the engine has no as-of time")?,
            seed: manifest.and_then(|manifest| manifest.world.as_ref()).map(|world| world.seed),
            manifest_sha256: manifest_sha256.clone(),
            quarantined: manifest.map_or(0, |manifest| manifest.rows.quarantined),
        },
        cube,
        open_p1: query(queries::OPEN_P1_TICKETS)?,
        resolution_times: engine.query(&kpi.sql).with_context(|| format!("KPI {}", kpi.name))?,
    };
    let html = page::render(&contents, delivery)?;
    Ok(Page { html, manifest_sha256, version: version.to_owned(), tickets: contents.cube.tickets() })
}

/// Compares the tickets per market with the manifest, to detect partitions that were added or removed by hand.
fn check_markets(cube: &Cube, manifest: &CuratedManifest, data: &Path) -> Result<()> {
    let (found, mut expected) = (cube.tickets_by_market(), manifest.markets.clone());
    expected.retain(|_, tickets| *tickets > 0);
    ensure!(
        found == expected,
        "the files in {} hold {found:?} tickets, but their manifest says {expected:?}",
        data.display()
    );
    Ok(())
}
