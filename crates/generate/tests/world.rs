//! Statistical properties of a world: arrivals, cars and lifecycles.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic, and makes the files it needs")]

use std::collections::{BTreeMap, BTreeSet};

use generate::World;
use generate::world::calendar::{LocalHour, holidays::is_holiday, working_day};
use manifest::{ProfileRef, Scenario, WorldParameters};
use proptest::prelude::*;
use ticket_schema::enums::{Category, Channel, Market, Severity, Status};
use ticket_schema::{Ticket, Timestamp};

const DAY_SECONDS: i64 = 86_400;

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn parameters(seed: u64, as_of: &str, days_back: u32, count: u64) -> WorldParameters {
    WorldParameters::new(seed, time(as_of), days_back, count)
}

fn tickets(parameters: WorldParameters) -> Vec<Ticket> {
    let world = World::new(parameters).unwrap();
    world.tickets(0..world.n_tickets()).collect()
}

fn share(tickets: &[Ticket], holds: impl Fn(&Ticket) -> bool) -> f64 {
    tickets.iter().filter(|ticket| holds(ticket)).count() as f64 / tickets.len() as f64
}

fn local(ticket: &Ticket) -> LocalHour {
    LocalHour::at(ticket.market, ticket.created_at.to_chrono())
}

/// Tolerance: six standard deviations of a binomial share.
fn assert_shares<T: PartialEq + std::fmt::Debug>(tickets: &[Ticket], of: impl Fn(&Ticket) -> T, wanted: &[(T, f64)]) {
    for (value, wanted) in wanted {
        let measured = share(tickets, |ticket| of(ticket) == *value);
        let deviation = (wanted * (1.0 - wanted) / tickets.len() as f64).sqrt();
        assert!((measured - wanted).abs() < 6.0 * deviation, "{value:?}: {measured} instead of {wanted}");
    }
}

fn assert_contract_shares(tickets: &[Ticket]) {
    let markets = [25, 20, 10, 15, 7, 6, 5, 4, 4, 4].map(|percent| f64::from(percent) / 100.0);
    let markets: Vec<_> = Market::ALL.iter().copied().zip(markets).collect();
    assert_shares(tickets, |ticket| ticket.market, &markets);
    let severities: Vec<_> = Severity::ALL.iter().copied().zip([0.05, 0.15, 0.45, 0.35]).collect();
    assert_shares(tickets, |ticket| ticket.severity, &severities);
    let channels: Vec<_> = Channel::ALL.iter().copied().zip([0.25, 0.2, 0.3, 0.15, 0.1]).collect();
    assert_shares(tickets, |ticket| ticket.channel, &channels);
}

/// Periods across a new year, daylight saving changes, a leap day and a recall, from one Sunday to two years.
#[test]
fn shares_match_the_contract_in_every_period() {
    for (seed, as_of, days_back) in [
        (11, "2026-11-22", 90),
        (12, "2022-01-20", 40),
        (13, "2024-03-10", 20),
        (14, "2026-04-10T11:30:00Z", 21),
        (15, "2024-12-31", 120),
        (16, "2026-06-15", 1),
        (17, "2023-05-05", 730),
    ] {
        assert_contract_shares(&tickets(parameters(seed, as_of, days_back, 100_000)));
    }
}

#[test]
fn realistic_profile_has_actual_market_shares() {
    let profile = ProfileRef { name: "realistic".into(), crc64nvme: None };
    let tickets = tickets(WorldParameters { profile, ..parameters(3, "2026-11-22", 90, 100_000) });
    let total = 100.2;
    assert_shares(&tickets, |ticket| ticket.market, &[(Market::Cn, 43.8 / total), (Market::Ae, 0.6 / total)]);
    assert_shares(&tickets, |ticket| ticket.severity, &[(Severity::P1, 0.05)]);
}

#[test]
fn arrivals_follow_local_hours_and_weekdays() {
    let tickets = tickets(parameters(21, "2026-11-22", 364, 200_000));
    for ticket in &tickets {
        let hour = local(ticket).hour_of_week % 24;
        if matches!(ticket.channel, Channel::Phone | Channel::WalkIn | Channel::DealerPortal) {
            assert!((8..18).contains(&hour), "{ticket:?}");
        }
    }
    let app: Vec<Ticket> = tickets.iter().filter(|ticket| ticket.channel == Channel::BmwApp).copied().collect();
    let at = |from: u8, to: u8| share(&app, |ticket| (from..to).contains(&(local(ticket).hour_of_week % 24)));
    assert!(at(18, 22) > 2.0 * at(8, 12) && at(18, 22) > 6.0 * at(1, 5));
    for market in Market::ALL {
        let here: Vec<Ticket> = tickets.iter().filter(|ticket| ticket.market == *market).copied().collect();
        let day = |day: u32| share(&here, |ticket| working_day(*market, local(ticket).date) == day);
        assert!(
            day(0) > day(2) && day(1) > day(3) && day(4) < day(3) && day(5) < 0.6 * day(4) && day(6) < day(5),
            "{market}"
        );
    }
}

#[test]
fn emirates_weekend_includes_friday_until_2021() {
    let friday = |as_of: &str| {
        let here: Vec<Ticket> = tickets(parameters(4, as_of, 84, 100_000))
            .into_iter()
            .filter(|ticket| ticket.market == Market::Ae)
            .collect();
        share(&here, |ticket| chrono::Datelike::weekday(&local(ticket).date) == chrono::Weekday::Fri)
    };
    assert!(friday("2021-12-20") < 0.09, "{}", friday("2021-12-20"));
    assert!(friday("2022-12-20") > 0.12, "{}", friday("2022-12-20"));
}

#[test]
fn holidays_have_low_volume_and_days_are_overdispersed() {
    let tickets = tickets(parameters(5, "2026-01-10", 60, 300_000));
    let mut days: BTreeMap<(u32, chrono::NaiveDate), f64> = BTreeMap::new();
    for ticket in tickets.iter().filter(|ticket| ticket.market == Market::De) {
        let date = local(ticket).date;
        *days.entry((working_day(Market::De, date), date)).or_default() += 1.0;
    }
    let (holidays, workdays): (Vec<_>, Vec<_>) =
        days.iter().filter(|((day, _), _)| *day < 4).partition(|((_, date), _)| is_holiday(Market::De, *date));
    let mean =
        |days: &[(&(u32, chrono::NaiveDate), &f64)]| days.iter().map(|(_, n)| **n).sum::<f64>() / days.len() as f64;
    assert!(mean(&holidays) < 0.45 * mean(&workdays), "{} {}", mean(&holidays), mean(&workdays));
    let wednesdays: Vec<f64> = workdays.iter().filter(|((day, _), _)| *day == 2).map(|(_, n)| **n).collect();
    let mean = wednesdays.iter().sum::<f64>() / wednesdays.len() as f64;
    let variance = wednesdays.iter().map(|n| (n - mean) * (n - mean)).sum::<f64>() / (wednesdays.len() - 1) as f64;
    assert!(variance > 3.0 * mean, "no more than a Poisson process: {variance} around {mean}");
}

#[test]
fn seasons_follow_the_hemisphere() {
    let tickets = tickets(parameters(6, "2026-01-01", 365, 300_000));
    let climate = |market: Market, months: [u32; 2]| {
        let some: Vec<Ticket> = tickets
            .iter()
            .filter(|ticket| ticket.market == market && months.contains(&chrono::Datelike::month(&local(ticket).date)))
            .copied()
            .collect();
        (
            share(&some, |ticket| ticket.category == Category::Electrical),
            share(&some, |ticket| ticket.category == Category::Climate),
        )
    };
    let (january, july) = (climate(Market::De, [1, 2]), climate(Market::De, [7, 8]));
    assert!(january.0 > 1.5 * july.0 && january.1 < 0.4 * july.1, "{january:?} {july:?}");
    let (january, july) = (climate(Market::Au, [1, 2]), climate(Market::Au, [7, 8]));
    assert!(january.0 < 0.7 * july.0 && january.1 > 2.0 * july.1, "{january:?} {july:?}");
}

#[test]
fn categories_depend_on_powertrain_and_age() {
    let tickets = tickets(parameters(7, "2026-11-22", 90, 300_000));
    let of = |category: Category, holds: &dyn Fn(&Ticket) -> bool| {
        let some: Vec<Ticket> = tickets.iter().filter(|ticket| holds(ticket)).copied().collect();
        share(&some, |ticket| ticket.category == category)
    };
    // Cars of the same age, so that age cannot explain the difference.
    let electric = |ticket: &Ticket| ticket.model_series.is_electric() && ticket.model_year == 2024;
    let combustion = |ticket: &Ticket| !ticket.model_series.is_electric() && ticket.model_year == 2024;
    assert!(of(Category::Engine, &electric) < 0.4 * of(Category::Engine, &combustion));
    assert!(of(Category::Electrical, &electric) > 1.15 * of(Category::Electrical, &combustion));
    let (old, new) = (|ticket: &Ticket| ticket.model_year <= 2019, |ticket: &Ticket| ticket.model_year >= 2025);
    assert!(of(Category::Suspension, &old) > 2.0 * of(Category::Suspension, &new));
    assert!(of(Category::IDrive, &new) > 2.0 * of(Category::IDrive, &old));
    let severe = |category: Category| {
        let some: Vec<Ticket> = tickets.iter().filter(|ticket| ticket.category == category).copied().collect();
        share(&some, |ticket| ticket.severity == Severity::P1)
    };
    assert!(severe(Category::Brake) > 5.0 * severe(Category::Bodywork));
}

#[test]
fn cars_are_consistent_and_visit_rates_vary() {
    for count in [5_000, 500_000] {
        let tickets = tickets(parameters(8, "2026-11-22", 90, count));
        let (mut cars, mut owners) = (BTreeMap::new(), BTreeMap::new());
        for ticket in &tickets {
            let car = (ticket.market, ticket.dealer_id, ticket.model_series, ticket.model_year);
            let seen = cars.entry((ticket.customer_id, ticket.vin_last6)).or_insert((car, 0_u64));
            assert_eq!(seen.0, car, "a car has changed: {ticket:?}");
            seen.1 += 1;
            let owner = owners.entry(ticket.customer_id).or_insert((ticket.dealer_id, BTreeSet::new()));
            assert_eq!(owner.0, ticket.dealer_id, "an owner has moved: {ticket:?}");
            owner.1.insert(ticket.vin_last6);
        }
        let part = |n: usize, of: usize| n as f64 / of as f64;
        let once = part(cars.values().filter(|(_, n)| *n == 1).count(), cars.len());
        assert!((0.6..0.95).contains(&once), "{once} of {count}");
        let most = cars.values().map(|(_, n)| *n).max().unwrap();
        assert!((4..30).contains(&most), "{most} of {count}");
        let several = part(owners.values().filter(|(_, cars)| cars.len() > 1).count(), owners.len());
        assert!((0.005..0.1).contains(&several), "{several} of {count}");
    }
}

#[test]
fn lifecycles_are_plausible() {
    let parameters = parameters(9, "2026-11-23T13:00:00Z", 180, 400_000);
    let as_of = parameters.as_of;
    let tickets = tickets(parameters);
    let breached = share(&tickets, |ticket| ticket.sla_breached);
    assert!((0.08..0.20).contains(&breached), "{breached}");
    let open_p1 = |days: i64| {
        let is_so_old = |ticket: &Ticket| as_of.seconds() - ticket.created_at.seconds() > days * DAY_SECONDS;
        tickets.iter().filter(|t| t.severity == Severity::P1 && t.resolved_at.is_none() && is_so_old(t)).count()
    };
    assert!(open_p1(0) > 3 && open_p1(3) < 5, "{} {}", open_p1(0), open_p1(3));
    for status in Status::ALL {
        assert!(tickets.iter().any(|ticket| ticket.status == *status), "none is {status}");
    }
}

/// Returns the ticket without the fields that change over its lifecycle.
fn identity(ticket: &Ticket) -> Ticket {
    Ticket { status: Status::Open, updated_at: ticket.created_at, resolved_at: None, sla_breached: false, ..*ticket }
}

#[test]
fn later_snapshots_advance_the_same_tickets() {
    let first = parameters(10, "2026-03-20", 60, 20_000);
    let before = tickets(first.clone());
    let mut as_of = first.as_of;
    let mut merged: BTreeMap<_, Ticket> = before.iter().map(|ticket| (ticket.ticket_id, *ticket)).collect();
    for days in [1, 6, 23] {
        let since = as_of;
        as_of = as_of.plus_seconds(days * DAY_SECONDS);
        let world = World::new(WorldParameters { as_of, ..first.clone() }).unwrap();
        let after: Vec<Ticket> = world.tickets(0..world.n_tickets()).collect();
        assert!(after.len() > before.len());
        for (before, after) in before.iter().zip(&after) {
            assert_eq!(identity(before), identity(after));
            assert!(before.updated_at <= after.updated_at);
        }
        assert!(after[before.len()..].iter().all(|ticket| ticket.created_at >= first.as_of));

        let feed = world.tickets(world.may_have_changed_since(since)).filter(|ticket| ticket.updated_at >= since);
        merged.extend(feed.map(|ticket| (ticket.ticket_id, ticket)));
        let whole: BTreeMap<_, Ticket> = after.iter().map(|ticket| (ticket.ticket_id, *ticket)).collect();
        assert!(merged == whole, "{days} days later");
    }
}

#[test]
fn scenarios_have_the_effect_in_the_manifest() {
    let quiet = parameters(31, "2026-02-20", 90, 300_000);
    for scenario in Scenario::ALL {
        let world = World::new(WorldParameters { scenarios: vec![*scenario], ..quiet.clone() }).unwrap();
        let [effect] = world.scenario_effects() else { panic!("one effect") };
        let tickets: Vec<Ticket> = world.tickets(0..world.n_tickets()).collect();
        let during = |ticket: &&Ticket| (effect.from..effect.until).contains(&ticket.created_at);
        let is_affected = |ticket: &&Ticket| {
            effect.markets.contains(&ticket.market)
                && effect.category.is_none_or(|category| ticket.category == category)
                && (effect.model_series.is_empty() || effect.model_series.contains(&ticket.model_series))
                && effect.model_years.is_none_or(|(first, last)| (first..=last).contains(&ticket.model_year))
                && effect.dealer_id.is_none_or(|dealer| ticket.dealer_id == dealer)
        };
        let n = tickets.iter().filter(during).filter(is_affected).count() as f64;
        let expected = effect.expected_tickets;
        assert!((n - expected).abs() < 6.0 * expected.sqrt(), "{scenario}: {n} instead of {expected}");
        if let Some(dealer) = effect.dealer_id {
            let resolved =
                |ticket: &&Ticket| ticket.resolved_at.is_some_and(|at| (effect.from..effect.until).contains(&at));
            assert_eq!(tickets.iter().filter(|ticket| ticket.dealer_id == dealer).filter(resolved).count(), 0);
            assert!((effect.uplift - 1.0).abs() < 1e-9);
        } else {
            let without: Vec<Ticket> = self::tickets(quiet.clone());
            let n_without = without.iter().filter(during).filter(is_affected).count() as f64;
            assert!((n_without - effect.expected_without).abs() < 6.0 * effect.expected_without.sqrt(), "{scenario}");
            assert!(effect.uplift > 2.0, "{effect:?}");
        }
    }
}

#[test]
fn cold_wave_requires_winter() {
    let summer = WorldParameters { scenarios: vec![Scenario::ColdWave], ..parameters(1, "2026-05-20", 60, 1000) };
    let error = World::new(summer).unwrap_err().to_string();
    assert!(error.contains("needs winter"), "{error}");
    let winter_of_the_south =
        WorldParameters { scenarios: vec![Scenario::ColdWave], ..parameters(1, "2026-08-20", 60, 1000) };
    assert_eq!(World::new(winter_of_the_south).unwrap().scenario_effects()[0].markets, [Market::Au]);
}

#[test]
fn recall_of_2024_causes_a_surge() {
    let tickets = tickets(parameters(41, "2024-12-31", 150, 200_000));
    let weekly = |from: &str| {
        let (from, until) = (time(from), time(from).plus_seconds(7 * DAY_SECONDS));
        tickets
            .iter()
            .filter(|ticket| ticket.category == Category::Recall && (from..until).contains(&ticket.created_at))
            .filter(|ticket| (2023..=2025).contains(&ticket.model_year))
            .count()
    };
    let (before, rising, high, later) =
        (weekly("2024-09-02"), weekly("2024-09-10"), weekly("2024-09-22"), weekly("2024-12-03"));
    assert!(
        rising > 2 * before && high > rising && high > 3 * later && later > before,
        "{before} {rising} {high} {later}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// A ticket's number determines its creation time, in any period and at any as-of time.
    #[test]
    fn ticket_identity_is_independent_of_as_of(
        seed: u64,
        start in 1_500_000_000_i64..1_900_000_000,
        days_back in 1_u32..200,
        count in 1_u64..3_000,
        later_hours in 0_i64..2_000,
    ) {
        let world_start = Timestamp::from_seconds(start).unwrap();
        let first_end = world_start.plus_seconds(i64::from(days_back) * DAY_SECONDS);
        let parameters = WorldParameters::new(seed, first_end, days_back, count);
        let world = World::new(parameters.clone()).unwrap();
        prop_assert_eq!(world.n_tickets(), count);
        let before: Vec<Ticket> = world.tickets(0..count).collect();
        for as_of in [first_end.plus_seconds(later_hours * 3600), first_end.plus_seconds(-later_hours * 60)] {
            let Ok(other) = World::new(WorldParameters { as_of, ..parameters.clone() }) else { continue };
            for (before, other) in before.iter().zip(other.tickets(0..other.n_tickets())) {
                prop_assert_eq!(identity(before), identity(&other));
                prop_assert!(other.created_at <= as_of && other.updated_at <= as_of);
            }
            let opened = before.iter().filter(|ticket| ticket.created_at < as_of).count() as u64;
            prop_assert_eq!(other.n_tickets().min(count), opened);
        }
    }
}
