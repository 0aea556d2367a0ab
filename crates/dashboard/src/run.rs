//! One run: questions in, a page out.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use cli_support::human;
use manifest::CuratedManifest;
use publish::replace_file;
use query::{Engine, QueryEngine};
use ticket_schema::Timestamp;

use crate::cube::Cube;
use crate::definition::DASHBOARD;
use crate::page::{self, Shown};
use crate::payload::{About, Contents};
use crate::questions;
use crate::version::{manifest_sha256, version};

/// The KPI whose percentiles the page takes over.
const RESOLUTION_TIMES: &str = "resolution_time_by_severity";

/// How often tickets that are being replaced are read again.
const MAX_TRIES: usize = 3;

/// What to show.
#[derive(Clone, Debug)]
pub struct Config {
    /// The curated data set's directory.
    pub data: PathBuf,
    /// The present; else the manifest's.
    pub as_of: Option<Timestamp>,
}

/// A page in memory.
#[derive(Clone, Debug)]
pub struct Page {
    /// Its HTML.
    pub html: String,
    /// SHA-256 of the manifest that it was made from, if there is one.
    pub manifest_sha256: Option<String>,
    /// What tells the data set that it shows from earlier and later ones.
    pub version: String,
    /// How many tickets it is about.
    pub tickets: u64,
}

/// A page on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// How many tickets it is about.
    pub tickets: u64,
    /// Its size.
    pub bytes: u64,
}

impl Written {
    /// What was done, in a few words.
    pub fn summary(&self) -> String {
        let visuals = human::counted(DASHBOARD.visuals.len() as u64, "visual");
        format!("{visuals} of {}, {}", human::counted(self.tickets, "ticket"), human::bytes(self.bytes))
    }
}

/// Writes the page to the file `output`, which appears whole or not at all.
pub fn run_dashboard(config: &Config, output: &Path) -> Result<Written> {
    let page = build(config, Shown::FromFile)?;
    replace_file(output, page.html.as_bytes())?;
    Ok(Written { tickets: page.tickets, bytes: page.html.len() as u64 })
}

/// Makes the page. If the tickets are replaced meanwhile, they are read again, so that all numbers are of one data set.
pub fn build(config: &Config, shown: Shown) -> Result<Page> {
    for _ in 0..MAX_TRIES {
        let before = version(&config.data)?;
        let built = build_from(config, shown, &before);
        if before == version(&config.data)? {
            return built;
        }
    }
    bail!("{} keeps changing; try again when nothing writes it", config.data.display())
}

fn build_from(config: &Config, shown: Shown, version: &str) -> Result<Page> {
    let manifest_sha256 = manifest_sha256(&config.data)?;
    let engine = Engine::open(&config.data, config.as_of)?;
    let manifest = engine.manifest();
    let ask = |name: &str| engine.ask(&questions::sql(name)?).with_context(|| format!("the dashboard's {name}"));
    let cube = Cube::from_answer(&ask(questions::CUBE)?)?;
    if let Some(manifest) = manifest {
        check_markets(&cube, manifest, &config.data)?;
    }
    let [kpi] = &kpi::catalogue::chosen(&[RESOLUTION_TIMES.to_owned()])?[..] else {
        bail!("{RESOLUTION_TIMES} is not one KPI")
    };
    let contents = Contents {
        definition: &DASHBOARD,
        about: About {
            as_of: engine.as_of().context("the engine has no present")?,
            seed: manifest.and_then(|manifest| manifest.world.as_ref()).map(|world| world.seed),
            manifest_sha256: manifest_sha256.clone(),
            quarantined: manifest.map_or(0, |manifest| manifest.rows.quarantined),
        },
        cube,
        open_p1: ask(questions::OPEN_P1_TICKETS)?,
        resolution_times: engine.ask(&kpi.sql).with_context(|| format!("KPI {}", kpi.name))?,
    };
    let html = page::render(&contents, shown)?;
    Ok(Page { html, manifest_sha256, version: version.to_owned(), tickets: contents.cube.tickets() })
}

/// A partition that was lost or added by hand must not pass unseen.
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
