//! A ticket's life from opening to closing, and what of it shows at a point in time.
//!
//! Times to resolution are lognormal, as service durations are (Brown et al. 2005); median and breach rate of a severity fix
//! its distribution: sigma = ln(target / median) / z(1 - breach rate). A life doesn't depend on when it is looked at.

use ticket_schema::Timestamp;
use ticket_schema::enums::{Category, Channel, Market, Severity, Status};
use ticket_schema::ticket::DealerId;

use crate::distributions::{Durations, lognormal_strata, normal_quantile};
use crate::draws::{Draws, Source, Use, scale};
use crate::profile::Profile;

/// The shortest time to resolution, in seconds.
const SHORTEST: f64 = 60.0;

/// The longest time to resolution, in seconds: 17 years. Only a profile of one's own gets there.
const LONGEST: f64 = (1_u32 << 29) as f64;

/// No ticket waits longer for its first answer than this part of its time to resolution.
const LATEST_ANSWER: f64 = 0.12;

/// Between which parts of a ticket's time work comes to rest (guess).
const REST_FROM: (f64, f64) = (0.12, 0.45);

/// Between which parts of it work goes on again (guess).
const REST_UNTIL: (f64, f64) = (0.55, 0.95);

/// How long the second resolution takes, as a part of the first (guess).
const SECOND_TIME: (f64, f64) = (0.2, 1.2);

/// How many different words there are.
const WORDS: f64 = 4_294_967_296.0;

const HOUR_SECONDS: f64 = 3600.0;
const DAY_SECONDS: f64 = 86_400.0;

/// What decides how long a ticket takes.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// When it is opened.
    pub created_at: Timestamp,
    /// How bad it is.
    pub severity: Severity,
    /// What it is about.
    pub category: Category,
    /// How it reached us.
    pub channel: Channel,
    /// Who works on it.
    pub dealer: DealerId,
}

/// How a ticket's life begins, in seconds from its opening.
#[derive(Clone, Copy, Debug)]
struct Beginning {
    answered: i64,
    /// From when to when work rests, if it does.
    rest: Option<(i64, i64)>,
}

/// How it ends, in seconds from its opening.
#[derive(Clone, Copy, Debug)]
struct Ending {
    resolved: i64,
    /// When it is re-opened and resolved for the second time, if it is.
    reopened: Option<(i64, i64)>,
    closed: i64,
}

/// What a ticket's life shows at a point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Where it stands.
    pub status: Status,
    /// Its last change so far; missing the SLA target is one.
    pub updated_at: Timestamp,
    /// Its resolution, if it is resolved.
    pub resolved_at: Option<Timestamp>,
    /// Whether the SLA target was missed, or is already overdue.
    pub sla_breached: bool,
}

/// A service centre that does nothing for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// The service centre.
    pub dealer: DealerId,
    /// When it stops.
    pub from: Timestamp,
    /// When it goes on.
    pub until: Timestamp,
}

/// How long tickets take.
#[derive(Debug)]
pub struct Lives {
    /// By severity.
    resolution: Vec<Durations>,
    /// Factors on the time to resolution, by category and channel.
    cases: Vec<[f64; Channel::ALL.len()]>,
    /// The same by market and service centre.
    dealers: Vec<Vec<f64>>,
    /// Time to the first answer, by channel.
    answer: Vec<Durations>,
    /// Whether tickets rest, by category.
    rests: Vec<Chance>,
    reopened: Chance,
    shortest_closing: u32,
    closing_spread: u32,
    outages: Vec<Outage>,
}

impl Lives {
    /// Those of a profile, in a world.
    pub fn new(source: Source, profile: &Profile, outages: Vec<Outage>) -> Self {
        let factors = &profile.resolution_factors;
        let of_case = |category: Category, channel: Channel| {
            factors.categories.get(category).get() * factors.channels.get(channel).get()
        };
        let closing = &profile.closing;
        let shortest_closing = (closing.shortest_days.get() * DAY_SECONDS).min(LONGEST) as u32;
        Self {
            resolution: Severity::ALL.iter().map(|severity| resolution(profile, *severity)).collect(),
            cases: Category::ALL
                .iter()
                .map(|category| std::array::from_fn(|channel| of_case(*category, Channel::ALL[channel])))
                .collect(),
            dealers: Market::ALL.iter().map(|market| dealers(source, *market, profile)).collect(),
            answer: Channel::ALL.iter().map(|channel| answer(profile, *channel)).collect(),
            rests: Category::ALL
                .iter()
                .map(|category| Chance::new(profile.waiting.shares.get(*category).get()))
                .collect(),
            reopened: Chance::new(profile.reopening.share.get()),
            shortest_closing,
            closing_spread: ((closing.longest_days.get() * DAY_SECONDS).min(LONGEST) as u32 - shortest_closing).max(1),
            outages,
        }
    }

    /// What the life of a ticket shows at `now`, which must not be before its opening.
    ///
    /// Nearly all tickets have ended by then, so their beginning isn't even looked at.
    pub fn seen_at(&self, now: Timestamp, case: &Case, draws: &Draws) -> Seen {
        let clock = Clock { opened: case.created_at, age: now.seconds() - case.created_at.seconds() };
        let ending = self.ending(case, draws);
        let target = case.severity.sla_target_seconds();
        if self.outages.iter().any(|outage| outage.dealer == case.dealer) {
            let beginning = self.beginning(case, ending.resolved, draws);
            let (beginning, ending) = self.paused(case, beginning, ending);
            return ending.seen(clock, target).unwrap_or_else(|| beginning.seen(clock, target, &ending));
        }
        ending
            .seen(clock, target)
            .unwrap_or_else(|| self.beginning(case, ending.resolved, draws).seen(clock, target, &ending))
    }

    fn ending(&self, case: &Case, draws: &Draws) -> Ending {
        let pace = self.cases[case.category as usize][case.channel as usize]
            * self.dealers[case.dealer.market as usize][usize::from(case.dealer.number - 1)];
        let untouched = f64::from(self.resolution[case.severity as usize].pick(draws.word(Use::Resolution)));
        let resolved = (untouched * pace).clamp(SHORTEST, LONGEST) as i64;
        let closing = self.shortest_closing + scale(draws.word(Use::Closing), self.closing_spread);
        // The customer objects before the ticket would have been closed.
        let reopened = self.reopened.of(draws.word(Use::Reopening)).map(|place| {
            let at = resolved + 1 + (f64::from(closing) * place) as i64;
            (at, at + between(resolved, SECOND_TIME, place_of(draws.word(Use::Detail))))
        });
        let last = reopened.map_or(resolved, |(_, resolved_again)| resolved_again);
        Ending { resolved, reopened, closed: last + i64::from(closing) }
    }

    fn beginning(&self, case: &Case, resolved: i64, draws: &Draws) -> Beginning {
        let patience = f64::from(self.answer[case.channel as usize].pick(draws.word(Use::Answer)));
        let rest = self.rests[case.category as usize].of(draws.word(Use::Rest)).map(|place| {
            let until = between(resolved, REST_UNTIL, place_of(draws.word(Use::Detail) << 16));
            (between(resolved, REST_FROM, place), until)
        });
        Beginning { answered: soonest(patience, resolved as f64 * LATEST_ANSWER), rest }
    }

    /// The same life with the clock stopped during outages: what would happen later happens as much later.
    fn paused(&self, case: &Case, mut beginning: Beginning, mut ending: Ending) -> (Beginning, Ending) {
        for outage in self.outages.iter().filter(|outage| outage.dealer == case.dealer) {
            let begin = (outage.from.seconds() - case.created_at.seconds()).max(0);
            let pause = outage.until.seconds() - case.created_at.seconds() - begin;
            if pause > 0 {
                let put_off = |at: &mut i64| *at += if *at >= begin { pause } else { 0 };
                put_off(&mut beginning.answered);
                put_off(&mut ending.resolved);
                put_off(&mut ending.closed);
                for (from, until) in beginning.rest.iter_mut().chain(&mut ending.reopened) {
                    put_off(from);
                    put_off(until);
                }
            }
        }
        (beginning, ending)
    }

    /// No ticket changes any more when it is so old, in seconds.
    pub fn longest(&self) -> i64 {
        let most = |factors: &mut dyn Iterator<Item = f64>| factors.fold(1.0, f64::max);
        let pace = most(&mut self.cases.iter().flatten().copied()) * most(&mut self.dealers.iter().flatten().copied());
        let resolution = self.resolution.iter().map(Durations::longest).max().unwrap_or_default();
        let resolved = (f64::from(resolution) * pace).clamp(SHORTEST, LONGEST) as i64;
        let outages: i64 = self.outages.iter().map(|outage| outage.until.seconds() - outage.from.seconds()).sum();
        2 * (resolved + i64::from(self.shortest_closing) + i64::from(self.closing_spread) + 1) + outages
    }
}

/// When a ticket was opened, and how old it is, in seconds.
#[derive(Clone, Copy)]
struct Clock {
    opened: Timestamp,
    age: i64,
}

impl Clock {
    fn after(self, seconds: i64) -> Timestamp {
        self.opened.plus_seconds(seconds)
    }
}

impl Ending {
    /// What shows of it; nothing before the ticket is resolved, nor while it is re-opened.
    fn seen(&self, clock: Clock, target: i64) -> Option<Seen> {
        if clock.age < self.resolved {
            return None;
        }
        let resolved = match self.reopened {
            Some((reopened, resolved_again)) if clock.age >= reopened => {
                if clock.age < resolved_again {
                    return None;
                }
                resolved_again
            }
            _ => self.resolved,
        };
        let (status, changed) =
            if clock.age >= self.closed { (Status::Closed, self.closed) } else { (Status::Resolved, resolved) };
        Some(Seen {
            status,
            updated_at: clock.after(changed),
            resolved_at: Some(clock.after(resolved)),
            sla_breached: resolved > target,
        })
    }
}

impl Beginning {
    /// What shows of it, or of its second beginning, while the ticket isn't resolved.
    fn seen(&self, clock: Clock, target: i64, ending: &Ending) -> Seen {
        let age = clock.age;
        let (status, changed) = match (ending.reopened, self.rest) {
            (Some((reopened, _)), _) if age >= reopened => (Status::InProgress, reopened),
            (_, Some((_, until))) if age >= until => (Status::InProgress, until),
            (_, Some((from, _))) if age >= from => (Status::Waiting, from),
            _ if age >= self.answered => (Status::InProgress, self.answered),
            _ => (Status::Open, 0),
        };
        let sla_breached = age > target;
        let changed = if sla_breached { changed.max(target + 1) } else { changed };
        Seen { status, updated_at: clock.after(changed), resolved_at: None, sla_breached }
    }
}

/// Something that happens to a share of tickets, each of which has a place among them.
#[derive(Clone, Copy, Debug)]
struct Chance {
    below: u32,
    places_a_word: f64,
}

impl Chance {
    fn new(share: f64) -> Self {
        let below = share * f64::from(u32::MAX);
        Self { below: below as u32, places_a_word: 1.0 / below.max(1.0) }
    }

    /// The place, from 0 to 1, of those that it happens to: they are those with the lowest words.
    fn of(&self, word: u32) -> Option<f64> {
        (word < self.below).then(|| f64::from(word) * self.places_a_word)
    }
}

fn resolution(profile: &Profile, severity: Severity) -> Durations {
    let (median_hours, breach_rate) =
        (profile.resolution.median_hours.get(severity).get(), profile.resolution.breach_rate.get(severity).get());
    let sigma = libm::log(f64::from(severity.sla_target_hours()) / median_hours) / normal_quantile(1.0 - breach_rate);
    Durations::lognormal(median_hours * HOUR_SECONDS, sigma)
}

fn answer(profile: &Profile, channel: Channel) -> Durations {
    let answer = &profile.first_answer;
    Durations::lognormal(answer.median_hours.get(channel).get() * HOUR_SECONDS, answer.sigma.get())
}

/// The factors of a market's service centres, the market's own among them.
fn dealers(source: Source, market: Market, profile: &Profile) -> Vec<f64> {
    let factors = &profile.resolution_factors;
    let n_dealers = profile.fleet.dealers.get(market).get() as usize;
    let key = source.key(&format!("pace of {market}"));
    let of_market = factors.markets.get(market).get();
    lognormal_strata(n_dealers, factors.dealer_sigma.get(), key).into_iter().map(|factor| factor * of_market).collect()
}

/// Close to `patience` if that is short, and always below `latest`; at least a second.
fn soonest(patience: f64, latest: f64) -> i64 {
    (patience * latest / (patience + latest)).max(1.0) as i64
}

/// A part of a time, between two shares of it.
fn between(seconds: i64, (least, most): (f64, f64), place: f64) -> i64 {
    (seconds as f64 * (least + (most - least) * place)) as i64
}

/// A uniform word as a place from 0 to 1.
fn place_of(word: u32) -> f64 {
    f64::from(word) / WORDS
}

#[cfg(test)]
mod tests {
    use super::{Case, Lives, Outage};
    use crate::draws::Source;
    use crate::profile::Profile;
    use ticket_schema::Timestamp;
    use ticket_schema::enums::{Category, Channel, Market, Severity, Status};
    use ticket_schema::ticket::DealerId;

    const DEALER: DealerId = DealerId { market: Market::De, number: 3 };

    fn case(n: u64) -> Case {
        Case {
            created_at: Timestamp::from_day(20_000).plus_seconds(n as i64 * 60),
            severity: Severity::ALL[n as usize % 4],
            category: Category::ALL[n as usize % 10],
            channel: Channel::ALL[n as usize % 5],
            dealer: DEALER,
        }
    }

    fn lives(outages: Vec<Outage>) -> Lives {
        Lives::new(source(), &Profile::load("default").unwrap(), outages)
    }

    fn source() -> Source {
        let as_of = Timestamp::from_day(20_100);
        Source::of(&manifest::WorldParameters::new(5, as_of, 90, 1000))
    }

    #[test]
    fn medians_and_breach_rates_are_the_ones_asked_for() {
        let lives = lives(Vec::new());
        for (severity, median_hours, breach_rate) in [
            (Severity::P1, 1.8, 0.10),
            (Severity::P2, 3.6, 0.10),
            (Severity::P3, 19.2, 0.08),
            (Severity::P4, 42.0, 0.05),
        ] {
            let durations = &lives.resolution[severity as usize];
            let median = f64::from(durations.pick(1 << 31)) / 3600.0;
            assert!((median - median_hours).abs() < 0.01, "{severity}: {median}");
            let breached =
                (0..1_u32 << 16).filter(|i| i64::from(durations.pick(i << 16)) > severity.sla_target_seconds());
            let share = breached.count() as f64 / 65_536.0;
            assert!((share - breach_rate).abs() < 0.001, "{severity}: {share}");
        }
    }

    #[test]
    fn nothing_changes_without_a_word_in_updated_at() {
        let (lives, mut draws) = (lives(Vec::new()), source().tickets(0));
        for n in 0..2000 {
            let case = case(n);
            let draws = draws.next_ticket();
            let mut before = lives.seen_at(case.created_at, &case, draws);
            assert_eq!((before.status, before.updated_at), (Status::Open, case.created_at));
            for hours in 1..600 {
                let now = case.created_at.plus_seconds(hours * 3600);
                let seen = lives.seen_at(now, &case, draws);
                let since = case.created_at.plus_seconds((hours - 1) * 3600);
                assert_eq!(seen != before, seen.updated_at > since, "{n} after {hours} h: {seen:?}");
                before = seen;
            }
            let at_last = lives.seen_at(case.created_at.plus_seconds(lives.longest()), &case, draws);
            assert_eq!(at_last.status, Status::Closed);
        }
    }

    #[test]
    fn an_outage_lets_nothing_happen() {
        let from = Timestamp::from_day(20_000);
        let until = from.plus_seconds(4 * 86_400);
        let (lives, mut draws) = (lives(vec![Outage { dealer: DEALER, from, until }]), source().tickets(0));
        for n in 0..1000 {
            let draws = draws.next_ticket();
            let seen = lives.seen_at(until.plus_seconds(-1), &case(n), draws);
            assert_eq!((seen.status, seen.resolved_at), (Status::Open, None), "{n}: {seen:?}");
            let closed = lives.seen_at(until.plus_seconds(lives.longest()), &case(n), draws);
            assert_eq!(closed.status, Status::Closed);
            assert!(closed.resolved_at.is_some_and(|resolved_at| resolved_at >= until), "{n}: {closed:?}");
        }
    }
}
