//! Robustness: killed and interrupted runs, full disks, read errors and extreme inputs.
//!
//! Slow tests run with `-- --ignored`.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic, and makes the files it needs")]

mod sandbox;

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Output};
use std::time::{Duration, Instant};

use sandbox::{
    BINARY, counts, files, first_raw_file, generate_dirty_into, generate_into, home_with_tickets, manifest, names,
    spawn, states, stderr, transform, wait_until,
};
use tempfile::{TempDir, tempdir};
use ticket_schema::iso3166::is_country_code;

/// The maximum memory use of transform for any input.
const MAX_MEMORY_BYTES: u64 = 512 << 20;

/// A stack size that no system can allocate, so that creating a thread fails.
const NO_THREAD: &str = "100000000000000000";

/// Waits for the process to end. Returns its output and its peak memory use in bytes.
fn watch(mut child: Child) -> (Output, u64) {
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        peak = peak.max(kib.unwrap_or(0) << 10);
        std::thread::sleep(Duration::from_millis(5));
    }
    (child.wait_with_output().unwrap(), peak)
}

fn no_leftovers(home: &TempDir) {
    let left: Vec<String> = fs::read_dir(home.path().join("data"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !["raw", "curated", ".raw.lock", ".curated.lock"].contains(&name.as_str()))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn killed_run_leaves_the_old_or_the_new_data_set() {
    let home = home_with_tickets(30_000);
    generate_dirty_into(&home.path().join("other"), 30_000, 43, "0");
    let started = Instant::now();
    assert!(transform(&home, &["--input", "other"]).status.success());
    let other = files(&home.path().join("data/curated"));
    assert!(transform(&home, &[]).status.success());
    let usual = files(&home.path().join("data/curated"));
    let whole_run = started.elapsed() / 2;
    let mut n_killed = 0;
    for i in 0..24 {
        let mut child = spawn(&home, &["--input", if i % 2 == 0 { "other" } else { "data/raw" }]);
        std::thread::sleep(whole_run * i / 20);
        child.kill().unwrap();
        n_killed += u32::from(child.wait().unwrap().code().is_none());
        let found = files(&home.path().join("data/curated"));
        assert!(
            found == usual || found == other,
            "after {i}/20 of a run: {:?}",
            names(&home.path().join("data/curated"))
        );
    }
    assert!(n_killed > 0, "every run ended before it was killed");
    assert!(transform(&home, &[]).status.success());
    assert!(files(&home.path().join("data/curated")) == usual);
    no_leftovers(&home);
}

/// Runs with a limit on the file size. With SIGXFSZ ignored, writes beyond it fail as on a full disk.
fn transform_with_file_limit(home: &TempDir, n_kib: u64, arguments: &str) -> Output {
    let script = format!("trap '' XFSZ; ulimit -f {n_kib}; exec {BINARY} {arguments}");
    Command::new("bash").args(["-c", &script]).current_dir(home.path()).output().unwrap()
}

#[test]
fn write_error_leaves_the_old_data_set() {
    let home = home_with_tickets(500);
    assert!(transform(&home, &[]).status.success());
    let before = files(&home.path().join("data/curated"));
    generate_into(&home.path().join("data/raw"), 20_000);
    for arguments in ["", "--threads 1", "--mode append --force", "--dedupe latest"] {
        let output = transform_with_file_limit(&home, 100, arguments);
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        assert!(stderr(&output).contains("cannot write"), "{}", stderr(&output));
        assert!(files(&home.path().join("data/curated")) == before, "{arguments}");
        no_leftovers(&home);
    }
    fs::write(home.path().join("dirty.jsonl"), "rubbish\n".repeat(50_000)).unwrap();
    let output = transform_with_file_limit(&home, 100, "--input dirty.jsonl");
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("_quarantine"), "{}", stderr(&output));
    assert!(files(&home.path().join("data/curated")) == before);
    assert!(transform(&home, &[]).status.success());
    assert_eq!(manifest(&home).rows, counts(20_000, 20_000, 0));
}

#[test]
fn direct_write_error_leaves_the_old_data_set() {
    const MAX_KIB: u64 = 1200;
    let home = home_with_tickets(500);
    assert!(transform(&home, &[]).status.success());
    let before = files(&home.path().join("data/curated"));
    generate_into(&home.path().join("data/raw"), 120_000);
    for arguments in ["", "--threads 1"] {
        let output = transform_with_file_limit(&home, MAX_KIB, arguments);
        let messages = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{messages}");
        assert!(
            messages.contains("cannot write") && messages.contains("/part-0.parquet: File too large"),
            "{messages}"
        );
        assert!(files(&home.path().join("data/curated")) == before, "{arguments}");
        no_leftovers(&home);
    }
    assert!(transform(&home, &[]).status.success());
    let parquet_bytes = manifest(&home).files.iter().map(|file| file.bytes).max();
    assert!(parquet_bytes > Some(MAX_KIB << 10), "{parquet_bytes:?} bytes are below the limit");
}

/// Uses a small tmpfs as a full disk, where user namespaces allow mounting it.
#[test]
fn full_disk_leaves_the_old_data_set() {
    let home = home_with_tickets(20_000);
    let script = format!(
        "mount -t tmpfs -o size=1m none {0} && mkdir {0}/in && head -n 500 data/raw/*_0000.jsonl > {0}/in/a.jsonl && \
         {BINARY} --input {0}/in --output {0}/out && cp -r {0}/out before && {BINARY} --output {0}/out; echo code $?; \
         diff -r before {0}/out && echo same",
        "disk"
    );
    fs::create_dir(home.path().join("disk")).unwrap();
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "bash", "-c", &script])
        .current_dir(home.path())
        .output();
    match output {
        Ok(output) if !stderr(&output).contains("permi") && !stderr(&output).contains("unshare") => {
            let messages = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(messages.contains("code 1") && messages.contains("same"), "{messages}: {}", stderr(&output));
            assert!(stderr(&output).contains("No space left on device"), "{}", stderr(&output));
        }
        // Where mounting is not permitted, the test with a file size limit covers write errors.
        _ => {}
    }
}

#[test]
fn read_error_names_the_file() {
    let home = home_with_tickets(1000);
    assert!(transform(&home, &[]).status.success());
    let before = files(&home.path().join("data/curated"));
    // Reading a process's memory at address 0 fails with an input/output error.
    let output = transform(&home, &["--input", "data/raw", "/proc/self/mem"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("/proc/self/mem"), "{}", stderr(&output));
    assert!(files(&home.path().join("data/curated")) == before);
    no_leftovers(&home);
}

#[test]
fn file_that_shrinks_while_read_is_an_error() {
    let home = home_with_tickets(1000);
    assert!(transform(&home, &[]).status.success());
    let before = files(&home.path().join("data/curated"));
    let tickets = fs::read(first_raw_file(&home)).unwrap();
    let big = home.path().join("big.jsonl");
    for _ in 0..50 {
        let mut file = File::create(&big).unwrap();
        (0..100).for_each(|_| file.write_all(&tickets).unwrap());
        let child = spawn(&home, &["--input", "big.jsonl", "--threads", "1"]);
        if !truncate_while_read(&child, &big) {
            drop(child.wait_with_output());
            continue;
        }
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        assert!(stderr(&output).contains("big.jsonl became shorter while it was read"), "{}", stderr(&output));
        assert!(files(&home.path().join("data/curated")) == before);
        no_leftovers(&home);
        return;
    }
    panic!("the file was read before it could be truncated in fifty attempts");
}

/// Truncates the file to half its size after the process has read a part of it. Returns false if the process was too fast.
fn truncate_while_read(child: &Child, path: &Path) -> bool {
    let signal = |name: &str| {
        assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
    };
    let n_bytes_read = || -> Option<u64> {
        let io = fs::read_to_string(format!("/proc/{}/io", child.id())).ok()?;
        io.lines().find_map(|line| line.strip_prefix("rchar:")?.trim().parse().ok())
    };
    let n_bytes = path.metadata().unwrap().len();
    for _ in 0..10_000 {
        // More than the program reads at its start.
        if n_bytes_read().is_some_and(|n_bytes| n_bytes > 1 << 20) {
            signal("-STOP");
            let is_in_time = n_bytes_read().is_some_and(|n_bytes_read| n_bytes_read < n_bytes / 2 - (4 << 20));
            if is_in_time {
                File::options().write(true).open(path).unwrap().set_len(n_bytes / 2).unwrap();
            }
            signal("-CONT");
            return is_in_time;
        }
        std::thread::sleep(Duration::from_micros(200));
    }
    false
}

#[test]
fn run_succeeds_if_no_thread_can_be_created() {
    // Enough for row groups that a background thread would write.
    let home = home_with_tickets(100_000);
    assert!(transform(&home, &["--threads", "4"]).status.success());
    let usual = files(&home.path().join("data/curated"));
    for arguments in [&["--threads", "4"][..], &["--threads", "4", "--dedupe", "latest"]] {
        let run =
            Command::new(BINARY).current_dir(home.path()).args(arguments).env("RUST_MIN_STACK", NO_THREAD).output();
        let output = run.unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert!(files(&home.path().join("data/curated")) == usual, "{arguments:?}");
    }
}

#[test]
fn concurrent_run_on_the_same_output_fails() {
    let home = home_with_tickets(1000);
    let mut first = spawn(&home, &["--input", "-"]);
    let mut stdin = first.stdin.take().unwrap();
    stdin.write_all(&fs::read(first_raw_file(&home)).unwrap()).unwrap();
    wait_until(&mut first, || home.path().join("data/.curated.partial").exists());
    let second = transform(&home, &[]);
    assert_eq!(second.status.code(), Some(1));
    assert!(stderr(&second).contains("another run is writing data/curated"), "{}", stderr(&second));
    drop(stdin);
    assert!(first.wait().unwrap().success());
    assert_eq!(manifest(&home).rows, counts(1000, 1000, 0));
    assert!(transform(&home, &[]).status.success());
}

#[test]
fn interrupted_run_leaves_the_old_data_set() {
    let home = home_with_tickets(1000);
    assert!(transform(&home, &[]).status.success());
    let before = files(&home.path().join("data/curated"));
    for signal in ["-INT", "-TERM"] {
        let mut child = spawn(&home, &["--input", "-", "--dedupe", "latest"]);
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(&fs::read(first_raw_file(&home)).unwrap()).unwrap();
        wait_until(&mut child, || home.path().join("data/.curated.partial").exists());
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
        drop(stdin);
        assert!(files(&home.path().join("data/curated")) == before);
        no_leftovers(&home);
    }
}

#[test]
fn all_iso_3166_markets_in_one_run() {
    let home = home_with_tickets(1000);
    let text = fs::read_to_string(first_raw_file(&home)).unwrap();
    let pairs = ('A'..='Z').flat_map(|a| ('A'..='Z').map(move |b| format!("{a}{b}")));
    let codes: Vec<String> = pairs.filter(|code| is_country_code(code)).collect();
    let mut all = String::new();
    for (i, line) in text.lines().cycle().take(249 * 40).enumerate() {
        let start = line.find("\"market\":\"").unwrap() + 10;
        let code = &codes[i % codes.len()];
        all += &format!("{}{code}{}\n", &line[..start], &line[start + 2..]);
    }
    fs::write(home.path().join("all.jsonl"), all).unwrap();
    let (output, peak) = watch(spawn(&home, &["--input", "all.jsonl"]));
    assert!(output.status.success(), "{}", stderr(&output));
    let kept = manifest(&home);
    assert_eq!((kept.files.len(), kept.rows), (249, counts(9960, 9960, 0)));
    assert!(kept.markets.values().all(|n| *n == 40));
    assert_eq!(states(&home.path().join("data/curated")).len(), 9960);
    assert!(peak < MAX_MEMORY_BYTES, "{peak} bytes");
}

#[test]
fn ten_thousand_rejected_lines_are_quarantined() {
    let home = home_with_tickets(1000);
    let good = fs::read_to_string(first_raw_file(&home)).unwrap();
    let bad: Vec<String> = (0..10_000).map(|i| format!("{{\"bad\":{i}}}")).collect();
    let mixed: Vec<&str> = good.lines().cycle().zip(&bad).flat_map(|(good, bad)| [bad, "\n", good, "\n"]).collect();
    fs::write(home.path().join("mixed.jsonl"), mixed.concat()).unwrap();
    for threads in ["1", "2"] {
        let output = transform(&home, &["--input", "mixed.jsonl", "--threads", threads]);
        assert_eq!(output.status.code(), Some(3));
        assert_eq!(manifest(&home).rows, counts(20_000, 10_000, 10_000));
        let quarantine = home.path().join("data/curated/_quarantine");
        assert_eq!(fs::read_to_string(quarantine.join("rejected.jsonl")).unwrap(), bad.join("\n") + "\n");
        let reasons = fs::read_to_string(quarantine.join("_reasons.jsonl")).unwrap();
        for (i, reason) in reasons.lines().enumerate() {
            let reason: serde_json::Value = serde_json::from_str(reason).unwrap();
            assert_eq!(reason["line"], 2 * i + 1);
        }
    }
}

#[test]
fn line_length_limit_is_exact() {
    const LIMIT: usize = 16 << 20;
    let home = home_with_tickets(10);
    let ticket = fs::read_to_string(first_raw_file(&home)).unwrap().lines().next().unwrap().to_owned();
    // A ticket of exactly `n_bytes` bytes, padded with an unknown field.
    let long = |n_bytes: usize| {
        let n_padding = n_bytes - ticket.len() - "\"x\":\"\",".len();
        ticket.replacen('{', &format!("{{\"x\":\"{}\",", "y".repeat(n_padding)), 1)
    };
    for (n_bytes, is_accepted) in [(LIMIT - 1, true), (LIMIT, true), (LIMIT + 1, false), (LIMIT + (1 << 20), false)] {
        for (before, after) in [("", ""), ("", "\n"), ("\n", "\n{}\n"), ("{}\n", "\n\n")] {
            let n_bad = u64::from(before.contains("{}")) + u64::from(after.contains("{}")) + u64::from(!is_accepted);
            fs::write(home.path().join("long.jsonl"), format!("{before}{}{after}", long(n_bytes))).unwrap();
            let output = transform(&home, &["--input", "long.jsonl"]);
            assert_eq!(output.status.code(), Some(if n_bad == 0 { 0 } else { 3 }), "{}", stderr(&output));
            let n_good = u64::from(is_accepted);
            assert_eq!(manifest(&home).rows, counts(n_good + n_bad, n_good, n_bad), "{n_bytes} {before:?} {after:?}");
        }
    }
}

#[test]
#[ignore = "slow: writes 2 GB"]
fn line_of_two_gigabytes_is_quarantined_in_bounded_memory() {
    const N_BYTES: u64 = 2 << 30;
    let home = home_with_tickets(10);
    let mut child = spawn(&home, &["--input", "-"]);
    let mut stdin = child.stdin.take().unwrap();
    let tickets = fs::read(first_raw_file(&home)).unwrap();
    let feeding = std::thread::spawn(move || {
        stdin.write_all(&tickets).unwrap();
        let piece = vec![b'x'; 1 << 20];
        (0..N_BYTES >> 20).for_each(|_| stdin.write_all(&piece).unwrap());
    });
    let (output, peak) = watch(child);
    feeding.join().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert_eq!(manifest(&home).rows, counts(11, 10, 1));
    let rejected = File::open(home.path().join("data/curated/_quarantine/rejected.jsonl")).unwrap();
    assert_eq!(rejected.metadata().unwrap().len(), N_BYTES + 1);
    let mut first = [0; 100];
    (&rejected).read_exact(&mut first).unwrap();
    assert_eq!(first, [b'x'; 100]);
    assert!(peak < 150 << 20, "{peak} bytes");
}

#[test]
#[ignore = "slow: makes a million files"]
fn million_tiny_files_are_read_in_bounded_memory() {
    const N_FILES: usize = 1_000_000;
    let home = home_with_tickets(1000);
    let text = fs::read_to_string(first_raw_file(&home)).unwrap();
    let many = home.path().join("many");
    fs::create_dir(&many).unwrap();
    // Hard links to a few files of one line, because only the number of files to open matters here.
    for (i, line) in text.lines().enumerate() {
        let first = many.join(format!("{:07}.jsonl", i * 1000));
        fs::write(&first, line).unwrap();
        for k in 1..1000 {
            fs::hard_link(&first, many.join(format!("{:07}.jsonl", i * 1000 + k))).unwrap();
        }
    }
    let (output, peak) = watch(spawn(&home, &["--input", "many"]));
    assert!(output.status.success(), "{}", stderr(&output));
    let kept = manifest(&home);
    assert_eq!((kept.rows, kept.inputs.len()), (counts(1_000_000, 1_000_000, 0), N_FILES));
    assert!(peak < MAX_MEMORY_BYTES, "{peak} bytes");
}

#[test]
#[ignore = "slow: reads two million tickets"]
fn memory_use_is_independent_of_the_input_size() {
    let home = tempdir().unwrap();
    generate_into(&home.path().join("data/raw"), 2_000_000);
    for arguments in [&["--threads", "2"][..], &["--threads", "2", "--dedupe", "latest"]] {
        let (output, peak) = watch(spawn(&home, arguments));
        assert!(output.status.success(), "{}", stderr(&output));
        assert_eq!(manifest(&home).rows, counts(2_000_000, 2_000_000, 0));
        assert!(peak < MAX_MEMORY_BYTES, "{arguments:?}: {peak} bytes");
    }
}
