//! Test data: generated tickets, and independent uniform draws.

use std::collections::BTreeSet;
use std::path::Path;

use cli_support::Messages;
use generate::world::calendar::LocalHour;
use generate::{Config, Target, World, run_generate};
use jsonl::input::Inputs;
use manifest::WorldParameters;
use serde_json::Value;
use ticket_schema::cars::{MODEL_YEARS, ModelSeries};
use ticket_schema::enums::{Category, Channel, Market, Severity, Status};
use ticket_schema::ticket::{CustomerId, DealerId, VinLast6};
use ticket_schema::{Ticket, Timestamp};

pub(crate) fn world(count: u64) -> WorldParameters {
    WorldParameters::new(42, as_of(), 90, count)
}

fn as_of() -> Timestamp {
    "2026-11-22".parse().unwrap()
}

pub(crate) fn generate_into(dir: &Path, count: u64) {
    generate(dir, Config::of(world(count)));
}

/// Generates a data set in a single file.
pub(crate) fn generate(dir: &Path, config: Config) {
    let config = Config { batch_size: 100_000, ..config };
    run_generate(&config, Target::Directory(dir.to_owned()), &Messages::silent()).unwrap();
}

pub(crate) fn transform_into(raw: &Path, curated: &Path) {
    let inputs = Inputs::find(&[raw.to_owned()], &Messages::silent()).unwrap();
    let config = transform::Config::new(curated);
    transform::run_transform(&config, inputs, &Messages::silent()).unwrap();
}

/// Returns generated tickets as JSON values for modification.
pub(crate) fn generated_tickets(count: u64) -> Vec<Value> {
    let tickets = World::new(world(count)).unwrap();
    tickets.tickets(0..count).map(|ticket| serde_json::to_value(ticket).unwrap()).collect()
}

/// Returns 200 tickets of distinct customers; ticket `index` was created by e-mail or app outside opening hours and is
/// resolved.
pub(crate) fn distinct_customers(index: usize) -> Vec<Value> {
    let world = World::new(world(100_000)).unwrap();
    let mut tickets: Vec<Ticket> = (0..400).flat_map(|n| world.tickets(n * 250..n * 250 + 1)).collect();
    let is_outside_opening_hours = |ticket: &&Ticket| {
        has_no_opening_hours(ticket.channel)
            && !is_opening_hour(ticket.market, ticket.created_at)
            && ticket.resolved_at.is_some()
    };
    let mut seen = BTreeSet::new();
    tickets.retain(|ticket| seen.insert(ticket.customer_id.bits()));
    let late = index + tickets[index..].iter().position(|ticket| is_outside_opening_hours(&ticket)).unwrap();
    tickets[late - index..].iter().take(200).map(|ticket| serde_json::to_value(ticket).unwrap()).collect()
}

pub(crate) fn json_lines(tickets: &[Value]) -> String {
    tickets.iter().map(Value::to_string).collect::<Vec<_>>().join("\n") + "\n"
}

/// Returns tickets that satisfy every rule, with fields drawn uniformly and independently as far as the rules allow.
pub(crate) fn independent_tickets(count: u64) -> Vec<Value> {
    let mut rng = TestRng(7);
    let mut tickets: Vec<Ticket> = (0..count).map(|_| independent_ticket(&mut rng)).collect();
    tickets.sort_by_key(|ticket| ticket.created_at);
    tickets.iter().map(|ticket| serde_json::to_value(ticket).unwrap()).collect()
}

fn independent_ticket(rng: &mut TestRng) -> Ticket {
    let (created_at, market, channel) = arrival(rng);
    let age = (as_of().seconds() - created_at.seconds()) as u64;
    let (severity, status) = (rng.pick(Severity::ALL), rng.pick(Status::ALL));
    let resolution = 1 + rng.below(age) as i64;
    let resolved_at = status.is_resolved().then(|| created_at.plus_seconds(resolution));
    let lasted = resolved_at.map_or(age as i64, |_| resolution);
    let (model_series, model_year) = car(rng, market);
    Ticket {
        ticket_id: uuid::Builder::from_random_bytes(rng.bits().to_le_bytes().repeat(2).try_into().unwrap()).into_uuid(),
        created_at,
        updated_at: resolved_at.unwrap_or(created_at),
        resolved_at,
        severity,
        status,
        category: rng.pick(Category::ALL),
        channel,
        market,
        dealer_id: DealerId { market, number: 1 + rng.below(20) as u16 },
        customer_id: CustomerId::from_bits(rng.bits()),
        vin_last6: VinLast6::from_number(rng.below(u64::from(VinLast6::COUNT)) as u32),
        model_series,
        model_year,
        sla_breached: lasted > severity.sla_target_seconds(),
    }
}

fn arrival(rng: &mut TestRng) -> (Timestamp, Market, Channel) {
    loop {
        let created_at = as_of().plus_seconds(-(rng.below(90 * 86_400) as i64) - 1);
        let (market, channel) = (rng.pick(Market::ALL), rng.pick(Channel::ALL));
        if has_no_opening_hours(channel) || is_opening_hour(market, created_at) {
            return (created_at, market, channel);
        }
    }
}

fn has_no_opening_hours(channel: Channel) -> bool {
    matches!(channel, Channel::Email | Channel::BmwApp)
}

fn is_opening_hour(market: Market, time: Timestamp) -> bool {
    (8..18).contains(&(LocalHour::at(market, time.to_chrono()).hour_of_week % 24))
}

fn car(rng: &mut TestRng, market: Market) -> (ModelSeries, i32) {
    loop {
        let (series, year) = (rng.pick(ModelSeries::ALL), MODEL_YEARS.start() + rng.below(9) as i32);
        if series.sold_in(market, year) {
            return (series, year);
        }
    }
}

/// `SplitMix64`: sufficient for tests and identical on every machine.
struct TestRng(u64);

impl TestRng {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.bits() % n
    }

    fn pick<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len() as u64) as usize]
    }
}
