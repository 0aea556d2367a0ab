//! Lifecycle of a ticket, from creation to closing, and its state at a point in time.
//!
//! Times to resolution are lognormal, as service durations are (Brown et al. 2005). A severity's median and breach rate
//! determine its distribution: sigma = ln(target / median) / z(1 - breach rate). The lifecycle is independent of the
//! time of the snapshot.

use ticket_schema::Timestamp;
use ticket_schema::enums::{Category, Channel, Market, Severity};
use ticket_schema::ticket::DealerId;

use crate::profile::Profile;
use crate::rng::distributions::{DurationQuantiles, normal_quantile, stratified_lognormal};
use crate::rng::{DrawPurpose, TicketDraws, WorldSeed, scale};

mod chance;
mod snapshot;

use chance::{Chance, between, bounded_response, position_of};
pub use snapshot::Snapshot;
use snapshot::{Clock, OpenPhase, ResolutionPhase};

/// Shortest time to resolution, in seconds.
const MIN_RESOLUTION: f64 = 60.0;

/// Longest time to resolution, in seconds: 17 years. Only reachable with a custom profile.
const MAX_RESOLUTION: f64 = (1_u32 << 29) as f64;

/// Upper bound of the time to the first response, as a fraction of the time to resolution.
const MAX_FIRST_RESPONSE: f64 = 0.12;

/// Range of a waiting period's start, as a fraction of the time to resolution (guess).
const WAITING_FROM: (f64, f64) = (0.12, 0.45);

/// Range of a waiting period's end, as a fraction of the time to resolution (guess).
const WAITING_UNTIL: (f64, f64) = (0.55, 0.95);

/// Range of the second resolution's duration, as a fraction of the first (guess).
const SECOND_RESOLUTION: (f64, f64) = (0.2, 1.2);

const HOUR_SECONDS: f64 = 3600.0;
const DAY_SECONDS: f64 = 86_400.0;

/// Attributes of a ticket that its lifecycle depends on.
#[derive(Clone, Copy, Debug)]
pub struct TicketContext {
    /// Time of creation.
    pub created_at: Timestamp,
    /// Severity.
    pub severity: Severity,
    /// Category.
    pub category: Category,
    /// Channel.
    pub channel: Channel,
    /// Service centre that handles the ticket.
    pub dealer: DealerId,
}

/// An interval in which a service centre does not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// The service centre.
    pub dealer: DealerId,
    /// Start, inclusive.
    pub from: Timestamp,
    /// End, exclusive.
    pub until: Timestamp,
}

/// Distributions of all durations of a lifecycle.
#[derive(Debug)]
pub struct LifecycleModel {
    /// Time to resolution, by severity.
    resolution: Vec<DurationQuantiles>,
    /// Factors on the time to resolution, by category and channel.
    category_channel_factors: Vec<[f64; Channel::ALL.len()]>,
    /// Factors on the time to resolution, by market and service centre.
    dealers: Vec<Vec<f64>>,
    /// Time to the first response, by channel.
    first_response: Vec<DurationQuantiles>,
    /// Occurrence of a waiting period, by category.
    waiting: Vec<Chance>,
    reopened: Chance,
    shortest_closing: u32,
    closing_spread: u32,
    outages: Vec<Outage>,
}

impl LifecycleModel {
    /// Computes the distributions of a profile in a world.
    pub fn new(seed: WorldSeed, profile: &Profile, outages: Vec<Outage>) -> Self {
        let factors = &profile.resolution_factors;
        let of_context = |category: Category, channel: Channel| {
            factors.categories.get(category).get() * factors.channels.get(channel).get()
        };
        let closing = &profile.closing;
        let shortest_closing = (closing.shortest_days.get() * DAY_SECONDS).min(MAX_RESOLUTION) as u32;
        Self {
            resolution: Severity::ALL.iter().map(|severity| resolution(profile, *severity)).collect(),
            category_channel_factors: Category::ALL
                .iter()
                .map(|category| std::array::from_fn(|channel| of_context(*category, Channel::ALL[channel])))
                .collect(),
            dealers: Market::ALL.iter().map(|market| dealers(seed, *market, profile)).collect(),
            first_response: Channel::ALL.iter().map(|channel| first_response(profile, *channel)).collect(),
            waiting: Category::ALL
                .iter()
                .map(|category| Chance::new(profile.waiting.shares.get(*category).get()))
                .collect(),
            reopened: Chance::new(profile.reopening.share.get()),
            shortest_closing,
            closing_spread: ((closing.longest_days.get() * DAY_SECONDS).min(MAX_RESOLUTION) as u32 - shortest_closing)
                .max(1),
            outages,
        }
    }

    /// Returns the state of a ticket at `now`, which must not be before its creation.
    ///
    /// Nearly all tickets are resolved by then, so the open phase is only computed for those that are not.
    pub fn snapshot_at(&self, now: Timestamp, context: &TicketContext, draws: &TicketDraws) -> Snapshot {
        let clock = Clock { opened: context.created_at, age: now.seconds() - context.created_at.seconds() };
        let resolution = self.resolution(context, draws);
        let target = context.severity.sla_target_seconds();
        if self.outages.iter().any(|outage| outage.dealer == context.dealer) {
            let open = self.open(context, resolution.resolved, draws);
            let (open, resolution) = self.with_outages(context, open, resolution);
            return resolution.snapshot(clock, target).unwrap_or_else(|| open.snapshot(clock, target, &resolution));
        }
        resolution
            .snapshot(clock, target)
            .unwrap_or_else(|| self.open(context, resolution.resolved, draws).snapshot(clock, target, &resolution))
    }

    fn resolution(&self, context: &TicketContext, draws: &TicketDraws) -> ResolutionPhase {
        let factor = self.category_channel_factors[context.category as usize][context.channel as usize]
            * self.dealers[context.dealer.market as usize][usize::from(context.dealer.number - 1)];
        let base = f64::from(self.resolution[context.severity as usize].sample(draws.word(DrawPurpose::Resolution)));
        let resolved = (base * factor).clamp(MIN_RESOLUTION, MAX_RESOLUTION) as i64;
        let closing = self.shortest_closing + scale(draws.word(DrawPurpose::Closing), self.closing_spread);
        // Customers re-open a ticket before it would have been closed.
        let reopened = self.reopened.position(draws.word(DrawPurpose::Reopening)).map(|position| {
            let at = resolved + 1 + (f64::from(closing) * position) as i64;
            (at, at + between(resolved, SECOND_RESOLUTION, position_of(draws.word(DrawPurpose::Detail))))
        });
        let last = reopened.map_or(resolved, |(_, resolved_again)| resolved_again);
        ResolutionPhase { resolved, reopened, closed: last + i64::from(closing) }
    }

    fn open(&self, context: &TicketContext, resolved: i64, draws: &TicketDraws) -> OpenPhase {
        let typical =
            f64::from(self.first_response[context.channel as usize].sample(draws.word(DrawPurpose::FirstResponse)));
        let waiting =
            self.waiting[context.category as usize].position(draws.word(DrawPurpose::Waiting)).map(|position| {
                let until = between(resolved, WAITING_UNTIL, position_of(draws.word(DrawPurpose::Detail) << 16));
                (between(resolved, WAITING_FROM, position), until)
            });
        OpenPhase { first_response: bounded_response(typical, resolved as f64 * MAX_FIRST_RESPONSE), waiting }
    }

    /// Shifts all events after the start of an outage by its length.
    fn with_outages(
        &self,
        context: &TicketContext,
        mut open: OpenPhase,
        mut resolution: ResolutionPhase,
    ) -> (OpenPhase, ResolutionPhase) {
        for outage in self.outages.iter().filter(|outage| outage.dealer == context.dealer) {
            let begin = (outage.from.seconds() - context.created_at.seconds()).max(0);
            let pause = outage.until.seconds() - context.created_at.seconds() - begin;
            if pause > 0 {
                let postpone = |at: &mut i64| *at += if *at >= begin { pause } else { 0 };
                postpone(&mut open.first_response);
                postpone(&mut resolution.resolved);
                postpone(&mut resolution.closed);
                for (from, until) in open.waiting.iter_mut().chain(&mut resolution.reopened) {
                    postpone(from);
                    postpone(until);
                }
            }
        }
        (open, resolution)
    }

    /// Returns an age in seconds after which no ticket changes.
    pub fn max_age(&self) -> i64 {
        let most = |factors: &mut dyn Iterator<Item = f64>| factors.fold(1.0, f64::max);
        let factor = most(&mut self.category_channel_factors.iter().flatten().copied())
            * most(&mut self.dealers.iter().flatten().copied());
        let resolution = self.resolution.iter().map(DurationQuantiles::max).max().unwrap_or_default();
        let resolved = (f64::from(resolution) * factor).clamp(MIN_RESOLUTION, MAX_RESOLUTION) as i64;
        let outages: i64 = self.outages.iter().map(|outage| outage.until.seconds() - outage.from.seconds()).sum();
        2 * (resolved + i64::from(self.shortest_closing) + i64::from(self.closing_spread) + 1) + outages
    }
}

fn resolution(profile: &Profile, severity: Severity) -> DurationQuantiles {
    let (median_hours, breach_rate) =
        (profile.resolution.median_hours.get(severity).get(), profile.resolution.breach_rate.get(severity).get());
    let sigma = libm::log(f64::from(severity.sla_target_hours()) / median_hours) / normal_quantile(1.0 - breach_rate);
    DurationQuantiles::lognormal(median_hours * HOUR_SECONDS, sigma)
}

fn first_response(profile: &Profile, channel: Channel) -> DurationQuantiles {
    let answer = &profile.first_answer;
    DurationQuantiles::lognormal(answer.median_hours.get(channel).get() * HOUR_SECONDS, answer.sigma.get())
}

/// Returns the factors of a market's service centres, multiplied by the market's factor.
fn dealers(seed: WorldSeed, market: Market, profile: &Profile) -> Vec<f64> {
    let factors = &profile.resolution_factors;
    let n_dealers = profile.fleet.dealers.get(market).get() as usize;
    let key = seed.key(&format!("pace of {market}"));
    let of_market = factors.markets.get(market).get();
    stratified_lognormal(n_dealers, factors.dealer_sigma.get(), key)
        .into_iter()
        .map(|factor| factor * of_market)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{LifecycleModel, Outage, TicketContext};
    use crate::profile::Profile;
    use crate::rng::WorldSeed;
    use ticket_schema::Timestamp;
    use ticket_schema::enums::{Category, Channel, Market, Severity, Status};
    use ticket_schema::ticket::DealerId;

    const DEALER: DealerId = DealerId { market: Market::De, number: 3 };

    fn context(n: u64) -> TicketContext {
        TicketContext {
            created_at: Timestamp::from_day(20_000).plus_seconds(n as i64 * 60),
            severity: Severity::ALL[n as usize % 4],
            category: Category::ALL[n as usize % 10],
            channel: Channel::ALL[n as usize % 5],
            dealer: DEALER,
        }
    }

    fn model(outages: Vec<Outage>) -> LifecycleModel {
        LifecycleModel::new(seed(), &Profile::load("default").unwrap(), outages)
    }

    fn seed() -> WorldSeed {
        let as_of = Timestamp::from_day(20_100);
        WorldSeed::of(&manifest::WorldParameters::new(5, as_of, 90, 1000))
    }

    #[test]
    fn medians_and_breach_rates_match_the_profile() {
        let model = model(Vec::new());
        for (severity, median_hours, breach_rate) in [
            (Severity::P1, 1.8, 0.10),
            (Severity::P2, 3.6, 0.10),
            (Severity::P3, 19.2, 0.08),
            (Severity::P4, 42.0, 0.05),
        ] {
            let durations = &model.resolution[severity as usize];
            let median = f64::from(durations.sample(1 << 31)) / 3600.0;
            assert!((median - median_hours).abs() < 0.01, "{severity}: {median}");
            let breached =
                (0..1_u32 << 16).filter(|i| i64::from(durations.sample(i << 16)) > severity.sla_target_seconds());
            let share = breached.count() as f64 / 65_536.0;
            assert!((share - breach_rate).abs() < 0.001, "{severity}: {share}");
        }
    }

    #[test]
    fn every_change_updates_updated_at() {
        let (model, mut draws) = (model(Vec::new()), seed().tickets(0));
        for n in 0..2000 {
            let context = context(n);
            let draws = draws.next_ticket();
            let mut before = model.snapshot_at(context.created_at, &context, draws);
            assert_eq!((before.status, before.updated_at), (Status::Open, context.created_at));
            for hours in 1..600 {
                let now = context.created_at.plus_seconds(hours * 3600);
                let snapshot = model.snapshot_at(now, &context, draws);
                let since = context.created_at.plus_seconds((hours - 1) * 3600);
                assert_eq!(snapshot != before, snapshot.updated_at > since, "{n} after {hours} h: {snapshot:?}");
                before = snapshot;
            }
            let at_last = model.snapshot_at(context.created_at.plus_seconds(model.max_age()), &context, draws);
            assert_eq!(at_last.status, Status::Closed);
        }
    }

    #[test]
    fn outage_blocks_all_progress() {
        let from = Timestamp::from_day(20_000);
        let until = from.plus_seconds(4 * 86_400);
        let (model, mut draws) = (model(vec![Outage { dealer: DEALER, from, until }]), seed().tickets(0));
        for n in 0..1000 {
            let draws = draws.next_ticket();
            let snapshot = model.snapshot_at(until.plus_seconds(-1), &context(n), draws);
            assert_eq!((snapshot.status, snapshot.resolved_at), (Status::Open, None), "{n}: {snapshot:?}");
            let closed = model.snapshot_at(until.plus_seconds(model.max_age()), &context(n), draws);
            assert_eq!(closed.status, Status::Closed);
            assert!(closed.resolved_at.is_some_and(|resolved_at| resolved_at >= until), "{n}: {closed:?}");
        }
    }
}
