//! Which files are read, and what a manifest promises of them.

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

/// How the names of the files that are read from a directory end.
const ENDINGS: [&str; 3] = [".jsonl", ".ndjson", ".json"];

/// What may follow: packed files are decompress as they are read.
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

/// One file, or standard input. There may be millions of them, so this is small.
#[derive(Debug)]
pub struct Source {
    /// Its name in our manifest: within its directory, or as it was given.
    pub name: Box<str>,
    /// What the manifest of its directory says of it.
    pub expected: Option<Box<FileEntry>>,
    place: Place,
}

#[derive(Debug)]
enum Place {
    /// A file of this directory.
    In(Arc<Path>),
    /// The file with this path.
    At(PathBuf),
    /// Standard input; set if its bytes are kept, to be read more than once.
    StandardInput(Option<File>),
}

impl Inputs {
    /// Finds what `paths` (directories, files, `-`) stand for. Names, in warnings, what in a directory is not read.
    pub fn find(paths: &[PathBuf], messages: &Messages) -> Result<Self> {
        let mut inputs = Self { sources: Vec::new(), manifest: None };
        for path in paths {
            if path == Path::new("-") {
                inputs.sources.push(Source { name: "-".into(), expected: None, place: Place::StandardInput(None) });
            } else if path.is_dir() {
                let manifest = inputs.add_directory(path, messages)?;
                inputs.manifest = manifest.filter(|_| paths.len() == 1);
            } else if let Err(error) = path.metadata() {
                let matching = matching(path).with_context(|| format!("cannot read {}", path.display()))?;
                if matching.is_empty() {
                    return Err(error).with_context(|| format!("cannot read {}; {WHAT_TO_DO}", path.display()));
                }
                for path in matching {
                    inputs.add_file(path);
                }
            } else {
                inputs.add_file(path.clone());
            }
        }
        if paths.len() > 1 {
            inputs.refuse_twice_named()?;
        }
        Ok(inputs)
    }

    fn add_file(&mut self, path: PathBuf) {
        self.sources.push(Source::at(path));
    }

    /// A file that is named twice would count twice.
    fn refuse_twice_named(&self) -> Result<()> {
        let mut paths: Vec<PathBuf> = self.sources.iter().filter_map(Source::path).collect();
        paths.sort_unstable();
        match paths.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => bail!(UsageError(format!("{} is named twice; name it once", pair[0].display()))),
            None => Ok(()),
        }
    }

    /// The files that the manifest in `dir` names, and no others.
    pub fn of_manifest(dir: &Path) -> Result<Self> {
        let manifest =
            RawManifest::load(dir)?.with_context(|| format!("no manifest in {}; {WHAT_TO_DO}", dir.display()))?;
        let place: Arc<Path> = dir.into();
        let source = |file: &FileEntry| Source::of_directory(&place, &file.name, Some(file));
        Ok(Self { sources: manifest.files.iter().map(source).collect(), manifest: Some(manifest) })
    }

    /// Adds the files of a directory, by name; returns its manifest if that names exactly these files.
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
                "{} is missing, and the manifest beside it says that it belongs there; bring it back, run generate again, or \
                 name the files to read",
                dir.join(&missing.name).display()
            );
        }
        if names.is_empty() {
            bail!("no file in {} ends in {}; {WHAT_TO_DO}", dir.display(), ENDINGS.join(", "));
        }
        let strangers: Vec<&String> = names.iter().filter(|name| !expected.contains_key(name.as_str())).collect();
        if let (Some(_), [first, ..]) = (&manifest, &strangers[..]) {
            messages.warn(format!(
                "{} in {} read although not in its manifest, whose expected answers don't apply then; the first is {first}",
                human::counted(strangers.len() as u64, "file"),
                dir.display(),
            ));
        }
        let is_exact = strangers.is_empty();
        let place: Arc<Path> = dir.into();
        self.sources
            .extend(names.iter().map(|name| Source::of_directory(&place, name, expected.get(name.as_str()).copied())));
        Ok(manifest.filter(|_| is_exact))
    }

    /// Refuses input that lies in the directory that is about to be replaced.
    pub fn refuse_below(&self, output: &Path) -> Result<()> {
        let Ok(output) = output.canonicalize() else { return Ok(()) };
        match self.directories().into_iter().find(|dir| dir.starts_with(&output)) {
            Some(dir) => bail!(UsageError(format!(
                "{} lies in the output directory, which this run replaces; copy it elsewhere, or choose another --output",
                dir.display()
            ))),
            None => Ok(()),
        }
    }

    /// Whether they are files of the directory `dir`, all of them.
    pub fn lie_in(&self, dir: &Path) -> bool {
        let is_known = |place: &Source| !matches!(place.place, Place::StandardInput(_));
        dir.canonicalize().is_ok_and(|dir| self.directories() == BTreeSet::from([dir]))
            && self.sources.iter().all(is_known)
    }

    /// The directories that the files lie in, without symbolic links.
    fn directories(&self) -> BTreeSet<PathBuf> {
        let mut dirs: BTreeSet<&Path> = BTreeSet::new();
        let mut files = BTreeSet::new();
        for source in &self.sources {
            match &source.place {
                Place::In(dir) => drop(dirs.insert(dir)),
                Place::At(path) => {
                    files.extend(path.canonicalize().ok().and_then(|path| Some(path.parent()?.to_owned())));
                }
                Place::StandardInput(_) => {}
            }
        }
        files.extend(dirs.into_iter().filter_map(|dir| dir.canonicalize().ok()));
        files
    }

    /// How many bytes there are to read, as far as that is known beforehand.
    pub fn n_bytes(&self) -> u64 {
        self.sources.iter().filter_map(Source::n_bytes).sum()
    }

    /// The same by what a manifest says, without asking the file system for each of many files: good enough to show progress.
    pub fn n_bytes_expected(&self) -> u64 {
        let n_bytes =
            |source: &Source| source.expected.as_ref().map_or_else(|| source.n_bytes(), |file| Some(file.bytes));
        self.sources.iter().filter_map(n_bytes).sum()
    }

    /// Makes it possible to read standard input twice: its bytes go to a file without a name in `scratch`.
    pub fn spool_standard_input(&mut self, scratch: &Path) -> Result<()> {
        for source in &mut self.sources {
            if let Place::StandardInput(kept) = &mut source.place {
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
    /// The file with this path.
    pub fn at(path: PathBuf) -> Self {
        Self { name: path.to_string_lossy().into(), expected: None, place: Place::At(path) }
    }

    fn of_directory(dir: &Arc<Path>, name: &str, expected: Option<&FileEntry>) -> Self {
        let expected = expected.map(|file| Box::new(file.clone()));
        Self { name: name.into(), expected, place: Place::In(Arc::clone(dir)) }
    }

    /// Where it lies, unless it is standard input.
    pub fn path(&self) -> Option<PathBuf> {
        match &self.place {
            Place::In(dir) => Some(dir.join(&*self.name)),
            Place::At(path) => Some(path.clone()),
            Place::StandardInput(_) => None,
        }
    }

    /// Its length, if it is a file.
    pub fn n_bytes(&self) -> Option<u64> {
        self.path()?.metadata().ok().filter(std::fs::Metadata::is_file).map(|metadata| metadata.len())
    }

    /// What to call it in messages.
    pub fn shown(&self) -> String {
        self.path().map_or_else(|| "standard input".to_owned(), |path| path.display().to_string())
    }

    /// Opens it.
    pub fn open(&self) -> io::Result<DecompressedReader> {
        let file: Box<dyn Read + Send> = match self.open_file()? {
            Some(file) => Box::new(file),
            None => Box::new(io::stdin()),
        };
        DecompressedReader::new(file, &self.name)
    }

    /// Opens its file, which may be packed; `None` if it is standard input and no file holds its bytes.
    pub fn open_file(&self) -> io::Result<Option<File>> {
        Ok(Some(match &self.place {
            Place::In(dir) => File::open(dir.join(&*self.name))?,
            Place::At(path) => File::open(path)?,
            Place::StandardInput(None) => return Ok(None),
            Place::StandardInput(Some(kept)) => {
                let mut kept = kept.try_clone()?;
                kept.rewind()?;
                kept
            }
        }))
    }

    /// Whether its name says that it is packed.
    pub fn is_compressed(&self) -> bool {
        Compression::of(&self.name).is_some()
    }

    /// What is different from what the manifest expected, if anything is.
    pub fn manifest_mismatch(&self, read: &InputEntry) -> Option<String> {
        let expected = self.expected.as_ref()?;
        let is_as_promised = expected.bytes == read.bytes && expected.crc64nvme == read.crc64nvme;
        (!is_as_promised).then(|| {
            format!(
                "{} is not as generate wrote it: {} rows in {} bytes then, {} rows in {} bytes now (checksums {} and {})",
                self.shown(),
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

/// The files that a pattern such as `data/*.jsonl` stands for, in the order of their names; none if it is no pattern.
fn matching(pattern: &Path) -> Result<Vec<PathBuf>> {
    let Some(text) = pattern.to_str().filter(|text| text.contains(['*', '?', '['])) else { return Ok(Vec::new()) };
    let paths: Vec<PathBuf> = glob::glob(text)?.collect::<Result<_, _>>()?;
    Ok(paths.into_iter().filter(|path| !path.is_dir()).collect())
}

fn is_json_lines(name: &str) -> bool {
    let has_ending = |name: &str| ENDINGS.iter().any(|ending| name.ends_with(ending));
    PACKED.iter().filter_map(|packed| name.strip_suffix(packed)).any(has_ending)
}

/// Whether an entry of a directory is a directory, or a link to one. Of what is no link the file system needn't be asked again.
fn is_directory(entry: &fs::DirEntry) -> io::Result<bool> {
    let kind = entry.file_type()?;
    Ok(if kind.is_symlink() { entry.path().is_dir() } else { kind.is_dir() })
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
            ENDINGS.join(", "),
            first.display()
        ));
    }
    Ok(names)
}
