//! One run: from options to published files and their manifest, or to a stream.

use std::io::Write;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use anyhow::{Context, Result};
use cli_support::checksum::Checksum;
use cli_support::messages::ProgressUnit;
use cli_support::publish::{StagedFile, Staging};
use cli_support::{Messages, human};
use ticket_schema::manifest::{FORMAT, FileEntry, Manifest, RawManifest, RawStage, Shard, Tool, WorldParameters};
use ticket_schema::names::MANIFEST_FILE;

use crate::compression::Compression;
use crate::layout::Layout;
use crate::produce::{Made, produce};
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
    /// What becomes of the lines.
    pub compression: Compression,
    /// Threads, the calling one among them.
    pub threads: NonZeroUsize,
}

/// Where tickets go.
pub enum Target<'a> {
    /// Into a directory, as files with a manifest; an earlier data set there is replaced.
    Directory(PathBuf),
    /// Into a stream, as lines alone.
    Stream(&'a mut (dyn Write + Send)),
}

/// What a run has done.
#[derive(Clone, Debug)]
pub struct Report {
    /// Tickets written.
    pub n_tickets: u64,
    /// Files written; none for a stream.
    pub n_files: u64,
    /// Bytes of tickets, compressed if asked for.
    pub n_bytes: u64,
    /// CRC-64/NVME of a stream, as in a manifest; files have theirs there.
    pub crc64nvme: Option<String>,
}

/// Makes the tickets of `config` and writes them to `target`.
pub fn run_generate(config: &Config, target: Target, messages: &Messages) -> Result<Report> {
    let world = World::new(config.world)?;
    let layout = Layout::new(config.world.count, config.shard, config.batch_size);
    let n_tickets = layout.tickets().end - layout.tickets().start;
    let progress = messages.with_progress("generate", n_tickets, ProgressUnit::Tickets);
    match target {
        Target::Stream(stream) => {
            let written = write_stream(config, &world, &layout, stream, &progress)?;
            Ok(Report { n_tickets, n_files: 0, n_bytes: written.n_bytes(), crc64nvme: Some(written.to_base64()) })
        }
        Target::Directory(dir) => {
            let replaced = RawManifest::load(&dir)
                .with_context(|| format!("{} holds something else; choose another --output", dir.display()))?
                .map(|manifest| manifest.owned_files())
                .unwrap_or_default();
            let staging = Staging::begin(&dir)?;
            let (files, truth) = write_files(config, &world, &layout, &staging, &progress)?;
            let manifest = manifest(config, files, &truth);
            staging.create(MANIFEST_FILE)?.write_all(manifest.to_json()?.as_bytes())?;
            for foreign in staging.publish(&replaced)? {
                messages.warn(format!("{} is not from generate and stays", dir.join(foreign).display()));
            }
            let n_bytes = manifest.files.iter().map(|file| file.bytes).sum();
            Ok(Report { n_tickets, n_files: layout.n_files(), n_bytes, crc64nvme: None })
        }
    }
}

impl Report {
    /// `5,000 tickets, 5 files, 2.1 MB`, or for a stream `5,000 tickets, 2.1 MB (CRC-64/NVME rosUhgp5mIg=)`.
    pub fn summary(&self) -> String {
        let files =
            if self.n_files > 0 { format!("{}, ", human::counted(self.n_files, "file")) } else { String::new() };
        let checksum = self.crc64nvme.as_ref().map_or_else(String::new, |crc| format!(" (CRC-64/NVME {crc})"));
        format!("{}, {files}{}{checksum}", human::counted(self.n_tickets, "ticket"), human::bytes(self.n_bytes))
    }
}

fn write_stream(
    config: &Config,
    world: &World,
    layout: &Layout,
    stream: &mut (dyn Write + Send),
    progress: &Messages,
) -> Result<Checksum> {
    let mut written = Checksum::default();
    produce(world, layout, config.compression, config.threads, |piece, made| {
        stream.write_all(made.bytes).context("cannot write to standard output")?;
        written.append(made.checksum);
        progress.advance(piece.tickets.end - piece.tickets.start);
        Ok(())
    })?;
    stream.flush().context("cannot write to standard output")?;
    Ok(written)
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
    let truth = produce(world, layout, config.compression, config.threads, |piece, made| {
        let file = match current.take() {
            Some(file) if file.number == piece.file => file,
            finished => {
                files.extend(finished.map(OpenFile::entry));
                OpenFile::create(staging, piece.file, file_name(config, layout, piece.file))?
            }
        };
        let n_tickets = piece.tickets.end - piece.tickets.start;
        current = Some(file.append(made, n_tickets)?);
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

    fn append(mut self, made: Made, n_tickets: u64) -> Result<Self> {
        self.file.write_known(made.bytes, made.checksum)?;
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
    format!("tickets_{as_of}_{shard}{number:0width$}.jsonl{}", config.compression.suffix())
}

fn digits(n: u64) -> usize {
    n.to_string().len()
}

fn manifest(config: &Config, files: Vec<FileEntry>, truth: &Truth) -> RawManifest {
    RawManifest {
        format: FORMAT,
        stage: RawStage::Raw,
        tool: Tool { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        world: config.world,
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
    let WorldParameters { seed, as_of, days_back, count } = config.world;
    let shard = config.shard.map_or_else(String::new, |shard| format!(" --shard {shard}"));
    let compress = match config.compression {
        Compression::None => String::new(),
        other => format!(" --compress {}", other.as_str()),
    };
    format!(
        "generate --count {count} --days-back {days_back} --seed {seed} --as-of {as_of} --batch-size {}{compress}{shard}",
        config.batch_size
    )
}
