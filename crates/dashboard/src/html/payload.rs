//! The data of the page as base64 text.
//!
//! Layout before compression: the length of a JSON document (`u32`, little-endian), the document, and the columns of the
//! cube, one after the other, as LEB128 integers. The bytes are compressed with zlib and encoded in base64, so no text of a
//! ticket appears verbatim in the HTML.

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::{Context, Result};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use manifest::answer::Answer;
use serde::Serialize;
use ticket_schema::Timestamp;
use ticket_schema::enums::Severity;

use super::cube::Cube;
use crate::definition::Definition;

/// Metadata of the data set.
#[derive(Clone, Debug, Serialize)]
pub struct About {
    /// Time at which ages were computed.
    pub as_of: Timestamp,
    /// Seed of the generated world; `None` if the tickets are not exactly those of `generate`.
    pub seed: Option<u64>,
    /// SHA-256 of the manifest in hexadecimal; `None` without a manifest.
    pub manifest_sha256: Option<String>,
    /// Number of input records in quarantine, which are not among the tickets.
    pub quarantined: u64,
}

/// The contents of the page.
#[derive(Clone, Debug)]
pub struct Contents<'a> {
    /// Visuals and filters.
    pub definition: &'a Definition,
    /// Metadata of the data set.
    pub about: About,
    /// Ticket counts.
    pub cube: Cube,
    /// The open P1 tickets.
    pub open_p1: Answer,
    /// Answer of the KPI `resolution_time_by_severity`: its percentiles can't be computed from counts.
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
    /// Encodes the contents as the payload of the page.
    ///
    /// # Errors
    ///
    /// Fails if the JSON document is larger than 4 GiB.
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
            sla_hours: Severity::ALL.iter().map(|severity| (severity.as_str(), severity.sla_target_hours())).collect(),
        })?;
        let length = u32::try_from(document.len()).context("the payload is too large")?;
        let mut packed = ZlibEncoder::new(Vec::new(), Compression::best());
        packed.write_all(&length.to_le_bytes())?;
        packed.write_all(&document)?;
        packed.write_all(&columns(&self.cube))?;
        Ok(STANDARD.encode(packed.finish()?))
    }
}

/// Encodes the columns of the cube: the gaps between keys, then the four counts.
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

/// Appends a number in LEB128.
fn push(bytes: &mut Vec<u8>, mut number: u64) {
    while number > 127 {
        bytes.push((number & 127) as u8 | 128);
        number >>= 7;
    }
    bytes.push(number as u8);
}
