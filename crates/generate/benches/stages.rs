//! Cost of each stage of a ticket on one thread: generating, counting, rendering and checksumming.
#![allow(missing_docs, clippy::unwrap_used, reason = "criterion's macros, and a benchmark may panic")]

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use generate::World;
use generate::expected_answers::ExpectedAnswers;
use generate::render::{MAX_LINE_BYTES, Renderer};
use manifest::WorldParameters;
use publish::Checksum;
use ticket_schema::Ticket;

/// The size of a chunk.
const N_TICKETS: u64 = 512;

fn stages(criterion: &mut Criterion) {
    let parameters = WorldParameters::new(42, "2026-11-22".parse().unwrap(), 90, 1_000_000);
    let world = World::new(parameters.clone()).unwrap();
    let renderer = Renderer::new(parameters.world_start, parameters.as_of);
    let range = 500_000..500_000 + N_TICKETS;
    let tickets: Vec<Ticket> = world.tickets(range.clone()).collect();
    let mut lines = vec![0; N_TICKETS as usize * MAX_LINE_BYTES];
    let n_bytes = render_all(&renderer, tickets.iter().copied(), &mut lines);

    let mut group = criterion.benchmark_group("stages");
    // The bytes of all stages together, so that the stages' times can be compared and added.
    group.throughput(Throughput::Bytes(n_bytes as u64));
    group.bench_function("world", |bencher| {
        bencher.iter(|| world.tickets(black_box(range.clone())).for_each(|ticket| _ = black_box(ticket)));
    });
    group.bench_function("expected answers", |bencher| {
        let mut answers = ExpectedAnswers::new(&parameters);
        bencher.iter(|| black_box(&tickets).iter().for_each(|ticket| answers.count(ticket)));
    });
    group.bench_function("render", |bencher| {
        let mut lines = lines.clone();
        bencher.iter(|| render_all(&renderer, black_box(&tickets).iter().copied(), &mut lines));
    });
    group.bench_function("checksum", |bencher| bencher.iter(|| checksum(black_box(&lines[..n_bytes]))));
    group.bench_function("checksum of two parts", |bencher| {
        let part = checksum(&lines[..n_bytes]);
        bencher.iter_batched_ref(|| part.clone(), |sum| sum.append(black_box(&part)), BatchSize::SmallInput);
    });
    group.bench_function("all", |bencher| {
        let mut answers = ExpectedAnswers::new(&parameters);
        let mut lines = lines.clone();
        bencher.iter(|| {
            let tickets = world.tickets(black_box(range.clone())).inspect(|ticket| answers.count(ticket));
            let n_bytes = render_all(&renderer, tickets, &mut lines);
            checksum(&lines[..n_bytes])
        });
    });
    group.finish();
}

fn render_all(renderer: &Renderer, tickets: impl Iterator<Item = Ticket>, lines: &mut [u8]) -> usize {
    tickets.fold(0, |n_bytes, ticket| n_bytes + renderer.render(&ticket, &mut lines[n_bytes..]))
}

fn checksum(bytes: &[u8]) -> Checksum {
    let mut checksum = Checksum::default();
    checksum.update(bytes);
    checksum
}

criterion_group!(benches, stages);
criterion_main!(benches);
