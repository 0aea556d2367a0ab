//! Invariants of every ticket of every world, and golden checksums.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic, and makes the files it needs")]

use std::num::NonZeroUsize;

use cli_support::Messages;
use generate::render::Renderer;
use generate::{Config, Target, World, run_generate};
use manifest::{Shard, WorldParameters};
use proptest::prelude::*;
use publish::Checksum;
use ticket_schema::enums::Status;
use ticket_schema::{Ticket, Timestamp};

fn world(seed: u64, as_of: &str, days_back: u32, count: u64) -> WorldParameters {
    WorldParameters::new(seed, as_of.parse().unwrap(), days_back, count)
}

fn lines(world: &WorldParameters, shard: Option<Shard>, threads: usize) -> Vec<u8> {
    let config = Config { shard, threads: NonZeroUsize::new(threads).unwrap(), ..Config::of(world.clone()) };
    let mut lines = Vec::new();
    run_generate(&config, Target::Stream(&mut lines), &Messages::silent()).unwrap();
    lines
}

fn crc(bytes: &[u8]) -> String {
    let mut checksum = Checksum::default();
    checksum.update(bytes);
    checksum.to_base64()
}

/// Golden checksums: a seed identifies a data set for good. A change needs a justification.
#[test]
fn golden_checksums_of_three_worlds() {
    for (world, expected) in [
        (world(42, "2026-11-22", 90, 5000), "Wk8J+lWWS6M="),
        (world(7, "2024-03-01T13:37:11Z", 400, 5000), "VCm2HfSdUkk="),
        (world(u64::MAX, "2018-01-01", 30, 5000), "P+LRXFhmeL8="),
    ] {
        assert_eq!(crc(&lines(&world, None, 1)), expected, "{world:?}");
    }
}

#[test]
fn bytes_are_independent_of_threads_and_shards() {
    // More than one chunk per shard, and a count that is not a multiple of anything.
    let world = world(1, "2026-11-22", 90, 23_457);
    let whole = lines(&world, None, 1);
    assert_eq!(whole.split(|byte| *byte == b'\n').count() - 1, 23_457);
    for threads in [2, 7] {
        assert!(lines(&world, None, threads) == whole, "{threads} threads");
    }
    for of in [1, 2, 5, 100] {
        let shards: Vec<u8> = (1..=of).flat_map(|index| lines(&world, Some(Shard { index, of }), 2)).collect();
        assert!(shards == whole, "{of} shards");
    }
}

#[test]
fn any_range_of_tickets_can_be_generated_independently() {
    let world = World::new(world(3, "2026-11-22", 90, 1000)).unwrap();
    let all: Vec<Ticket> = world.tickets(0..1000).collect();
    for range in [0..1, 17..18, 500..777, 999..1000, 5..5] {
        let expected = &all[range.start as usize..range.end as usize];
        assert_eq!(world.tickets(range).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn periods_without_cars_or_holidays_are_rejected() {
    for (as_of, days_back) in [("2017-07-01", 1), ("2026-11-22", 100_000), ("1970-01-01", 1)] {
        let error = World::new(world(1, as_of, days_back, 1)).unwrap_err().to_string();
        assert!(error.contains("before the first cars"), "{error}");
    }
    assert!(World::new(world(1, "2017-07-02", 1, 1)).is_ok());
    let error = World::new(world(1, "2031-01-02", 1, 1)).unwrap_err().to_string();
    assert!(error.contains("last year with known holidays"), "{error}");
    assert!(World::new(world(1, "2031-01-01", 1, 1)).is_ok());
    let before_its_start = WorldParameters { as_of: "2026-01-01".parse().unwrap(), ..world(1, "2026-11-22", 90, 1) };
    let error = World::new(before_its_start).unwrap_err().to_string();
    assert!(error.contains("is before --world-start"), "{error}");
}

fn check_contract(ticket: &Ticket, world: &WorldParameters) -> Result<(), TestCaseError> {
    prop_assert!(world.world_start <= ticket.created_at && ticket.created_at < world.as_of);
    prop_assert!(ticket.created_at <= ticket.updated_at && ticket.updated_at <= world.as_of);
    prop_assert_eq!(ticket.resolved_at.is_some(), ticket.status.is_resolved());
    let target = ticket.severity.sla_target_seconds();
    let age = ticket.resolved_at.unwrap_or(world.as_of).seconds() - ticket.created_at.seconds();
    prop_assert_eq!(ticket.sla_breached, age > target);
    if let Some(resolved_at) = ticket.resolved_at {
        prop_assert!(ticket.created_at < resolved_at && resolved_at <= ticket.updated_at);
    }
    prop_assert_eq!(ticket.dealer_id.market, ticket.market);
    prop_assert!(ticket.dealer_id.number >= 1);
    prop_assert!(ticket.model_series.sold_in(ticket.market, ticket.model_year));
    // A model year is on sale from July of the year before.
    let on_sale: Timestamp = format!("{}-07-01", ticket.model_year - 1).parse().unwrap();
    prop_assert!(on_sale <= ticket.created_at, "{:?}", ticket);
    prop_assert_eq!(ticket.ticket_id.get_version_num(), 4);
    prop_assert_eq!(ticket.ticket_id.get_variant(), uuid::Variant::RFC4122);
    if ticket.status == Status::Open {
        let overdue = ticket.created_at.plus_seconds(target + 1);
        prop_assert_eq!(ticket.updated_at, if ticket.sla_breached { overdue } else { ticket.created_at });
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_ticket_satisfies_the_contract_and_round_trips(
        seed: u64,
        // From the first possible period to the last.
        as_of in 1_530_000_000_i64..1_924_992_000,
        days_back in 1_u32..300,
        count in 1_u64..1_000_000_000_000,
        place in 0.0..1.0,
    ) {
        let parameters = WorldParameters::new(seed, Timestamp::from_seconds(as_of).unwrap(), days_back, count);
        let world = World::new(parameters.clone()).unwrap();
        let first = ((count - 1) as f64 * place) as u64;
        let range = first..(first + 300).min(count);
        let start = parameters.as_of.plus_seconds(-i64::from(days_back) * 86_400);
        let renderer = Renderer::new(start, parameters.as_of);
        let mut last = Timestamp::from_seconds(0).unwrap();
        for ticket in world.tickets(range) {
            check_contract(&ticket, &parameters)?;
            prop_assert!(last <= ticket.created_at, "in order of creation");
            last = ticket.created_at;

            let mut line = renderer.line(&ticket);
            prop_assert_eq!(line.pop(), Some(b'\n'));
            prop_assert_eq!(std::str::from_utf8(&line).unwrap(), serde_json::to_string(&ticket).unwrap());
            prop_assert_eq!(serde_json::from_slice::<Ticket>(&line).unwrap(), ticket);
        }
    }
}
