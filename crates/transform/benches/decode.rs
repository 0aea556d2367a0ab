//! Decoding throughput on one thread, compared with `serde_json`.
#![allow(missing_docs, clippy::unwrap_used, reason = "criterion's macros, and a benchmark may panic")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use generate::World;
use generate::render::Renderer;
use manifest::WorldParameters;
use transform::decode::Decoder;

#[path = "../tests/oracle/mod.rs"]
mod oracle;

const N_TICKETS: u64 = 20_000;

fn decode(criterion: &mut Criterion) {
    let parameters = WorldParameters::new(42, "2026-11-22".parse().unwrap(), 90, 1_000_000);
    let renderer = Renderer::new(parameters.world_start, parameters.as_of);
    let world = World::new(parameters).unwrap();
    let lines: Vec<Vec<u8>> = world
        .tickets(500_000..500_000 + N_TICKETS)
        .map(|ticket| renderer.line(&ticket).trim_ascii_end().to_vec())
        .collect();
    // The format of Python's json module: spaces after separators and non-ASCII characters escaped.
    let spaced: Vec<Vec<u8>> = lines.iter().map(|line| python_format(line)).collect();

    let mut group = criterion.benchmark_group("decode");
    for (name, lines) in [("generate", &lines), ("python", &spaced)] {
        group.throughput(Throughput::Bytes(lines.iter().map(|line| line.len() as u64 + 1).sum()));
        group.bench_function(format!("{name}: decoder"), |bencher| {
            let mut decoder = Decoder::default();
            bencher.iter(|| lines.iter().for_each(|line| _ = black_box(decoder.decode(black_box(line)))));
        });
        group.bench_function(format!("{name}: serde_json"), |bencher| {
            bencher.iter(|| lines.iter().for_each(|line| _ = black_box(oracle::decode(black_box(line)))));
        });
    }
    group.finish();
}

fn python_format(line: &[u8]) -> Vec<u8> {
    let line = std::str::from_utf8(line).unwrap();
    let spaced = line.replace("\":", "\": ").replace(",\"", ", \"");
    let ascii = spaced.chars().map(|c| if c.is_ascii() { c.to_string() } else { format!("\\u{:04x}", u32::from(c)) });
    ascii.collect::<String>().into_bytes()
}

criterion_group!(benches, decode);
criterion_main!(benches);
