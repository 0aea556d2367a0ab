//! Medians, ratios, order of rounds, and the report of invented measurements.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic, and makes the files it needs")]

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bench::engines::{Engine, Peer};
use bench::hardware_baseline::{HardwareBaseline, Rate};
use bench::independent_processes::Share;
use bench::job::{Job, Run};
use bench::machine::Machine;
use bench::measure::Usage;
use bench::report::render;
use bench::run::BenchmarkResults;
use bench::statistics::{median, median_duration, order, paired_ratio};

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-12
}

#[test]
fn median_is_independent_of_order() {
    let of =
        [(&[][..], 0.0), (&[3.0], 3.0), (&[9.0, 1.0], 5.0), (&[9.0, 1.0, 2.0], 2.0), (&[4.0, 1.0, 3.0, 100.0], 3.5)];
    for (values, expected) in of {
        assert!(near(median(values), expected), "{values:?}");
    }
    let durations = [30, 10, 20].map(Duration::from_millis);
    assert_eq!(median_duration(durations), Duration::from_millis(20));
}

#[test]
fn ratios_pair_the_runs_of_a_round() {
    // Twice as long in each round on a machine that slows down; pairs from different rounds would give other ratios.
    assert!(near(paired_ratio(&[2.0, 4.0, 8.0], &[1.0, 2.0, 4.0]), 2.0));
    // Ratios 1, 5 and 2; the ratio of the medians would be 2.5.
    assert!(near(paired_ratio(&[4.0, 5.0, 20.0], &[4.0, 1.0, 10.0]), 2.0));
}

#[test]
fn order_is_balanced_over_rounds() {
    for n in 2..8 {
        let rounds: Vec<Vec<usize>> = (0..2 * n).map(|round| order(n, round)).collect();
        let mut pairs = BTreeMap::new();
        for round in &rounds {
            assert_eq!(round.iter().copied().collect::<BTreeSet<_>>(), (0..n).collect());
            for pair in round.windows(2) {
                *pairs.entry((pair[0], pair[1])).or_insert(0) += 1;
            }
        }
        assert!(pairs.len() == n * (n - 1) && pairs.values().all(|times| *times == 2), "{n}: {pairs:?}");
    }
    assert_eq!(order(6, 0), [0, 1, 5, 2, 4, 3]);
    assert_eq!(order(1, 7), [0]);
    assert!(order(0, 7).is_empty());
}

#[test]
fn independent_processes_have_equal_shares_or_none() {
    let files: Vec<PathBuf> = (0..6).map(|i| PathBuf::from(format!("{i}.jsonl"))).collect();
    let shares = |n_files: usize, n_programs| {
        Share::all(&files[..n_files], NonZeroUsize::new(n_programs).unwrap(), Path::new("out"))
    };
    let (left, right) = files.split_at(3);
    let half = |files, output| Share { files, output: PathBuf::from(output) };
    assert_eq!(shares(6, 2), [half(left, "out/process-0"), half(right, "out/process-1")]);
    assert_eq!((shares(6, 3).len(), shares(6, 1).len()), (3, 1));
    for (n_files, n_programs) in [(5, 2), (1, 2), (6, 12), (0, 2)] {
        assert!(shares(n_files, n_programs).is_empty(), "{n_files} files, {n_programs} programs");
    }
}

fn run(wall_ms: u64, cpu_ms: u64, peak_memory: u64, bytes: u64) -> Run {
    let [wall, cpu, stolen] = [wall_ms, cpu_ms, cpu_ms / 50].map(Duration::from_millis);
    let usage = Usage { wall, cpu, stolen, peak_memory };
    Run { usage, bytes, n_files: 10 }
}

fn results(engines: Vec<Engine>, jobs: Vec<Job>) -> BenchmarkResults {
    BenchmarkResults {
        machine: Machine {
            cpu: "Made-up 9000".to_owned(),
            n_processors: 2,
            memory: 24_000_000_000,
            kernel: "Linux 6.1".to_owned(),
            file_system: "ext4".to_owned(),
        },
        versions: [("Python", "3.11.7"), ("duckdb", "2.0.0")]
            .map(|(name, it)| (name.to_owned(), it.to_owned()))
            .to_vec(),
        starts: [1, 1, 80].map(Duration::from_millis)[..engines.len()].to_vec(),
        engines,
        jobs,
        threads: two(),
        baseline: HardwareBaseline {
            copy: Rate { alone: 10e9, together: 12e9 },
            read: Rate { alone: 8e9, together: 14e9 },
            checksum: Rate { alone: 20e9, together: 39e9 },
            snappy: Rate { alone: 1e9, together: 2e9 },
            write: 0.5e9,
        },
    }
}

fn two() -> NonZeroUsize {
    NonZeroUsize::new(2).unwrap()
}

#[test]
fn report() {
    let small = Job {
        tickets: 5_000,
        input_bytes: 2_000_000,
        n_input_files: 1,
        uncompressed_bytes: 500_000,
        runs: vec![
            vec![run(6, 8, 9_000_000, 420_000)],
            vec![run(9, 8, 8_000_000, 420_000)],
            vec![run(180, 200, 90_000_000, 430_000)],
        ],
        independent_processes: Vec::new(),
    };
    let large = Job {
        tickets: 5_000_000,
        input_bytes: 2_000_000_000,
        n_input_files: 10,
        uncompressed_bytes: 500_000_000,
        runs: vec![
            vec![run(1500, 3000, 300_000_000, 380_000_000), run(1700, 3100, 310_000_000, 380_000_000)],
            vec![run(2900, 2800, 200_000_000, 380_000_000), run(3100, 3000, 200_000_000, 380_000_000)],
            vec![run(6000, 12_000, 2_000_000_000, 384_000_000), run(8000, 13_000, 2_200_000_000, 384_100_000)],
        ],
        independent_processes: [1600, 1650].map(Duration::from_millis).to_vec(),
    };
    let engines = Engine::all(two(), &[Peer::DuckDb]);
    insta::assert_snapshot!(render(&results(engines, vec![small, large])));
}

#[test]
fn transform_comes_first_and_also_runs_with_one_thread() {
    let names = |threads, only: &[Peer]| Engine::all(threads, only).iter().map(Engine::name).collect::<Vec<_>>();
    let peers = ["DuckDB, 2 threads", "chDB, 2 threads", "Polars, 2 threads", "pyarrow, 2 threads"];
    assert_eq!(names(two(), &[]), [&["transform, 2 threads", "transform, 1 thread"][..], &peers].concat());
    assert_eq!(names(NonZeroUsize::MIN, &[Peer::ChDb]), ["transform, 1 thread", "chDB, 1 thread"]);
}
