//! The results as Markdown.

use std::time::Duration;

use cli_support::human;

use crate::engines::Engine;
use crate::job::{Job, Run};
use crate::run::Found;
use crate::statistics::{median, median_duration, paired_ratio};

/// The whole report: the figures, where they were taken, what they mean and what bounds them.
pub fn render(found: &Found) -> String {
    [INTRODUCTION, &where_and_what(found), &tables(found), MEANING, &limit(found)].join("\n")
}

/// The figures alone, a section for each number of tickets.
pub fn tables(found: &Found) -> String {
    found.jobs.iter().map(|job| section(found, job)).collect::<Vec<_>>().join("\n")
}

const INTRODUCTION: &str = "\
# Benchmarks

`transform` next to DuckDB, chDB (ClickHouse as a library), Polars and pyarrow (Apache Arrow C++) at one job: ticket JSON-Lines to
Snappy Parquet, partitioned by market. One command measures it all and writes this file:

```sh
cargo run --release -p bench -- transform
```

It needs Linux, cargo and Python 3.11 or newer; it installs the others, in pinned versions, below `target/`. Leave the machine
alone while it runs. `--help` shows how to choose tickets, runs, threads and engines.
";

const MEANING: &str = "\
## What was measured

Each engine converts the same tickets (`generate --seed 42 --as-of 2026-11-22`, 500,000 a file) in a process of its own, in the
settings found best for it: `transform --threads N`, and the scripts [`crates/bench/peers/with_*.py`](crates/bench/peers), which
say what else was tried. They take turns, in another order each round, such that each comes to follow each other. Before each run,
what the one before has written is brought to disk, and the tickets are read, so that they come from the page cache. Every run's
rows are counted. In the first round each engine's files are read back, and the sums of every column in every market are the
same as ours.

* **wall**: from start to end of the process, the median of all runs, then the fastest and the slowest. Ours ends when its files
  are on disk; the others leave that to the kernel.
* **start**: the part of it that goes by before there is anything to do: Python and the library, or our program, and nothing more.
* **CPU**: processor time of all threads, in the program and in the kernel for it.
* **stolen**: processor time that the machine's host gave to others meanwhile, as the kernel saw it. Nobody can use that.
* **memory**: the most the process held at one time, its program and mapped files included.
* **Parquet**: bytes of all files, with their number. **tickets/s** go by the wall time.
* The second table divides each engine's figure by that of the first row in the same round and shows the median of these
  ratios: 2.00 is twice as much as ours.

Not the same for all: only `transform` holds each line against the ticket contract, takes checksums of what it reads and writes,
and replaces the data set in one step.
";

fn where_and_what(found: &Found) -> String {
    let machine = &found.machine;
    let mut text = format!(
        "On {} with {} of memory, {}, {}:\n\n",
        processors(machine.n_processors, &machine.cpu),
        human::bytes(machine.memory),
        machine.kernel,
        machine.file_system,
    );
    for (name, version) in &found.versions {
        text += &format!("* {name} {version}\n");
    }
    text
}

fn processors(n: usize, name: &str) -> String {
    format!("{} ({name})", human::counted(n as u64, "processor"))
}

fn section(found: &Found, job: &Job) -> String {
    let n_runs = job.runs.first().map_or(0, Vec::len);
    format!(
        "## {} tickets\n\n{} of JSON-Lines in {}; {} of each engine.\n\n{}\nAgainst {}, round by round:\n\n{}",
        human::count(job.tickets),
        human::bytes(job.input_bytes),
        human::counted(job.n_input_files, "file"),
        human::counted(n_runs as u64, "run"),
        figures(found, job),
        found.engines.first().map(Engine::name).unwrap_or_default(),
        ratios(found, job),
    )
}

fn figures(found: &Found, job: &Job) -> String {
    let header = ["", "wall", "least", "most", "start", "CPU", "stolen", "memory", "Parquet", "files", "tickets/s"];
    let row = |((engine, start), runs): ((&Engine, &Duration), &Vec<Run>)| {
        let walls = || runs.iter().map(|run| run.usage.wall);
        let wall = median_duration(walls());
        let of = |figure: fn(&Run) -> u64| middle(runs, figure);
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
    table(&header, found.engines.iter().zip(&found.starts).zip(&job.runs).map(row))
}

fn ratios(found: &Found, job: &Job) -> String {
    let figures: [fn(&Run) -> f64; 4] =
        [wall, |run| run.usage.cpu.as_secs_f64(), |run| run.usage.peak_memory as f64, |run| run.bytes as f64];
    let ours = job.runs.first().map_or(&[][..], Vec::as_slice);
    let rows = found.engines.iter().zip(&job.runs).skip(1).map(|(engine, theirs)| {
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

fn middle(runs: &[Run], figure: fn(&Run) -> u64) -> u64 {
    median(&runs.iter().map(|run| figure(run) as f64).collect::<Vec<_>>()) as u64
}

fn cpu(runs: &[Run]) -> Duration {
    median_duration(runs.iter().map(|run| run.usage.cpu))
}

/// Compares the minimum time per ticket on one thread with transform's, and the scaling of both with threads.
fn limit(found: &Found) -> String {
    let is_single = |(engine, _): &(&Engine, &Vec<Run>)| engine.peer.is_none() && engine.threads.get() == 1;
    let Some((job, (single, runs))) =
        found.jobs.last().and_then(|job| Some((job, found.engines.iter().zip(&job.runs).find(is_single)?)))
    else {
        return String::new();
    };
    let per_ticket = |n: u64| n as f64 / job.tickets as f64;
    let text = per_ticket(job.input_bytes);
    let unpacked = per_ticket(job.unpacked_bytes);
    let written = per_ticket(middle(runs, |run| run.bytes));
    let rates = &found.baseline;
    let steps = [
        ("copy the text in memory", text, rates.copy.alone, Some(rates.copy.together)),
        ("read the text from the page cache", text, rates.read.alone, Some(rates.read.together)),
        ("take the text's CRC-64/NVME", text, rates.checksum.alone, Some(rates.checksum.together)),
        ("pack the columns with Snappy", unpacked, rates.snappy.alone, Some(rates.snappy.together)),
        ("write the files and bring them to disk", written, rates.write, None),
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
    let taken = cpu(runs).as_secs_f64() * 1e9 / job.tickets as f64;
    let threads = human::counted(found.threads.get() as u64, "thread");
    let ours = job.runs.first().map_or(&[][..], Vec::as_slice);
    let multiple = paired_ratio(&of_each(runs, wall), &of_each(ours, wall));
    format!(
        "\
## What the limit is

What one thread of this machine does with the bytes of a ticket (of {} tickets), each step alone in a simple loop:

{}
Reading, the checksum and Snappy can't be left out: {least:.0} ns. {} takes {taken:.0} ns of processor time a ticket, {:.1} times
that. The difference is what these loops don't do: find the fields, check and convert them, and encode the columns. It isn't known
how little that could take.

Copying is there for scale: each byte is read once and written once. Snappy's rate is that of the tickets' text; columns may pack
faster or slower. Writing is mostly waiting for the disk, which can go on meanwhile.

The last column is what {threads} of this machine do together, as a multiple of what one does. transform's own multiple is
{multiple:.2}.{}
",
        human::count(job.tickets),
        table(&["", "GB/s", "bytes", "ns", &threads], rows),
        single.name(),
        taken / least,
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
        " As many programs of one thread, each with its share of the files and nothing in common but the machine,\nreach {multiple:.2} together."
    )
}

/// `158 ms`, `1.58 s`: three digits at least, which [`human::duration`] doesn't give.
fn duration(duration: Duration) -> String {
    match duration.as_secs_f64() {
        seconds if seconds >= 1.0 => format!("{seconds:.2} s"),
        seconds if seconds >= 0.01 => format!("{:.0} ms", seconds * 1e3),
        seconds => format!("{:.1} ms", seconds * 1e3),
    }
}

/// A Markdown table that also reads well as it is: names to the left, figures to the right.
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
