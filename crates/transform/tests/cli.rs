//! End-to-end tests of the binary: row counts, options, warnings and errors.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic, and makes the files it needs")]

mod sandbox;

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use manifest::{CuratedManifest, Manifest, RawManifest};
use sandbox::{
    BINARY, counts, files, first_raw_file, generate_dirty_into, generate_into, home_with_tickets, manifest, names,
    stderr, transform,
};
use serde_json::Value;
use tempfile::{TempDir, tempdir};

#[test]
fn defaults_write_a_partition_for_each_market() {
    let home = home_with_tickets(5000);
    let output = transform(&home, &["--input", "data/raw", "--output", "data/curated"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let mut expected: Vec<String> = ["AE", "AU", "CN", "DE", "FR", "GB", "IT", "JP", "KR", "US"]
        .map(|market| format!("tickets/market={market}/part-0.parquet"))
        .to_vec();
    expected.insert(0, "_manifest.json".into());
    assert_eq!(names(&home.path().join("data/curated")), expected);

    let manifest = manifest(&home);
    assert_eq!(manifest.rows, counts(5000, 5000, 0));
    assert_eq!(manifest.markets.values().sum::<u64>(), 5000);
    assert_eq!(manifest.as_of.unwrap().to_string(), "2026-11-22T00:00:00Z");
    assert_eq!(manifest.expected_answers.unwrap().len(), 10);

    let first = files(&home.path().join("data/curated"));
    assert_eq!(transform(&home, &[]).status.code(), Some(0));
    assert!(files(&home.path().join("data/curated")) == first, "a second run writes the same bytes");
}

#[test]
fn input_file_boundaries_do_not_change_the_parquet() {
    let home = home_with_tickets(3000);
    assert!(transform(&home, &[]).status.success());
    let whole: Vec<u8> = (0..3)
        .flat_map(|i| fs::read(home.path().join(format!("data/raw/tickets_20261122_000000_000{i}.jsonl"))).unwrap())
        .collect();
    let mut child = Command::new(BINARY)
        .current_dir(home.path())
        .args(["--input", "-", "--output", "piped"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&whole).unwrap();
    assert!(child.wait().unwrap().success());
    let parquet = |dir: &str| files(&home.path().join(dir).join("tickets"));
    assert!(parquet("piped") == parquet("data/curated"));
    let manifest = CuratedManifest::load(&home.path().join("piped")).unwrap().unwrap();
    assert_eq!((manifest.inputs[0].name.as_str(), manifest.rows), ("-", counts(3000, 3000, 0)));
    assert_eq!(manifest.expected_answers, None, "a stream has no manifest");
    assert!(manifest.as_of.is_some(), "as_of is the latest change");
}

#[test]
fn quarantine_keeps_rejected_bytes_and_their_positions() {
    let home = home_with_tickets(1000);
    let file = first_raw_file(&home);
    let text = fs::read_to_string(&file).unwrap();
    let mut lines: Vec<Vec<u8>> = text.lines().map(|line| line.as_bytes().to_vec()).collect();
    lines[1] = b"{\"half\":".to_vec();
    lines[4] = b"\xFF\xFE rubbish\r".to_vec();
    lines[6] = text.lines().nth(6).unwrap().replace("\"severity\":\"P", "\"severity\":\"Q").into_bytes();
    lines[8] = text.lines().nth(8).unwrap().replace("\"market\":\"", "\"market\":\"../").into_bytes();
    lines.insert(9, b"  ".to_vec());
    let mut dirty = b"\xEF\xBB\xBF".to_vec();
    dirty.extend(lines.join(&b'\n'));
    fs::write(&file, &dirty).unwrap();

    let output = transform(&home, &[]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert_eq!(manifest(&home).rows, counts(1000, 996, 4));
    let bad = [1, 4, 6, 8];
    let expected: Vec<u8> = bad.iter().flat_map(|i| [&lines[*i][..], b"\n"].concat()).collect();
    let quarantine = home.path().join("data/curated/_quarantine");
    assert_eq!(fs::read(quarantine.join("rejected.jsonl")).unwrap(), expected);

    let reasons = fs::read_to_string(quarantine.join("_reasons.jsonl")).unwrap();
    let reasons: Vec<Value> = reasons.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let fields: Vec<Option<&str>> = reasons.iter().map(|reason| reason["field"].as_str()).collect();
    assert_eq!(fields, [None, None, Some("severity"), Some("market")]);
    for (reason, index) in reasons.iter().zip(bad) {
        let offset = usize::try_from(reason["byte_offset"].as_u64().unwrap()).unwrap();
        assert!(dirty[offset..].starts_with(&lines[index]), "{reason}");
        assert_eq!(reason["line"], index + 1);
        assert_eq!(reason["file"], "data/raw/tickets_20261122_000000_0000.jsonl");
    }
    let messages = stderr(&output);
    for part in [
        "4 lines in quarantine",
        "1 line rejected because of severity",
        "line 7: severity `Q",
        "1 blank line skipped",
        "differs from its manifest",
    ] {
        assert!(messages.contains(part), "`{part}` is not in {messages}");
    }
    assert_eq!(manifest(&home).expected_answers, None);

    // A run without rejected lines removes the quarantine.
    generate_into(&home.path().join("data/raw"), 1000);
    assert_eq!(transform(&home, &[]).status.code(), Some(0));
    assert!(!quarantine.exists());
}

#[test]
fn on_error_fail_stops_at_the_first_rejected_line_and_changes_nothing() {
    let home = home_with_tickets(1000);
    assert!(transform(&home, &[]).status.success());
    let before = files(&home.path().join("data"));
    fs::write(home.path().join("bad.jsonl"), "\n{}\n").unwrap();
    let output = transform(&home, &["--input", "data/raw", "bad.jsonl", "--on-error", "fail"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("bad.jsonl, line 2 (byte 1): ticket_id is missing"), "{}", stderr(&output));
    assert!(files(&home.path().join("data")) == before);
}

#[test]
fn overlong_line_is_quarantined() {
    let home = home_with_tickets(10);
    let mut long = vec![b'x'; 40 << 20];
    long.push(b'\n');
    let text = [&long[..], &fs::read(first_raw_file(&home)).unwrap()].concat();
    fs::write(home.path().join("long.jsonl"), text).unwrap();
    let output = transform(&home, &["--input", "long.jsonl"]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(stderr(&output).contains("is longer than 16 MiB"), "{}", stderr(&output));
    assert_eq!(manifest(&home).rows, counts(11, 10, 1));
    assert!(fs::read(home.path().join("data/curated/_quarantine/rejected.jsonl")).unwrap() == long);
}

#[test]
fn overwrite_adds_new_partitions_and_removes_stale_ones() {
    let home = home_with_tickets(1000);
    assert!(transform(&home, &[]).status.success());
    let norwegian = fs::read_to_string(first_raw_file(&home))
        .unwrap()
        .lines()
        .find(|line| line.contains("\"market\":\"IT\""))
        .unwrap()
        .replace("\"market\":\"IT\"", "\"market\":\"NO\"");
    assert!(norwegian.contains("\"NO\""));
    fs::write(home.path().join("no.jsonl"), norwegian).unwrap();
    assert_eq!(transform(&home, &["--input", "no.jsonl"]).status.code(), Some(0));
    assert_eq!(names(&home.path().join("data/curated")), ["_manifest.json", "tickets/market=NO/part-0.parquet"]);
}

#[test]
fn foreign_files_are_kept() {
    let home = home_with_tickets(10);
    assert!(transform(&home, &[]).status.success());
    let mine = home.path().join("data/curated/tickets/market=DE/notes.txt");
    fs::create_dir_all(mine.parent().unwrap()).unwrap();
    fs::write(&mine, "mine").unwrap();
    let output = transform(&home, &[]);
    assert!(
        stderr(&output).contains("market=DE/notes.txt was not written by transform and is kept"),
        "{}",
        stderr(&output)
    );
    assert_eq!(fs::read_to_string(&mine).unwrap(), "mine");
}

#[test]
fn unknown_fields_are_reported_once_with_their_count() {
    let home = home_with_tickets(10);
    let text = fs::read_to_string(first_raw_file(&home))
        .unwrap()
        .replace("{\"ticket_id\"", "{\"mood\":[\"\\u001b\"],\"ticket_id\"");
    fs::write(home.path().join("more.jsonl"), text).unwrap();
    let output = transform(&home, &["--input", "more.jsonl"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(stderr(&output).contains("unknown fields ignored: `mood` (10 lines)"), "{}", stderr(&output));
}

#[test]
fn unlisted_files_are_read_and_reported_and_missing_files_are_an_error() {
    let home = home_with_tickets(2000);
    let raw = home.path().join("data/raw");
    fs::copy(raw.join("tickets_20261122_000000_0001.jsonl"), raw.join("zz.ndjson")).unwrap();
    fs::write(raw.join("readme.txt"), "").unwrap();
    fs::write(raw.join("_hidden.jsonl"), "rubbish").unwrap();
    let output = transform(&home, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    for part in ["zz.ndjson", "readme.txt"] {
        assert!(stderr(&output).contains(part), "{}", stderr(&output));
    }
    assert_eq!(manifest(&home).rows, counts(3000, 3000, 0));
    assert_eq!(manifest(&home).expected_answers, None);

    fs::remove_file(raw.join("tickets_20261122_000000_0000.jsonl")).unwrap();
    let output = transform(&home, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("tickets_20261122_000000_0000.jsonl is missing"), "{}", stderr(&output));
}

#[test]
fn missing_or_empty_input_is_an_error_with_help() {
    let home = tempdir().unwrap();
    fs::create_dir(home.path().join("empty")).unwrap();
    fs::write(home.path().join("blank.jsonl"), "\n \n").unwrap();
    for (input, expected) in [
        ("data/raw", "cannot read data/raw; run `generate` first"),
        ("empty", "no file in empty ends in .jsonl"),
        ("blank.jsonl", "there is nothing to transform"),
        ("-", "no tickets in standard input"),
    ] {
        let output = Command::new(BINARY)
            .current_dir(home.path())
            .args(["--input", input])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{input}");
        assert!(stderr(&output).contains(expected), "{input}: {}", stderr(&output));
    }
    assert!(!home.path().join("data/curated").exists());
}

#[test]
fn usage_errors_exit_with_2() {
    let home = home_with_tickets(10);
    assert!(transform(&home, &[]).status.success());
    fs::write(home.path().join("data/curated/mine.jsonl"), "{}").unwrap();
    for (arguments, expected) in [
        (&["--on-error", "shrug"][..], "quarantine"),
        (&["--input"], "--input"),
        (&["--input", "data/curated/mine.jsonl"], "lies in the output directory"),
        (&["--partition"], "--partition"),
    ] {
        let output = transform(&home, arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(expected), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn raw_data_set_is_not_overwritten() {
    let home = home_with_tickets(10);
    fs::copy(first_raw_file(&home), home.path().join("in.jsonl")).unwrap();
    let output = transform(&home, &["--input", "in.jsonl", "--output", "data/raw"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("choose another --output"), "{}", stderr(&output));
}

#[test]
fn quiet_prints_only_warnings() {
    let home = home_with_tickets(10);
    assert_eq!(stderr(&transform(&home, &["--quiet"])), "");
}

#[test]
fn help_text() {
    let home = tempdir().unwrap();
    insta::assert_snapshot!(String::from_utf8(transform(&home, &["--help"]).stdout).unwrap());
}

/// Creates a directory with dirty tickets of the first seed whose defects satisfy the condition.
fn home_with_defects(is_match: impl Fn(&RawManifest) -> bool) -> (TempDir, RawManifest) {
    let home = tempdir().unwrap();
    let raw = home.path().join("data/raw");
    for seed in 0..200 {
        generate_dirty_into(&raw, 300, seed, "1%");
        let manifest = RawManifest::load(&raw).unwrap().unwrap();
        if is_match(&manifest) {
            return (home, manifest);
        }
    }
    panic!("no seed has such defects");
}

#[test]
fn expected_answers_are_kept_if_exactly_the_injected_defects_are_rejected() {
    let (home, raw) = home_with_defects(|raw| raw.n_copies() == 0 && !raw.defects.is_empty());
    let n_rejected = raw.defects.values().sum();
    assert_eq!(transform(&home, &[]).status.code(), Some(3));
    let curated = manifest(&home);
    assert_eq!(curated.rows, counts(300, 300 - n_rejected, n_rejected));
    assert_eq!(curated.expected_answers, Some(raw.expected_answers));
    assert_eq!((curated.world, curated.markets), (Some(raw.world), raw.markets));

    // The same number of rejected lines, but other ones.
    let name = home.path().join("data/raw").join(&raw.files[0].name);
    let text = fs::read(&name).unwrap();
    let mut lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    let rejected = fs::read(home.path().join("data/curated/_quarantine/rejected.jsonl")).unwrap();
    let broken = lines.iter().position(|line| rejected.starts_with(line) && !line.is_empty()).unwrap();
    let good = lines.iter().position(|line| !rejected.windows(line.len()).any(|part| part == *line)).unwrap();
    lines[broken] = lines[good];
    lines[good] = b"{}";
    fs::write(&name, lines.join(&b'\n')).unwrap();
    assert_eq!(transform(&home, &[]).status.code(), Some(3));
    assert_eq!((manifest(&home).rows, manifest(&home).expected_answers), (curated.rows, None));
}

#[test]
fn expected_answers_are_dropped_with_duplicate_tickets() {
    let (home, raw) = home_with_defects(|raw| raw.n_copies() > 1);
    let output = transform(&home, &[]);
    let (n_copies, n_all) = (raw.n_copies(), raw.defects.values().sum::<u64>());
    assert_eq!(manifest(&home).rows, counts(300 + n_copies, 300 + 2 * n_copies - n_all, n_all - n_copies));
    assert_eq!((manifest(&home).world, manifest(&home).expected_answers), (None, None));
    let expected = format!("{n_copies} duplicate lines injected by `generate --dirty`");
    assert!(stderr(&output).contains(&expected), "{}", stderr(&output));
}

#[test]
fn compressed_inputs_yield_the_same_tickets_and_match_their_manifest() {
    let home = home_with_tickets(2500);
    assert!(transform(&home, &[]).status.success());
    let plain = files(&home.path().join("data/curated/tickets"));
    for compression in [generate::Compression::Gzip, generate::Compression::Zstd] {
        let home = tempdir().unwrap();
        let raw = home.path().join("data/raw");
        let world = manifest::WorldParameters::new(42, "2026-11-22".parse().unwrap(), 90, 2500);
        let config = generate::Config { compression, ..generate::Config::of(world) };
        generate::run_generate(&config, generate::Target::Directory(raw.clone()), &cli_support::Messages::silent())
            .unwrap();
        let output = transform(&home, &[]);
        assert!(output.status.success(), "{}", stderr(&output));
        let curated = home.path().join("data/curated");
        assert!(files(&curated.join("tickets")) == plain, "{compression:?}");
        assert!(CuratedManifest::load(&curated).unwrap().unwrap().expected_answers.is_some(), "{compression:?}");

        // Nothing is published from a truncated or a corrupted file.
        let first = fs::read_dir(&raw)
            .unwrap()
            .map(|file| file.unwrap().path())
            .filter(|file| !file.ends_with("_manifest.json"));
        let first = first.min().unwrap();
        let whole = fs::read(&first).unwrap();
        let mut altered = whole.clone();
        altered[whole.len() / 2] ^= 0x55;
        for damaged in [&whole[..whole.len() / 2], &altered] {
            fs::write(&first, damaged).unwrap();
            let output = transform(&home, &[]);
            assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
            assert!(
                stderr(&output).contains(&first.file_name().unwrap().to_string_lossy().into_owned()),
                "{}",
                stderr(&output)
            );
            assert!(files(&curated.join("tickets")) == plain, "{compression:?}");
        }
    }
}
