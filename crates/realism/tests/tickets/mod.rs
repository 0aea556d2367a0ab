//! Tickets to judge: ours, and ones drawn without any thought.

use std::collections::BTreeSet;
use std::path::Path;

use cli_support::Messages;
use generate::calendar::LocalHour;
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

/// All in one file.
pub(crate) fn generate(dir: &Path, config: Config) {
    let config = Config { batch_size: 100_000, ..config };
    run_generate(&config, Target::Directory(dir.to_owned()), &Messages::silent()).unwrap();
}

pub(crate) fn transform_into(raw: &Path, curated: &Path) {
    let inputs = Inputs::find(&[raw.to_owned()], &Messages::silent()).unwrap();
    let config = transform::Config::new(curated);
    transform::run_transform(&config, inputs, &Messages::silent()).unwrap();
}

/// The tickets that generate makes, as values that a test can change.
pub(crate) fn our_tickets(count: u64) -> Vec<Value> {
    let tickets = World::new(world(count)).unwrap();
    tickets.tickets(0..count).map(|ticket| serde_json::to_value(ticket).unwrap()).collect()
}

/// 200 tickets of as many customers, of which ticket `place` came by mail or app at night.
pub(crate) fn strangers(place: usize) -> Vec<Value> {
    let world = World::new(world(100_000)).unwrap();
    let mut tickets: Vec<Ticket> = (0..400).flat_map(|n| world.tickets(n * 250..n * 250 + 1)).collect();
    let is_late = |ticket: &&Ticket| {
        is_always_open(ticket.channel)
            && !is_opening_hour(ticket.market, ticket.created_at)
            && ticket.resolved_at.is_some()
    };
    let mut seen = BTreeSet::new();
    tickets.retain(|ticket| seen.insert(ticket.customer_id.bits()));
    let late = place + tickets[place..].iter().position(|ticket| is_late(&ticket)).unwrap();
    tickets[late - place..].iter().take(200).map(|ticket| serde_json::to_value(ticket).unwrap()).collect()
}

pub(crate) fn json_lines(tickets: &[Value]) -> String {
    tickets.iter().map(Value::to_string).collect::<Vec<_>>().join("\n") + "\n"
}

/// Tickets that keep every rule, but whose fields are independent uniform draws wherever the rules leave room.
pub(crate) fn independent_tickets(count: u64) -> Vec<Value> {
    let mut dice = Dice(7);
    let mut tickets: Vec<Ticket> = (0..count).map(|_| independent_ticket(&mut dice)).collect();
    tickets.sort_by_key(|ticket| ticket.created_at);
    tickets.iter().map(|ticket| serde_json::to_value(ticket).unwrap()).collect()
}

fn independent_ticket(dice: &mut Dice) -> Ticket {
    let (created_at, market, channel) = arrival(dice);
    let age = (as_of().seconds() - created_at.seconds()) as u64;
    let (severity, status) = (dice.pick(Severity::ALL), dice.pick(Status::ALL));
    let resolution = 1 + dice.below(age) as i64;
    let resolved_at = status.is_resolved().then(|| created_at.plus_seconds(resolution));
    let lasted = resolved_at.map_or(age as i64, |_| resolution);
    let (model_series, model_year) = car(dice, market);
    Ticket {
        ticket_id: uuid::Builder::from_random_bytes(dice.bits().to_le_bytes().repeat(2).try_into().unwrap())
            .into_uuid(),
        created_at,
        updated_at: resolved_at.unwrap_or(created_at),
        resolved_at,
        severity,
        status,
        category: dice.pick(Category::ALL),
        channel,
        market,
        dealer_id: DealerId { market, number: 1 + dice.below(20) as u16 },
        customer_id: CustomerId::from_bits(dice.bits()),
        vin_last6: VinLast6::from_number(dice.below(u64::from(VinLast6::COUNT)) as u32),
        model_series,
        model_year,
        sla_breached: lasted > severity.sla_target_seconds(),
    }
}

fn arrival(dice: &mut Dice) -> (Timestamp, Market, Channel) {
    loop {
        let created_at = as_of().plus_seconds(-(dice.below(90 * 86_400) as i64) - 1);
        let (market, channel) = (dice.pick(Market::ALL), dice.pick(Channel::ALL));
        if is_always_open(channel) || is_opening_hour(market, created_at) {
            return (created_at, market, channel);
        }
    }
}

fn is_always_open(channel: Channel) -> bool {
    matches!(channel, Channel::Email | Channel::BmwApp)
}

fn is_opening_hour(market: Market, moment: Timestamp) -> bool {
    (8..18).contains(&(LocalHour::at(market, moment.to_chrono()).hour_of_week % 24))
}

fn car(dice: &mut Dice, market: Market) -> (ModelSeries, i32) {
    loop {
        let (series, year) = (dice.pick(ModelSeries::ALL), MODEL_YEARS.start() + dice.below(9) as i32);
        if series.sold_in(market, year) {
            return (series, year);
        }
    }
}

/// `SplitMix64`: enough randomness for a test, the same everywhere.
struct Dice(u64);

impl Dice {
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
