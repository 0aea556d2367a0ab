//! Injected defects match the truth file for every seed and partition; `--dirty` on the command line.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic, and makes the files it needs")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::path::Path;
use std::process::{Command, Output};

use cli_support::Messages;
use generate::defects::{DefectInjector, InjectedDefect, InjectedDefects, Rate};
use generate::expected_answers::ExpectedAnswers;
use generate::render::Renderer;
use generate::{Config, Target, World, run_generate};
use manifest::defects::DefectKind;
use manifest::{Manifest, RawManifest, Shard, WorldParameters};
use proptest::prelude::*;
use serde_json::Value;
use tempfile::{TempDir, tempdir};
use ticket_schema::{Ticket, Timestamp};
use uuid::Uuid;

/// Lines, the defects injected into them, and the tickets that should remain.
struct Dirty {
    bytes: Vec<u8>,
    injected: InjectedDefects,
    kept: Vec<Ticket>,
}

fn dirty(world: &World, rate: Rate, first: u64, tickets: Range<u64>) -> Dirty {
    let (mut bytes, mut kept) = (Vec::new(), Vec::new());
    let renderer = Renderer::new(world.parameters().world_start, world.parameters().as_of);
    let keep = |ticket: &Ticket| kept.push(*ticket);
    let injected = DefectInjector::new(rate, first).unwrap().inject(world, &renderer, tickets, &mut bytes, keep);
    Dirty { bytes, injected, kept }
}

fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.strip_suffix(b"\n").map_or_else(Vec::new, |bytes| bytes.split(|byte| *byte == b'\n').collect())
}

/// Parses a line as a strict reader of the contract.
fn read(line: &[u8]) -> Option<Ticket> {
    let ticket: Ticket = serde_json::from_slice(line).ok()?;
    let in_order = match ticket.resolved_at {
        Some(resolved_at) => ticket.created_at <= resolved_at && resolved_at <= ticket.updated_at,
        None => ticket.created_at <= ticket.updated_at,
    };
    (in_order && ticket.resolved_at.is_some() == ticket.status.is_resolved()).then_some(ticket)
}

/// Returns the latest state of each ticket, in the order of first occurrence.
fn latest(lines: &[&[u8]]) -> Vec<Ticket> {
    let mut positions = BTreeMap::new();
    let mut latest: Vec<Ticket> = Vec::new();
    for ticket in lines.iter().filter_map(|line| read(line)) {
        let position = *positions.entry(ticket.ticket_id).or_insert(latest.len());
        match latest.get_mut(position) {
            None => latest.push(ticket),
            Some(known) if known.updated_at < ticket.updated_at => *known = ticket,
            Some(_) => {}
        }
    }
    latest
}

fn is_same_car_and_customer(a: &Ticket, b: &Ticket) -> bool {
    let identity = |t: &Ticket| {
        (t.created_at, t.market, t.dealer_id, t.customer_id, t.vin_last6, t.model_series, t.model_year, t.channel)
    };
    identity(a) == identity(b)
}

/// Compares each line with the recorded defects.
fn check_lines(dirty: &Dirty, world: &WorldParameters) -> Result<(), TestCaseError> {
    let lines = lines(&dirty.bytes);
    prop_assert_eq!(dirty.injected.n_lines, lines.len() as u64);
    let mut injected: BTreeMap<u64, &InjectedDefect> =
        dirty.injected.defects.iter().map(|defect| (defect.line, defect)).collect();
    prop_assert_eq!(injected.len(), dirty.injected.defects.len(), "one defect a line");
    let mut before: BTreeMap<Uuid, (&[u8], Ticket)> = BTreeMap::new();
    for (number, line) in lines.iter().enumerate() {
        let shown = String::from_utf8_lossy(line);
        let defect = injected.remove(&(number as u64));
        let Some(ticket) = read(line) else {
            prop_assert!(defect.is_some_and(|defect| defect.kind.is_rejected()), "{}", shown);
            prop_assert!(line.iter().any(|byte| !b" \t\r".contains(byte)), "no line is blank");
            continue;
        };
        prop_assert!(ticket.updated_at <= world.as_of);
        let earlier = before.get(&ticket.ticket_id);
        match (earlier, defect.map(|defect| defect.kind)) {
            (None, None) => {}
            (Some((earlier, _)), Some(DefectKind::Duplicate)) => prop_assert_eq!(earlier, line),
            (Some((_, later)), Some(DefectKind::LateCopy)) => {
                prop_assert!(ticket.updated_at < later.updated_at, "{}", shown);
                prop_assert!(is_same_car_and_customer(&ticket, later), "{}", shown);
            }
            (_, kind) => prop_assert!(false, "{:?}: {}", kind, shown),
        }
        prop_assert!(defect.is_none_or(|defect| defect.ticket_id == ticket.ticket_id));
        before.entry(ticket.ticket_id).or_insert((line, ticket));
    }
    prop_assert!(injected.is_empty());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn truth_file_matches_a_strict_reader(
        seed: u64,
        as_of in 1_550_000_000_i64..1_924_992_000,
        days_back in 1_u32..200,
        count in 1_u64..800,
        percent in 1_u32..=100,
        cuts in prop::collection::vec(0_u64..800, 0..4),
    ) {
        let parameters = WorldParameters::new(seed, Timestamp::from_seconds(as_of).unwrap(), days_back, count);
        let world = World::new(parameters.clone()).unwrap();
        let rate: Rate = format!("{percent}%").parse().unwrap();
        let whole = dirty(&world, rate, 0, 0..count);
        check_lines(&whole, &parameters)?;

        let refused: BTreeSet<Uuid> =
            whole.injected.defects.iter().filter(|defect| defect.kind.is_rejected()).map(|defect| defect.ticket_id).collect();
        let remaining: Vec<Ticket> =
            world.tickets(0..count).filter(|ticket| !refused.contains(&ticket.ticket_id)).collect();
        prop_assert_eq!(&whole.kept, &remaining, "the tickets are those of the clean world");
        prop_assert_eq!(&latest(&lines(&whole.bytes)), &remaining);

        let mut borders: Vec<u64> = cuts.into_iter().map(|cut| cut.min(count)).chain([0, count]).collect();
        borders.sort_unstable();
        let (mut bytes, mut injected) = (Vec::new(), InjectedDefects::default());
        for border in borders.windows(2) {
            let chunk = dirty(&world, rate, 0, border[0]..border[1]);
            bytes.extend(chunk.bytes);
            let defects = chunk.injected.defects.into_iter();
            injected.defects.extend(defects.map(|defect| InjectedDefect { line: injected.n_lines + defect.line, ..defect }));
            injected.n_lines += chunk.injected.n_lines;
        }
        prop_assert!(bytes == whole.bytes);
        prop_assert_eq!(injected, whole.injected);
    }
}

fn parameters(count: u64) -> WorldParameters {
    WorldParameters::new(42, "2026-11-22".parse().unwrap(), 90, count)
}

#[test]
fn every_kind_has_many_variants() {
    let world = World::new(parameters(20_000)).unwrap();
    let Dirty { bytes, injected, .. } = dirty(&world, "1".parse().unwrap(), 0, 0..20_000);
    let lines = lines(&bytes);
    let mut forms: BTreeMap<DefectKind, BTreeSet<String>> = BTreeMap::new();
    let mut fields: BTreeMap<DefectKind, BTreeSet<Option<&str>>> = BTreeMap::new();
    for defect in &injected.defects {
        let line = String::from_utf8_lossy(lines[usize::try_from(defect.line).unwrap()]);
        let value = defect.field.and_then(|field| line.split_once(&format!("\"{field}\":"))).map(|(_, value)| value);
        let form = value.map_or(line.len().to_string(), |value| value.split(',').next().unwrap().to_owned());
        forms.entry(defect.kind).or_default().insert(form);
        fields.entry(defect.kind).or_default().insert(defect.field);
    }
    let guide = include_str!("../../../docs/guides/worlds-and-scenarios.md");
    for kind in DefectKind::ALL {
        assert!(forms.contains_key(kind), "{kind} has no share in DEFECT_KINDS of src/defects/plan.rs");
        assert!(guide.contains(&format!("| `{kind}` |")), "docs/guides/worlds-and-scenarios.md has no row for {kind}");
    }
    let n_fields: Vec<(DefectKind, usize)> = fields.into_iter().map(|(kind, fields)| (kind, fields.len())).collect();
    let expected = [
        (DefectKind::CutLine, 1),
        (DefectKind::WrongType, 15),
        (DefectKind::UnknownText, 5),
        (DefectKind::ImpossibleTime, 3),
        (DefectKind::BadUtf8, 13),
        (DefectKind::Duplicate, 1),
        (DefectKind::LateCopy, 1),
    ];
    assert_eq!(n_fields, expected, "the fields that a kind occurs in");
    for (kind, at_least) in [
        (DefectKind::CutLine, 300),
        (DefectKind::WrongType, 300),
        (DefectKind::UnknownText, 45),
        (DefectKind::ImpossibleTime, 300),
        (DefectKind::BadUtf8, 300),
    ] {
        assert!(forms[&kind].len() >= at_least, "{kind}: {}", forms[&kind].len());
    }
}

/// A data set on disk: lines, truth file and manifest.
struct DataSet {
    lines: Vec<u8>,
    truth: Vec<Value>,
    manifest: RawManifest,
}

impl DataSet {
    fn load(dir: &Path) -> Self {
        let manifest = RawManifest::load(dir).unwrap().unwrap();
        let lines = manifest.files.iter().flat_map(|file| fs::read(dir.join(&file.name)).unwrap()).collect();
        let truth = fs::read_to_string(dir.join("_truth.jsonl")).unwrap();
        Self { lines, truth: truth.lines().map(|line| serde_json::from_str(line).unwrap()).collect(), manifest }
    }

    fn make(count: u64, shard: Option<Shard>, batch_size: u64, threads: usize) -> Self {
        let home = tempdir().unwrap();
        let config = Config {
            shard,
            batch_size,
            dirty: "5%".parse().unwrap(),
            threads: NonZeroUsize::new(threads).unwrap(),
            ..Config::of(parameters(count))
        };
        run_generate(&config, Target::Directory(home.path().join("raw")), &Messages::silent()).unwrap();
        Self::load(&home.path().join("raw"))
    }

    /// Entries of the truth file without their positions, which depend on the file layout.
    fn defects(&self) -> impl Iterator<Item = (Value, Value, Value)> {
        self.truth.iter().map(|it| (it["kind"].clone(), it["ticket_id"].clone(), it["field"].clone()))
    }
}

#[test]
fn lines_are_independent_of_batch_size_threads_and_shards() {
    let whole = DataSet::make(2500, None, 2500, 1);
    let world = World::new(parameters(2500)).unwrap();
    let expected = dirty(&world, "5%".parse().unwrap(), 0, 0..2500);
    assert!(whole.lines == expected.bytes);
    let at: Vec<u64> = whole.truth.iter().map(|entry| entry["line"].as_u64().unwrap()).collect();
    assert_eq!(at, expected.injected.defects.iter().map(|defect| defect.line + 1).collect::<Vec<_>>());

    for (batch_size, threads) in [(999, 1), (5, 7), (2048, 2), (2500, 3)] {
        let other = DataSet::make(2500, None, batch_size, threads);
        assert!(other.lines == whole.lines, "{batch_size} a file");
        assert!(other.defects().eq(whole.defects()), "{batch_size} a file");
        assert_eq!(other.manifest.expected_answers, whole.manifest.expected_answers);
    }
    for of in [2, 3, 80] {
        let shards = |index| DataSet::make(2500, Some(Shard { index, of }), 100, 2);
        let shards: Vec<DataSet> = (1..=of).map(shards).collect();
        assert!(shards.iter().flat_map(|shard| &shard.lines).eq(&whole.lines), "{of} shards");
        assert!(shards.iter().flat_map(DataSet::defects).eq(whole.defects()), "{of} shards");
    }
}

#[test]
fn expected_answers_cover_the_remaining_tickets() {
    for shard in [None, Some(Shard { index: 2, of: 3 }), Some(Shard { index: 90, of: 100 })] {
        let DataSet { lines: bytes, truth, manifest } = DataSet::make(6000, shard, 700, 2);
        let lines = lines(&bytes);
        let mut answers = ExpectedAnswers::new(&manifest.world);
        for ticket in &latest(&lines) {
            answers.count(ticket);
        }
        assert_eq!(manifest.expected_answers, answers.answers(), "{shard:?}");
        assert_eq!(manifest.markets, answers.tickets_by_market(), "{shard:?}");
        assert_eq!(manifest.rows, lines.len() as u64);

        let mut by_kind: BTreeMap<DefectKind, u64> = BTreeMap::new();
        for entry in &truth {
            *by_kind.entry(serde_json::from_value(entry["kind"].clone()).unwrap()).or_default() += 1;
        }
        assert_eq!(manifest.defects, by_kind);
        assert_eq!(manifest.truth.unwrap().rows, truth.len() as u64);
    }
}

const BINARY: &str = env!("CARGO_BIN_EXE_generate");

fn generate(home: &TempDir, arguments: &[&str]) -> Output {
    let world = ["--as-of", "2026-11-22", "--count", "3000"];
    Command::new(BINARY).current_dir(home.path()).args(world).args(arguments).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn truth_file_names_file_and_line_of_each_defect() {
    let home = tempdir().unwrap();
    let output = generate(&home, &["--dirty", "2%"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let raw = home.path().join("data/raw");
    let DataSet { truth, manifest, .. } = DataSet::load(&raw);
    assert!((30..90).contains(&truth.len()), "{}", truth.len());
    assert!(
        stderr(&output).contains(&format!("3,000 tickets, {} defects, 3 files", truth.len())),
        "{}",
        stderr(&output)
    );

    let mut refused: BTreeSet<(String, u64)> = BTreeSet::new();
    for file in &manifest.files {
        let bytes = fs::read(raw.join(&file.name)).unwrap();
        let bad =
            lines(&bytes).iter().zip(1..).filter(|(line, _)| read(line).is_none()).map(|(_, n)| n).collect::<Vec<_>>();
        refused.extend(bad.into_iter().map(|n| (file.name.clone(), n)));
        assert_eq!(file.rows, lines(&bytes).len() as u64);
    }
    let is_copy = |entry: &&Value| matches!(entry["kind"].as_str(), Some("duplicate" | "late_copy"));
    let recorded = truth.iter().filter(|entry| !is_copy(entry));
    let recorded = recorded.map(|entry| (entry["file"].as_str().unwrap().to_owned(), entry["line"].as_u64().unwrap()));
    assert_eq!(recorded.collect::<BTreeSet<_>>(), refused);
}

#[test]
fn repeat_command_covers_defects_and_a_clean_run_removes_the_truth_file() {
    let home = tempdir().unwrap();
    assert!(generate(&home, &["--dirty", "0.7%"]).status.success());
    let raw = home.path().join("data/raw");
    let first = DataSet::load(&raw);
    assert!(first.manifest.repeat.ends_with(" --dirty 0.007"), "{}", first.manifest.repeat);
    let words = first.manifest.repeat.split(' ').skip(1);
    let again = Command::new(BINARY).current_dir(home.path()).args(words).args(["--output", "again"]).output();
    assert!(again.unwrap().status.success());
    for name in ["_manifest.json", "_truth.jsonl"] {
        assert!(fs::read(raw.join(name)).unwrap() == fs::read(home.path().join("again").join(name)).unwrap(), "{name}");
    }

    let output = generate(&home, &["--dirty", "0"]);
    assert!(!raw.join("_truth.jsonl").exists() && !stderr(&output).contains("warning"), "{}", stderr(&output));
    let manifest = fs::read_to_string(raw.join("_manifest.json")).unwrap();
    assert!(generate(&home, &[]).status.success());
    assert_eq!(fs::read_to_string(raw.join("_manifest.json")).unwrap(), manifest, "0 is the default");
    assert!(!manifest.contains("dirty") && !manifest.contains("defects") && !manifest.contains("truth"), "{manifest}");
}

#[test]
fn invalid_rates_and_streams_are_usage_errors() {
    let home = tempdir().unwrap();
    for (arguments, expected) in [
        (&["--dirty", "1.5"][..], "expected a share from 0 to 1"),
        (&["--dirty", "101%"], "expected a share from 0 to 1"),
        (&["--dirty", "-0.1"], "expected a share from 0 to 1"),
        (&["--dirty=-1%"], "expected a share from 0 to 1"),
        (&["--dirty", "some"], "expected a share from 0 to 1"),
        (&["--dirty", "NaN"], "expected a share from 0 to 1"),
        (&["--dirty"], "--dirty"),
        (&["--dirty", "1%", "--output", "-"], "--dirty needs a directory"),
    ] {
        let output = generate(&home, arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(expected) && output.stdout.is_empty(), "{arguments:?}: {}", stderr(&output));
    }
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
    assert!(!generate(&home, &["--dirty", "0", "--output", "-"]).stdout.is_empty());
}
