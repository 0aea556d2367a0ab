//! Which files are read, and what a manifest promises of them.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use cli_support::exit::UsageError;
use cli_support::{Messages, human};
use ticket_schema::manifest::{FileEntry, InputEntry, Manifest, RawManifest};

use crate::unpacked::Unpacked;

/// How the names of the files that are read from a directory end.
const ENDINGS: [&str; 3] = [".jsonl", ".ndjson", ".json"];

/// What may follow: packed files are unpacked as they are read.
const PACKED: [&str; 3] = ["", ".gz", ".zst"];

/// For whoever has no input yet.
const WHAT_TO_DO: &str = "run `generate` first, which writes data/raw, or name another input";

/// What is to be read, in order.
#[derive(Debug)]
pub struct Inputs {
    /// The files, or standard input.
    pub sources: Vec<Source>,
    /// The manifest that describes exactly these files, if there is one.
    pub manifest: Option<RawManifest>,
}

/// One file, or standard input.
#[derive(Debug)]
pub struct Source {
    /// Its name in our manifest: within its directory, or as it was given.
    pub name: String,
    /// Where it is; `None` for standard input.
    pub path: Option<PathBuf>,
    /// What the manifest of its directory says of it.
    pub promised: Option<FileEntry>,
}

impl Inputs {
    /// Finds what `paths` (directories, files, `-`) stand for. Names, in warnings, what in a directory is not read.
    pub fn find(paths: &[PathBuf], messages: &Messages) -> Result<Self> {
        let mut inputs = Self { sources: Vec::new(), manifest: None };
        for path in paths {
            if path == Path::new("-") {
                inputs.sources.push(Source { name: "-".to_owned(), path: None, promised: None });
            } else if path.is_dir() {
                let manifest = inputs.add_directory(path, messages)?;
                inputs.manifest = manifest.filter(|_| paths.len() == 1);
            } else {
                path.metadata().with_context(|| format!("cannot read {}; {WHAT_TO_DO}", path.display()))?;
                let name = path.to_string_lossy().into_owned();
                inputs.sources.push(Source { name, path: Some(path.clone()), promised: None });
            }
        }
        Ok(inputs)
    }

    /// The files that the manifest in `dir` names, and no others.
    pub fn of_manifest(dir: &Path) -> Result<Self> {
        let manifest =
            RawManifest::load(dir)?.with_context(|| format!("no manifest in {}; {WHAT_TO_DO}", dir.display()))?;
        let source = |file: &FileEntry| Source {
            name: file.name.clone(),
            path: Some(dir.join(&file.name)),
            promised: Some(file.clone()),
        };
        Ok(Self { sources: manifest.files.iter().map(source).collect(), manifest: Some(manifest) })
    }

    /// Adds the files of a directory, by name; returns its manifest if that names exactly these files.
    fn add_directory(&mut self, dir: &Path, messages: &Messages) -> Result<Option<RawManifest>> {
        let manifest = RawManifest::load(dir).unwrap_or_else(|error| {
            messages.warn(format!("{error}; the files are read without it"));
            None
        });
        let names = file_names(dir, messages).with_context(|| format!("cannot list {}", dir.display()))?;
        let promised = |name: &str| manifest.as_ref()?.files.iter().find(|file| file.name == name);
        if let Some(missing) = manifest.iter().flat_map(|m| &m.files).find(|file| !names.contains(&file.name)) {
            bail!(
                "{} is missing, and the manifest beside it says that it belongs there; bring it back, run generate again, or \
                 name the files to read",
                dir.join(&missing.name).display()
            );
        }
        if names.is_empty() {
            bail!("no file in {} ends in {}; {WHAT_TO_DO}", dir.display(), ENDINGS.join(", "));
        }
        let strangers: Vec<&String> = names.iter().filter(|name| promised(name).is_none()).collect();
        if let (Some(_), [first, ..]) = (&manifest, &strangers[..]) {
            messages.warn(format!(
                "{} in {} read although not in its manifest, whose expected answers don't apply then; the first is {first}",
                human::counted(strangers.len() as u64, "file"),
                dir.display(),
            ));
        }
        let is_exact = strangers.is_empty();
        for name in &names {
            let promised = promised(name).cloned();
            self.sources.push(Source { name: name.clone(), path: Some(dir.join(name)), promised });
        }
        Ok(manifest.filter(|_| is_exact))
    }

    /// Refuses input that lies in the directory that is about to be replaced.
    pub fn refuse_below(&self, output: &Path) -> Result<()> {
        let Ok(output) = output.canonicalize() else { return Ok(()) };
        for path in self.sources.iter().filter_map(|source| source.path.as_ref()) {
            if path.canonicalize().is_ok_and(|path| path.starts_with(&output)) {
                bail!(UsageError(format!(
                    "{} lies in the output directory, which this run replaces; copy it elsewhere, or choose another --output",
                    path.display()
                )));
            }
        }
        Ok(())
    }

    /// How many bytes there are to read, as far as that is known beforehand.
    pub fn n_bytes(&self) -> u64 {
        let size = |source: &Source| source.path.as_ref()?.metadata().ok().map(|metadata| metadata.len());
        self.sources.iter().filter_map(size).sum()
    }
}

impl Source {
    /// What to call it in messages.
    pub fn shown(&self) -> String {
        self.path.as_ref().map_or_else(|| "standard input".to_owned(), |path| path.display().to_string())
    }

    /// Opens it.
    pub fn open(&self) -> io::Result<Unpacked> {
        let file: Box<dyn Read> = match &self.path {
            None => Box::new(io::stdin().lock()),
            Some(path) => Box::new(File::open(path)?),
        };
        Unpacked::new(file, &self.name)
    }

    /// What is different from what the manifest promised, if anything is.
    pub fn broken_promise(&self, read: &InputEntry) -> Option<String> {
        let promised = self.promised.as_ref()?;
        let is_as_promised = promised.bytes == read.bytes && promised.crc64nvme == read.crc64nvme;
        (!is_as_promised).then(|| {
            format!(
                "{} is not as generate wrote it: {} rows in {} bytes then, {} rows in {} bytes now (checksums {} and {})",
                self.shown(),
                promised.rows,
                promised.bytes,
                read.rows.read,
                read.bytes,
                promised.crc64nvme,
                read.crc64nvme
            )
        })
    }
}

fn is_json_lines(name: &str) -> bool {
    let has_ending = |name: &str| ENDINGS.iter().any(|ending| name.ends_with(ending));
    PACKED.iter().filter_map(|packed| name.strip_suffix(packed)).any(has_ending)
}

/// The names of the JSON-Lines files in a directory, sorted. Hidden files (with `.` or `_`) are not meant to be read; what
/// else is not read is named in a warning.
fn file_names(dir: &Path, messages: &Messages) -> io::Result<Vec<String>> {
    let (mut names, mut left_out) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        match name.to_str() {
            Some(name) if name.starts_with(['.', '_']) => {}
            Some(name) if is_json_lines(name) && !entry.path().is_dir() => {
                names.push(name.to_owned());
            }
            _ => left_out.push(entry.path()),
        }
    }
    names.sort();
    left_out.sort();
    if let [first, ..] = &left_out[..] {
        messages.warn(format!(
            "{} in {} left out, as only names in {} are read; the first is {}",
            human::counted(left_out.len() as u64, "other file"),
            dir.display(),
            ENDINGS.join(", "),
            first.display()
        ));
    }
    Ok(names)
}
