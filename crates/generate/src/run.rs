//! One run: from a configuration to published files with a manifest, or to a stream.

use std::io::Write;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use cli_support::exit::UsageError;
use cli_support::messages::ProgressUnit;
use cli_support::{Messages, human};
use manifest::{FORMAT, FileEntry, Manifest, ProfileRef, RawManifest, RawStage, Shard, Tool, WorldParameters};
use publish::Checksum;
use publish::{StagedFile, Staging};
use ticket_schema::Timestamp;
use ticket_schema::names::MANIFEST_FILE;

use crate::defects::{DefectInjector, Rate, TruthFile};
use crate::expected_answers::ExpectedAnswers;
use crate::output::compression::Compression;
use crate::output::layout::Layout;
use crate::output::{LineSelection, RenderedChunk, render_in_order};
use crate::world::World;

/// Configuration of a run.
#[derive(Clone, Debug)]
pub struct Config {
    /// Parameters of the world.
    pub world: WorldParameters,
    /// Shard to generate; all tickets if `None`.
    pub shard: Option<Shard>,
    /// Number of tickets per file.
    pub batch_size: u64,
    /// Compression of the output.
    pub compression: Compression,
    /// Restriction to tickets that changed at this time or later.
    pub changed_since: Option<Timestamp>,
    /// Share of tickets with a defect.
    pub dirty: Rate,
    /// Number of threads, including the calling one.
    pub threads: NonZeroUsize,
}

impl Config {
    /// Returns the configuration for all tickets of a world: 1,000 tickets per file, one thread, no compression, no
    /// defects.
    pub fn of(world: WorldParameters) -> Self {
        Self {
            world,
            shard: None,
            batch_size: 1000,
            compression: Compression::None,
            changed_since: None,
            dirty: Rate::default(),
            threads: NonZeroUsize::MIN,
        }
    }

    /// Returns the files of the run, and the lines to render.
    fn layout(&self, world: &World) -> Result<(Layout, LineSelection)> {
        let tickets = match self.changed_since {
            None => 0..world.n_tickets(),
            Some(since) if since < self.world.as_of => world.may_have_changed_since(since),
            Some(since) => bail!(UsageError(format!(
                "nothing can have changed since {since}: --as-of is {}; choose an earlier --changed-since",
                self.world.as_of
            ))),
        };
        let layout = Layout::new(tickets, self.shard, self.batch_size);
        let lines = match (DefectInjector::new(self.dirty, layout.tickets().start), self.changed_since) {
            (Some(defects), _) => LineSelection::WithDefects(defects),
            (None, Some(since)) => LineSelection::ChangedSince(since),
            (None, None) => LineSelection::All,
        };
        Ok((layout, lines))
    }
}

/// Destination of the tickets.
pub enum Target<'a> {
    /// A directory of files with a manifest; an existing data set is replaced.
    Directory(PathBuf),
    /// A stream of lines.
    Stream(&'a mut (dyn Write + Send)),
}

/// Result of a run.
#[derive(Clone, Debug)]
pub struct Report {
    /// Number of tickets written.
    pub n_tickets: u64,
    /// Number of defects injected.
    pub n_defects: u64,
    /// Number of files written; 0 for a stream.
    pub n_files: u64,
    /// Bytes written, after compression.
    pub n_bytes: u64,
    /// CRC-64/NVME of a stream in base64, as in a manifest; `None` for files, whose checksums are in the manifest.
    pub crc64nvme: Option<String>,
}

/// Generates the tickets of `config` and writes them to `target`.
///
/// # Errors
///
/// Fails if the world is invalid, if the options contradict each other ([`UsageError`]), or if the target cannot be
/// written. On failure, a directory keeps its previous data set.
pub fn run_generate(config: &Config, target: Target, messages: &Messages) -> Result<Report> {
    let world = World::new(config.world.clone())?;
    let (layout, lines) = config.layout(&world)?;
    let n_candidates = layout.tickets().end - layout.tickets().start;
    let progress = messages.with_progress("generate", n_candidates, ProgressUnit::Tickets);
    match target {
        Target::Stream(_) if !config.dirty.is_zero() => {
            bail!(UsageError(
                "--dirty needs a directory for the list of defects; set --output to a directory".to_owned()
            ))
        }
        Target::Stream(stream) => {
            let (written, n_tickets) = write_stream(config, &world, &layout, lines, stream, &progress)?;
            let (n_bytes, crc64nvme) = (written.n_bytes(), Some(written.to_base64()));
            Ok(Report { n_tickets, n_defects: 0, n_files: 0, n_bytes, crc64nvme })
        }
        Target::Directory(dir) => {
            let replaced = RawManifest::load(&dir)
                .with_context(|| format!("{} contains other data; choose another --output", dir.display()))?
                .map(|manifest| manifest.owned_files())
                .unwrap_or_default();
            let staging = Staging::begin(&dir)?;
            let written = write_files(config, &world, &layout, lines, &staging, &progress)?;
            let manifest = manifest(config, &world, written)?;
            staging.create(MANIFEST_FILE)?.write_all(manifest.to_json()?.as_bytes())?;
            for foreign in staging.publish(&replaced)? {
                messages.warn(format!("kept {}: it was not written by generate", dir.join(foreign).display()));
            }
            let n_bytes = manifest.files.iter().map(|file| file.bytes).sum();
            let n_defects = manifest.defects.values().sum();
            let n_tickets = if config.changed_since.is_some() { manifest.rows } else { n_candidates };
            Ok(Report { n_tickets, n_defects, n_files: manifest.files.len() as u64, n_bytes, crc64nvme: None })
        }
    }
}

impl Report {
    /// Returns a summary such as `5,000 tickets, 52 defects, 5 files, 2.1 MB`, or for a stream
    /// `5,000 tickets, 2.1 MB (CRC-64/NVME rosUhgp5mIg=)`.
    pub fn summary(&self) -> String {
        let if_any = |n, what| if n > 0 { format!("{}, ", human::counted(n, what)) } else { String::new() };
        let (defects, files) = (if_any(self.n_defects, "defect"), if_any(self.n_files, "file"));
        let checksum = self.crc64nvme.as_ref().map_or_else(String::new, |crc| format!(" (CRC-64/NVME {crc})"));
        format!(
            "{}, {defects}{files}{}{checksum}",
            human::counted(self.n_tickets, "ticket"),
            human::bytes(self.n_bytes)
        )
    }
}

fn write_stream(
    config: &Config,
    world: &World,
    layout: &Layout,
    lines: LineSelection,
    stream: &mut (dyn Write + Send),
    progress: &Messages,
) -> Result<(Checksum, u64)> {
    let mut written = Checksum::default();
    let answers = render_in_order(world, layout, lines, config.compression, config.threads, |chunk, rendered| {
        stream.write_all(rendered.bytes).context("cannot write to standard output")?;
        written.append(rendered.checksum);
        progress.advance(chunk.tickets.end - chunk.tickets.start);
        Ok(())
    })?;
    stream.flush().context("cannot write to standard output")?;
    Ok((written, answers.n_tickets()))
}

/// Written files, before the manifest.
struct Written {
    files: Vec<FileEntry>,
    answers: ExpectedAnswers,
    truth_file: Option<TruthFile>,
}

fn write_files(
    config: &Config,
    world: &World,
    layout: &Layout,
    lines: LineSelection,
    staging: &Staging,
    progress: &Messages,
) -> Result<Written> {
    let is_dirty = matches!(lines, LineSelection::WithDefects(_));
    let mut truth_file = is_dirty.then(|| TruthFile::create(staging)).transpose()?;
    let mut files = Vec::new();
    let mut current: Option<OpenFile> = None;
    let answers = render_in_order(world, layout, lines, config.compression, config.threads, |chunk, rendered| {
        progress.advance(chunk.tickets.end - chunk.tickets.start);
        if rendered.injected.n_lines == 0 {
            return Ok(());
        }
        let file = match current.take() {
            Some(file) if file.number == chunk.file => file,
            finished => {
                files.extend(finished.map(OpenFile::entry));
                OpenFile::create(staging, chunk.file, file_name(config, layout, chunk.file))?
            }
        };
        if let Some(truth_file) = &mut truth_file {
            truth_file.add(&file.name, file.rows, rendered.injected)?;
        }
        current = Some(file.append(rendered)?);
        Ok(())
    })?;
    files.extend(current.map(OpenFile::entry));
    Ok(Written { files, answers, truth_file })
}

/// The file being written.
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

    fn append(mut self, rendered: RenderedChunk) -> Result<Self> {
        self.file.write_known(rendered.bytes, rendered.checksum)?;
        self.rows += rendered.injected.n_lines;
        Ok(self)
    }

    fn entry(self) -> FileEntry {
        let checksum = self.file.checksum();
        FileEntry { name: self.name, rows: self.rows, bytes: checksum.n_bytes(), crc64nvme: checksum.to_base64() }
    }
}

/// Returns `tickets_20261122_000000_0000.jsonl`. Names of shards contain the shard (`…_2of5_0000.jsonl`), so that
/// shards can share a directory; names of feeds contain the start of the interval
/// (`…_since_20261121_000000_0000.jsonl`). Names sort in ticket order.
fn file_name(config: &Config, layout: &Layout, number: u64) -> String {
    let as_of = config.world.as_of.compact();
    let width = digits(layout.n_files().saturating_sub(1)).max(4);
    let shard = config.shard.map_or_else(String::new, |shard| {
        format!("{:0shard_width$}of{}_", shard.index, shard.of, shard_width = digits(u64::from(shard.of)))
    });
    let since = config.changed_since.map_or_else(String::new, |since| format!("since_{}_", since.compact()));
    format!("tickets_{as_of}_{since}{shard}{number:0width$}.jsonl{}", config.compression.suffix())
}

fn digits(n: u64) -> usize {
    n.to_string().len()
}

fn manifest(config: &Config, world: &World, written: Written) -> Result<RawManifest> {
    let Written { files, answers, truth_file } = written;
    let (defects, truth) = truth_file.map(TruthFile::finish).transpose()?.unzip();
    Ok(RawManifest {
        format: FORMAT,
        stage: RawStage::Raw,
        tool: Tool { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        world: config.world.clone(),
        scenario_effects: world.scenario_effects().to_vec(),
        changed_since: config.changed_since,
        batch_size: config.batch_size,
        shard: config.shard,
        repeat: repeat_command(config),
        rows: files.iter().map(|file| file.rows).sum(),
        markets: answers.tickets_by_market(),
        files,
        defects: defects.unwrap_or_default(),
        truth,
        expected_answers: answers.answers(),
    })
}

/// Returns the command that reproduces the files on any day.
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
    if let Some(shard) = config.shard {
        command += &format!(" --shard {shard}");
    }
    if config.compression != Compression::None {
        command += &format!(" --compress {}", config.compression.as_str());
    }
    if let Some(since) = config.changed_since {
        command += &format!(" --changed-since {since}");
    }
    if !config.dirty.is_zero() {
        command += &format!(" --dirty {}", config.dirty);
    }
    command
}
