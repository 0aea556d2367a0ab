//! Atomic publication of directories and files, under failures too.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic, and makes the files it needs")]

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use publish::Checksum;
use publish::{BLOCK_BYTES, PageAlignedBuffer, Staging, replace_file};
use tempfile::tempdir;

fn publish(target: &Path, owned: &[&str], files: &[(&str, &str)]) -> anyhow::Result<Vec<PathBuf>> {
    let staging = Staging::begin(target)?;
    for (name, text) in files {
        staging.create(name)?.write_all(text.as_bytes())?;
    }
    staging.publish(&owned.iter().map(ToString::to_string).collect::<BTreeSet<_>>())
}

/// Returns the files below a directory as `path=text`.
fn content(dir: &Path) -> Vec<String> {
    fn walk(dir: &Path, prefix: &str, found: &mut Vec<String>) {
        for entry in fs::read_dir(dir).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
            if entry.path().is_dir() {
                walk(&entry.path(), &format!("{name}/"), found);
            } else {
                found.push(format!("{name}={}", fs::read_to_string(entry.path()).unwrap()));
            }
        }
    }
    let mut found = Vec::new();
    walk(dir, "", &mut found);
    found.sort();
    found
}

#[test]
fn publish_replaces_owned_files_and_keeps_unmanaged_ones() {
    let home = tempdir().unwrap();
    let target = home.path().join("new/raw");
    assert!(publish(&target, &[], &[("a", "1"), ("sub/b", "1")]).unwrap().is_empty());
    assert_eq!(content(&target), ["a=1", "sub/b=1"]);

    fs::write(target.join("sub/mine.txt"), "keep").unwrap();
    let foreign = publish(&target, &["a", "sub/b"], &[("a", "2"), ("c", "2")]).unwrap();
    assert_eq!(foreign, [PathBuf::from("sub/mine.txt")]);
    assert_eq!(content(&target), ["a=2", "c=2", "sub/mine.txt=keep"]);
}

#[test]
fn unmanaged_file_is_never_overwritten() {
    let home = tempdir().unwrap();
    let target = home.path().join("raw");
    fs::create_dir(&target).unwrap();
    fs::write(target.join("a"), "mine").unwrap();
    let error = publish(&target, &[], &[("a", "new"), ("b", "new")]).unwrap_err().to_string();
    assert!(error.contains("raw/a is in the way"), "{error}");
    assert_eq!(content(home.path()), [".raw.lock=", "raw/a=mine"]);
}

#[test]
fn unpublished_staging_is_invisible_and_removed_on_drop() {
    let home = tempdir().unwrap();
    let target = home.path().join("raw");
    publish(&target, &[], &[("a", "1")]).unwrap();
    let staging = Staging::begin(&target).unwrap();
    staging.create("a").unwrap().write_all(b"half").unwrap();
    assert_eq!(content(&target), ["a=1"]);
    drop(staging);
    assert_eq!(content(home.path()), [".raw.lock=", "raw/a=1"]);
}

#[test]
fn leftovers_of_a_killed_run_are_removed() {
    let home = tempdir().unwrap();
    let target = home.path().join("raw");
    publish(&target, &[], &[("a", "1")]).unwrap();
    fs::create_dir_all(home.path().join(".raw.partial/sub")).unwrap();
    fs::write(home.path().join(".raw.partial/sub/half"), "").unwrap();
    publish(&target, &["a"], &[("a", "2")]).unwrap();
    assert_eq!(content(home.path()), [".raw.lock=", "raw/a=2"]);
}

fn checksum_of(bytes: &[u8]) -> Checksum {
    let mut checksum = Checksum::default();
    checksum.update(bytes);
    checksum
}

fn buffer(bytes: &[u8]) -> PageAlignedBuffer {
    let mut buffer = PageAlignedBuffer::default();
    buffer.append(bytes).unwrap();
    buffer
}

#[test]
fn page_aligned_buffer_holds_the_appended_bytes() {
    let (mut buffer, mut expected) = (PageAlignedBuffer::default(), Vec::new());
    assert!(buffer.is_empty());
    buffer.append(&[]).unwrap();
    assert!(buffer.is_empty());
    for (n, n_bytes) in [1, 0, 4095, 4097, 16 << 20, (16 << 20) - 8193, 1, 70 << 20].into_iter().enumerate() {
        let piece = vec![n as u8 + 1; n_bytes];
        buffer.append(&piece).unwrap();
        expected.extend_from_slice(&piece);
        assert!(*buffer == expected && buffer.as_ptr().addr().is_multiple_of(BLOCK_BYTES), "{n_bytes}");
    }
    buffer.clear();
    assert!(buffer.is_empty());
    buffer.append(b"again").unwrap();
    assert_eq!(*buffer, *b"again");
}

#[test]
fn background_writes_land_at_their_offsets() {
    let home = tempdir().unwrap();
    let target = home.path().join("raw");
    let staging = Staging::begin(&target).unwrap();
    let names = ["a", "b", "sub/c"];
    let mut files = names.map(|name| (staging.create(name).unwrap(), Vec::new()));
    // Lengths from zero to several blocks, around block boundaries, alternating between the files.
    let mut n = 0_u32;
    for n_bytes in [4, 0, 1, 4091, 4096, 4097, 8192, 3, 65_536, 1 << 20, (2 << 20) + 1, (5 << 20) - 1, 4095, 12_345_678]
    {
        for (file, expected) in &mut files {
            n += 1;
            let piece: Vec<u8> =
                (0..n_bytes as u32).map(|i| (i.wrapping_add(n).wrapping_mul(2_654_435_761) >> 24) as u8).collect();
            expected.extend_from_slice(&piece);
            if n.is_multiple_of(4) {
                file.write_all(&piece).unwrap();
            } else {
                let checksum = checksum_of(&piece);
                file.write_behind(buffer(&piece), &checksum, &staging).unwrap();
            }
        }
    }
    for (file, expected) in &files {
        assert_eq!(file.checksum().to_base64(), checksum_of(expected).to_base64());
        assert_eq!(file.checksum().n_bytes(), expected.len() as u64);
    }
    staging.publish(&BTreeSet::new()).unwrap();
    for (name, (_, expected)) in names.iter().zip(&files) {
        assert!(fs::read(target.join(name)).unwrap() == *expected, "{name}");
    }
}

#[test]
fn aligned_background_writes_land_at_their_offsets() {
    let home = tempdir().unwrap();
    let target = home.path().join("raw");
    let staging = Staging::begin(&target).unwrap();
    let (mut file, mut expected, mut memory) = (staging.create("a").unwrap(), Vec::new(), PageAlignedBuffer::default());
    // The first lengths are whole blocks; buffers are reused.
    for (n, n_bytes) in [BLOCK_BYTES, 3 << 20, (2 << 20) + BLOCK_BYTES, 7 << 20, 5000, 1 << 20].into_iter().enumerate()
    {
        let piece: Vec<u8> = (0..n_bytes).map(|i| ((i * (n + 3)) >> 4) as u8).collect();
        memory.clear();
        memory.append(&piece).unwrap();
        memory = file.write_behind(memory, &checksum_of(&piece), &staging).unwrap();
        expected.extend_from_slice(&piece);
    }
    assert_eq!(file.checksum().to_base64(), checksum_of(&expected).to_base64());
    staging.publish(&BTreeSet::new()).unwrap();
    assert!(fs::read(target.join("a")).unwrap() == expected);
}

#[test]
fn failed_background_write_prevents_publication() {
    let piece = vec![7; 3 << 20];
    let checksum = checksum_of(&piece);
    for n_pieces in [1, 20] {
        let home = tempdir().unwrap();
        let target = home.path().join("raw");
        publish(&target, &[], &[("a", "old")]).unwrap();
        let staging = Staging::begin(&target).unwrap();
        let mut file = staging.create("deep/a").unwrap();
        fs::remove_dir_all(home.path().join(".raw.partial/deep")).unwrap();
        let written: Result<Vec<_>, _> =
            (0..n_pieces).map(|_| file.write_behind(buffer(&piece), &checksum, &staging)).collect();
        // The first writes are queued before the failure is known.
        assert_eq!(written.is_ok(), n_pieces == 1);
        let errors = [
            written.err().map(|error| error.to_string()),
            staging.publish(&BTreeSet::new()).err().map(|error| error.to_string()),
        ];
        assert!(errors[1].is_some());
        for error in errors.into_iter().flatten() {
            assert!(error.starts_with("cannot write ") && error.contains("raw/deep/a: No such file"), "{error}");
        }
        assert_eq!(content(home.path()), [".raw.lock=", "raw/a=old"]);
    }
}

#[test]
fn interrupted_swap_is_rolled_back() {
    let home = tempdir().unwrap();
    let target = home.path().join("raw");
    fs::create_dir(home.path().join(".raw.previous")).unwrap();
    fs::write(home.path().join(".raw.previous/a"), "1").unwrap();
    drop(Staging::begin(&target).unwrap());
    assert_eq!(content(home.path()), [".raw.lock=", "raw/a=1"]);
}

#[test]
fn concurrent_run_on_the_same_target_is_rejected() {
    let home = tempdir().unwrap();
    let target = home.path().join("raw");
    let first = Staging::begin(&target).unwrap();
    let error = Staging::begin(&target).unwrap_err().to_string();
    assert!(error.contains("another run is writing"), "{error}");
    Staging::begin(&home.path().join("curated")).unwrap();
    drop(first);
    Staging::begin(&target).unwrap();
}

#[test]
fn file_as_target_is_rejected() {
    let home = tempdir().unwrap();
    let target = home.path().join("raw");
    fs::write(&target, "mine").unwrap();
    assert!(Staging::begin(&target).unwrap_err().to_string().contains("is a file"));
    assert!(Staging::begin(&target.join("below")).is_err());
}

#[cfg(unix)]
#[test]
fn symbolic_link_to_the_target_is_kept() {
    let home = tempdir().unwrap();
    let (real, link) = (home.path().join("big/raw"), home.path().join("raw"));
    fs::create_dir_all(&real).unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    publish(&link, &[], &[("a", "1")]).unwrap();
    assert!(link.is_symlink());
    assert_eq!(content(&real), ["a=1"]);
}

#[cfg(target_os = "linux")]
#[test]
fn root_of_a_file_system_is_rejected() {
    let error = Staging::begin(Path::new("/proc")).unwrap_err().to_string();
    assert!(error.contains("root of a file system"), "{error}");
    assert!(Staging::begin(Path::new("/")).is_err());
}

#[test]
fn replace_file_is_atomic() {
    let home = tempdir().unwrap();
    let target = home.path().join("pages/one.html");
    replace_file(&target, b"first").unwrap();
    replace_file(&target, b"second").unwrap();
    assert_eq!(fs::read(&target).unwrap(), b"second");

    // A leftover of a killed run is replaced, and a failing run changes nothing.
    let partial = home.path().join("pages/.one.html.partial");
    fs::write(&partial, "half").unwrap();
    replace_file(&target, b"third").unwrap();
    assert!(!partial.exists());
    fs::create_dir(&partial).unwrap();
    assert!(replace_file(&target, b"fourth").is_err());
    assert_eq!(fs::read(&target).unwrap(), b"third");
    assert!(replace_file(home.path(), b"").is_err());
}
