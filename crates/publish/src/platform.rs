//! File-system calls that differ between operating systems.

use std::fs::File;
use std::io;
use std::path::Path;

/// Returns true if `target` is the root of a file system of its own. Always false where this cannot be found out.
#[cfg(unix)]
pub(crate) fn is_mount_point(parent: &Path, target: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    matches!((parent.metadata(), target.metadata()), (Ok(parent), Ok(target)) if parent.dev() != target.dev())
}

#[cfg(not(unix))]
pub(crate) fn is_mount_point(_parent: &Path, _target: &Path) -> bool {
    false
}

/// Exchanges two directories in one step. Fails where the system or the file system has no such operation.
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
pub(crate) fn exchange(a: &Path, b: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    Ok(renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE)?)
}

#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
pub(crate) fn exchange(_a: &Path, _b: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Syncs the whole file system that contains `dir`. Fails where the system has no such call.
#[cfg(target_os = "linux")]
pub(crate) fn sync_file_system(dir: &Path) -> io::Result<()> {
    Ok(rustix::fs::syncfs(File::open(dir)?)?)
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn sync_file_system(_dir: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Syncs a directory, which makes the names in it durable. Does nothing on systems that cannot open directories.
#[cfg(unix)]
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

#[cfg(not(unix))]
pub(crate) fn sync_directory(_path: &Path) -> io::Result<()> {
    Ok(())
}
