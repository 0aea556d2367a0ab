//! Everything that the page knows, as one text of letters and digits.
//!
//! The content is the length of a JSON document in four bytes (lowest first), the document, and then the cube's columns,
//! one after the other: each number as its lowest seven bits first, with the eighth bit set on all bytes but its last. All of
//! it is compressed (zlib) and then written in base64. So no text of a ticket ever stands in the page's HTML as it is.

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::{Context, Result};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use manifest::answer::Answer;
use serde::Serialize;
use ticket_schema::Timestamp;
use ticket_schema::enums::{Severity, StringEnum};

use crate::cube::Cube;
use crate::definition::Definition;

/// What the page is about.
#[derive(Clone, Debug, Serialize)]
pub struct About {
    /// The present that ages were worked out at.
    pub as_of: Timestamp,
    /// What makes the tickets' world different from others, if they are exactly what `generate` wrote.
    pub seed: Option<u64>,
    /// SHA-256 of the data set's manifest in hexadecimal, if it has one.
    pub manifest_sha256: Option<String>,
    /// How many lines of the input are in quarantine and so not among the tickets.
    pub quarantined: u64,
}

/// What the page knows.
#[derive(Clone, Debug)]
pub struct Contents<'a> {
    /// What is shown, and how.
    pub definition: &'a Definition,
    /// What it is about.
    pub about: About,
    /// The counts.
    pub cube: Cube,
    /// The open P1 tickets.
    pub open_p1: Answer,
    /// The answer of the KPI `resolution_time_by_severity`, for its percentiles, which don't follow from counts.
    pub resolution_times: Answer,
}

#[derive(Serialize)]
struct Document<'a> {
    definition: &'a Definition,
    about: &'a About,
    days: &'a [i64],
    markets: &'a [String],
    severities: &'a [String],
    categories: &'a [String],
    cells: usize,
    open_p1: &'a Answer,
    resolution_times: &'a Answer,
    sla_hours: BTreeMap<&'static str, u32>,
}

impl Contents<'_> {
    /// The text that the page carries.
    pub fn to_text(&self) -> Result<String> {
        let document = serde_json::to_vec(&Document {
            definition: self.definition,
            about: &self.about,
            days: &self.cube.days,
            markets: &self.cube.markets,
            severities: &self.cube.severities,
            categories: &self.cube.categories,
            cells: self.cube.cells.len(),
            open_p1: &self.open_p1,
            resolution_times: &self.resolution_times,
            sla_hours: Severity::VALUES.iter().map(|severity| (severity.text(), severity.sla_target_hours())).collect(),
        })?;
        let length = u32::try_from(document.len()).context("the page would be too large")?;
        let mut packed = ZlibEncoder::new(Vec::new(), Compression::best());
        packed.write_all(&length.to_le_bytes())?;
        packed.write_all(&document)?;
        packed.write_all(&columns(&self.cube))?;
        Ok(STANDARD.encode(packed.finish()?))
    }
}

/// The columns of the cube: how far each key is from the one before, then the four counts.
fn columns(cube: &Cube) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut expected = 0;
    for cell in &cube.cells {
        push(&mut bytes, cell.key - expected);
        expected = cell.key + 1;
    }
    cube.cells.iter().for_each(|cell| push(&mut bytes, cell.tickets));
    cube.cells.iter().for_each(|cell| push(&mut bytes, cell.open));
    cube.cells.iter().for_each(|cell| push(&mut bytes, cell.breached));
    cube.cells.iter().for_each(|cell| push(&mut bytes, cell.resolution_seconds));
    bytes
}

fn push(bytes: &mut Vec<u8>, mut number: u64) {
    while number > 127 {
        bytes.push((number & 127) as u8 | 128);
        number >>= 7;
    }
    bytes.push(number as u8);
}
