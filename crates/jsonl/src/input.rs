//! Finds the input files and the manifest entries that describe them.

use std::collections::{BTreeSet, HashMap};
use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use cli_support::exit::UsageError;
use cli_support::{Messages, human};
use manifest::{FileEntry, InputEntry, Manifest, RawManifest};

use crate::decompress::{Compression, DecompressedReader};

/// The file extensions that are read from a directory.
const EXTENSIONS: [&str; 3] = [".jsonl", ".ndjson", ".json"];

/// Compression suffixes that may follow an extension.
const COMPRESSION_SUFFIXES: [&str; 3] = ["", ".gz", ".zst"];

/// Help for missing input.
const MISSING_INPUT_HELP: &str = "run `generate` first, which writes data/raw, or name another input";

/// The inputs of a run, in order.
#[derive(Debug)]
pub struct Inputs {
    /// The files, or standard input.
    pub sources: Vec<Source>,
    /// The manifest that describes exactly these files, if there is one.
    pub manifest: Option<RawManifest>,
}

/// One file, or standard input. A run may have millions of them, so the type is small.
#[derive(Debug)]
pub struct Source {
    /// Its name in the manifest: relative to its directory, or the path as given.
    pub name: Box<str>,
    /// Its entry in the manifest of its directory.
    pub expected: Option<Box<FileEntry>>,
    location: Location,
}

#[derive(Debug)]
enum Location {
    /// A file of this directory.
    In(Arc<Path>),
    /// The file with this path.
    At(PathBuf),
    /// Standard input, with its spooled bytes if it is read more than once.
    StandardInput(Option<File>),
}

impl Inputs {
    /// Finds the inputs that `paths` (directories, files, patterns, `-`) name. Warns about files in a directory that are not
    /// read.
    ///
    /// # Errors
    ///
    /// Fails if a path cannot be read, a directory holds no input or lacks a file of its manifest, or a file is named twice.
    pub fn find(paths: &[PathBuf], messages: &Messages) -> Result<Self> {
        let mut inputs = Self { sources: Vec::new(), manifest: None };
        for path in paths {
            if path == Path::new("-") {
                inputs.sources.push(Source {
                    name: "-".into(),
                    expected: None,
                    location: Location::StandardInput(None),
                });
            } else if path.is_dir() {
                let manifest = inputs.add_directory(path, messages)?;
                inputs.manifest = manifest.filter(|_| paths.len() == 1);
            } else if let Err(error) = path.metadata() {
                let matching = matching(path).with_context(|| format!("cannot read {}", path.display()))?;
                if matching.is_empty() {
                    return Err(error).with_context(|| format!("cannot read {}; {MISSING_INPUT_HELP}", path.display()));
                }
                for path in matching {
                    inputs.add_file(path);
                }
            } else {
                inputs.add_file(path.clone());
            }
        }
        if paths.len() > 1 {
            inputs.reject_duplicates()?;
        }
        Ok(inputs)
    }

    fn add_file(&mut self, path: PathBuf) {
        self.sources.push(Source::at(path));
    }

    /// Rejects files that are named twice, whose rows would be counted twice.
    fn reject_duplicates(&self) -> Result<()> {
        let mut paths: Vec<PathBuf> = self.sources.iter().filter_map(Source::path).collect();
        paths.sort_unstable();
        match paths.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => bail!(UsageError(format!("{} is named twice; name it once", pair[0].display()))),
            None => Ok(()),
        }
    }

    /// Returns the files that the manifest in `dir` lists, and no others.
    ///
    /// # Errors
    ///
    /// Fails if there is no valid manifest.
    pub fn of_manifest(dir: &Path) -> Result<Self> {
        let manifest = RawManifest::load(dir)?
            .with_context(|| format!("no manifest in {}; {MISSING_INPUT_HELP}", dir.display()))?;
        let dir: Arc<Path> = dir.into();
        let source = |file: &FileEntry| Source::of_directory(&dir, &file.name, Some(file));
        Ok(Self { sources: manifest.files.iter().map(source).collect(), manifest: Some(manifest) })
    }

    /// Adds the files of a directory, sorted by name; returns its manifest if that lists exactly these files.
    fn add_directory(&mut self, dir: &Path, messages: &Messages) -> Result<Option<RawManifest>> {
        let manifest = RawManifest::load(dir).unwrap_or_else(|error| {
            messages.warn(format!("{error}; the files are read without it"));
            None
        });
        let names = file_names(dir, messages).with_context(|| format!("cannot list {}", dir.display()))?;
        let files = manifest.iter().flat_map(|manifest| &manifest.files);
        let expected: HashMap<&str, &FileEntry> = files.clone().map(|file| (file.name.as_str(), file)).collect();
        if let Some(missing) = files.clone().find(|file| names.binary_search(&file.name).is_err()) {
            bail!(
                "{} is missing, but the manifest beside it lists it; restore it, run `generate` again, or name the files to read",
                dir.join(&missing.name).display()
            );
        }
        if names.is_empty() {
            bail!("no file in {} ends in {}; {MISSING_INPUT_HELP}", dir.display(), EXTENSIONS.join(", "));
        }
        let unlisted: Vec<&String> = names.iter().filter(|name| !expected.contains_key(name.as_str())).collect();
        if let (Some(_), [first, ..]) = (&manifest, &unlisted[..]) {
            messages.warn(format!(
                "{} in {} read, but not in its manifest, so its expected answers don't apply; the first is {first}",
                human::counted(unlisted.len() as u64, "file"),
                dir.display(),
            ));
        }
        let is_exact = unlisted.is_empty();
        let dir: Arc<Path> = dir.into();
        self.sources
            .extend(names.iter().map(|name| Source::of_directory(&dir, name, expected.get(name.as_str()).copied())));
        Ok(manifest.filter(|_| is_exact))
    }

    /// Rejects inputs inside the output directory, which the run replaces.
    ///
    /// # Errors
    ///
    /// A usage error that names the input directory.
    pub fn reject_inputs_below(&self, output: &Path) -> Result<()> {
        let Ok(output) = output.canonicalize() else { return Ok(()) };
        match self.directories().into_iter().find(|dir| dir.starts_with(&output)) {
            Some(dir) => bail!(UsageError(format!(
                "{} lies in the output directory, which this run replaces; copy it elsewhere, or choose another --output",
                dir.display()
            ))),
            None => Ok(()),
        }
    }

    /// Returns whether all inputs are files of the directory `dir`.
    pub fn are_all_in(&self, dir: &Path) -> bool {
        let is_known = |source: &Source| !matches!(source.location, Location::StandardInput(_));
        dir.canonicalize().is_ok_and(|dir| self.directories() == BTreeSet::from([dir]))
            && self.sources.iter().all(is_known)
    }

    /// Returns the directories of the files, with symbolic links resolved.
    fn directories(&self) -> BTreeSet<PathBuf> {
        let mut dirs: BTreeSet<&Path> = BTreeSet::new();
        let mut files = BTreeSet::new();
        for source in &self.sources {
            match &source.location {
                Location::In(dir) => drop(dirs.insert(dir)),
                Location::At(path) => {
                    files.extend(path.canonicalize().ok().and_then(|path| Some(path.parent()?.to_owned())));
                }
                Location::StandardInput(_) => {}
            }
        }
        files.extend(dirs.into_iter().filter_map(|dir| dir.canonicalize().ok()));
        files
    }

    /// Returns the total size in bytes of the inputs that are files.
    pub fn n_bytes(&self) -> u64 {
        self.sources.iter().filter_map(Source::n_bytes).sum()
    }

    /// Returns the total size in bytes by the manifest where there is one, without a file-system call per file: an estimate
    /// for progress.
    pub fn n_bytes_expected(&self) -> u64 {
        let n_bytes =
            |source: &Source| source.expected.as_ref().map_or_else(|| source.n_bytes(), |file| Some(file.bytes));
        self.sources.iter().filter_map(n_bytes).sum()
    }

    /// Spools standard input to an unnamed file in `scratch`, so that it can be read twice.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be created or written.
    pub fn spool_standard_input(&mut self, scratch: &Path) -> Result<()> {
        for source in &mut self.sources {
            if let Location::StandardInput(kept) = &mut source.location {
                let mut file =
                    tempfile::tempfile_in(scratch).context("cannot create a scratch file beside the output")?;
                io::copy(&mut io::stdin().lock(), &mut file).context("cannot keep standard input in a scratch file")?;
                *kept = Some(file);
            }
        }
        Ok(())
    }
}

impl Source {
    /// Creates a source from a path.
    pub fn at(path: PathBuf) -> Self {
        Self { name: path.to_string_lossy().into(), expected: None, location: Location::At(path) }
    }

    fn of_directory(dir: &Arc<Path>, name: &str, expected: Option<&FileEntry>) -> Self {
        let expected = expected.map(|file| Box::new(file.clone()));
        Self { name: name.into(), expected, location: Location::In(Arc::clone(dir)) }
    }

    /// Returns its path; `None` for standard input.
    pub fn path(&self) -> Option<PathBuf> {
        match &self.location {
            Location::In(dir) => Some(dir.join(&*self.name)),
            Location::At(path) => Some(path.clone()),
            Location::StandardInput(_) => None,
        }
    }

    /// Returns its size in bytes, if it is a file.
    pub fn n_bytes(&self) -> Option<u64> {
        self.path()?.metadata().ok().filter(std::fs::Metadata::is_file).map(|metadata| metadata.len())
    }

    /// Returns its name for messages.
    pub fn display_name(&self) -> String {
        self.path().map_or_else(|| "standard input".to_owned(), |path| path.display().to_string())
    }

    /// Opens it for decompressed reading.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be opened.
    pub fn open(&self) -> io::Result<DecompressedReader> {
        let file: Box<dyn Read + Send> = match self.open_file()? {
            Some(file) => Box::new(file),
            None => Box::new(io::stdin()),
        };
        DecompressedReader::new(file, &self.name)
    }

    /// Opens its file as stored; `None` for standard input that has not been spooled.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be opened.
    pub fn open_file(&self) -> io::Result<Option<File>> {
        Ok(Some(match &self.location {
            Location::In(dir) => File::open(dir.join(&*self.name))?,
            Location::At(path) => File::open(path)?,
            Location::StandardInput(None) => return Ok(None),
            Location::StandardInput(Some(kept)) => {
                let mut kept = kept.try_clone()?;
                kept.rewind()?;
                kept
            }
        }))
    }

    /// Returns whether its file name has a compression extension.
    pub fn is_compressed(&self) -> bool {
        Compression::of(&self.name).is_some()
    }

    /// Describes the difference between the bytes read and the manifest entry, if there is one.
    pub fn manifest_mismatch(&self, read: &InputEntry) -> Option<String> {
        let expected = self.expected.as_ref()?;
        let matches_manifest = expected.bytes == read.bytes && expected.crc64nvme == read.crc64nvme;
        (!matches_manifest).then(|| {
            format!(
                "{} differs from its manifest: expected {} rows in {} bytes, found {} rows in {} bytes (checksums {} and {})",
                self.display_name(),
                expected.rows,
                expected.bytes,
                read.rows.read,
                read.bytes,
                expected.crc64nvme,
                read.crc64nvme
            )
        })
    }
}

/// Expands a pattern such as `data/*.jsonl` to its files, sorted by name; empty if the path is not a pattern.
fn matching(pattern: &Path) -> Result<Vec<PathBuf>> {
    let Some(text) = pattern.to_str().filter(|text| text.contains(['*', '?', '['])) else { return Ok(Vec::new()) };
    let paths: Vec<PathBuf> = glob::glob(text)?.collect::<Result<_, _>>()?;
    Ok(paths.into_iter().filter(|path| !path.is_dir()).collect())
}

fn is_json_lines(name: &str) -> bool {
    let has_extension = |name: &str| EXTENSIONS.iter().any(|extension| name.ends_with(extension));
    COMPRESSION_SUFFIXES.iter().filter_map(|suffix| name.strip_suffix(suffix)).any(has_extension)
}

/// Returns whether a directory entry is a directory or a link to one. Only links cost a further system call.
fn is_directory(entry: &fs::DirEntry) -> io::Result<bool> {
    let kind = entry.file_type()?;
    Ok(if kind.is_symlink() { entry.path().is_dir() } else { kind.is_dir() })
}

/// Returns the names of the JSON-Lines files in a directory, sorted. Skips hidden files (`.` or `_`) silently and all others
/// with a warning.
fn file_names(dir: &Path, messages: &Messages) -> io::Result<Vec<String>> {
    let (mut names, mut left_out) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        match name.to_str() {
            Some(name) if name.starts_with(['.', '_']) => {}
            Some(name) if is_json_lines(name) && !is_directory(&entry)? => {
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
            EXTENSIONS.join(", "),
            first.display()
        ));
    }
    Ok(names)
}
