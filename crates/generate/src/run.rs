//! One run: from options to published files and their manifest, or to a stream.

use std::io::Write;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use anyhow::{Context, Result};
use cli_support::messages::ProgressUnit;
use cli_support::publish::{StagedFile, Staging};
use cli_support::{Messages, human};
use ticket_schema::manifest::{FORMAT, FileEntry, Manifest, ProfileRef, RawManifest, RawStage, Shard, Tool, WorldParameters};
use ticket_schema::names::MANIFEST_FILE;

use crate::layout::Layout;
use crate::produce::produce;
use crate::truth::Truth;
use crate::world::World;

/// What to generate.
#[derive(Clone, Debug)]
pub struct Config {
    /// The world to take tickets from.
    pub world: WorldParameters,
    /// Which part of the world, if not all.
    pub shard: Option<Shard>,
    /// Tickets a file.
    pub batch_size: u64,
    /// Threads that make tickets.
    pub threads: NonZeroUsize,
}

/// Where tickets go.
pub enum Target<'a> {
    /// Into a directory, as files with a manifest; an earlier data set there is replaced.
    Directory(PathBuf),
    /// Into a stream, as lines alone.
    Stream(&'a mut dyn Write),
}

/// What a run has done.
#[derive(Clone, Debug)]
pub struct Report {
    /// Tickets written.
    pub n_tickets: u64,
    /// Files written; none for a stream.
    pub n_files: u64,
    /// Bytes of tickets.
    pub n_bytes: u64,
}

/// Makes the tickets of `config` and writes them to `target`.
pub fn run_generate(config: &Config, target: Target, messages: &Messages) -> Result<Report> {
    let world = World::new(config.world.clone())?;
    let layout = Layout::new(world.n_tickets(), config.shard, config.batch_size);
    let n_tickets = layout.tickets().end - layout.tickets().start;
    let progress = messages.with_progress("generate", n_tickets, ProgressUnit::Tickets);
    match target {
        Target::Stream(stream) => {
            let n_bytes = write_stream(config, &world, &layout, stream, &progress)?;
            Ok(Report { n_tickets, n_files: 0, n_bytes })
        }
        Target::Directory(dir) => {
            let replaced = RawManifest::load(&dir)
                .with_context(|| format!("{} holds something else; choose another --output", dir.display()))?
                .map(|manifest| manifest.owned_files())
                .unwrap_or_default();
            let staging = Staging::begin(&dir)?;
            let (files, truth) = write_files(config, &world, &layout, &staging, &progress)?;
            let manifest = manifest(config, &world, files, &truth);
            staging.create(MANIFEST_FILE)?.write_all(manifest.to_json()?.as_bytes())?;
            for foreign in staging.publish(&replaced)? {
                messages.warn(format!("{} is not from generate and stays", dir.join(foreign).display()));
            }
            let n_bytes = manifest.files.iter().map(|file| file.bytes).sum();
            Ok(Report { n_tickets, n_files: layout.n_files(), n_bytes })
        }
    }
}

impl Report {
    /// `5,000 tickets, 5 files, 2.1 MB`.
    pub fn summary(&self) -> String {
        let files =
            if self.n_files > 0 { format!("{}, ", human::counted(self.n_files, "file")) } else { String::new() };
        format!("{}, {files}{}", human::counted(self.n_tickets, "ticket"), human::bytes(self.n_bytes))
    }
}

fn write_stream(
    config: &Config,
    world: &World,
    layout: &Layout,
    stream: &mut dyn Write,
    progress: &Messages,
) -> Result<u64> {
    let mut n_bytes = 0;
    produce(world, layout, config.threads, |piece, lines| {
        stream.write_all(lines).context("cannot write to standard output")?;
        n_bytes += lines.len() as u64;
        progress.advance(piece.tickets.end - piece.tickets.start);
        Ok(())
    })?;
    stream.flush().context("cannot write to standard output")?;
    Ok(n_bytes)
}

fn write_files(
    config: &Config,
    world: &World,
    layout: &Layout,
    staging: &Staging,
    progress: &Messages,
) -> Result<(Vec<FileEntry>, Truth)> {
    let mut files = Vec::new();
    let mut current: Option<OpenFile> = None;
    let truth = produce(world, layout, config.threads, |piece, lines| {
        let file = match current.take() {
            Some(file) if file.number == piece.file => file,
            finished => {
                files.extend(finished.map(OpenFile::entry));
                OpenFile::create(staging, piece.file, file_name(config, layout, piece.file))?
            }
        };
        let n_tickets = piece.tickets.end - piece.tickets.start;
        current = Some(file.append(lines, n_tickets)?);
        progress.advance(n_tickets);
        Ok(())
    })?;
    files.extend(current.map(OpenFile::entry));
    Ok((files, truth))
}

/// The file that is being written.
struct OpenFile {
    number: u64,
    name: String,
    rows: u64,
    file: StagedFile,
}

impl OpenFile {
    fn create(staging: &Staging, number: u64, name: String) -> Result<Self> {
        let file = staging.create(&name)?;
        Ok(Self { number, name, rows: 0, file })
    }

    fn append(mut self, lines: &[u8], n_tickets: u64) -> Result<Self> {
        self.file.write_all(lines)?;
        self.rows += n_tickets;
        Ok(self)
    }

    fn entry(self) -> FileEntry {
        let checksum = self.file.checksum();
        FileEntry { name: self.name, rows: self.rows, bytes: checksum.n_bytes(), crc64nvme: checksum.to_base64() }
    }
}

/// `tickets_20261122_000000_0000.jsonl`; a shard's files carry its number (`…_2of5_0000.jsonl`), so that shards can lie
/// together. Names sort in the order of the tickets.
fn file_name(config: &Config, layout: &Layout, number: u64) -> String {
    let as_of = config.world.as_of.compact();
    let width = digits(layout.n_files().saturating_sub(1)).max(4);
    let shard = config.shard.map_or_else(String::new, |shard| {
        format!("{:0shard_width$}of{}_", shard.index, shard.of, shard_width = digits(u64::from(shard.of)))
    });
    format!("tickets_{as_of}_{shard}{number:0width$}.jsonl")
}

fn digits(n: u64) -> usize {
    n.to_string().len()
}

fn manifest(config: &Config, world: &World, files: Vec<FileEntry>, truth: &Truth) -> RawManifest {
    RawManifest {
        format: FORMAT,
        stage: RawStage::Raw,
        tool: Tool { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        world: config.world.clone(),
        scenario_effects: world.scenario_effects().to_vec(),
        changed_since: None,
        batch_size: config.batch_size,
        shard: config.shard,
        repeat: repeat_command(config),
        rows: truth.n_tickets(),
        markets: truth.tickets_by_market(),
        files,
        expected_answers: truth.answers(),
    }
}

/// The command that makes the same files on any day.
fn repeat_command(config: &Config) -> String {
    let world = &config.world;
    let WorldParameters { seed, as_of, days_back, count, .. } = world;
    let mut command = format!("generate --count {count} --days-back {days_back} --seed {seed} --as-of {as_of}");
    if world.first_period_end() != *as_of {
        command += &format!(" --world-start {}", world.world_start);
    }
    if world.profile != ProfileRef::default() {
        command += &format!(" --profile {}", world.profile.name);
    }
    for scenario in &world.scenarios {
        command += &format!(" --scenario {scenario}");
    }
    command += &format!(" --batch-size {}", config.batch_size);
    command + &config.shard.map_or_else(String::new, |shard| format!(" --shard {shard}"))
}
