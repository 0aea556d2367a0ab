//! A description of the machine, as reported by Linux.

use std::fs;
use std::path::Path;

/// The properties of a machine that its figures depend on.
#[derive(Clone, Debug)]
pub struct Machine {
    /// The processor's name.
    pub cpu: String,
    /// Number of processors that this process may use.
    pub n_processors: usize,
    /// Bytes of memory.
    pub memory: u64,
    /// The kernel's name and release.
    pub kernel: String,
    /// Type of the file system of the benchmark directory.
    pub file_system: String,
}

const UNKNOWN: &str = "unknown";

impl Machine {
    /// Describes this machine; `dir` is the benchmark directory.
    pub fn this(dir: &Path) -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let kernel = ["ostype", "osrelease"].map(|name| read(&format!("/proc/sys/kernel/{name}")).trim().to_owned());
        Self {
            cpu: field(&read("/proc/cpuinfo"), "model name").unwrap_or(UNKNOWN).to_owned(),
            n_processors: executor::default_threads().get(),
            memory: field(&read("/proc/meminfo"), "MemTotal").map_or(0, kibibytes),
            kernel: kernel.join(" ").trim().to_owned(),
            file_system: file_system(&read("/proc/self/mounts"), dir).unwrap_or(UNKNOWN.to_owned()),
        }
    }
}

/// Returns the value of the first line `name : value`.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let pairs = text.lines().filter_map(|line| line.split_once(':'));
    pairs.map(|(key, value)| (key.trim(), value.trim())).find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// Parses `24000 kB` to bytes; the kernel's kB is 1,024 bytes.
fn kibibytes(text: &str) -> u64 {
    text.trim_end_matches("kB").trim().parse::<u64>().map_or(0, |n| n * 1024)
}

/// Returns the type of the mount with the longest path that contains `dir`; a later mount at the same path hides an earlier
/// one.
fn file_system(mounts: &str, dir: &Path) -> Option<String> {
    let dir = dir.canonicalize().ok()?;
    let mounts = mounts.lines().filter_map(|line| {
        let mut words = line.split_whitespace().skip(1);
        Some((words.next()?, words.next()?))
    });
    let holding = mounts.filter(|(path, _)| dir.starts_with(path));
    holding.max_by_key(|(path, _)| path.len()).map(|(_, kind)| kind.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{field, file_system, kibibytes};

    #[test]
    fn proc_files_are_parsed() {
        let text = "processor\t: 0\nmodel name\t: Made-up 9000: fast\nmodel name\t: another\n";
        assert_eq!(field(text, "model name"), Some("Made-up 9000: fast"));
        assert_eq!(field(text, "model"), None);
        assert_eq!(kibibytes("24 kB"), 24 * 1024);
    }

    #[test]
    fn innermost_and_latest_mount_is_used() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().canonicalize().unwrap();
        let path = path.display();
        let mounts = format!("a / ext4 rw 0 0\nb {path} xfs rw 0 0\nc {path} tmpfs rw 0 0\nd {path}-not zfs rw 0 0\n");
        assert_eq!(file_system(&mounts, dir.path()).as_deref(), Some("tmpfs"));
        assert_eq!(file_system("a / ext4 rw 0 0\n", dir.path()).as_deref(), Some("ext4"));
        assert_eq!(file_system("", dir.path()), None);
    }
}
