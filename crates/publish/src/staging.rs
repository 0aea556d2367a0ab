//! Atomic replacement of a directory.
//!
//! A run writes everything into a hidden directory beside its target (`.raw.partial` beside `raw`), syncs it, and then
//! exchanges the two in one file-system operation. Until then the previous data set is unchanged; afterwards the new one is
//! complete. Leftovers of a killed run are never visible under the target's name, and the next run removes them. A lock file
//! beside the target (`.raw.lock`, empty, never removed) keeps two runs from writing the same target.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::iter;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, bail, ensure};
use executor::on_threads;

use crate::direct_io::BackgroundWriter;
use crate::interrupt::{Unfinished, unfinished};
use crate::lock::take_lock;
use crate::platform::{exchange, is_mount_point, sync_directory, sync_file_system};
use crate::staged_file::StagedFile;

/// A data set that is being written and not yet published.
///
/// Dropping it without [`publish`](Self::publish) removes what was written.
#[derive(Debug)]
pub struct Staging {
    target: PathBuf,
    work: PathBuf,
    /// Held until the staging is dropped.
    _lock: File,
    /// The writer of [`StagedFile::write_behind`], created at the first call.
    background_writer: OnceLock<BackgroundWriter>,
}

impl Staging {
    /// Prepares to replace the directory `target`, which need not exist yet.
    ///
    /// # Errors
    ///
    /// Fails if `target` is a file or the root of a file system, or if another run is writing it.
    pub fn begin(target: &Path) -> Result<Self> {
        let (parent, name) = resolve(target)?;
        let target_is_mounted = is_mount_point(&parent, &parent.join(&name));
        ensure!(
            !target_is_mounted,
            "{} is the root of a file system and can't be replaced in one step; choose a directory inside it",
            target.display()
        );
        let lock = take_lock(&parent.join(format!(".{name}.lock")), target)?;
        let (target, work) = (parent.join(&name), parent.join(format!(".{name}.partial")));
        let staging = Self { target, work, _lock: lock, background_writer: OnceLock::new() };
        staging.clear_leftovers()?;
        let mut unfinished = unfinished();
        unfinished.push(Unfinished { target: staging.target.clone(), work: staging.work.clone() });
        fs::create_dir(&staging.work).with_context(|| format!("cannot create {}", staging.work.display()))?;
        Ok(staging)
    }

    /// Removes the leftovers of a killed run.
    fn clear_leftovers(&self) -> Result<()> {
        let previous = self.previous();
        if previous.exists() && !self.target.exists() {
            fs::rename(&previous, &self.target).with_context(|| format!("cannot restore {}", self.target.display()))?;
        }
        for leftover in [&previous, &self.work] {
            remove_dir_if_exists(leftover).with_context(|| format!("cannot remove {}", leftover.display()))?;
        }
        Ok(())
    }

    /// The name of the previous data set during a swap on file systems without an atomic exchange.
    fn previous(&self) -> PathBuf {
        self.work.with_extension("previous")
    }

    /// Returns a directory on the data set's file system for unnamed temporary files.
    pub fn scratch(&self) -> &Path {
        &self.work
    }

    /// Creates a file of the data set. `name` is its path below the target, with `/` as separator.
    ///
    /// # Errors
    ///
    /// Fails if the file exists already or cannot be created.
    pub fn create(&self, name: &str) -> Result<StagedFile> {
        let path = self.work.join(name);
        let published = self.target.join(name);
        let create = || {
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            File::create_new(&path)
        };
        let _interrupts_blocked = unfinished();
        let file = create().with_context(|| format!("cannot create {}", published.display()))?;
        Ok(StagedFile::new(file, path, published))
    }

    pub(crate) fn background_writer(&self) -> &BackgroundWriter {
        self.background_writer.get_or_init(BackgroundWriter::new)
    }

    /// Replaces the target by the staged files.
    ///
    /// `owned` names the files of the data set that is replaced; they are removed. All other files in the target are
    /// unmanaged: they are kept in place, and their paths below the target are returned.
    ///
    /// # Errors
    ///
    /// Fails if an unmanaged file has the name of a new file, or if files cannot be written, synced or swapped. The target
    /// is unchanged then.
    pub fn publish(mut self, owned: &BTreeSet<String>) -> Result<Vec<PathBuf>> {
        self.background_writer.take().map_or(Ok(()), BackgroundWriter::finish)?;
        let unmanaged = self.keep_unmanaged_files(owned)?;
        self.sync().with_context(|| format!("cannot sync {} to disk", self.target.display()))?;
        {
            let mut unfinished = unfinished();
            self.swap().with_context(|| format!("cannot replace {}", self.target.display()))?;
            unfinished.retain(|staging| staging.work != self.work);
        }
        remove_dir_if_exists(&self.work).with_context(|| format!("cannot remove {}", self.work.display()))?;
        Ok(unmanaged)
    }

    fn keep_unmanaged_files(&self, owned: &BTreeSet<String>) -> Result<Vec<PathBuf>> {
        let mut unmanaged = Vec::new();
        if self.target.exists() {
            list_files(&self.target, Path::new(""), &mut unmanaged)
                .with_context(|| format!("cannot list {}", self.target.display()))?;
        }
        unmanaged.retain(|name| !name.to_str().is_some_and(|name| owned.contains(name)));
        unmanaged.sort();
        for name in &unmanaged {
            let (from, to) = (self.target.join(name), self.work.join(name));
            if to.symlink_metadata().is_ok() {
                bail!(
                    "{} is in the way: no manifest lists it, so it is not replaced; move it elsewhere",
                    from.display()
                );
            }
            let _interrupts_blocked = unfinished();
            keep(&from, &to).with_context(|| format!("cannot keep {}", from.display()))?;
        }
        Ok(unmanaged)
    }

    /// Syncs everything to disk: up to 300 files one by one, which does not wait for data of other processes; more by one
    /// call for the whole file system, which is far cheaper then.
    fn sync(&self) -> io::Result<()> {
        const FEW: usize = 300;
        let mut names = Vec::new();
        list_files(&self.work, Path::new(""), &mut names)?;
        if names.len() > FEW && sync_file_system(&self.work).is_ok() {
            return Ok(());
        }
        let files: Vec<PathBuf> = names.iter().map(|name| self.work.join(name)).collect();
        let above = files.iter().flat_map(|file| file.ancestors().skip(1).take_while(|dir| *dir != self.work));
        let dirs: BTreeSet<PathBuf> = above.map(Path::to_owned).chain([self.work.clone()]).collect();
        sync_all(&files, |file| File::open(file)?.sync_all())?;
        sync_all(&dirs.into_iter().collect::<Vec<_>>(), sync_directory)
    }

    fn swap(&self) -> io::Result<()> {
        if self.target.exists() {
            if exchange(&self.work, &self.target).is_err() {
                let previous = self.previous();
                fs::rename(&self.target, &previous)?;
                fs::rename(&self.work, &self.target).inspect_err(|_| {
                    let _ = fs::rename(&previous, &self.target);
                })?;
                fs::rename(&previous, &self.work)?;
            }
        } else {
            fs::rename(&self.work, &self.target)?;
        }
        // Syncing the parent directory makes the swap itself durable.
        self.target.parent().map_or(Ok(()), sync_directory)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        let mut unfinished = unfinished();
        if unfinished.extract_if(.., |staging| staging.work == self.work).next().is_some() {
            let _ = fs::remove_dir_all(&self.work);
        }
    }
}

/// Returns the target's parent directory, with symbolic links resolved, and the target's name in it.
fn resolve(target: &Path) -> Result<(PathBuf, String)> {
    let existing = if let Ok(path) = target.canonicalize() {
        ensure!(path.is_dir(), "{} is a file; the output must be a directory", target.display());
        path
    } else {
        let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(parent).with_context(|| format!("cannot create {}", parent.display()))?;
        let name = target.file_name().with_context(|| format!("{} is not a directory", target.display()))?;
        parent.canonicalize().with_context(|| format!("cannot find {}", parent.display()))?.join(name)
    };
    let name = existing.file_name().with_context(|| format!("{} can't be replaced", existing.display()))?;
    let name = name.to_str().with_context(|| format!("{} is not UTF-8", existing.display()))?;
    Ok((existing.parent().unwrap_or(Path::new("/")).to_owned(), name.to_owned()))
}

/// Lists every file below `dir`, hidden ones too, as its path below `dir` appended to `prefix`.
fn list_files(dir: &Path, prefix: &Path, names: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = prefix.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            list_files(&entry.path(), &name, names)?;
        } else {
            names.push(name);
        }
    }
    Ok(())
}

/// Hard-links a file into the staging, or copies it where the file system has no links.
fn keep(from: &Path, to: &Path) -> io::Result<()> {
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::hard_link(from, to).or_else(|_| fs::copy(from, to).map(drop))
}

fn remove_dir_if_exists(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// Syncs up to 8 paths at once, since a sync mostly blocks on the disk, which handles several.
fn sync_all(paths: &[PathBuf], sync: impl Fn(&Path) -> io::Result<()> + Sync) -> io::Result<()> {
    const AT_ONCE: usize = 8;
    let next = AtomicUsize::new(0);
    let next_path = || paths.get(next.fetch_add(1, Ordering::Relaxed));
    let work = || iter::from_fn(next_path).try_for_each(|path| sync(path));
    on_threads(AT_ONCE.min(paths.len()), work).into_iter().collect()
}
