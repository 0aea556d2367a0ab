//! Encoding throughput of a row group with each codec.
#![allow(missing_docs, clippy::unwrap_used, reason = "criterion's macros, and a benchmark may panic")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use generate::World;
use generate::render::{MAX_LINE_BYTES, Renderer};
use manifest::WorldParameters;
use parquet_encode::Compression;
use transform::decode::Decoder;
use transform::rows::columns::Rows;
use transform::write::row_group::Encoder;

/// The number of rows, about one row group of the largest market.
const N_ROWS: usize = 125_000;

/// Returns the tickets of one market as `generate` writes them.
fn rows() -> Rows {
    let parameters = WorldParameters::new(42, "2026-11-22".parse().unwrap(), 90, 5_000_000);
    let world = World::new(parameters.clone()).unwrap();
    let renderer = Renderer::new(parameters.world_start, parameters.as_of);
    let mut rows = Rows::default();
    let (mut line, mut decoder) = ([0; MAX_LINE_BYTES], Decoder::default());
    for ticket in world.tickets(0..5_000_000) {
        let n_bytes = renderer.render(&ticket, &mut line);
        let row = decoder.decode(&line[..n_bytes - 1]).unwrap();
        if row.market.as_str() == "DE" {
            rows.push(&row);
            if rows.len() == N_ROWS {
                break;
            }
        }
    }
    rows
}

fn encode(criterion: &mut Criterion) {
    let rows = rows();
    let mut group = criterion.benchmark_group("encode");
    group.throughput(Throughput::Elements(rows.len() as u64)).sample_size(20);
    for (name, compression) in
        [("snappy", Compression::Snappy), ("zstd", Compression::Zstd), ("none", Compression::None)]
    {
        let mut encoder = Encoder::new(compression).unwrap();
        group.bench_function(name, |bencher| {
            bencher.iter(|| encoder.encode(std::slice::from_ref(black_box(&rows))).unwrap());
        });
    }
    group.finish();
}

criterion_group!(benches, encode);
criterion_main!(benches);
