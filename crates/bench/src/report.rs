//! The results as Markdown.

use std::time::Duration;

use cli_support::human;

use crate::engines::Engine;
use crate::job::{Job, Run};
use crate::run::BenchmarkResults;
use crate::statistics::{median, median_duration, paired_ratio};

/// Renders the whole report: environment, figures, method and lower bound.
pub fn render(results: &BenchmarkResults) -> String {
    [INTRODUCTION, &environment(results), &tables(results), METHOD, &limit(results)].join("\n")
}

/// Renders the figures only, a section for each number of tickets.
pub fn tables(results: &BenchmarkResults) -> String {
    results.jobs.iter().map(|job| section(results, job)).collect::<Vec<_>>().join("\n")
}

const INTRODUCTION: &str = "\
# Benchmarks

`transform` next to DuckDB, chDB (ClickHouse as a library), Polars and pyarrow (Apache Arrow C++) at one job: ticket JSON-Lines to
Snappy Parquet, partitioned by market. One command measures it all and writes this file:

```sh
cargo run --release -p bench -- transform
```

It needs Linux, cargo and Python 3.11 or newer, and installs the engines, in pinned versions, below `target/`. Run it on an
otherwise idle machine. `--help` lists the options for tickets, runs, threads and engines.
";

const METHOD: &str = "\
## Method

Each engine converts the same tickets (`generate --seed 42 --as-of 2026-11-22`, 500,000 per file) in a process of its own, with the
fastest settings found for it: `transform --threads N`, and the scripts [`crates/bench/peers/with_*.py`](crates/bench/peers), which
state the alternatives tried. Rounds are interleaved, in an order in which each engine follows each other one equally often. Before
each run, the previous output is synced to disk and the tickets are read into the page cache. The rows of every run are counted. In
the first round the output of each engine is read back; the sums of every column in every market must equal ours.

* **wall**: time from the start to the end of the process: median, fastest and slowest run. `transform` syncs its files before it
  ends; the other engines leave that to the kernel.
* **start**: the part of it that passes before any work: loading the program, or Python and the library.
* **CPU**: processor time of all threads, in user and kernel mode.
* **stolen**: processor time that the hypervisor gave to other guests meanwhile.
* **memory**: peak resident memory, including the program and mapped files.
* **Parquet**: total size of the files, and their number. **tickets/s** is computed from the wall time.
* The second table has the median over all rounds of the ratio to the first row of the same round: 2.00 means twice as much as
  `transform`.

The work is not quite the same: only `transform` validates each line against the ticket contract, computes checksums of its input
and output, and replaces the data set atomically.
";

fn environment(results: &BenchmarkResults) -> String {
    let machine = &results.machine;
    let mut text = format!(
        "On {} with {} of memory, {}, {}:\n\n",
        processors(machine.n_processors, &machine.cpu),
        human::bytes(machine.memory),
        machine.kernel,
        machine.file_system,
    );
    for (name, version) in &results.versions {
        text += &format!("* {name} {version}\n");
    }
    text
}

fn processors(n: usize, name: &str) -> String {
    format!("{} ({name})", human::counted(n as u64, "processor"))
}

fn section(results: &BenchmarkResults, job: &Job) -> String {
    let n_runs = job.runs.first().map_or(0, Vec::len);
    format!(
        "## {} tickets\n\n{} of JSON-Lines in {}; {} of each engine.\n\n{}\nRatios to {}, medians over the rounds:\n\n{}",
        human::count(job.tickets),
        human::bytes(job.input_bytes),
        human::counted(job.n_input_files, "file"),
        human::counted(n_runs as u64, "run"),
        figures(results, job),
        results.engines.first().map(Engine::name).unwrap_or_default(),
        ratios(results, job),
    )
}

fn figures(results: &BenchmarkResults, job: &Job) -> String {
    let header = ["", "wall", "min", "max", "start", "CPU", "stolen", "memory", "Parquet", "files", "tickets/s"];
    let row = |((engine, start), runs): ((&Engine, &Duration), &Vec<Run>)| {
        let walls = || runs.iter().map(|run| run.usage.wall);
        let wall = median_duration(walls());
        let of = |figure: fn(&Run) -> u64| median_count(runs, figure);
        vec![
            engine.name(),
            duration(wall),
            duration(walls().min().unwrap_or_default()),
            duration(walls().max().unwrap_or_default()),
            duration(*start),
            duration(cpu(runs)),
            duration(median_duration(runs.iter().map(|run| run.usage.stolen))),
            human::bytes(of(|run| run.usage.peak_memory)),
            human::bytes(of(|run| run.bytes)),
            human::count(of(|run| run.n_files)),
            human::count((job.tickets as f64 / wall.as_secs_f64()) as u64),
        ]
    };
    table(&header, results.engines.iter().zip(&results.starts).zip(&job.runs).map(row))
}

fn ratios(results: &BenchmarkResults, job: &Job) -> String {
    let figures: [fn(&Run) -> f64; 4] =
        [wall, |run| run.usage.cpu.as_secs_f64(), |run| run.usage.peak_memory as f64, |run| run.bytes as f64];
    let ours = job.runs.first().map_or(&[][..], Vec::as_slice);
    let rows = results.engines.iter().zip(&job.runs).skip(1).map(|(engine, theirs)| {
        let ratios = figures
            .iter()
            .map(|&figure| format!("{:.2}", paired_ratio(&of_each(theirs, figure), &of_each(ours, figure))));
        [engine.name()].into_iter().chain(ratios).collect()
    });
    table(&["", "wall", "CPU", "memory", "Parquet"], rows)
}

fn wall(run: &Run) -> f64 {
    run.usage.wall.as_secs_f64()
}

fn of_each(runs: &[Run], figure: fn(&Run) -> f64) -> Vec<f64> {
    runs.iter().map(figure).collect()
}

fn median_count(runs: &[Run], figure: fn(&Run) -> u64) -> u64 {
    median(&runs.iter().map(|run| figure(run) as f64).collect::<Vec<_>>()) as u64
}

fn cpu(runs: &[Run]) -> Duration {
    median_duration(runs.iter().map(|run| run.usage.cpu))
}

/// Compares the minimum time per ticket on one thread with transform's, and the scaling of both with threads.
fn limit(results: &BenchmarkResults) -> String {
    let is_single = |(engine, _): &(&Engine, &Vec<Run>)| engine.peer.is_none() && engine.threads.get() == 1;
    let Some((job, (single, runs))) =
        results.jobs.last().and_then(|job| Some((job, results.engines.iter().zip(&job.runs).find(is_single)?)))
    else {
        return String::new();
    };
    let per_ticket = |n: u64| n as f64 / job.tickets as f64;
    let text = per_ticket(job.input_bytes);
    let uncompressed = per_ticket(job.uncompressed_bytes);
    let written = per_ticket(median_count(runs, |run| run.bytes));
    let rates = &results.baseline;
    let steps = [
        ("copy the lines in memory", text, rates.copy.alone, Some(rates.copy.together)),
        ("read the lines from the page cache", text, rates.read.alone, Some(rates.read.together)),
        ("compute the CRC-64/NVME of the lines", text, rates.checksum.alone, Some(rates.checksum.together)),
        ("compress the columns with Snappy", uncompressed, rates.snappy.alone, Some(rates.snappy.together)),
        ("write and sync the files", written, rates.write, None),
    ];
    let rows = steps.map(|(name, n_bytes, rate, together)| {
        vec![
            name.to_owned(),
            format!("{:.2}", rate / 1e9),
            format!("{n_bytes:.0}"),
            format!("{:.0}", n_bytes / rate * 1e9),
            together.map(|together| format!("{:.2}", together / rate)).unwrap_or_default(),
        ]
    });
    let least: f64 = steps[1..4].iter().map(|(_, n_bytes, rate, _)| n_bytes / rate * 1e9).sum();
    let actual = cpu(runs).as_secs_f64() * 1e9 / job.tickets as f64;
    let threads = human::counted(results.threads.get() as u64, "thread");
    let ours = job.runs.first().map_or(&[][..], Vec::as_slice);
    let multiple = paired_ratio(&of_each(runs, wall), &of_each(ours, wall));
    format!(
        "\
## Lower bound

Cost of each step on its own, in a simple loop on one thread, per ticket (of {} tickets):

{}
Reading, the checksum and Snappy are unavoidable: {least:.0} ns. {} takes {actual:.0} ns of processor time per ticket, {:.1} times
as much. The difference is parsing, validation, conversion and encoding, for which no lower bound is known.

Copying is listed for comparison. Snappy's rate is measured on the JSON lines; columns may compress faster or slower. Writing is
mostly disk time, which overlaps with processor time.

The last column is the throughput of {threads} together, relative to one. `transform` scales by {multiple:.2}.{}
",
        human::count(job.tickets),
        table(&["", "GB/s", "bytes", "ns", &threads], rows),
        single.name(),
        actual / least,
        scaling_of_processes(&job.independent_processes, &of_each(runs, wall)),
    )
}

/// Reports the scaling of single-threaded processes that share only the machine.
fn scaling_of_processes(walls: &[Duration], walls_of_one: &[f64]) -> String {
    if walls.is_empty() {
        return String::new();
    }
    let walls: Vec<f64> = walls.iter().map(Duration::as_secs_f64).collect();
    let multiple = paired_ratio(walls_of_one, &walls);
    format!(
        " As many\nindependent single-threaded processes, each with its share of the files, scale by {multiple:.2}."
    )
}

/// Formats a duration with at least three digits, unlike [`human::duration`]: `158 ms`, `1.58 s`.
fn duration(duration: Duration) -> String {
    match duration.as_secs_f64() {
        seconds if seconds >= 1.0 => format!("{seconds:.2} s"),
        seconds if seconds >= 0.01 => format!("{:.0} ms", seconds * 1e3),
        seconds => format!("{:.1} ms", seconds * 1e3),
    }
}

/// Renders a Markdown table with aligned columns: names to the left, figures to the right.
fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let rows: Vec<Vec<String>> = rows.into_iter().collect();
    let width = |i: usize| {
        let cells = rows.iter().filter_map(|row| row.get(i)).map(|cell| cell.chars().count());
        cells.chain([header[i].len(), 3]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let row = |cells: &mut dyn Iterator<Item = &str>| {
        let cells = cells.zip(&widths).enumerate();
        line(cells.map(|(i, (cell, &n))| if i == 0 { format!("{cell:n$}") } else { format!("{cell:>n$}") }).collect())
    };
    let rule = widths.iter().enumerate();
    let rule = rule.map(|(i, &n)| if i == 0 { "-".repeat(n) } else { format!("{}:", "-".repeat(n - 1)) });
    let mut text = row(&mut header.iter().copied());
    text += &line(rule.collect());
    for cells in &rows {
        text += &row(&mut cells.iter().map(String::as_str));
    }
    text
}
