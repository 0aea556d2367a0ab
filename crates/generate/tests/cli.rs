//! The `generate` binary: effects of each option, and error messages.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic, and makes the files it needs")]

mod generate_binary;

use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};

use generate_binary::{BINARY, all_lines, generate, generate_ok, manifest, names, stderr};
use publish::Checksum;
use tempfile::tempdir;

#[test]
fn defaults_write_five_files_of_1000_tickets() {
    let home = tempdir().unwrap();
    let output = generate_ok(&home, &[]);
    let raw = home.path().join("data/raw");
    let expected: Vec<String> = std::iter::once("_manifest.json".to_owned())
        .chain((0..5).map(|i| format!("tickets_20261122_000000_000{i}.jsonl")))
        .collect();
    assert_eq!(names(&raw), expected);
    assert!(output.stdout.is_empty());
    assert!(stderr(&output).starts_with("generate: 5,000 tickets, 5 files, 2.0 MB in "), "{}", stderr(&output));

    let manifest = manifest(&raw);
    assert_eq!((manifest.rows, manifest.world.seed, manifest.world.days_back), (5000, 42, 90));
    assert_eq!(manifest.markets.values().sum::<u64>(), 5000);
    assert_eq!(manifest.expected_answers.len(), 10);
    for file in &manifest.files {
        let bytes = fs::read(raw.join(&file.name)).unwrap();
        let mut checksum = Checksum::default();
        checksum.update(&bytes);
        assert_eq!((file.bytes, &file.crc64nvme), (bytes.len() as u64, &checksum.to_base64()));
        assert_eq!(file.rows, bytes.split(|byte| *byte == b'\n').count() as u64 - 1);
    }
}

#[test]
fn repeat_command_in_the_manifest_reproduces_the_run() {
    let home = tempdir().unwrap();
    generate_ok(
        &home,
        &["--count", "2500", "--days-back", "10", "--seed", "9", "--batch-size", "700", "--shard", "2/3"],
    );
    let raw = home.path().join("data/raw");
    let (first, repeat) = (fs::read(raw.join("_manifest.json")).unwrap(), manifest(&raw).repeat);
    let words: Vec<&str> = repeat.split(' ').skip(1).collect();
    assert!(generate(home.path(), &[&words[..], &["--output", "again"]].concat()).status.success(), "{repeat}");
    assert_eq!(fs::read(home.path().join("again/_manifest.json")).unwrap(), first);
}

#[test]
fn lines_are_independent_of_batch_size_threads_and_shards() {
    let home = tempdir().unwrap();
    let whole = generate_ok(&home, &["--output", "-", "--threads", "1"]).stdout;
    generate_ok(&home, &["--output", "b", "--batch-size", "333", "--threads", "3"]);
    assert_eq!(names(&home.path().join("b")).len(), 17);
    assert!(all_lines(&home.path().join("b")) == whole);
    let mut shards = Vec::new();
    for shard in ["1/3", "2/3", "3/3"] {
        generate_ok(&home, &["--output", "s", "--shard", shard]);
        shards.extend(all_lines(&home.path().join("s")));
    }
    assert!(shards == whole);
    assert_eq!(names(&home.path().join("s"))[1], "tickets_20261122_000000_3of3_0000.jsonl");
}

#[test]
fn each_world_option_changes_the_tickets() {
    let home = tempdir().unwrap();
    let lines = |arguments: &[&str]| {
        let output = generate(home.path(), &[&["--count", "100", "--output", "-"], arguments].concat());
        assert!(output.status.success());
        output.stdout
    };
    let base = lines(&["--as-of", "2026-11-20"]);
    assert!(base == lines(&["--as-of", "2026-11-20T00:00:00Z"]));
    assert!(base == lines(&["--as-of", "2026-11-20T01:00:00+01:00"]));
    for other in [
        &["--as-of", "2026-11-19"][..],
        &["--as-of", "2026-11-20", "--seed", "43"],
        &["--as-of", "2026-11-20", "--days-back", "91"],
    ] {
        assert!(base != lines(other), "{other:?}");
    }
    // Without --as-of the default is today's midnight, which is later than the date above.
    assert!(base != lines(&[]));
}

#[test]
fn rerun_replaces_the_data_set_and_keeps_foreign_files() {
    let home = tempdir().unwrap();
    generate_ok(&home, &[]);
    let raw = home.path().join("data/raw");
    fs::write(raw.join("notes.txt"), "mine").unwrap();
    let output = generate_ok(&home, &["--count", "10"]);
    assert_eq!(names(&raw), ["_manifest.json", "notes.txt", "tickets_20261122_000000_0000.jsonl"]);
    assert_eq!(
        stderr(&output).lines().next(),
        Some("warning: kept data/raw/notes.txt: it was not written by generate")
    );
    assert_eq!(fs::read_to_string(raw.join("notes.txt")).unwrap(), "mine");
}

/// Compressed files are independent of the number of threads, and decompress to the same lines.
#[test]
fn compressed_files_decompress_to_the_same_lines() {
    let home = tempdir().unwrap();
    let lines = generate_ok(&home, &["--output", "-"]).stdout;
    for (codec, ending) in [("gzip", ".jsonl.gz"), ("zstd", ".jsonl.zst")] {
        // More than one chunk per file.
        let options = ["--compress", codec, "--batch-size", "1300", "--output"];
        generate_ok(&home, &[&options[..], &["one", "--threads", "1"]].concat());
        generate_ok(&home, &[&options[..], &["many", "--threads", "7"]].concat());
        let [one, many] = ["one", "many"].map(|dir| home.path().join(dir));
        assert_eq!(fs::read(one.join("_manifest.json")).unwrap(), fs::read(many.join("_manifest.json")).unwrap());
        assert!(manifest(&one).repeat.ends_with(&format!("--batch-size 1300 --compress {codec}")));

        let mut decompressed = Vec::new();
        for file in manifest(&one).files {
            assert!(file.name.ends_with(ending), "{}", file.name);
            let compressed = fs::read(one.join(&file.name)).unwrap();
            assert!(compressed == fs::read(many.join(&file.name)).unwrap(), "{codec}: other bytes with other threads");
            let mut checksum = Checksum::default();
            checksum.update(&compressed);
            assert_eq!((file.bytes, file.crc64nvme), (compressed.len() as u64, checksum.to_base64()));
            decompress(codec, &compressed, &mut decompressed);
        }
        assert!(decompressed == lines, "{codec}: other lines");

        let stream = generate_ok(&home, &["--compress", codec, "--output", "-"]).stdout;
        let mut decompressed = Vec::new();
        decompress(codec, &stream, &mut decompressed);
        assert!(decompressed == lines, "{codec}: other lines in a stream");
    }
}

fn decompress(codec: &str, compressed: &[u8], decompressed: &mut Vec<u8>) {
    let n_bytes = match codec {
        "gzip" => flate2::read::MultiGzDecoder::new(compressed).read_to_end(decompressed),
        _ => zstd::Decoder::new(compressed).unwrap().read_to_end(decompressed),
    };
    assert!(n_bytes.unwrap() > 0);
}

#[test]
fn stream_summary_contains_the_checksum() {
    let home = tempdir().unwrap();
    for codec in ["none", "gzip"] {
        let output = generate_ok(&home, &["--compress", codec, "--output", "-"]);
        let mut checksum = Checksum::default();
        checksum.update(&output.stdout);
        let expected = format!(" (CRC-64/NVME {})", checksum.to_base64());
        assert!(stderr(&output).contains(&expected), "{expected}: {}", stderr(&output));
    }
}

#[test]
fn quiet_suppresses_the_summary() {
    let home = tempdir().unwrap();
    assert_eq!(stderr(&generate_ok(&home, &["--quiet"])), "");
}

#[test]
fn usage_errors_exit_with_2_and_name_the_expectation() {
    let home = tempdir().unwrap();
    for (arguments, expected) in [
        (&["--count", "0"][..], "--count"),
        (&["--count", "many"], "--count"),
        (&["--batch-size", "0"], "--batch-size"),
        (&["--days-back", "0"], "--days-back"),
        (&["--threads", "0"], "--threads"),
        (&["--compress", "rar"], "gzip"),
        (&["--as-of", "yesterday"], "2026-11-22T00:00:00Z"),
        (&["--shard", "0/3"], "expected I/N"),
        (&["--shard", "4/3"], "expected I/N"),
        (&["--colour"], "--colour"),
    ] {
        let output = generate(home.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains(expected), "{arguments:?}: {}", stderr(&output));
    }
    assert_eq!(names(home.path()), Vec::<String>::new());
}

#[test]
fn failures_exit_with_1_and_change_nothing() {
    let home = tempdir().unwrap();
    fs::write(home.path().join("file"), "mine").unwrap();
    fs::create_dir(home.path().join("other")).unwrap();
    fs::write(home.path().join("other/_manifest.json"), "{\"stage\":\"curated\"}").unwrap();
    for (arguments, expected) in [
        (&["--as-of", "2017-01-01"][..], "choose a later --as-of"),
        (&["--output", "file"], "is a file"),
        (&["--output", "other"], "choose another --output"),
    ] {
        let output = generate(home.path(), arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(stderr(&output).contains(expected), "{arguments:?}: {}", stderr(&output));
    }
    assert_eq!(names(home.path()), ["file", "other"]);
}

/// Thread creation fails: no system can reserve stacks of this size.
#[cfg(unix)]
#[test]
fn falls_back_to_one_thread_if_spawning_fails() {
    let (home, usual) = (tempdir().unwrap(), tempdir().unwrap());
    let arguments = ["--count", "3000", "--threads", "4"];
    generate_ok(&usual, &arguments);
    let output = Command::new(BINARY)
        .current_dir(home.path())
        .args(arguments)
        .args(["--as-of", "2026-11-22"])
        .env("RUST_MIN_STACK", "100000000000000000")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(all_lines(&home.path().join("data/raw")) == all_lines(&usual.path().join("data/raw")));
}

#[test]
fn closed_stdout_pipe_exits_with_0() {
    let home = tempdir().unwrap();
    let mut child = Command::new(BINARY)
        .current_dir(home.path())
        .args(["--count", "1000000", "--output", "-"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(stderr(&output), "");
}

#[cfg(unix)]
#[test]
fn interrupt_keeps_the_previous_data_set() {
    let home = tempdir().unwrap();
    generate_ok(&home, &["--count", "10"]);
    let mut child = Command::new(BINARY)
        .current_dir(home.path())
        .args(["--count", "1000000000", "--quiet"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let partial = home.path().join("data/.raw.partial");
    while !partial.exists() {
        assert!(child.try_wait().unwrap().is_none());
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert!(stderr(&output).starts_with("interrupted: ") && stderr(&output).ends_with("data/raw is unchanged\n"));
    assert_eq!(names(&home.path().join("data")), [".raw.lock", "raw"]);
    assert_eq!(manifest(&home.path().join("data/raw")).rows, 10);
}

/// Kills the run at 40 times spread over its duration, including the swap of the directories.
#[cfg(unix)]
#[test]
fn kill_at_any_time_leaves_a_complete_data_set() {
    let home = tempdir().unwrap();
    generate_ok(&home, &["--count", "1000"]);
    let raw = home.path().join("data/raw");
    for round in 0..40 {
        let count = if round % 2 == 0 { "3000" } else { "4000" };
        let mut child = Command::new(BINARY)
            .current_dir(home.path())
            .args(["--as-of", "2026-11-22", "--quiet", "--batch-size", "50", "--count", count])
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(round * 5));
        child.kill().unwrap();
        child.wait().unwrap();
        let manifest = manifest(&raw);
        assert!([1000, 3000, 4000].contains(&manifest.rows));
        assert_eq!(names(&raw).len(), manifest.files.len() + 1);
        for file in &manifest.files {
            assert_eq!(fs::metadata(raw.join(&file.name)).unwrap().len(), file.bytes);
        }
    }
    generate_ok(&home, &["--count", "10"]);
    assert_eq!(names(&home.path().join("data")), [".raw.lock", "raw"]);
}

#[test]
fn help_text() {
    let home = tempdir().unwrap();
    let output = Command::new(BINARY).current_dir(home.path()).env("COLUMNS", "100").arg("--help").output();
    insta::assert_snapshot!(String::from_utf8(output.unwrap().stdout).unwrap());
}
